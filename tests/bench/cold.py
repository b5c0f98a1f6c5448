"""What a build takes that finds nothing anywhere, against ``pip wheel`` of the same sdists.

    tests/bench/cold.py [REQUIREMENT ...]

Without a REQUIREMENT the guestbook is built, else an application that depends on those. ``pip wheel`` compiles the
same releases that venvpkg compiled, and nothing else, with the release's own Python. Wall time says something on an
idle machine only. Figures, never pass or fail.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cost import Cost, guestbook_copy, installed_environment, measured, plain_environment

PROJECT = """\
[project]
name = "application"
version = "1"
authors = [{{ name = "Bench", email = "bench@example.org" }}]
dependencies = {dependencies}

[tool.setuptools]
py-modules = ["application"]
"""


def compiled(wheelhouse: Path) -> list[str]:
    """Return the releases in a wheelhouse that are native, as requirements."""
    wheels = {path.name.split("-")[0]: path.name.split("-") for path in wheelhouse.rglob("*-linux_*.whl")}
    return sorted(f"{name}=={version}" for name, version, *_ in wheels.values())


def pip_wheel(requirements: list[str], work: Path) -> Cost:
    """Return what ``pip wheel`` takes for them, in a fresh environment and without any cache."""
    env = plain_environment()
    measured(["/usr/bin/python3", "-m", "venv", str(work / "pip")], work, env)
    only = ",".join(each.partition("==")[0] for each in requirements)
    argv = [str(work / "pip/bin/pip"), "wheel", "--no-deps", "--no-cache-dir", "--no-binary", only]
    return measured([*argv, "--wheel-dir", str(work / "wheels"), *requirements], work, env)


def application(requirements: list[str], work: Path) -> Path:
    """Return a project that depends on the requirements."""
    source = work / "application"
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT.format(dependencies=json.dumps(requirements)))
    (source / "application.py").touch()
    return source


def main() -> None:
    """Print the figures and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requirement", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="venvpkg-bench-") as directory:
        work = Path(directory)
        source = application(options.requirement, work) if options.requirement else guestbook_copy(work)
        build = [
            *(sys.executable, "-m", "venvpkg", "build", "."),
            *("--wheelhouse", str(work / "w"), "--cache", str(work / "c"), "--jobs", str(options.jobs)),
        ]
        figures = {"venvpkg": measured(build, source, installed_environment(work))}
        wheels = compiled(work / "w")
        figures["pip wheel"] = pip_wheel(wheels, work)
    print(f"compiled: {', '.join(wheels)}")
    for name, cost in figures.items():
        print(f"{name:30}{cost.cpu:8.2f} CPU s{cost.wall:8.1f} s")
    mine, theirs = figures.values()
    print(f"{mine.cpu / theirs.cpu:.2f} times the CPU time of pip wheel, {theirs.wall / mine.wall:.2f} times as fast")


if __name__ == "__main__":
    main()
