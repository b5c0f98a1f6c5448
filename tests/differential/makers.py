"""Wheels, projects that need nothing from any index to be built, and repositories."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import subprocess
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BACKEND = """\
import hashlib, pathlib, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name, version, *requires = pathlib.Path("about.txt").read_text().splitlines()
    info = f"{name}-{version}.dist-info"
    files = {path.as_posix(): path.read_text() for path in sorted(pathlib.Path(name).rglob("*.py"))}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n" + "".join(
        f"Requires-Dist: {each}\\n" for each in requires
    ) + "\\ndescription\\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[f"{info}/entry_points.txt"] = f"[console_scripts]\\n{name} = {name}:main\\n"
    lines = []
    for path, text in files.items():
        import base64
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(text.encode())}\\n")
    files[f"{info}/RECORD"] = "".join(lines) + f"{info}/RECORD,,\\n"
    filename = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(directory) / filename, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return filename
"""


def python_project(directory: Path, name: str, *requires: str, version: str = "1.0", more: str = "") -> Path:
    """Write a project whose own backend makes its wheel, and return its directory."""
    (directory / name).mkdir(parents=True)
    (directory / name / "__init__.py").write_text(f'def main():\n    print("{name} {version}")\n')
    (directory / "backend.py").write_text(_BACKEND)
    (directory / "about.txt").write_text("\n".join((name, version, *requires)))
    (directory / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = {list(requires)}\n'
        f'requires-python = ">=3.9"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[tool.venvpkg]\nmaintainer = "Test <test@example.org>"\n{more}\n'
    )
    return directory


def wheel(name: str, version: str, *requires: str, tag: str = "py3-none-any") -> tuple[str, bytes]:
    """Return file name and content of a wheel that can be installed."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.9\n"
    files = {
        f"{name}.py": f'version = "{version}"\n',
        f"{info}/METADATA": metadata + "".join(f"Requires-Dist: {each}\n" for each in requires),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    lines = [f"{path},sha256={_record_hash(text)},{len(text)}\n" for path, text in files.items()]
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-{tag}.whl", buffer.getvalue()


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def git(directory: Path, *arguments: str) -> str:
    """Run git under a configuration that is the same on every machine, and return what it prints."""
    environment = os.environ | {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": f"t{'@example.org' if what == 'EMAIL' else ''}"
           for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }  # fmt: skip
    options = ("-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main")
    argv = ("git", *options, "-C", str(directory), *arguments)
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def repository(directory: Path) -> str:
    """Make a repository of all that is in a directory, and return its first commit."""
    git(directory, "init", "--quiet")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "first")
    return git(directory, "rev-parse", "HEAD")
