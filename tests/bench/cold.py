"""CPU time of a build that finds nothing anywhere, against ``pip wheel`` of the same sdists; and of a changed line.

    tests/bench/cold.py [REQUIREMENT]

Without a REQUIREMENT the guestbook is built; then its source is changed, and it is built once more. ``pip wheel``
compiles the same releases that venvpkg compiled, and nothing else, with the release's own Python. Wall time says
something on an idle machine only. Figures, never pass or fail.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cost import Cost, guestbook_copy, installed_environment, measured, plain_environment


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


def main() -> None:
    """Print the figures and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requirement", nargs="?")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="venvpkg-bench-") as directory:
        work = Path(directory)
        env = installed_environment(work)
        source = work if options.requirement else guestbook_copy(work)
        build = [
            *(sys.executable, "-m", "venvpkg", "build", options.requirement or "."),
            *("--wheelhouse", str(work / "w"), "--cache", str(work / "c"), "--jobs", str(options.jobs)),
        ]
        figures = {"venvpkg, cold": measured(build, source, env)}
        wheels = compiled(work / "w")
        figures["venvpkg, nothing changed"] = min((measured(build, source, env) for _ in range(3)), key=lambda c: c.cpu)
        if not options.requirement:
            changed = []
            for number in range(3):
                with (source / "src/guestbook/__init__.py").open("a") as module:
                    module.write(f"\nCHANGED = {number}\n")
                changed.append(measured(build, source, env))
            figures["venvpkg, application changed"] = min(changed, key=lambda cost: cost.cpu)
        figures["pip wheel"] = pip_wheel(wheels, work)
    print(f"compiled: {', '.join(wheels)}")
    for name, cost in figures.items():
        print(f"{name:30}{cost.cpu:8.2f} CPU s{cost.wall:8.1f} s")
    ratio = figures["venvpkg, cold"].cpu / figures["pip wheel"].cpu
    print(f"cold: {ratio:.2f} times the CPU time of pip wheel")


if __name__ == "__main__":
    main()
