/* Pointers to our own data need relative relocations; packed ones need a loader that knows GLIBC_ABI_DT_RELR. */
#include <string.h>
static int a, b, c, d;
int *table[] = {&a, &b, &c, &d, &a, &b, &c, &d};
unsigned long length(const char *text) { return strlen(text); }
