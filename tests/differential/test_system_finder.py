"""An environment shows a Python what was chosen of the release, where it is now, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath

from unit.samples import a_system, debian_12
from unit.staging.makers import interpreter
from venvpkg.host.command import Completed
from venvpkg.staging.system import expose

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
