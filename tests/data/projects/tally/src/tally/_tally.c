#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

static PyObject *
total(PyObject *module, PyObject *numbers)
{
    PyObject *iterator = PyObject_GetIter(numbers), *number;
    const char *start = getenv("TALLY_START");
    long sum = start != NULL ? atol(start) : 0;

    (void)module;
    if (iterator == NULL)
        return NULL;
    while ((number = PyIter_Next(iterator)) != NULL) {
        sum += PyLong_AsLong(number);
        Py_DECREF(number);
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? NULL : PyLong_FromLong(sum);
}

static PyMethodDef methods[] = {
    {"total", total, METH_O, "Return the sum of the numbers."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_tally", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__tally(void)
{
    return PyModule_Create(&definition);
}
