"""Documents that a package gets: the copyright file of the application and all vendored distributions, manual pages."""

from __future__ import annotations

import gzip
import io
import re
import textwrap
import zlib
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from venvpkg.staging.system import FINDER
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import InstalledDistribution, PayloadPath


_WIDTH = 78
_NO_LICENCE = "unknown"

_APACHE = "https://www.apache.org/licenses/LICENSE-2.0"


def render_copyright(spec: PackageSpec, family: str, common: Mapping[str, PurePosixPath] = MappingProxyType({})) -> str:
    """Return the text of the copyright file.

    A later paragraph overrides an earlier one. So the application comes first, with all files, and each vendored
    distribution follows with its own files.

    Args:
        spec: the package.
        family: its template is used.
        common: licence texts on every system of the family: SPDX identifier without a suffix for later versions → path.

    Source:
        Machine-readable debian/copyright file, version 1.0 (DEP-5).
    """
    staged = spec.staged
    application = canonicalize_name(staged.application.name)
    own = own_paths(staged.distributions, _shared_directories(spec))
    ordered = sorted(staged.distributions, key=lambda each: (each.name != application, each.name))
    parts = [
        _copyright_paragraph(
            each, common, ("*",) if each.name == application else tuple(map(_dep5_pattern, own[each.name]))
        )
        for each in ordered
    ]
    scripts = str(staged.prefix / "bin").removeprefix("/")
    parts.append(
        {
            "files": _fold_list((f"{scripts}/activate*", f"{scripts}/deactivate*")),
            "copyright": "the virtualenv developers",
            "license": "MIT\n The text is in https://spdx.org/licenses/MIT.html",
            "comment": "Activation scripts, made by virtualenv.",
        }
    )
    if staged.system:
        parts.append(
            {
                "files": _fold_list(tuple(f"*/{FINDER}.{each}" for each in ("py", "pth", "*.pyc"))),
                "copyright": "the venvpkg developers",
                "license": f"Apache-2.0\n The text is in {common.get('Apache-2.0', _APACHE)}",
                "comment": "Finds distributions of the release's own packages.",
            }
        )
    return render(
        family,
        "copyright.j2",
        {
            "name": staged.application.name,
            "source": spec.homepage,
            "comment": _fold(
                "The package holds the application and the Python distributions that it needs, as wheels install"
                " them. What follows comes from their metadata."
            ),
            "parts": parts,
        },
        spec.project_files.templates,
    )


def _shared_directories(spec: PackageSpec) -> tuple[PurePosixPath, ...]:
    """Return the directories that all distributions of the virtual environment share."""
    site = {
        directory
        for distribution in spec.staged.distributions
        for file in distribution.files
        for directory in file.parents
        if directory.name == "site-packages"
    }
    return (spec.staged.prefix / "bin", spec.staged.prefix / "share", spec.staged.prefix / "include", *sorted(site))


def _copyright_paragraph(
    distribution: InstalledDistribution, common: Mapping[str, PurePosixPath], patterns: Iterable[str]
) -> Mapping[str, str]:
    return {
        "files": _fold_list(patterns),
        "copyright": _fold_list(distribution.copyright)
        if distribution.copyright
        else distribution.author or f"the authors of {distribution.name}",
        "license": "\n".join((_short_name(distribution.license_expression), *_license_text(distribution, common))),
        "comment": f"The distribution {distribution.name} {distribution.version}.",
    }


def _short_name(expression: str) -> str:
    """Return the short name of a licence; DEP-5 writes SPDX operators in lower case."""
    return re.sub(r"\b(AND|OR|WITH)\b", lambda match: match[0].lower(), expression) or _NO_LICENCE


def _license_text(distribution: InstalledDistribution, common: Mapping[str, PurePosixPath]) -> list[str]:
    if distribution.license_files:
        return [" The text is in", *(f" {path}" for path in distribution.license_files)]
    if texts := _common_licenses(distribution.license_expression, common):
        return [" The distribution ships no text of it. On Debian systems it is in", *(f" {path}" for path in texts)]
    if distribution.license_expression:
        return [" The distribution names its licence, and ships no text of it."]
    return [" The distribution's metadata names no licence."]


def _common_licenses(expression: str, common: Mapping[str, PurePosixPath]) -> list[PurePosixPath]:
    """Return the texts on every Debian system for the licences of an SPDX expression; empty unless all have one.

    Source:
        Debian Policy 12.5.
    """
    names = re.findall(r"[A-Za-z0-9.+-]+", re.sub(r"\bWITH\s+\S+", " ", expression))
    texts = [common.get(re.sub(r"(?:-only|-or-later|\+)$", "", each)) for each in names if each not in {"AND", "OR"}]
    return [each for each in dict.fromkeys(texts) if each] if all(texts) else []


