"""CPU time of a second build of the guestbook against the least that must be done: unpack, compile, pack.

    tests/bench/floor.py [RUNS] [--wheelhouse DIRECTORY] [--cache DIRECTORY]

The floor is what the tools cost that every such build needs: ``uv pip install`` of the same wheels, ``compileall`` of
what they have, and ``dpkg-deb`` on the same tree with the same compression. Also the cost of a build with an empty
cache of staged distributions, and of ``venvpkg --help``. Figures, never pass or fail: the cheapest of RUNS each.
Directories of an earlier run save the compile of the wheels. With all of it on a memory filesystem (TMPDIR) the cost of
creating files, which differs between filesystems and from run to run, is left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cost import Cost, guestbook_copy, installed_environment, measured, plain_environment
from venvpkg.families.deb.pack import compression
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_uv
from venvpkg.targets.host import resolve_host

if TYPE_CHECKING:
    from collections.abc import Callable


def cheapest(run: Callable[[], Cost], runs: int) -> Cost:
    """Return the cheapest of several runs."""
    return min((run() for _ in range(runs)), key=lambda cost: cost.cpu)


def wheels_of(package: Path, work: Path, stores: list[Path]) -> tuple[Path, list[Path]]:
    """Unpack the package; return its tree and the wheels in ``stores`` that it was made from."""
    tree = work / "tree"
    measured(["dpkg-deb", "--raw-extract", str(package), str(tree)], work, plain_environment())
    wanted = {path.name.removesuffix(".dist-info").lower() for path in tree.rglob("*.dist-info")}
    newest: dict[str, Path] = {}
    found = [path for store in stores for path in store.rglob("*.whl")]
    for path in sorted(found, key=lambda path: path.stat().st_mtime):
        name, version = path.name.split("-")[:2]
        newest[f"{name}-{version}".lower()] = path
    return tree, [newest[each] for each in sorted(wanted)]


def floor(tree: Path, wheels: list[Path], work: Path, runs: int) -> dict[str, Cost]:
    """Return what each tool takes."""
    target = resolve_host(SubprocessRunner(os.environ))
    python, env = str(target.interpreter.path), plain_environment()
    packed, site, shelf = work / "floor.deb", work / "site", work / "wheels"
    shelf.mkdir()
    # uv does not know the tags of one distribution's releases.
    known = [shelf / wheel.name.replace(target.platform_tag, f"linux_{target.machine}") for wheel in wheels]
    for wheel, path in zip(wheels, known, strict=True):
        shutil.copyfile(wheel, path)
    pack = ["dpkg-deb", "--root-owner-group", *compression(target.release), "--build", str(tree), str(packed)]

    def install() -> Cost:
        shutil.rmtree(site, ignore_errors=True)
        argv = [str(find_uv()), "pip", "install", "--quiet", "--offline", "--no-deps", "--link-mode", "copy"]
        return measured([*argv, "--python", python, "--target", str(site), *map(str, known)], work, env)

    def compile_all() -> Cost:
        for directory in site.rglob("__pycache__"):
            shutil.rmtree(directory)
        return measured(
            [python, "-m", "compileall", "-q", "-j0", "--invalidation-mode", "unchecked-hash", str(site)], work, env
        )

    return {
        "uv pip install": cheapest(install, runs),
        "compileall": cheapest(compile_all, runs),
        "dpkg-deb": cheapest(lambda: measured(pack, work, env), runs),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=int, nargs="?", default=5)
    parser.add_argument("--wheelhouse", type=Path)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="venvpkg-bench-") as directory:
        work = Path(directory)
        source, env = guestbook_copy(work / "ours"), installed_environment(work)
        wheelhouse, cache = (options.wheelhouse or work / "w").resolve(), (options.cache or work / "c").resolve()
        venvpkg = [sys.executable, "-m", "venvpkg"]
        build = [*venvpkg, "build", ".", "--wheelhouse", str(wheelhouse), "--cache", str(cache)]

        def unstaged() -> Cost:
            shutil.rmtree(cache / "staged", ignore_errors=True)
            return measured(build, source, env)

        measured(build, source, env)
        figures = {
            "second build": cheapest(lambda: measured(build, source, env), options.runs),
            "nothing staged before": cheapest(unstaged, options.runs),
            "venvpkg --help": cheapest(lambda: measured([*venvpkg, "--help"], source, env), options.runs),
        }
        (package,) = (source / "dist").glob("*.deb")
        tools = floor(*wheels_of(package, work, [wheelhouse, cache]), work, options.runs)
    for name, cost in (figures | tools).items():
        print(f"{name:24}{cost.cpu:8.2f} CPU s{cost.wall:8.2f} s")
    least = sum(cost.cpu for cost in tools.values())
    print(f"{'floor':24}{least:8.2f} CPU s")
    print(f"second build: {figures['second build'].cpu / least:.2f} times the floor")


if __name__ == "__main__":
    main()
