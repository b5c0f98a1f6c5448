"""How a wheel is compiled: the environment of the build and the settings of its backend. Pure.

Whatever changes here and can change bytes needs a new RECIPE in key.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvpkg.wheelhouse.room import MOUNTPOINT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.wheelhouse.build_system import BuildSystem
    from venvpkg.wheelhouse.toolchain import Toolchain

# These backends otherwise build in a directory with a random name, which then is in what they build.
_BUILD_DIR_BACKENDS = frozenset({"mesonpy", "scikit_build_core.build"})
_COMPILER_FLAGS = ("CFLAGS", "CXXFLAGS", "FFLAGS", "FCFLAGS", "OBJCFLAGS", "OBJCXXFLAGS")
_UNPLAIN = re.compile(r"[^A-Za-z0-9.+_-]")


def build_variables(label: str, epoch: int, toolchain: Toolchain, cores: int) -> dict[str, str]:
    """Return the whole environment of a build.

    Compilers call the source ``/usr/src/NAME-VERSION``, as debug packages do, wherever its directory shows up.
    Extension modules of one setuptools project are not compiled in parallel (build_ext's ``parallel``): two of them
    that share a C file would write the same object file at the same time.

    Args:
        label: ``lxml-6.1.3``.
        epoch: SOURCE_DATE_EPOCH, seconds since 1970 UTC.
        toolchain: of the target.
        cores: that this build may use.
    """
    known_as = f"/usr/src/{_UNPLAIN.sub('_', label)}"
    maps = ((f"{MOUNTPOINT}/src", known_as), (f"{MOUNTPOINT}/build", f"{known_as}/build"),
            (f"{MOUNTPOINT}/env", "/usr/src/env"))  # fmt: skip
    flags = dict(toolchain.flags)
    for name in _COMPILER_FLAGS:
        if name in flags:
            flags[name] = " ".join((flags[name], *(f"-ffile-prefix-map={old}={new}" for old, new in maps))).strip()
    rust = (*maps, (f"{MOUNTPOINT}/home/.cargo", "/usr/src/cargo"))
    return flags | {
        "PATH": f"{MOUNTPOINT}/env/bin:/usr/bin:/bin",
        "HOME": f"{MOUNTPOINT}/home",
        "TMPDIR": str(MOUNTPOINT / "tmp"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        # Else importing setup.py's helpers would leave bytecode among the sources.
        "PYTHONPYCACHEPREFIX": str(MOUNTPOINT / "tmp" / "pycache"),
        "RUSTFLAGS": " ".join(f"--remap-path-prefix={old}={new}" for old, new in rust),
        "CARGO_HOME": f"{MOUNTPOINT}/home/.cargo",
        "CARGO_NET_OFFLINE": "true",
        # Else maturin, where it finds no cargo, asks for a build requirement that downloads one.
        "MATURIN_NO_INSTALL_RUST": "1",
        "CARGO_BUILD_JOBS": str(cores),
        "MAKEFLAGS": f"-j{cores}",
        "CMAKE_BUILD_PARALLEL_LEVEL": str(cores),
        "NPY_NUM_BUILD_JOBS": str(cores),
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def backend_settings(system: BuildSystem) -> Mapping[str, str]:
    """Return the config settings (PEP 517) for a backend."""
    if system.backend.partition(":")[0] in _BUILD_DIR_BACKENDS:
        return {"build-dir": f"{MOUNTPOINT}/build"}
    return {}
