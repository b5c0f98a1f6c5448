"""Debug information of what was compiled here: kept next to the wheel, then stripped from it."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError, WheelError
from venvpkg.families.registry import installer
from venvpkg.host.oserrors import environment_error_in
from venvpkg.linking.object_file import build_id, has_section, is_linked, is_sound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.model.target import Target
    from venvpkg.sources.build_sandbox import BuildSandbox


_MOST_SAID_BYTES = 1 << 20
# The sections that debhelper removes, beside those that --strip-unneeded means.
_STRIP = ("/usr/bin/strip", "--strip-unneeded", "--remove-section=.comment", "--remove-section=.note")


def stripped(files: Mapping[str, bytes], sandbox: BuildSandbox, target: Target) -> dict[str, bytes]:
    """Return the ELF files as the target's strip leaves them.

    Executables and shared objects only: an object file loses what it is for. A file that strip does not know (another
    machine's) or spoils stays as it was; strip is known to misplace segments of files that patchelf enlarged.

    Args:
        files: name → content.
        sandbox: where strip runs; cut off from the network like the compile itself.
        target: whose binutils they are.

    Raises:
        MissingToolError: no strip.
        MachineError: strip had no space.
    """
    result = dict(files)
    chosen = [name for name, content in files.items() if is_linked(content)]
    if not chosen:
        return result
    directory = sandbox.recreate("strip")
    for index, name in enumerate(chosen):
        (directory / str(index)).write_bytes(files[name])
    said_before = sandbox.log.stat().st_size if sandbox.log.is_file() else 0
    done = sandbox.run((*_STRIP, *(f"strip/{index}" for index in range(len(chosen)))))
    if done.not_found:
        raise _lacking("strip", target)
    refusal = None if done.ok else environment_error_in(said_since(sandbox.log, said_before))
    if refusal is not None:  # an unstripped wheel, kept under the key of a stripped one
        raise refusal
    for index, name in enumerate(chosen):
        content = (directory / str(index)).read_bytes()
        if is_sound(content):
            result[name] = content
    return result


def said_since(log: Path, position: int) -> str:
    """Return what programs wrote to a log since it had ``position`` bytes; the beginning of it."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(position)
        return file.read(_MOST_SAID_BYTES).decode("utf-8", "replace")


SUFFIX = ".debug.zip"

# The first moment a zip file can tell.
_TIME = (1980, 1, 1, 0, 0, 0)
_MEMBER = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2,126}\.debug")
# objcopy takes one file at a time, and entering the sandbox takes longer than it does. A file that it does not know
# (another machine's) has no debug information for us.
_SEPARATE = """\
for each do
    /usr/bin/objcopy --only-keep-debug --compress-debug-sections "$each" "$each.debug" || rm -f "$each.debug"
done
"""


def separated(files: Mapping[str, bytes], sandbox: BuildSandbox, target: Target) -> dict[str, bytes]:
    """Return build-id → separate debug file, of the executables and shared objects that have debug information.

    Nothing of it is named in the stripped object: debuggers find the file by the build-id that both have.

    Args:
        files: name → content, as the compiler left them.
        sandbox: where objcopy runs.
        target: whose binutils they are.

    Raises:
        MissingToolError: no objcopy.
        MachineError: objcopy had no space.

    Source:
        objcopy(1), --only-keep-debug; gdb's manual, Separate Debug Files.
    """
    named = {build_id(content): content for _, content in sorted(files.items()) if _is_of_use(content)}
    named.pop("", None)
    if not named:
        return {}
    directory = sandbox.recreate("debug")
    for name, content in named.items():
        (directory / name).write_bytes(content)
    said_before = sandbox.log.stat().st_size if sandbox.log.is_file() else 0
    sandbox.run(("/bin/sh", "-euc", _SEPARATE, "sh", *(f"debug/{name}" for name in named)))
    said = said_since(sandbox.log, said_before)
    found = {name: directory / f"{name}.debug" for name in named}
    if refusal := environment_error_in(said):
        raise refusal
    if "objcopy: not found" in said:
        raise _lacking("objcopy", target)
    return {name: path.read_bytes() for name, path in found.items() if path.is_file()}


def write_debug(files: Mapping[str, bytes], wheel: Path) -> Path | None:
    """Write the debug files beside a wheel, as an archive with members ``xx/yyyy.debug``; None when there are none.

    Returns:
        ``WHEEL.debug.zip``; the same files give the same bytes.
    """
    if not files:
        return None
    path = wheel.with_name(wheel.stem + SUFFIX)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(f"{name[:2]}/{name[2:]}.debug", _TIME)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return path


def extract_debug(archive: Path, directory: Path) -> dict[str, Path]:
    """Write the debug files of an archive into ``directory``, and return build-id → file.

    Raises:
        WheelError: it is not what ``write_debug`` writes.
    """
    found = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if not _MEMBER.fullmatch(info.filename):
                    raise zipfile.BadZipFile(f"it has a member {info.filename!r:.200}")  # noqa: TRY301 - told below
                path = directory / info.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(opened.read(info))
                found[info.filename.removesuffix(".debug").replace("/", "")] = path
    except zipfile.BadZipFile as error:
        raise WheelError(f"{archive} holds no debug files: {error}.", resolution="Remove its directory.") from error
    return found


def _lacking(program: str, target: Target) -> MissingToolError:
    missing = f"the program /usr/bin/{program}, for compiling wheels"
    return MissingToolError([missing], install=["binutils"], installer=installer(target))


def _is_of_use(content: bytes) -> bool:
    return is_linked(content) and has_section(content, b".debug_info")
