"""An unlucky or hostile world: builds are killed, disks fill up, inputs are wrong. Nothing half-written ever stays."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import signal
import subprocess
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import depends_of
from acceptance.workplace import Workplace, ended, kill_after_events, told
from chance import Chance

if TYPE_CHECKING:
    from collections.abc import Callable

    from acceptance.packages import Venvpkg

CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
NO_SPACE = "No space left on device"
NO_INDEX = {"UV_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid() != 0 and not CI:
        pytest.skip("altering the machine for one build needs root")


@pytest.fixture
def place(venvpkg: Venvpkg, tmp_path: Path) -> Workplace:
    return Workplace.with_tally(venvpkg.program, tmp_path)


@pytest.fixture(scope="module")
def digests(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What undisturbed builds of tally give."""
    place = Workplace.with_tally(venvpkg.program, tmp_path_factory.mktemp("undisturbed"))
    outcome = place.build()
    assert outcome.code == 0, outcome.transcript
    return place.digests()


@pytest.mark.parametrize("times", [20, pytest.param(100, marks=pytest.mark.full)])
def test_kill_at_any_moment_breaks_nothing(place: Workplace, digests: dict[str, str], times: int) -> None:
    longest, events = _length_of_a_build(place)
    place.forget("dist", "wheelhouse")
    with Chance(times) as chance:
        for number in chance.rounds(times):
            if number % 2:
                kill_after_events(place.start("--json"), chance.number(events))
            else:
                _kill_after(place.start(), chance.seconds(longest))
            if place.packages():  # whole; that of the next run must be again
                assert place.digests() == digests
                place.forget("dist", *chance.some(["wheelhouse", "cache"], 1))

        outcome = place.build()

        assert outcome.code == 0, outcome.transcript
        assert "damaged" not in outcome.stderr
        assert place.digests() == digests
        assert place.leftovers() == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_a_compile_at_once_with_all_its_children(place: Workplace, sent: signal.Signals) -> None:
    marker = f"31536000.{place.path.stat().st_ino}"
    place.knobs(f'pause = "{marker}"')
    process = place.start()
    _wait_until(lambda: _runs(marker))

    started = time.monotonic()
    process.send_signal(sent)
    outcome = ended(process)

    assert (outcome.code, told(outcome)) == (130, "Interrupted."), outcome.transcript
    assert time.monotonic() - started < 5  # a second or two where nothing else runs
    assert not _runs(marker)
    assert place.leftovers() == []
    assert place.packages() == ()


def test_a_second_interrupt_while_it_ends_is_no_traceback(place: Workplace) -> None:
    marker = f"31536000.{place.path.stat().st_ino}"
    place.knobs(f'pause = "{marker}"')
    process = place.start()
    _wait_until(lambda: _runs(marker))

    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    outcome = ended(process)

    assert outcome.code == 130, outcome.transcript
    assert not _runs(marker)


@pytest.mark.full
def test_an_interrupt_at_any_moment_is_one_line(place: Workplace) -> None:
    longest, _ = _length_of_a_build(place)
    outcomes = []
    with Chance(130) as chance:
        for _ in chance.rounds(6):
            place.forget("dist", "wheelhouse")
            process = place.start()
            # Python itself must have started: before, a signal ends it like any program.
            time.sleep(chance.seconds(longest, least=min(0.5, longest / 4)))
            process.send_signal(signal.SIGINT)
            outcomes.append(ended(process))

        # -2, which a shell shows as 130 too: Python itself was about to end, the package written.
        ends = {(130, "Interrupted."), (0, ""), (-signal.SIGINT, "")}
        assert {(outcome.code, told(outcome)) for outcome in outcomes} <= ends
        assert 130 in {outcome.code for outcome in outcomes}
        assert place.leftovers() == []


def test_two_builds_at_once_share_dist_and_wheelhouse(place: Workplace, digests: dict[str, str]) -> None:
    outcomes = [ended(process) for process in [place.start(), place.start()]]

    assert [outcome.code for outcome in outcomes] == [0, 0], "".join(each.transcript for each in outcomes)
    assert place.digests() == digests
    assert len(list((place.path / "wheelhouse").rglob("*.whl"))) == 1
    assert place.leftovers() == []


