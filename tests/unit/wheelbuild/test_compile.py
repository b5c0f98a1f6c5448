"""Every wheel of a plan comes onto this machine, or all failures are told at once."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter, ScriptedRunner
from unit.wheelhouse.makers import TOOLCHAIN, bookworm, pins_of, remote, wheel_members, write_sdist, write_wheel
from venvpkg.errors import CompileError, LockError, MachineError, VenvpkgError, WheelError
from venvpkg.host.command import Command, Completed
from venvpkg.model.wheels import Action, PlannedWheel, SourceTree, WheelPlan
from venvpkg.sources.crates import CratesError
from venvpkg.sources.repository import Repositories
from venvpkg.sources.source_tree import read_source_tree
from venvpkg.wheelbuild.compile import compile_wheels
from venvpkg.wheelbuild.context import WheelBuildContext
from venvpkg.wheelbuild.pool import Pool
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from venvpkg.model.lock import BuildPins, RemoteFile

SETUPTOOLS = remote("setuptools-80.0-py3-none-any.whl")
EXTRA = remote("extra-1.0-py3-none-any.whl")
PYPROJECT = b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'


@dataclass
class BuildMachine:
    """A Runner that behaves like uv and a build backend would, inside the workspace of the job."""

    extra: tuple[str, ...] = ()
    failing: Mapping[str, str] = field(default_factory=dict)
    on_build: Callable[[str], None] = lambda _: None
    version: str = "1.0"
    ran: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        if command.argv[0] == "git":
            return Completed(128)
        assert not command.network, "a compile runs cut off from the network"
        sandbox = command.binds[0].source
        if "tool/run_hook.py" in command.argv:
            return self.hook(sandbox, json.loads((sandbox / "request.json").read_text()), command)
        assert command.argv[0] == "tool/uv"
        return Completed(0)

    def hook(self, sandbox: Path, request: dict[str, str], command: Command) -> Completed:
        name = sandbox.name.partition("-")[0]
        if request["hook"] == "get_requires_for_build_wheel":
            (sandbox / "src/left-by-hook").touch()
            (sandbox / "answer.json").write_text(json.dumps({"value": self.extra}))
            return Completed(0)
        assert not (sandbox / "src/left-by-hook").exists(), "the build starts from the source as it was published"
        self.on_build(name)
        if name in self.failing:
            assert command.log is not None
            with command.log.open("a") as log:
                log.write(self.failing[name] + "\n")
            return Completed(1)
        wheel = write_wheel(
            sandbox / "out" / f"{name}-{self.version}-cp311-cp311-linux_x86_64.whl", wheel_members(name, self.version)
        )
        (sandbox / "answer.json").write_text(json.dumps({"value": wheel.name}))
        return Completed(0)

    def hooks(self) -> int:
        return sum("tool/run_hook.py" in command.argv for command in self.ran)


@dataclass
class Bench:
    """A workshop in a directory, and what it was asked for."""

    directory: Path
    machine: BuildMachine = field(default_factory=BuildMachine)
    reporter: RecordingReporter = field(default_factory=RecordingReporter)
    pinned: list[tuple[str, ...]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    runs: int = 0
    has_crates: bool = True

    def pin(self, requires: tuple[str, ...]) -> tuple[RemoteFile, ...]:
        self.pinned.append(requires)
        known = {"setuptools": SETUPTOOLS, "extra": EXTRA, "maturin": EXTRA}
        missing = [each for each in requires if each not in known]
        if missing:
            raise LockError(f"{missing[0]} is not on the index.")
        return tuple(known[each] for each in requires)

    def fetch(self, files: Iterable[RemoteFile]) -> Mapping[RemoteFile, Path]:
        found = {}
        for file in files:
            path = self.directory / "downloads" / file.filename
            self.fetched.append(file.filename)
            name, version = file.filename.removesuffix(".tar.gz").split("-")[:2]
            if not path.exists():
                if file.filename.endswith(".whl"):
                    write_wheel(path, wheel_members(name, version))
                else:
                    write_sdist(path, {f"{name}-{version}/pyproject.toml": PYPROJECT})
            found[file] = path
        return found

    def compile(self, *wheels: PlannedWheel, pins: Iterable[BuildPins] = (), jobs: int = 2) -> tuple[list[str], int]:
        """Return the origins of the wheels and how many pins are new."""
        done = compile_wheels(WheelPlan(wheels), pins, self.context(jobs))
        self.new_pins = done.pins
        return [each.origin for each in done.wheels], len(done.pins)

    def context(self, jobs: int = 2) -> WheelBuildContext:
        self.runs += 1
        workspace = self.directory / f"work{self.runs}"
        workspace.mkdir()
        uv = self.directory / "uv"
        uv.touch()
        house = Wheelhouse(self.directory / "wheelhouse", "linux_x86_64_debian_12", self.reporter)
        return WheelBuildContext(
            bookworm(), TOOLCHAIN, self.machine, self.reporter, house, self.pin, self.fetch, uv, workspace,
            self.directory / "logs", Pool(jobs), self.ended.set, self, lambda *_: b"{}\n",
            Repositories(workspace / "repositories", ScriptedRunner({})),
        )  # fmt: skip

    def vendor(self, source: Path, title: str) -> Path:
        assert (source / "Cargo.lock").is_file()
        if not self.has_crates:
            raise CratesError("cargo, which could fetch them, is not installed")
        place = self.directory / f"crates of {title}"
        place.mkdir(exist_ok=True)
        (place / "config.toml").touch()
        return place

    def entries(self) -> int:
        return len(list((self.directory / "wheelhouse").glob("linux*/*/*/*.whl")))


@pytest.fixture(name="bench")
def _bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def to_compile(name: str, key: str | None = None, action: Action = Action.COMPILE) -> PlannedWheel:
    return PlannedWheel(name, "1.0", action, "for the test", remote(f"{name}-1.0.tar.gz"), key)


def publishers(name: str, filename: str) -> PlannedWheel:
    return PlannedWheel(name, "1.0", Action.PURE, "for the test", remote(filename))


def sources_of(*names: str) -> set[str]:
    return {remote(f"{name}-1.0.tar.gz").sha256 for name in names}


def failure(bench: Bench, *wheels: PlannedWheel) -> VenvpkgError:
    with pytest.raises(VenvpkgError) as caught:
        bench.compile(*wheels)
    return caught.value


def test_the_first_build_asks_the_backend_and_tells_what_it_pinned(bench: Bench) -> None:
    origins, _ = bench.compile(to_compile("demo"))

    (pins,) = bench.new_pins
    assert origins == [Action.COMPILE]
    assert (pins.name, {pins.source}, pins.target) == ("demo", sources_of("demo"), "debian-12-amd64-cp311")
    assert (pins.requires, pins.files) == (("setuptools",), (SETUPTOOLS,))
    assert bench.pinned == [("setuptools",)]


def test_what_the_backend_asks_for_is_pinned_together_with_the_rest(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BuildMachine(extra=("extra",)))

    bench.compile(to_compile("demo"))

    assert bench.pinned == [("setuptools",), ("extra", "setuptools")]
    assert bench.new_pins[0].files == (EXTRA, SETUPTOOLS)


def test_with_known_pins_nothing_is_asked_nor_pinned(bench: Bench) -> None:
    known = pins_of("demo", *sources_of("demo"), "setuptools", files=[SETUPTOOLS])

    origins, new = bench.compile(to_compile("demo"), pins=[known])

    assert (origins, new, bench.pinned, bench.machine.hooks()) == ([Action.COMPILE], 0, [], 1)


def test_pins_that_lack_a_requirement_of_the_source_are_made_anew(bench: Bench) -> None:
    known = pins_of("demo", *sources_of("demo"))

    bench.compile(to_compile("demo"), pins=[known])

    assert bench.new_pins[0].requires == ("setuptools",)


def test_a_wheel_that_was_built_before_is_found_once_its_key_is_known(bench: Bench) -> None:
    bench.compile(to_compile("demo"))
    builds = bench.machine.hooks()

    origins, new = bench.compile(to_compile("demo"))

    assert (origins, new) == ([Action.REUSE], 1)
    assert bench.machine.hooks() - builds == 1


def test_a_reused_wheel_runs_and_fetches_nothing(bench: Bench) -> None:
    bench.compile(to_compile("demo"))
    (wheel,) = (bench.directory / "wheelhouse").glob("linux*/*/*/*.whl")
    bench.machine.ran.clear()
    bench.fetched.clear()

    origins, _ = bench.compile(to_compile("demo", wheel.parent.name, Action.REUSE))

    assert (origins, bench.machine.ran, bench.fetched) == ([Action.REUSE], [], [])


def test_a_reused_wheel_that_vanished_since_the_plan_is_compiled(bench: Bench) -> None:
    origins, _ = bench.compile(to_compile("demo", "f" * 64, Action.REUSE))

    assert origins == [Action.COMPILE]


def test_publishers_wheels_are_taken_as_they_are(bench: Bench) -> None:
    done = compile_wheels(WheelPlan((publishers("a", "a-1.0-py3-none-any.whl"),)), (), bench.context())

    assert done.wheels[0].path == bench.directory / "downloads/a-1.0-py3-none-any.whl"
    assert bench.machine.ran == []


def test_all_hostile_publishers_wheels_are_told_at_once(bench: Bench) -> None:
    for name in ("a", "b"):
        write_wheel(bench.directory / f"downloads/{name}-1.0-py3-none-any.whl", {**wheel_members(name), "../x": b""})

    error = failure(bench, *(publishers(name, f"{name}-1.0-py3-none-any.whl") for name in ("a", "b")))

    assert isinstance(error, WheelError)
    assert "a-1.0-py3-none-any.whl" in str(error)
    assert "b-1.0-py3-none-any.whl" in str(error)


def test_all_failures_are_told_and_what_succeeded_is_kept(tmp_path: Path) -> None:
    reasons = {"a": "x.c:1:10: fatal error: a.h: No such file or directory", "b": "/usr/bin/ld: cannot find -lb"}
    bench = Bench(tmp_path, BuildMachine(failing=reasons))

    error = failure(bench, *(to_compile(name) for name in ("a", "b", "c")))

    assert isinstance(error, CompileError)
    assert "a 1.0 cannot be built" in error.details
    assert reasons["a"] in error.details
    assert reasons["b"] in error.details
    assert "the header a.h" in error.resolution
    assert bench.entries() == 1


def test_the_log_of_a_failed_build_is_where_the_error_says(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BuildMachine(failing={"a": "fatal: the reason"}))

    error = failure(bench, to_compile("a"))

    (log,) = (tmp_path / "logs").iterdir()
    assert str(log) in error.details
    assert "fatal: the reason" in log.read_text()


def test_a_full_disk_is_an_error_of_ours(bench: Bench) -> None:
    def full(_: str) -> None:
        raise OSError(28, "No space left on device", "/cache")

    bench.machine.on_build = full

    error = failure(bench, to_compile("demo"))

    assert isinstance(error, MachineError)
    assert error.brief == "demo 1.0 cannot be built: No space left on device."


@pytest.mark.parametrize(
    "said",
    [
        "as: error: /tmp/a.o: No space left on device",
        "gcc: internal compiler error: File size limit exceeded signal terminated program cc1",
        "OSError: [Errno 122] Disk quota exceeded: 'a'",
    ],
)
def test_a_compile_that_the_machine_refuses_is_the_machines_fault(tmp_path: Path, said: str) -> None:
    bench = Bench(tmp_path, BuildMachine(failing={"a": said}))

    error = failure(bench, to_compile("a"))

    assert isinstance(error, MachineError)
    assert error.brief.startswith("a 1.0 cannot be built")
    assert said in error.details


def test_a_compile_that_writes_outside_of_its_directory_is_not_the_machines_fault(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BuildMachine(failing={"a": "error: could not create '/usr/x': Read-only file system"}))

    assert isinstance(failure(bench, to_compile("a")), CompileError)


def test_what_could_not_be_kept_is_not_compiled(bench: Bench) -> None:
    (bench.directory / "wheelhouse").write_text("in the way")

    with pytest.raises(MachineError, match="wheelhouse cannot be used"):
        bench.compile(to_compile("demo"))

    assert bench.fetched == []
    assert bench.machine.ran == []


def test_requirements_that_cannot_be_had_keep_their_own_error(bench: Bench) -> None:
    write_sdist(
        bench.directory / "downloads/demo-1.0.tar.gz",
        {"demo-1.0/pyproject.toml": PYPROJECT.replace(b'"setuptools"', b'"nowhere"')},
    )

    assert isinstance(failure(bench, to_compile("demo")), LockError)


@pytest.mark.parametrize("extra", [("-r /etc/passwd",), (1,), "text", None])
def test_a_backend_that_answers_nonsense_is_an_error_of_ours(tmp_path: Path, extra: tuple[str, ...]) -> None:
    bench = Bench(tmp_path, BuildMachine(extra=extra))

    assert isinstance(failure(bench, to_compile("demo")), CompileError)


def test_a_wheel_of_another_version_than_locked_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BuildMachine(version="0.0.0"))

    assert "its version is 0.0.0, not 1.0" in str(failure(bench, to_compile("demo")))


def test_the_build_sees_a_fixed_place_and_nothing_of_the_caller(bench: Bench) -> None:
    bench.compile(to_compile("demo"))

    for command in bench.machine.ran:
        assert command.clean
        assert str(bench.directory) not in " ".join((*command.argv, *command.env.values()))
        assert command.env["PATH"] == "/usr/src/venvpkg/env/bin:/usr/bin:/bin"
        assert "-ffile-prefix-map=/usr/src/venvpkg/src=/usr/src/demo-1.0" in command.env["CFLAGS"]


def test_the_largest_source_is_built_first(bench: Bench) -> None:
    order: list[str] = []
    bench.machine.on_build = order.append
    for name, size in (("a", 10), ("b", 40_000), ("c", 200)):
        noise = bytes(number * number % 251 for number in range(size))
        write_sdist(
            bench.directory / f"downloads/{name}-1.0.tar.gz",
            {f"{name}-1.0/pyproject.toml": PYPROJECT, f"{name}-1.0/noise": noise},
        )

    bench.compile(*(to_compile(name) for name in ("a", "b", "c")), jobs=1)

    assert order == ["b", "c", "a"]


def test_an_interrupt_ends_running_programs_and_starts_no_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    building: list[str] = []

    def interrupted(name: str) -> None:
        building.append(name)
        if len(building) == 2:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        assert bench.ended.wait(30), "the programs that run are ended"

    bench.machine.on_build = interrupted
    with pytest.raises(KeyboardInterrupt):
        bench.compile(*(to_compile(name) for name in ("a", "b", "c", "d")))

    assert len(building) == 2
    assert bench.entries() == 0


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> SourceTree:
    project = tmp_path / "app"
    project.mkdir()
    (project / "pyproject.toml").write_bytes(PYPROJECT)
    return read_source_tree(project, BuildMachine())


def test_the_applications_own_tree_is_built_whatever_its_version(bench: Bench, tree: SourceTree) -> None:
    done = compile_wheels(WheelPlan((PlannedWheel("app", "", Action.COMPILE, "", tree),)), (), bench.context())

    assert (done.wheels[0].name, done.wheels[0].version) == ("app", "1.0")
    assert done.pins == (pins_of("app", "directory", "setuptools", files=[SETUPTOOLS]),)


def test_a_tree_whose_wheel_is_not_of_the_locked_version_is_refused_built_now_or_before(
    bench: Bench, tree: SourceTree
) -> None:
    planned = PlannedWheel("dep", "", Action.COMPILE, "", tree, locked_version="1.1")

    for each in (planned, replace(planned, action=Action.REUSE)):
        with pytest.raises(LockError, match="not built as locked") as caught:
            compile_wheels(WheelPlan((each,)), (), bench.context())
        assert "dep: its wheel has version 1.0, but 1.1 is locked" in str(caught.value)
        assert "venvpkg lock --upgrade" in str(caught.value)


def test_the_spelling_of_a_locked_version_does_not_count(bench: Bench, tree: SourceTree) -> None:
    planned = PlannedWheel("dep", "", Action.COMPILE, "", tree, locked_version="1.0.0")

    assert compile_wheels(WheelPlan((planned,)), (), bench.context()).wheels[0].version == "1.0"


def test_a_changed_tree_asks_its_backend_but_no_index_when_the_answer_is_the_same(
    bench: Bench, tree: SourceTree
) -> None:
    known = pins_of("app", "directory", "setuptools", files=[SETUPTOOLS])

    _, new = bench.compile(PlannedWheel("app", "", Action.COMPILE, "", tree), pins=[known])

    assert (new, bench.pinned, bench.machine.hooks()) == (0, [], 2)


def test_a_tree_whose_backend_now_asks_for_more_is_pinned_again(tmp_path: Path, tree: SourceTree) -> None:
    bench = Bench(tmp_path, BuildMachine(extra=("extra",)))
    known = pins_of("app", "directory", "setuptools", files=[SETUPTOOLS])

    bench.compile(PlannedWheel("app", "", Action.COMPILE, "", tree), pins=[known])

    assert bench.new_pins[0].files == (EXTRA, SETUPTOOLS)


@pytest.fixture(name="rust")
def _rust(tmp_path: Path) -> PlannedWheel:
    project = tmp_path / "rust"
    project.mkdir()
    (project / "pyproject.toml").write_bytes(PYPROJECT.replace(b"setuptools", b"maturin"))
    (project / "Cargo.lock").write_text('[[package]]\nname = "pyo3"\nversion = "1.0"\nsource = "registry+x"\n')
    return PlannedWheel("rust", "", Action.COMPILE, "", read_source_tree(project, BuildMachine()))


def test_crates_that_a_source_does_not_bring_are_where_cargo_looks_when_it_is_built(
    bench: Bench, rust: PlannedWheel
) -> None:
    seen: list[bool] = []
    bench.machine.on_build = lambda name: seen.append(
        (bench.directory / f"work1/compile/{name}/home/.cargo/config.toml").is_file()
    )

    bench.compile(rust)

    assert seen == [True]


def test_without_its_crates_a_source_is_not_built_and_the_error_says_what_to_install(
    bench: Bench, rust: PlannedWheel
) -> None:
    bench.has_crates = False

    with pytest.raises(
        CompileError, match=r"not in its source \(pyo3\), and cargo, which could fetch them, is not installed"
    ) as caught:
        bench.compile(rust)

    assert "Install cargo and rustc" in caught.value.resolution
    assert bench.machine.hooks() == 1


def test_nothing_of_a_build_stays_in_the_workspace(bench: Bench) -> None:
    bench.compile(to_compile("demo"))

    assert list((bench.directory / "work1/compile").iterdir()) == []


def test_a_wheel_is_a_task_that_tells_what_it_is_at(bench: Bench) -> None:
    bench.compile(to_compile("demo"))

    first, *doing, last = bench.reporter.tasks
    assert (first, last) == ("+ wheel building demo 1.0", "- wheel building demo 1.0")
    assert doing == [
        "  laying out its source",
        "  resolving what its backend needs",
        "  making its build environment",
        "  asking its backend what it needs",
        "  compiling",
        "  packing",
    ]


def test_several_wheels_are_a_queue_that_tells_how_many_are_done(bench: Bench) -> None:
    bench.compile(to_compile("one"), to_compile("two"), to_compile("three"), jobs=1)

    tasks = bench.reporter.tasks
    assert (tasks[0], tasks[-1]) == ("+ queue 3 wheels to build", "- queue 3 wheels to build")
    assert [each for each in tasks if "done" in each] == ["  1 of 3 done", "  2 of 3 done", "  3 of 3 done"]


def test_a_wheel_that_cannot_be_built_is_a_task_no_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BuildMachine(failing={"demo": "error"}))

    failure(bench, to_compile("demo"))

    assert bench.reporter.tasks[-1] == "- wheel building demo 1.0"
