"""The lines that tell why a build failed are found in its log, and what to do about it."""

from __future__ import annotations

import pytest

from venvpkg.sources.diagnose import diagnose

NOISE = "running build_ext\nbuilding 'demo' extension\nx86_64-linux-gnu-gcc -c x.c -Werror=format-security\n"


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("psycopg.h:31:10: fatal error: libpq-fe.h: No such file or directory", "the header libpq-fe.h"),
        ("x.c:1:10: fatal error: 'sys/acl.h' file not found", "the header sys/acl.h"),
        ("x.c:1:10: fatal error: Python.h: No such file or directory", "python3-dev, or python3-devel"),
        ("/usr/bin/ld: cannot find -lxxhash: No such file or directory", "libxxhash.so for linking"),
        ("Error: pg_config executable not found.", "the program pg_config"),
        ("/bin/sh: 1: xslt-config: not found", "the program xslt-config"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'mysql_config'", "the program mysql_config"),
        ("Package libffi was not found in the pkg-config search path.", "libffi.pc"),
        ("Package 'libacl', required by 'virtual:world', not found", "libacl.pc"),
        ("No package 'libzstd' found", "libzstd.pc"),
        ('../meson.build:31:12: ERROR: Dependency "cairo" not found (tried pkg-config and cmake)', "cairo.pc"),
        ("  Could NOT find OpenSSL, try to set the path to OpenSSL root folder", "OpenSSL (as CMake calls it)"),
        ("error: command 'swig' failed: No such file or directory", "the program swig"),
        ("make: cmake: command not found", "the program cmake"),
        ("error: can't find Rust compiler", "Install Rust"),
        ("Rust not found, installing into a temporary directory", "Install Rust"),
        ("Caused by: Cargo metadata failed. Do you have cargo in your PATH?", "Install Rust"),
        ("error: rustc 1.63.0 is not supported by the following packages:", "too old"),
        ("error: no matching package named `pyo3` found", "Cargo.lock"),
        ("urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "no network"),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", "no network"),
        ("wget: unable to resolve host address \u2018example.org\u2019", "no network"),
        ("  [cause]: Error: getaddrinfo EAI_AGAIN example.org", "no network"),
        ("curl: (7) Failed to connect to 192.0.2.1 port 80 after 0 ms: Couldn't connect to server", "no network"),
        ("dial tcp 192.0.2.1:443: connect: network is unreachable", "no network"),
        ("cc1plus: fatal error: Killed signal terminated program cc1plus", "--jobs 1"),
        ("ModuleNotFoundError: No module named 'numpy'", "the module numpy"),
        ("unshare: unshare failed: Operation not permitted", "venvpkg doctor"),
        ("as: x.o: No space left on device", "disk"),
    ],
)
def test_a_known_cause_is_found_with_what_to_do(line: str, advice: str) -> None:
    found = diagnose(f"{NOISE}{line}\nerror: Command '['gcc', '-c']' returned non-zero exit status 1.\n")

    assert found.lines == (line.strip(),)
    assert len(found.advice) == 1
    assert advice in found.advice[0]


@pytest.mark.parametrize(
    "line",
    ["x.c:3:5: error: implicit declaration of function 'f'", "x.o: undefined reference to `SSL_new'",
     "error[E0658]: use of unstable library feature", "ValueError: version is missing"],
)  # fmt: skip
def test_an_error_without_known_remedy_is_still_shown(line: str) -> None:
    assert diagnose(NOISE + line) == diagnose(line)
    assert diagnose(NOISE + line).lines == (line,)


def test_a_program_that_subprocess_does_not_find_is_a_program_and_a_file_is_none() -> None:
    frames = (
        "Traceback (most recent call last):\n"
        '  File "setup.py", line 3, in <module>\n    subprocess.run(["dot"])\n'
        '  File "/usr/lib/python3.13/subprocess.py", line 1972, in _execute_child\n'
        "    raise child_exception_type(errno_num, err_msg, err_filename)\n    ^^^^^^^^^^^^\n"
    )
    error = "FileNotFoundError: [Errno 2] No such file or directory: '{}'\n"

    found = diagnose(NOISE + frames + error.format("dot") + error.format("VERSION"))

    assert "dot: command not found" in found.lines
    assert any("the program dot" in each for each in found.advice)
    assert not any("VERSION" in each for each in found.advice)


def test_without_a_telling_line_the_last_ones_are_shown() -> None:
    log = "\n".join(f"line {number}" for number in range(100))

    found = diagnose(log)

    assert (found.lines[-1], len(found.lines), found.advice) == ("line 99", 15, ())


def test_colours_and_control_characters_do_not_reach_the_terminal() -> None:
    (line,) = diagnose("\x1b[01;31mx.c:1:1: error: \x1b]0;title\x07bad\x08\x1b[0m\n").lines

    assert line == "x.c:1:1: error: bad"


def test_repeated_and_endless_lines_are_cut() -> None:
    found = diagnose("error: again\n" * 50 + "error: " + "x" * 10_000)

    assert len(found.lines) == 2
    assert len(found.lines[1]) == 300


def test_an_empty_log_says_nothing() -> None:
    assert diagnose("").lines == ()