@pytest.mark.parametrize(
    ("full", "kib"),
    [
        ("dist", 4),
        ("wheelhouse", 16),
        ("cache", 1024),
        ("temporary", 4),
        *(pytest.param("cache", kib, marks=pytest.mark.full) for kib in (4, 32, 256, *range(50_000, 66_000, 1000))),
        *(pytest.param("dist", kib, marks=pytest.mark.full) for kib in (8, 12)),
        *(pytest.param("wheelhouse", kib, marks=pytest.mark.full) for kib in (4, 8, 12, 20, 24)),
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing(place: Workplace, digests: dict[str, str], full: str, kib: int) -> None:
    (place.path / "temporary").mkdir()
    left = place.path / "left"
    # What is left is looked at before the disk goes with its namespace.
    mounts = f"""
        mount -t tmpfs -o size={kib}k tmpfs {full}
        "$@" || code=$?
        find {full} -type f -not -path '*/logs/*' -not -path '*/virtualenv/*' -not -name '*.deb' \\
            -not -name .lock -not -name work.lock > left
        find {full} -name '*.deb' -exec dpkg-deb --contents {{}} ';' > /dev/null 2>> left
        exit ${{code:-0}}
    """

    outcome = place.build(mounts=_before(mounts), environment={"TMPDIR": str(place.path / "temporary")})

    if outcome.code != 0:
        # 7 where it was the compiler that ran out of space; its log says so.
        assert outcome.code in {7, 16}, outcome.transcript
        assert NO_SPACE in outcome.stderr, outcome.transcript
        assert _advice(outcome.stderr), outcome.transcript
        assert left.read_text() == ""
        assert place.packages() == ()
    else:
        assert kib > 20, "no disk was full"
    again = place.build()
    assert again.code == 0, again.transcript
    assert place.digests() == digests
    assert place.leftovers() == []


@pytest.mark.parametrize("refused", ["dist", "wheelhouse", "cache", "tally"])
def test_a_directory_that_cannot_be_written_is_told_by_name(place: Workplace, refused: str) -> None:
    mounts = f"mount --bind {refused} {refused}; mount -o remount,bind,ro {refused}"

    outcome = place.build(mounts=mounts)

    assert outcome.code == 16, outcome.transcript
    assert re.search(rf"error: {place.path}/{refused}\S* cannot be used: Read-only file system\.\n", outcome.stderr)
    assert _advice(outcome.stderr)
    assert place.packages() == ()


def test_a_read_only_project_with_current_locks_is_built(place: Workplace, digests: dict[str, str]) -> None:
    assert place.build().code == 0
    place.forget("dist")

    outcome = place.build(mounts="mount --bind tally tally; mount -o remount,bind,ro tally")

    assert outcome.code == 0, outcome.transcript
    assert place.digests() == digests


def test_a_missing_header_is_told_with_the_whole_log(place: Workplace) -> None:
    place.edit("src/tally/_tally.c", "#include <Python.h>", "#include <Python.h>\n#include <librare/rare.h>")

    outcome = place.build()

    assert outcome.code == 7, outcome.transcript
    assert "fatal error: librare/rare.h: No such file or directory" in outcome.stderr
    assert "Install the package that ships the header librare/rare.h" in outcome.stderr
    log = re.search(r"The full log: (\S+)", outcome.stderr)
    assert log is not None
    assert "librare/rare.h" in Path(log[1]).read_text()
    assert place.packages() == ()


@pytest.mark.parametrize(
    ("program", "package"), [("dpkg-deb", "dpkg"), ("dpkg-query", "dpkg"), ("gcc", "gcc"), ("strip", "binutils")]
)
def test_a_missing_program_is_told_with_its_package(place: Workplace, program: str, package: str) -> None:
    outcome = place.build(mounts=f"mount --bind /dev/null /usr/bin/{program}")

    assert outcome.code == 6, outcome.transcript
    assert f"the program {program}" in outcome.stderr
    assert re.search(rf"apt-get install .*\b{package}\b", outcome.stderr)


def test_a_library_that_no_package_owns_is_told_by_name(place: Workplace) -> None:
    (place.path / "lib").mkdir()
    library = place.path / "lib" / "librare.so.7"
    _compile_library(library, "int rare(void) { return 1; }")
    (place.project / "librare.so").write_bytes(library.read_bytes())
    place.edit("src/tally/_tally.c", "static PyObject *\ntotal", "int rare(void);\nstatic PyObject *\ntotal")
    place.edit("src/tally/_tally.c", "atol(start) : 0;", "atol(start) : rare();")
    place.knobs(f'link = ["librare.so", "-Wl,-rpath,{library.parent}"]')

    outcome = place.build()

    assert outcome.code == 11, outcome.transcript
    assert "librare.so.7, for /opt/venvs/tally/lib/python" in outcome.stderr
    assert f"found at {library}, which no package ships" in outcome.stderr
    assert place.packages() == ()


@pytest.mark.parametrize(
    "damage",
    [
        "head --bytes=-100 /var/lib/dpkg/status",
        "tr '\\n' '\\0' < /var/lib/dpkg/status",
        "sed s/^Version:.*/Version/ /var/lib/dpkg/status",
    ],
)
def test_a_damaged_package_database_is_told(place: Workplace, damage: str) -> None:
    outcome = place.build(mounts=f"{damage} > status; mount --bind status /var/lib/dpkg/status")

    assert outcome.code == 12, outcome.transcript
    assert "/var/lib/dpkg/status" in outcome.stderr
    assert place.packages() == ()


@pytest.mark.parametrize(
    "size", [1000, *(pytest.param(size, marks=pytest.mark.full) for size in (60, 500, 4000, 8000))]
)
def test_a_damaged_elf_file_is_told_by_name(place: Workplace, size: int) -> None:
    place.knobs(f"damage = {size}")

    outcome = place.build()

    assert outcome.code == 10, outcome.transcript
    assert re.search(r"/opt/venvs/tally/\S+/_tally\S+\.so: ", outcome.stderr)
    assert place.packages() == ()


@pytest.mark.parametrize("name", ["pylock.toml", "venvpkg.lock"])
@pytest.mark.parametrize("text", [b"lock-version = '1", b"\xff\xfe\0", b"lock-version = '99.0'\n", b"version = []\n"])
def test_a_malformed_lock_is_told_by_name_and_kept(place: Workplace, name: str, text: bytes) -> None:
    lock = place.project / name
    lock.write_bytes(text)

    outcome = place.build()

    assert outcome.code == 4, outcome.transcript
    assert str(lock) in outcome.stderr
    assert lock.read_bytes() == text


@pytest.mark.parametrize(("name", "code"), [("pylock.toml", 4), ("venvpkg.lock", 4), ("pyproject.toml", 3)])
def test_a_pipe_in_place_of_a_file_is_never_waited_for(place: Workplace, name: str, code: int) -> None:
    (place.project / name).unlink(missing_ok=True)
    os.mkfifo(place.project / name)

    outcome = place.build()

    assert outcome.code == code, outcome.transcript
    assert f"{name}: " in outcome.stderr or f"{name} " in outcome.stderr


def test_a_file_that_is_not_the_locked_one_is_refused(place: Workplace) -> None:
    wheel = _wheel_of_rare(place.path)
    place.edit("pyproject.toml", "[project.scripts]", 'dependencies = ["rare==1"]\n[project.scripts]')
    index = {**NO_INDEX, "UV_FIND_LINKS": str(place.path)}
    good = place.build(environment=index)
    assert good.code == 0, good.transcript
    place.forget("dist", "cache")
    with wheel.open("ab") as file:
        file.write(b"tampered")

    outcome = place.build(environment=index)

    assert outcome.code == 5, outcome.transcript
    assert "rare-1-py3-none-any.whl: not the locked file" in outcome.stderr
    assert re.search(r"expected sha256 [0-9a-f]{64}\n", outcome.stderr)
    assert place.packages() == ()
    assert list((place.path / "cache").rglob("*.whl")) == []


FIELDS = (
    "Summary: {}",
    "Author: {}",
    "Author-email: {} <evil@example.org>",
    "Maintainer: {}",
    "Maintainer-email: {} <evil@example.org>",
    "License: {}",
    "Keywords: {}",
    "Home-page: https://example.org/{}",
    "Project-URL: Homepage, https://example.org/{}",
    "Download-URL: https://example.org/{}",
    "Description: {}",
    "Description-Content-Type: {}",
    "Classifier: {}",
    "Platform: {}",
    "Supported-Platform: {}",
    "Requires-External: {}",
    "Provides-Dist: {}",
    "Obsoletes-Dist: {}",
    "Dynamic: {}",
)
ODD_FIELDS = (
    "Name: {}",
    "Version: {}",
    "License-Expression: {}",
    "License-File: ../../{}",
    "Provides-Extra: {}",
    "Requires-Dist: {}",
    "Requires-Python: {}",
    "{}: x",
)
VALUES = {
    "syntax": "$(touch PWNED) `touch PWNED` ;touch PWNED {{ 7 * 191 }} {% raise %} ${x} %s",
    "folded": "x\\n Depends: evil\\n .\\nPackage: evil\\n\\nDepends: evil",
    "terminal": "\\u001b[31m\\u0085\\u2028\\u202e",
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize(
    "fields",
    [
        FIELDS,
        *(pytest.param((field,), id=field.partition(":")[0], marks=pytest.mark.full) for field in FIELDS + ODD_FIELDS),
    ],
)
def test_metadata_is_literal_text_or_refused(place: Workplace, fields: tuple[str, ...], value: str) -> None:
    value = value.replace("PWNED", str(place.path / "pwned"))
    text = "".join(field.format(value) + "\\n" for field in fields)
    place.knobs(f'metadata = "{text}"')

    outcome = place.build()

    assert not (place.path / "pwned").exists()
    # 3 where no address is left that could be the maintainer's.
    assert outcome.code in {0, 3, 8, 9}, outcome.transcript
    assert "\x1b" not in outcome.stderr
    if outcome.code == 0:
        (package,) = place.packages()
        command = ["dpkg-deb", "--field", str(package)]
        control = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert {name.partition(".")[0] for name in depends_of(package)} == {"libc6", "python3"}
        assert not re.search(r"^Package: evil|\x1b|1337", control, re.MULTILINE)
    else:
        assert told(outcome).startswith("error: "), outcome.transcript


def _length_of_a_build(place: Workplace) -> tuple[float, int]:
    """Return how long a build takes, in seconds and in events."""
    started = time.monotonic()
    outcome = place.build("--json")
    assert outcome.code == 0, outcome.transcript
    return time.monotonic() - started, len(outcome.stdout.splitlines())


def _kill_after(process: subprocess.Popen[str], seconds: float) -> None:
    time.sleep(seconds)
    process.kill()
    process.communicate()


def _before(script: str) -> str:
    """Return commands that run the build themselves, so that they can look at what it left."""
    return f"shift; {script}"


def _advice(errors: str) -> str:
    """Return what a failed build tells to do: what follows the brief."""
    return errors.partition("error: ")[2].partition("\n")[2].strip()


def _wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def _runs(argument: str) -> bool:
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if argument.encode() in command_line.read_bytes().split(b"\0"):
                return True
        except OSError:
            continue  # ended meanwhile
    return False


def _compile_library(path: Path, code: str) -> None:
    command = ["gcc", "-shared", "-fPIC", "-xc", "-", f"-Wl,-soname,{path.name}", "-o", str(path)]
    subprocess.run(command, input=code, text=True, check=True)


def _wheel_of_rare(directory: Path) -> Path:
    path = directory / "rare-1-py3-none-any.whl"
    members = {
        "rare.py": b"",
        "rare-1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: rare\nVersion: 1\n",
        "rare-1.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(each).digest()) for name, each in members.items()}
    record = "".join(
        f"{name},sha256={digest.decode().rstrip('=')},{len(members[name])}\n" for name, digest in digests.items()
    )
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
        wheel.writestr("rare-1.dist-info/RECORD", f"{record}rare-1.dist-info/RECORD,,\n")
    return path
