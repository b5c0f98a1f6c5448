"""The .rpm: packing against rpmbuild alone, a second build against rpmvenv's, and the memory of packing a large tree.

    tests/bench/rpm.py ROOT [--wheelhouse DIRECTORY] [--cache DIRECTORY] [--rpmvenv DIRECTORY]

ROOT is the directory of an rpm target in which the guestbook can be built, such as the build root that
``tests/rpmworld`` makes. Directories of an earlier run save the compile of the wheels. Needs rpmbuild here; with
``--rpmvenv``, the directory of an environment with rpmvenv and virtualenv 20.26 (rpmvenv 2.1.1 fails with newer ones),
and the -dev packages of the guestbook. Figures, never pass or fail; of repeated runs the cheapest is given.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unit.samples import on_target

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cost import Cost, guestbook_copy, installed_environment, measured, plain_environment
from bench.memory import write_noise
from unit.fakes import NOTHING_PACKED, RecordingReporter
from unit.samples import PREFIX, a_spec, a_staged
from venvpkg.families.rpm.assemble import assemble
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tree import normalise_modes
from venvpkg.staging.leaks import read_payload
from venvpkg.targets.host import resolve_host

if TYPE_CHECKING:
    from venvpkg.model.target import Target

# The guestbook's own build-depends are Debian's names.
DEVEL = ("libpq-devel", "libxml2-devel", "libxslt-devel")
REQUIREMENTS = "--no-binary lxml,psycopg2\nflask\ngunicorn\nlxml\npsycopg2\n"
SPEC = """\
Name: alone
Version: 1
Release: 1
Summary: The same tree
License: MIT
AutoReqProv: no
%description
The same tree.
%files
%defattr(-, root, root, -)
{prefix}
"""
ALONE = (
    "_build_id_links none", "debug_package %{nil}", "__os_install_post %{nil}", "__spec_install_pre %{nil}",
    "__spec_install_post %{nil}", "_binary_payload w10.zstdio",
)  # fmt: skip
RUNS = 3


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    used = (resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def rpm_target(runner: SubprocessRunner) -> Target:
    """Return this machine as a target that packs .rpm files."""
    machine = platform.machine()
    return replace(resolve_host(runner), family="rpm", architecture=machine, marks=(("isa", ""),))


def packed(destdir: Path, out: Path) -> float:
    """Pack the tree as venvpkg does, and return the CPU time."""
    runner = SubprocessRunner(os.environ)
    target = rpm_target(runner)
    spec = a_spec(a_staged(destdir, payload=read_payload(destdir, ())))
    before = cpu_seconds()
    assemble(spec, out, NOTHING_PACKED, on_target(target, runner, RecordingReporter()))
    return cpu_seconds() - before


def packed_alone(tree: Path, work: Path) -> float:
    """Pack the tree by rpmbuild alone, and return the CPU time."""
    spec = work / "alone.spec"
    spec.write_text(SPEC.format(prefix=PREFIX))
    defined = [word for each in (f"_topdir {work}/top", *ALONE) for word in ("--define", each)]
    argv = ["rpmbuild", *defined, "-bb", "--noclean", "--buildroot", str(tree), str(spec)]
    return measured(argv, work, plain_environment()).cpu


def tree_of(package: Path, destdir: Path) -> Path:
    """Unpack what a package has below its prefix, for ``PREFIX``; without venvpkg's own records."""
    unpacked = destdir.with_name("unpacked")
    unpacked.mkdir(parents=True)
    archive = unpacked / "payload.tar"
    with package.open("rb") as source, archive.open("wb") as sink:
        subprocess.run(["rpm2archive", "--nocompression"], stdin=source, stdout=sink, check=True)
    shutil.unpack_archive(archive, unpacked, filter="fully_trusted")
    (home,) = (unpacked / "opt/venvs").iterdir()
    shutil.rmtree(home / "share/venvpkg")
    place = destdir / PREFIX.relative_to("/")
    place.parent.mkdir(parents=True)
    shutil.copytree(home, place, symlinks=True)
    normalise_modes(destdir)
    return destdir


def large_tree(destdir: Path, files: int = 50_000, megabytes: int = 1_000) -> Path:
    """Make a tree of many small files and a large one that does not compress."""
    for number in range(files):
        file = destdir / PREFIX.relative_to("/") / f"part{number // 500}" / f"module{number}.py"
        if number % 500 == 0:
            file.parent.mkdir(parents=True)
        file.write_text(f"def number() -> int:\n    return {number}\n")
    with (destdir / PREFIX.relative_to("/") / "large.bin").open("wb") as large:
        write_noise(large, megabytes)
    normalise_modes(destdir)
    return destdir


