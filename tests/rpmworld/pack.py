"""rpmbuild and createrepo_c: staged trees become packages, packages a repository."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rpmworld.tools import RpmWorldError, output

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN_SPEC_CHARACTERS = 3000
# All packages have this date: a world is the same, byte for byte, from the same Debian packages.
DATE = 1_700_000_000

_MACROS: Mapping[str, str] = {
    "_build_name_fmt": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    "_build_id_links": "none",
    "debug_package": "%{nil}",
    "__os_install_post": "%{nil}",
    "__check_files": "%{nil}",
    "__spec_clean_body": "%{nil}",
    "_unpackaged_files_terminate_build": "0",
    "_binary_payload": "w2.zstdio",
    "_buildhost": "rpm-world.invalid",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
    "_prefix": "/usr",
    "_lib": "lib64",
    "_libdir": "/usr/lib64",
    "_defaultlicensedir": "/usr/share/licenses",
    "_smp_build_ncpus": "1",
}


def pack(spec: str, tree: Path, architecture: str, repository: Path) -> None:
    """Make the packages of a spec from its build root, into a directory that exists.

    Raises:
        RpmWorldError: rpmbuild refuses it; the text holds what it said.
    """
    with tempfile.TemporaryDirectory(prefix="rpmworld-", dir=repository.parent) as name:
        top = Path(name)
        file = top / "package.spec"
        file.write_text(spec)
        macros = {"_topdir": name, "_rpmdir": str(repository), "_dbpath": str(top / "db"), **_MACROS}
        defines = [word for macro, value in macros.items() for word in ("--define", f"{macro} {value}")]
        options = ("-bb", "--quiet", "--noclean", f"--target={architecture}-linux", f"--buildroot={tree}")
        environment = {"SOURCE_DATE_EPOCH": str(DATE), "HOME": name, "OMP_NUM_THREADS": "1"}
        try:
            output("rpmbuild", *options, *defines, file, environment=environment)
        except RpmWorldError as error:
            raise RpmWorldError(f"{error}\nof this spec:\n{spec[:SHOWN_SPEC_CHARACTERS]}") from error


def index(repository: Path) -> None:
    """Make the directory of packages a repository; their files' times would be in its metadata."""
    for package in repository.glob("*.rpm"):
        os.utime(package, (DATE, DATE))
    output("createrepo_c", "--quiet", "--no-database", f"--revision={DATE}", "--set-timestamp-to-revision", repository)