def _dep5_pattern(path: str) -> str:
    """Return a DEP-5 pattern: a relative path with special characters escaped, and ``?`` for white space."""
    escaped = re.sub(r"([\\*?])", r"\\\1", path.removeprefix("/"))
    return re.sub(r"\s", "?", escaped) + ("*" if path.endswith("/") else "")


def _fold_list(items: Iterable[str]) -> str:
    return "\n ".join(items) or "-"


def _fold(text: str) -> str:
    return "\n ".join(textwrap.wrap(text, _WIDTH))


_SHARED = ""


def own_paths(
    distributions: Iterable[InstalledDistribution], shared: Iterable[PurePosixPath]
) -> Mapping[str, tuple[str, ...]]:
    """Return the fewest paths that cover all files of each distribution, and no file of another.

    Args:
        distributions: with their files.
        shared: directories that belong to no distribution, nor do their parents, even if only one has files there.

    Returns:
        Name → sorted paths. A path that ends in ``/`` stands for the whole directory. A file that two distributions
        ship is listed for both.
    """
    distributions = tuple(distributions)
    owner = {str(each): _SHARED for directory in shared for each in (directory, *directory.parents)}
    for distribution in distributions:
        for file in distribution.files:
            for directory in _directories_above(str(file)):
                if owner.setdefault(directory, distribution.name) != distribution.name:
                    owner[directory] = _SHARED
    return {
        distribution.name: tuple(
            sorted({_topmost_own_path(str(file), distribution.name, owner) for file in distribution.files})
        )
        for distribution in distributions
    }


def _directories_above(file: str) -> list[str]:
    """Return the directories above ``file``, topmost first, without the root."""
    parts = file.split("/")
    return ["/".join(parts[:count]) for count in range(2, len(parts))]


def _topmost_own_path(file: str, name: str, owner: Mapping[str, str]) -> str:
    return next((f"{each}/" for each in _directories_above(file) if owner[each] == name), file)


MANUAL = PurePosixPath("/usr/share/man")

_PAGE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]*)\.(?P<section>[1-8])(?:\.gz)?")
_MOST_BYTES = 4 * 2**20
_GZIP = b"\x1f\x8b"


def manual_pages(spec: PackageSpec) -> Mapping[PurePosixPath, bytes]:
    """Return the pages of the linked commands: path in /usr/share/man → compressed page.

    A wheel installs its pages as data, below ``share/man`` of the virtual environment, where man(1) does not look. The
    pages of a command, and of its subcommands (``git-add``), are shipped a second time. Other pages could conflict with
    those of another package. Unreadable or absurdly large pages are skipped, and a page that the project itself ships
    is kept.

    Source:
        Debian Policy 12.1.
    """
    commands = {link.name for link, _ in spec.links}
    taken = {each.path for each in spec.staged.payload.paths}
    pages: dict[PurePosixPath, bytes] = {}
    for each, name, section in _page_files(spec):
        place = MANUAL / f"man{section}" / f"{name}.{section}.gz"
        if place not in taken and _is_page_of_command(name, commands):
            text = _decompress_page((spec.staged.destdir / each.path.relative_to("/")).read_bytes())
            if text:
                pages[place] = compressed(text)
    return pages


def _page_files(spec: PackageSpec) -> Iterator[tuple[PayloadPath, str, str]]:
    """Yield the files with a page's name in the directory of its section, with name and section."""
    directory = spec.staged.prefix / "share/man"
    for each in spec.staged.payload.files():
        found = _PAGE.fullmatch(each.path.name)
        if found and each.path.parent == directory / f"man{found['section']}" and each.size_bytes <= _MOST_BYTES:
            yield each, found["name"], found["section"]


def _is_page_of_command(page: str, commands: Iterable[str]) -> bool:
    return any(page == command or page.startswith(f"{command}-") for command in commands)


def _decompress_page(content: bytes) -> bytes:
    """Return the decompressed page; empty when it is damaged or too large."""
    if not content.startswith(_GZIP):
        return content
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = reader.decompress(content, _MOST_BYTES + 1)
    except zlib.error:
        return b""
    return text if len(text) <= _MOST_BYTES and reader.eof else b""


def compressed(text: bytes) -> bytes:
    """Compress ``text`` like ``gzip -9n``; the bytes depend on zlib alone.

    Source:
        Debian Policy 12.1, 12.7.
    """
    # Not gzip.compress: the system byte of its header depends on the version of Python.
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(text)
    return buffer.getvalue()
