"""Render the scriptlets of a package: those that the project declares, or that units in its payload need."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from venvpkg.families.common.units import state_words, units_of
from venvpkg.families.rpm.files import LICENSES
from venvpkg.model.staged import PathKind
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath


# rpm has its own interpreter: while a system is being installed, no shell exists yet.
_LUA: Final = "<lua>"


class Scriptlet(NamedTuple):
    """A scriptlet of the spec file, not yet escaped.

    Attributes:
        section: of the spec file, without its percent sign.
        text: source text in the language of the program.
        program: interpreter, as spelled after ``-p``; empty for /bin/sh.
    """

    section: str
    text: str
    program: str = ""

    @property
    def file(self) -> str:
        """File name of the text, next to the spec file.

        The text is not in the spec file, where rpm would interpret a line such as ``%build ALL=(ALL) NOPASSWD: ALL`` or
        ``%if``. Such lines cannot be escaped, because rpm looks for them after it has expanded macros.
        """
        return f"{self.section}.{'lua' if self.program == _LUA else 'sh'}"


class _Call(NamedTuple):
    """How rpm calls a scriptlet, in terms of Debian's maintainer scripts.

    Attributes:
        section: of the spec file.
        comparison: operator and operand that test(1) applies to rpm's argument; empty if it does not matter.
        first: arguments of the maintainer script if the comparison is true.
        otherwise: arguments if it is false.
    """

    section: str
    comparison: str
    first: str
    otherwise: str


# rpm's argument is the number of packages of that name after the transaction. rpm has no purge, and does not pass the
# other version, so there is a word in its place. The second word is always set, for scripts that ``set -u``.
# Source: rpm's manual, "Scriptlets"; Debian Policy 6.5.
_CALLS: Final = {
    "preinst": _Call("pre", "-gt 1", "upgrade previous", 'install ""'),
    "postinst": _Call("post", "-gt 1", "configure previous", 'configure ""'),
    "prerm": _Call("preun", "-gt 0", "upgrade next", 'remove ""'),
    "postrm": _Call("postun", "-gt 0", "upgrade next", 'remove ""'),
    # After the whole transaction; .deb has no equivalent, and projects cannot declare a snippet for it.
    "posttrans": _Call("posttrans", "", "", ""),
}


def scriptlets(spec: PackageSpec) -> tuple[Scriptlet, ...]:
    """Return the scriptlets that are needed; often none.

    Like systemd's macros for spec files and Fedora's packages, they enable units by the release's presets, without
    starting them, and stop and restart them. The macros themselves are not used, because their expansion depends on the
    packages installed where rpmbuild runs. Accounts are created in %post, not in %pre: no file of the payload belongs
    to them, and only then does the file that declares them exist.

    State is removed by %postun. The package does not own it (``%ghost``), because an upgrade, too, removes what only
    the older package owns: data would depend on the next version's configuration. %pre and %posttrans keep the state
    that packages of an earlier venvpkg own.

    Source:
        systemd's daemon(7), "Installing systemd Service Files"; Fedora Packaging Guidelines, "Scriptlets".
    """
    return (*_moving(spec), *_shell(spec))


def _moving(spec: PackageSpec) -> Iterator[Scriptlet]:
    """Yield %pretrans, if there are files that may replace a directory of an earlier version."""
    paths = [lua_string(each) for each in replaceable(spec.staged.payload.paths, spec.staged.prefix)]
    if paths:
        text = render("rpm", "pretrans.j2", {"paths": paths}, spec.project_files.templates)
        yield Scriptlet("pretrans", text.rstrip("\n"), _LUA)


def _shell(spec: PackageSpec) -> Iterator[Scriptlet]:
    prefix = spec.staged.prefix
    moved = [
        shlex.quote(str(each)) for each in replaceable(spec.staged.payload.paths, prefix) if each.is_relative_to(prefix)
    ]
    units = units_of(spec.staged)
    wanted = {*units.scripts(), *(("preinst", "postrm", "posttrans") if spec.state else ())}
    wanted |= {"posttrans"} if moved else set()
    wanted |= {"prerm"} if spec.staged.has_modules else set()
    snippets = dict(spec.project_files.scripts)
    return (
        Scriptlet(
            call.section,
            render(
                "rpm",
                "scriptlet.j2",
                {
                    "name": name,
                    "package": spec.name,
                    "comparison": call.comparison,
                    "first": call.first,
                    "otherwise": call.otherwise,
                    "snippet": snippets.get(name, "").rstrip("\n"),
                    "units": units.words(),
                    "moved": moved,
                    "prefix": shlex.quote(str(prefix)),
                    "modules": spec.staged.has_modules,
                    "bytecode": shlex.quote(spec.staged.bytecode_pattern),
                    **state_words(spec),
                },
                spec.project_files.templates,
            ).rstrip("\n"),
        )
        for name, call in _CALLS.items()
        if name in {*snippets, *wanted}
    )


# Suffixes that directories do not have. Without them, every module of the package would be listed.
_SUFFIXES: Final = """
a bz2 c cc cfg conf cpp crt css csv cu cuh dat db desktop dll dylib eot exe f90 gif gz h hpp htm html ico in inc
ini ipynb j2 jar jinja jinja2 jpeg jpg js json key less lock log lua map md mjs mo mount npy npz o otf pc pdf pem
path php pkl png po pot proto ps1 pth pxd pxi py pyc pyd pyf pyi pyo pyx r rs rst rules scss service sh slice so
socket sql sqlite svg target tcl tex tif tiff timer tmpl toml ts ttf txt typed typ wasm whl woff woff2 xml xsd xsl
yaml yml zip
"""
_OF_FILES: Final = frozenset(f".{each}" for each in _SUFFIXES.split())
_METADATA: Final = (".dist-info", ".egg-info")


def replaceable(paths: Iterable[PayloadPath], prefix: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield the files that may replace a directory, in the order of the payload.

    The paths of earlier versions are unknown at build time. So these are all files except those whose name or place
    rules out a directory. For those, rpm still refuses the replacement and names the path.

    Source:
        Fedora Packaging Guidelines, "Scriptlets to replace a directory".
    """
    for each in paths:
        path = each.path
        is_metadata = any(directory.suffix in _METADATA for directory in path.parents)
        is_named = path.suffix in _OF_FILES or ".so." in path.name or is_metadata
        is_placed = path.parent == prefix / "bin" or path.is_relative_to(LICENSES)
        if each.kind is PathKind.FILE and not is_named and not is_placed:
            yield path


def lua_string(path: PurePosixPath) -> str:
    """Return a path as a Lua string literal."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
