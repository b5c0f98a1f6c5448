"""An environment shows what was chosen of the release, where it is now, and nothing else of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from unit.fakes import ScriptedRunner
from unit.samples import SITE, a_system, debian_12
from unit.staging.makers import interpreter
from venvpkg.errors import StagingError
from venvpkg.host.command import Completed
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.staging.installed_paths import InstalledWheel
from venvpkg.staging.system import FINDER, expose, pth_line, require_no_module_conflict

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"


def written(directory: Path, **files: str) -> Path:
    """Write files whose names spell ``/`` as ``__in__`` and ``.`` as ``__dot__``."""
    for name, content in files.items():
        path = directory / name.replace("__in__", "/").replace("__dot__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return directory


class Environment:
    """A site directory with the finder, beside the release's directory."""

    def __init__(self, path: Path, *modules: str, name: str = "ring-bell") -> None:
        self.release = path / "release"
        self.site = path / "site"
        directory = PurePosixPath(self.release)
        system = (a_system(name, "1.0", modules=modules, directories=(directory,)),)
        runner = interpreter(Completed(0, b"[null]"), Path("/"))
        self.site.mkdir()
        expose(system, Path("/"), PurePosixPath(self.site), debian_12(), runner)

    def prints(self, code: str) -> list[str]:
        """Return the lines that code prints in an interpreter which reads the site directory as its own."""
        start = f"import site; site.addsitedir({str(self.site)!r})\n{code}"
        done = subprocess.run([sys.executable, "-I", "-c", start], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


def test_chosen_modules_are_imported_from_where_the_release_has_them(tmp_path: Path) -> None:
    here = Environment(tmp_path, "bell", "tone")
    written(
        here.release, bell__in____init____dot__py="X = 1", bell__in__sub__dot__py="", tone__dot__py="", drum__dot__py=""
    )

    lines = here.prints(
        "import bell.sub, tone, importlib.util; print(bell.sub.__file__); print(importlib.util.find_spec('drum'))"
    )

    assert lines == [str(here.release / "bell/sub.py"), "None"]


def test_the_environment_s_own_modules_come_first(tmp_path: Path) -> None:
    here = Environment(tmp_path, "bell")
    written(here.release, bell__dot__py="X = 'the release'")
    written(here.site, bell__dot__py="X = 'ours'")

    assert here.prints("import bell; print(bell.X)") == ["ours"]


def test_a_shared_directory_has_the_parts_of_both_and_no_others(tmp_path: Path) -> None:
    here = Environment(tmp_path, "ring.one")
    written(here.release, ring__in__one__dot__py="", ring__in__three__dot__py="")
    code = "import importlib.util as u; print(*(bool(u.find_spec(f'ring.{n}')) for n in ('one', 'two', 'three')))"

    alone = here.prints(code)
    written(here.site, ring__in__two__dot__py="")

    assert (alone, here.prints(code)) == (["True False False"], ["True True False"])


def test_metadata_are_those_of_the_version_that_is_installed_now(tmp_path: Path) -> None:
    here = Environment(tmp_path, "bell")
    code = "import importlib.metadata as m; print(m.version('Ring.Bell'), [d.version for d in m.distributions()"
    code += " if d.name in ('Ring-Bell', 'other')])"
    here.release.mkdir()
    for version in ("1.0", "2.0"):
        for old in here.release.glob("*.dist-info"):
            (old / "METADATA").unlink()
            old.rmdir()
        for name in (f"ring_bell-{version}", "other-3"):
            (here.release / f"{name}.dist-info").mkdir()
            text = METADATA.format("Ring-Bell" if name[0] == "r" else "other", version)
            (here.release / f"{name}.dist-info/METADATA").write_text(text)

        assert here.prints(code) == [f"{version} ['{version}']"]


def test_who_looks_into_another_directory_is_not_shown_them(tmp_path: Path) -> None:
    here = Environment(tmp_path, "bell")
    written(here.release, **{"ring_bell-1__dot__dist-info__in__METADATA": METADATA.format("ring-bell", "1")})
    code = "import importlib.metadata as m; print(len([*m.distributions(path=[{!r}])]))"

    assert here.prints(code.format("/nowhere")) == ["0"]
    assert here.prints(code.format(str(here.site))) == ["1"]


def test_the_line_is_written_in_order_and_in_ascii() -> None:
    line = pth_line((a_system("zeta", modules=("z", "a")), a_system("alpha", modules=("a",))))

    assert line == (
        f"import {FINDER}; {FINDER}.expose(('/usr/lib/python3/dist-packages',), ('a', 'z'), ('alpha', 'zeta'))\n"
    )


def test_nothing_is_written_when_nothing_comes_from_the_release(tmp_path: Path) -> None:
    expose((), tmp_path, SITE, debian_12(), ScriptedRunner({}))

    assert not list(tmp_path.iterdir())


def test_the_finder_s_bytecode_is_shipped(tmp_path: Path) -> None:
    (tmp_path / SITE.relative_to("/")).mkdir(parents=True)
    runner = interpreter(Completed(0, b"[null]"), tmp_path)

    expose((a_system(),), tmp_path, SITE, debian_12(), runner)

    (command,) = runner.ran
    assert json.loads(command.stdin or b"")[1] == [str(SITE / f"{FINDER}.py")]


def installed(name: str, *files: str) -> InstalledWheel:
    wheel = ReadyWheel(name, "1.0", Path(f"/{name}.whl"), "", Action.PURE)
    return InstalledWheel(wheel, SITE / f"{name}.dist-info", tuple(SITE / each for each in files))


def test_a_module_in_a_wheel_and_in_the_release_is_refused() -> None:
    system = (a_system(modules=("psycopg2", "zope.one")),)
    binary = installed("psycopg2-binary", "psycopg2/__init__.py", "psycopg2/_psycopg.cpython-311.so")
    zope = installed("zope", "zope/one/__init__.py")

    with pytest.raises(StagingError) as caught:
        require_no_module_conflict(system, (binary, zope), SITE)

    assert caught.value.details.splitlines() == [
        "  psycopg2: in psycopg2-binary, and in python3-psycopg2",
        "  zope.one: in zope, and in python3-psycopg2",
    ]


def test_wheels_beside_the_release_s_modules_are_accepted() -> None:
    require_no_module_conflict(
        (a_system(modules=("psycopg2", "zope.one")),), (installed("other", "zope/two.py", "psycopg.py"),), SITE
    )