def ours(options: argparse.Namespace, work: Path) -> tuple[list[Cost], Path]:
    """Return the costs of venvpkg's builds of the guestbook, the first one and the cheapest other, and the package."""
    source = guestbook_copy(work / "ours")
    project = source / "pyproject.toml"
    project.write_text(re.sub("(?m)^build-depends = .*$", f"build-depends = {json.dumps(DEVEL)}", project.read_text()))
    env = installed_environment(work) | {"PIP_CONFIG_FILE": os.devnull}
    stores = ("--wheelhouse", str(options.wheelhouse or work / "w"), "--cache", str(options.cache or work / "c"))
    argv = [sys.executable, "-m", "venvpkg", "build", ".", "-t", f"root:{options.root}", *stores]
    first, *others = [measured(argv, source, env) for _ in range(RUNS + 1)]
    (package,) = (source / "dist").glob("*.rpm")
    return [first, min(others, key=lambda cost: cost.cpu)], package


def rpmvenvs(tools: Path, work: Path) -> list[Cost]:
    """Return the costs of rpmvenv's first and second build of the guestbook.

    Its own check for paths of the build directory in the package would stop it: QA_SKIP_BUILD_ROOT, as its
    documentation has it.
    """
    source = guestbook_copy(work / "theirs")
    (source / "requirements.txt").write_text(REQUIREMENTS)
    (source / "rpmvenv.json").write_text(json.dumps(configuration(tools)))
    env = plain_environment() | {
        "PATH": f"{tools.resolve()}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PIP_CACHE_DIR": str(work / "pip"),
        "PIP_CONFIG_FILE": os.devnull, "QA_SKIP_BUILD_ROOT": "1", "TMPDIR": str(work),
    }  # fmt: skip
    env.pop("PIP_FIND_LINKS", None)
    # A directory for each: it refuses to write a package where one is.
    outs = [work / f"theirs-{number}" for number in (1, 2)]
    for out in outs:
        out.mkdir()
    argv = [str(tools / "bin/rpmvenv"), str(source / "rpmvenv.json"), "--destination"]
    return [measured([*argv, str(out)], source, env) for out in outs]


def configuration(tools: Path) -> dict[str, object]:
    """Return rpmvenv's configuration for the guestbook, by its documentation."""
    return {
        "extensions": {"enabled": ["python_venv", "blocks"]},
        "core": {
            "group": "Application/System", "license": "MIT", "name": "guestbook", "summary": "guestbook",
            "version": "1.0.0", "url": "https://example.org/guestbook",
        },
        "python_venv": {
            "cmd": str(tools / "bin/virtualenv"), "flags": ["--always-copy"], "name": "guestbook", "path": "/opt/venvs",
            "python": "/usr/bin/python3", "requirements": ["requirements.txt"], "use_pip_install": True,
            "strip_binaries": True,
        },
        "blocks": {"desc": ["The guestbook, for comparison."]},
    }  # fmt: skip


def print_packing(package: Path, work: Path) -> None:
    """Print what packing the guestbook takes, and rpmbuild alone for the same tree, in turns."""
    mine, alone = [], []
    for number in range(RUNS + 2):
        destdir = tree_of(package, work / f"packing-{number}" / "destdir")
        alone.append(packed_alone(destdir, destdir.parent))
        mine.append(packed(destdir, destdir.parent / "out"))
        shutil.rmtree(destdir.parent)
    print(f"packing{min(mine):16.2f} CPU s, rpmbuild alone {min(alone):.2f}: {min(mine) / min(alone):.2f} times")


def print_large(work: Path) -> None:
    """Print CPU time and peak of packing a large tree, in a process of its own."""
    paths = os.pathsep.join(str(Path(each).resolve()) for each in sys.path if each)
    env = plain_environment() | {"PYTHONPATH": paths, "BENCH_WORK": str(work / "large")}
    print(measured([sys.executable, "-c", "import bench.rpm; bench.rpm.pack_large()"], work, env).output, end="")


def pack_large() -> None:
    """Pack the large tree and print what it took."""
    work = Path(os.environ["BENCH_WORK"])
    cpu = packed(large_tree(work / "destdir"), work / "out")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"50,000 files and 1 GB{cpu:8.2f} CPU s, venvpkg's own peak {peak:.0f} MiB")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="the directory of an rpm target")
    parser.add_argument("--wheelhouse", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--rpmvenv", type=Path, help="an environment with rpmvenv and virtualenv 20.26")
    parser.add_argument("--large", action="store_true", help="pack 50,000 files and 1 GB, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="venvpkg-bench-") as directory:
        work = Path(directory)
        mine, package = ours(options, work)
        print(f"{'':12}{'first':>22}{'second':>22}")
        print_row("venvpkg", mine)
        if options.rpmvenv:
            theirs = rpmvenvs(options.rpmvenv.absolute(), work)
            print_row("rpmvenv", theirs)
            print(f"second build: 1/{theirs[1].cpu / mine[1].cpu:.0f} of rpmvenv's CPU time")
        print_packing(package, work)
        if options.large:
            print_large(work)


def print_row(name: str, costs: list[Cost]) -> None:
    """Print a row of the table."""
    print(f"{name:12}" + "".join(f"{cost.cpu:8.2f} CPU s {cost.wall:5.0f} s" for cost in costs), flush=True)


if __name__ == "__main__":
    main()
