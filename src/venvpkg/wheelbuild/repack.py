"""Turn what a backend built into a vendor wheel: one pass that tags, strips, tells the materials and normalises."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import stat
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from packaging.version import Version

from venvpkg.errors import WheelError
from venvpkg.model.tags import publisher_tags
from venvpkg.model.wheels import OWN_SBOM
from venvpkg.wheelbuild.debug_symbols import separated, stripped, write_debug
from venvpkg.wheelhouse.check import UNHASHED, check_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.model.target import Target
    from venvpkg.model.wheels import PlannedWheel
    from venvpkg.sources.build_sandbox import BuildSandbox
    from venvpkg.wheelbuild.context import WriteSbom
    from venvpkg.wheelhouse.check import WheelFacts


_EXECUTABLE = 0o111
# The first moment a zip file can tell.
_TIME = (1980, 1, 1, 0, 0, 0)
# Where the wheel came from on this machine: nothing that an installed package should tell.
_DROPPED = ("direct_url.json", *UNHASHED)
_SBOM = f"sboms/{OWN_SBOM}"
# Any place will do: what counts is which files of the wheel lie where, seen from each other. Errors name them by it.
_ENVIRONMENTS = PurePosixPath("/opt/venvs")


class Repacked(NamedTuple):
    """A vendor wheel, and the debug information that it had."""

    wheel: Path
    debug: Path | None


def repack_wheel(
    raw: Path, planned: PlannedWheel, *, target: Target, sandbox: BuildSandbox, write_sbom: WriteSbom
) -> Repacked:
    """Return the vendor wheel made of ``raw``, in the sandbox's directory ``repacked``, and its debug information.

    Its bytes depend on the members' names, contents and executable bits alone: sorted, .dist-info last, modes 0644 and
    0755, one time, and stored without compression, since the bytes of deflate depend on the library (zlib, zlib-ng)
    that happens to do it. A wheel with platform tag or with ELF files gets the target's platform tag; one with ELF
    files, a bill of materials.

    Args:
        raw: as the backend left it.
        planned: what it must be; of any version where that is empty.
        target: whose platform tag it gets.
        sandbox: where strip and objcopy run.
        write_sbom: writes its bill of materials.

    Raises:
        WheelError: damaged, hostile, of another distribution or version, or not for the target's interpreter.
        MissingToolError: no strip, or no objcopy.
        VenvpkgError: from ``write_sbom``.

    Source:
        PEP 770, for the bill of materials.
    """
    facts = check_wheel(raw)
    _require_expected(raw, facts, planned, target)
    is_pure = not facts.elf and all(tag.platform == "any" for tag in facts.tags)
    *identity, pythons, abis, platforms = raw.stem.split("-")
    platform = platforms if is_pure else target.platform_tag
    executables, members = _read(raw, facts.dist_info, (*_DROPPED, _SBOM))
    objects = {each: members[each] for each in facts.elf}
    debug = separated(objects, sandbox, target)
    members |= stripped(objects, sandbox, target)
    wheel_file = f"{facts.dist_info}/WHEEL"
    members[wheel_file] = _tagged(members[wheel_file], pythons, abis, platform)
    if objects:
        tree = sandbox.recreate("linked")
        _lay_objects({name: members[name] for name in objects}, facts, target, tree)
        members[f"{facts.dist_info}/{_SBOM}"] = write_sbom(facts.name, str(facts.version), planned.source, tree)
    result = sandbox.recreate("repacked") / f"{'-'.join((*identity, pythons, abis, platform))}.whl"
    _write(result, facts.dist_info, members, executables)
    return Repacked(result, write_debug(debug, result))


def retagged(wheel: Path, platforms: str, destination: Path) -> Path:
    """Write a vendor wheel once more with other platform tags, in its name and its WHEEL file; return its path.

    Args:
        wheel: one that ``repack_wheel`` made.
        platforms: one platform tag, or several with dots between (PEP 425's compressed set).
        destination: directory for it.

    Raises:
        WheelError: damaged.
    """
    facts = check_wheel(wheel)
    *identity, pythons, abis, _ = wheel.stem.split("-")
    executables, members = _read(wheel, facts.dist_info, _DROPPED)
    wheel_file = f"{facts.dist_info}/WHEEL"
    members[wheel_file] = _tagged(members[wheel_file], pythons, abis, platforms)
    result = destination / f"{'-'.join((*identity, pythons, abis, platforms))}.whl"
    _write(result, facts.dist_info, members, executables)
    return result


def _require_expected(raw: Path, facts: WheelFacts, planned: PlannedWheel, target: Target) -> None:
    problems = []
    if facts.name != planned.name:
        problems.append(f"it is a wheel of {facts.name}, where one of {planned.name} was to be built")
    if planned.version and facts.version != Version(planned.version):
        problems.append(f"it is of version {facts.version}, where {planned.version} was to be built")
    usable = {(tag.interpreter, tag.abi) for tag in publisher_tags(target)}
    if not any((tag.interpreter, tag.abi) in usable for tag in facts.tags):
        problems.append(f"it is not for {target.interpreter.title}")
    if problems:
        raise WheelError(
            f"The backend built {raw.name}, which cannot be used.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Report it to its publisher, or choose another version.",
        )


def _lay_objects(objects: Mapping[str, bytes], facts: WheelFacts, target: Target, tree: Path) -> None:
    """Write the ELF files of a wheel where they lie in an environment below ``tree``, so that they find each other."""
    prefix = _ENVIRONMENTS / facts.name
    site = prefix / "lib" / target.interpreter.name / "site-packages"
    data = facts.dist_info.removesuffix(".dist-info") + ".data"
    schemes = {"scripts": prefix / "bin", "data": prefix, "headers": prefix / "include"}
    for name, content in objects.items():
        top, _, inside = name.partition("/")
        scheme, _, rest = inside.partition("/")
        place = schemes.get(scheme, site) / rest if top == data and rest else site / name
        path = tree / place.relative_to("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _read(raw: Path, dist_info: str, left_out: Iterable[str]) -> tuple[frozenset[str], dict[str, bytes]]:
    dropped = {f"{dist_info}/{name}" for name in left_out}
    executables, members = set(), {}
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            if info.is_dir() or info.filename in dropped:
                continue
            members[info.filename] = archive.read(info)
            if (info.external_attr >> 16) & _EXECUTABLE:
                executables.add(info.filename)
    return frozenset(executables), members


def _tagged(wheel_file: bytes, pythons: str, abis: str, platforms: str) -> bytes:
    """Return the WHEEL file with the tags that the file name now has, each combination on its line."""
    kept = [
        line
        for line in wheel_file.decode("utf-8", "replace").splitlines()
        if line.strip() and not line.lower().startswith("tag:")
    ]
    tags = [
        f"Tag: {python}-{abi}-{platform}"
        for python in sorted(pythons.split("."))
        for abi in sorted(abis.split("."))
        for platform in sorted(platforms.split("."))
    ]
    return "".join(f"{line}\n" for line in (*kept, *tags)).encode()


def _write(path: Path, dist_info: str, members: Mapping[str, bytes], executables: frozenset[str]) -> None:
    order = sorted(members, key=lambda name: (name.startswith(f"{dist_info}/"), name))
    record = f"{dist_info}/RECORD"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in order:
            archive.writestr(_info(name, is_executable=name in executables), members[name])
        archive.writestr(_info(record), _record(record, ((name, members[name]) for name in order)))


def _record(record: str, members: Iterable[tuple[str, bytes]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for name, content in members:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        writer.writerow((name, f"sha256={digest}", len(content)))
    writer.writerow((record, "", ""))
    return text.getvalue().encode()


def _info(name: str, *, is_executable: bool = False) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.create_system = 3  # Unix: the upper half of external_attr is a mode
    info.external_attr = (stat.S_IFREG | (0o755 if is_executable else 0o644)) << 16
    return info
