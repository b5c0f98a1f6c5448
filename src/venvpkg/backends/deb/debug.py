"""Write the package NAME-dbgsym: debug information of what was compiled here, where debuggers look by build-id."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.backends.deb.deb822 import require_same
from venvpkg.backends.deb.md5sums import md5sums
from venvpkg.backends.deb.metadata import package_architecture, package_version
from venvpkg.backends.deb.pack import CONTROL, XZ, pack
from venvpkg.backends.deb.size import installed_size
from venvpkg.backends.debug import paths_below, place_debug
from venvpkg.host.tree import normalise_modes
from venvpkg.model.target import Family
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.backends.packed import PackedPackages
    from venvpkg.host.runner import Runner
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target

_DOCUMENTS = PurePosixPath("/usr/share/doc")


def assemble_debug(
    spec: PackageSpec, target: Target, directory: Path, runner: Runner, *, earlier: PackedPackages
) -> Path:
    """Write the package into ``directory`` and return its path; a directory ``dbgsym`` in there is made and used.

    Raises:
        AssembleError, MissingToolError, MachineError: as ``pack`` does.

    Source:
        What debhelper's dh_strip makes; gdb's manual, Separate Debug Files; Debian Policy 12.3 (the link in
        /usr/share/doc goes to a package that is depended on in this version).
    """
    destdir = directory / "dbgsym"
    place_debug(spec, destdir)
    documents = destdir.joinpath(*_DOCUMENTS.parts[1:])
    documents.mkdir(parents=True)
    (documents / f"{spec.name}-dbgsym").symlink_to(spec.name)
    normalise_modes(destdir)
    paths = tuple(paths_below(destdir))
    fields = debug_fields(spec, target, paths)
    text = render(
        Family.DEB,
        "control-dbgsym.j2",
        {name.lower().replace("-", "_"): value for name, value in fields.items()},
        spec.inclusions.templates,
    )
    require_same(fields, text, "The rendered control file of the debug symbols")
    control = destdir / CONTROL
    control.mkdir(mode=0o755)
    for name, content in (("control", text.encode()), ("md5sums", md5sums(paths))):
        (control / name).write_bytes(content)
    control.chmod(0o755)
    for file in control.iterdir():
        file.chmod(0o644)
    packed = directory / f"{fields['Package']}_{package_version(spec, target, epoch=False)}_{target.architecture}.deb"
    # Debug sections are compressed already, so zstd would gain nothing, and lintian of Debian 12 refuses it.
    pack(destdir, packed, fields, runner, earlier=earlier, options=XZ, source_date_epoch=spec.source_date_epoch)
    return packed


def debug_fields(spec: PackageSpec, target: Target, paths: Iterable[PayloadPath]) -> Mapping[str, str]:
    """Return the fields of its control file, in debhelper's order; the description is one line."""
    version = package_version(spec, target)
    return {
        "Package": f"{spec.name}-dbgsym",
        "Source": spec.name,
        "Version": version,
        "Auto-Built-Package": "debug-symbols",
        "Architecture": package_architecture(spec, target),
        "Maintainer": spec.maintainer,
        "Installed-Size": str(installed_size(paths)),
        "Depends": f"{spec.name} (= {version})",
        "Section": "debug",
        "Priority": "optional",
        "Description": f"debug symbols for {spec.name}",
        "Build-Ids": " ".join(build_id for build_id, _ in spec.debug),
    }
