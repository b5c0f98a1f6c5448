"""Lock an application from several indexes, and compare uv's choice with the other indexes and with pip.

uv takes a name from the first index that has it, and ignores the others. This protects private names, but can hide a
newer version, or an sdist if the first index only has wheels of that version.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from venvpkg.console.events import Quiet
from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.index.urls import filename_of_url
from venvpkg.lock.lockfile import plain_text, read_document, relocate_document
from venvpkg.lock.uv import LockRequest, compile_lock
from venvpkg.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.lock.uv import Resolver
    from venvpkg.model.target import Target

    Entry = dict[str, object]

_STRATEGY: Final = "UV_INDEX_STRATEGY"
_OF_INDEXES: Final = frozenset({"UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"})
# Variables that would make uv choose other versions than the requested ones.
_OF_VERSIONS: Final = frozenset({"UV_CONSTRAINT", "UV_OVERRIDE", "UV_RESOLUTION"})


def compile_from_indexes(
    request: LockRequest,
    target: Target,
    resolver: Resolver,
    *,
    backends: bool = True,
    trusted: frozenset[str] | None = None,
) -> Path:
    """Resolve like ``compile_lock``; with several indexes, add sdists that the first one hides, and report differences.

    An sdist from another index is added only if that index also has one of the locked wheels, by its hash: then both
    have the same project. Otherwise, anybody could have uploaded the sdist under a private name.

    Args:
        request: requirements to lock.
        target: target of the lock.
        resolver: runs uv.
        backends: whether build backends may run, on this machine.
        trusted: sha256 of the sdists that may be added; None for any.

    Raises:
        LockError, MachineError: as ``compile_lock``.
    """
    output = compile_lock(request, target, resolver, backends=backends)
    if len(resolver.settings.order) > 1:
        document = dict(read_document(output))
        if resolver.settings.is_chosen_by_pip:
            _report_other_choices(document, request, target, resolver)
        if _add_sdists(document, output.parent, target, resolver, trusted):
            write_whole(output, plain_text(document, output.parent, output.parent).encode())
    return output


def _report_other_choices(
    document: Mapping[str, object], request: LockRequest, target: Target, resolver: Resolver
) -> None:
    """Warn about versions that pip, or the same indexes in another order, would have chosen."""
    chosen = dict(_versions(document))
    first, *others = resolver.settings.order
    searches = {
        "pip would take": {_STRATEGY: "unsafe-best-match"},
        "another index has": {"UV_INDEX": " ".join(filter(None, others)), "UV_DEFAULT_INDEX": first},
    }
    differences: dict[str, str] = {}
    for what, variables in searches.items():
        if "" in resolver.settings.order and _STRATEGY not in variables:
            continue  # uv's own default index is always the last
        try:
            output = compile_lock(request, target, _with_variables(resolver, variables), backends=False)
        except LockError as error:
            resolver.reporter.detail(f"the indexes could not be compared: {error.brief}")
            continue
        for name, version in _versions(read_document(output)):
            if chosen.get(name, version) != version:
                differences.setdefault(name, f"{name} {chosen[name]} ({what} {version})")
    if differences:
        order = ", ".join(redact(each) or "the default index" for each in resolver.settings.order)
        names = ", ".join(differences[name] for name in sorted(differences))
        resolver.reporter.warn(
            f"found on several indexes, and locked from the first: {names}; the indexes, in the order in which"
            f" they are searched: {order}; to choose as pip does, set {_STRATEGY}=unsafe-best-match; to order"
            " them by trust, set UV_INDEX and UV_DEFAULT_INDEX"
        )


def _add_sdists(
    document: Mapping[str, object],
    directory: Path,
    target: Target,
    resolver: Resolver,
    trusted: frozenset[str] | None,
) -> bool:
    """Add sdists of other indexes to the entries without one; return whether any was added."""
    wanted = {str(each["name"]): each for each in _entries(document) if _may_be_compiled(each)}
    unproven: list[str] = []
    added = False
    for index in resolver.settings.order if wanted else ():
        for name, entry in _look_up(wanted, index, directory, target, resolver):
            mine = wanted[name]
            if (
                "sdist" in mine
                or not _sdist_hashes(entry)
                or (trusted is not None and not _sdist_hashes(entry) & trusted)
            ):
                continue
            where = redact(index) or "the default index"
            if _hashes(mine) & _hashes(entry):
                mine["sdist"] = entry["sdist"]
                added = True
                resolver.reporter.detail(f"{name} {mine['version']}: sdist from {where}, which has the same wheels")
            else:
                unproven.append(f"{name} {mine['version']} ({where})")
    if unproven:
        resolver.reporter.warn(
            f"not using sdists of other indexes, which share no wheel with the first: {', '.join(unproven)};"
            " to use them, put that index first in UV_INDEX, or choose it under [tool.uv.sources]"
        )
    return added


def _may_be_compiled(entry: Entry) -> bool:
    """Return whether an entry only has wheels with native code; names of pure ones are not sent to other indexes."""
    wheels = entry.get("wheels")
    names = [_filename(each) for each in wheels if isinstance(each, dict)] if isinstance(wheels, list) else []
    return bool(names) and "sdist" not in entry and not any(name.endswith("-none-any.whl") for name in names)


def _filename(file: Entry) -> str:
    return str(file.get("name") or filename_of_url(str(file.get("url") or file.get("path"))))


def _look_up(
    wanted: Mapping[str, Entry], index: str, directory: Path, target: Target, resolver: Resolver
) -> Iterator[tuple[str, Entry]]:
    """Yield the entries for the same versions on one index; in one query, or one by one if some are missing."""
    pins = {name: f"{name}=={entry['version']}" for name, entry in wanted.items() if "version" in entry}
    # Without the project's settings, because its own indexes would be asked first.
    alone = _with_variables(resolver, {"UV_DEFAULT_INDEX": index, "UV_NO_CONFIG": "1"}, drop=_OF_INDEXES | _OF_VERSIONS)
    for names in (tuple(pins), *((name,) for name in pins if len(pins) > 1)):
        request = LockRequest("sdists", requirements=tuple(pins[name] for name in names), options=("--no-deps",))
        try:
            output = compile_lock(request, target, alone, backends=False)
        except LockError:
            continue
        found = relocate_document(read_document(output), output.parent, directory)
        yield from ((str(entry["name"]), entry) for entry in _entries(found))
        if len(names) == len(pins):
            return


def _with_variables(resolver: Resolver, variables: Mapping[str, str], drop: Iterable[str] = ()) -> Resolver:
    environ = {key: value for key, value in resolver.settings.environ.items() if key not in drop} | dict(variables)
    environ = {key: value for key, value in environ.items() if value}
    # These runs would only repeat the reports of the first one.
    return replace(resolver, settings=replace(resolver.settings, environ=environ), reporter=Quiet())


def _entries(document: Mapping[str, object]) -> list[Entry]:
    packages = document.get("packages")
    return [each for each in packages if isinstance(each, dict)] if isinstance(packages, list) else []


def _versions(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    return ((str(each.get("name")), str(each["version"])) for each in _entries(document) if "version" in each)


def _sdist_hashes(entry: Entry) -> set[str]:
    sdist = entry.get("sdist")
    return {str(sdist.get("hashes", {}).get("sha256"))} if isinstance(sdist, dict) else set()


def _hashes(entry: Entry) -> set[str]:
    wheels = entry.get("wheels")
    files = wheels if isinstance(wheels, list) else []
    return {str(each.get("hashes", {}).get("sha256")) for each in files if isinstance(each, dict)}
