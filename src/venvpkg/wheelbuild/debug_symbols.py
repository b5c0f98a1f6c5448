"""Separate the debug information of compiled files, to keep it next to the wheel, and strip the files."""

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


_MOST_LOG_BYTES = 1 << 20
# The sections that debhelper removes in addition to those of --strip-unneeded.
_STRIP = ("/usr/bin/strip", "--strip-unneeded", "--remove-section=.comment", "--remove-section=.note")


def strip_files(files: Mapping[str, bytes], sandbox: BuildSandbox, target: Target) -> dict[str, bytes]:
    """Return the ELF files after the target's strip.

    Only executables and shared objects are stripped: an object file would become useless. A file that strip does not
    know (for another machine) or damages is returned unchanged; strip is known to misplace segments of files that
    patchelf enlarged.

    Args:
        files: name → content.
        sandbox: where strip runs; without network, like the compile itself.
        target: its binutils are used.

    Raises:
        MissingToolError: strip is not installed.
        MachineError: strip ran out of space.
    """
    result = dict(files)
    chosen = [name for name, content in files.items() if is_linked(content)]
    if not chosen:
        return result
    directory = sandbox.recreate("strip")
    for index, name in enumerate(chosen):
        (directory / str(index)).write_bytes(files[name])
    position = sandbox.log.stat().st_size if sandbox.log.is_file() else 0
    done = sandbox.run((*_STRIP, *(f"strip/{index}" for index in range(len(chosen)))))
    if done.not_found:
        raise _missing_program("strip", target)
    error = None if done.ok else environment_error_in(read_log_since(sandbox.log, position))
    if error is not None:  # else an unstripped wheel would be kept under the key of a stripped one
        raise error
    for index, name in enumerate(chosen):
        content = (directory / str(index)).read_bytes()
        if is_sound(content):
            result[name] = content
    return result


def read_log_since(log: Path, position: int) -> str:
    """Return the text in a log after ``position``, in bytes; the first MiB of it."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(position)
        return file.read(_MOST_LOG_BYTES).decode("utf-8", "replace")


SUFFIX = ".debug.zip"

# The earliest time of a zip file.
_TIME = (1980, 1, 1, 0, 0, 0)
_MEMBER = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2,126}\.debug")
# objcopy takes one file at a time, and entering the sandbox takes longer than objcopy itself. A file that it does not
# know (for another machine) counts as one without debug information.
_SEPARATE = """\
for each do
    /usr/bin/objcopy --only-keep-debug --compress-debug-sections "$each" "$each.debug" || rm -f "$each.debug"
done
"""


def separate_debug(files: Mapping[str, bytes], sandbox: BuildSandbox, target: Target) -> dict[str, bytes]:
    """Return build-id → separate debug file, for the executables and shared objects with debug information.

    The stripped objects do not refer to the debug files: debuggers find them by the build-id.

    Args:
        files: name → content, as the compiler wrote them.
        sandbox: where objcopy runs.
        target: its binutils are used.

    Raises:
        MissingToolError: objcopy is not installed.
        MachineError: objcopy ran out of space.

    Source:
        objcopy(1), --only-keep-debug; gdb's manual, Separate Debug Files.
    """
    named = {build_id(content): content for _, content in sorted(files.items()) if _has_debug_information(content)}
    named.pop("", None)
    if not named:
        return {}
    directory = sandbox.recreate("debug")
    for name, content in named.items():
        (directory / name).write_bytes(content)
    position = sandbox.log.stat().st_size if sandbox.log.is_file() else 0
    sandbox.run(("/bin/sh", "-euc", _SEPARATE, "sh", *(f"debug/{name}" for name in named)))
    output = read_log_since(sandbox.log, position)
    found = {name: directory / f"{name}.debug" for name in named}
    if error := environment_error_in(output):
        raise error
    if "objcopy: not found" in output:
        raise _missing_program("objcopy", target)
    return {name: path.read_bytes() for name, path in found.items() if path.is_file()}


def write_debug(files: Mapping[str, bytes], wheel: Path) -> Path | None:
    """Write the debug files next to a wheel, as an archive with members ``xx/yyyy.debug``.

    Returns:
        Path of ``WHEEL.debug.zip``, or None if there are no files. The same files give the same bytes.
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
    """Extract the debug files of an archive into ``directory``, and return build-id → file.

    Raises:
        WheelError: the archive was not written by ``write_debug``.
    """
    found = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if not _MEMBER.fullmatch(info.filename):
                    raise zipfile.BadZipFile(f"it has a member {info.filename!r:.200}")  # noqa: TRY301 - wrapped below
                path = directory / info.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(opened.read(info))
                found[info.filename.removesuffix(".debug").replace("/", "")] = path
    except zipfile.BadZipFile as error:
        raise WheelError(
            f"{archive} is not a valid archive of debug files: {error}.", resolution="Remove its directory."
        ) from error
    return found


def _missing_program(program: str, target: Target) -> MissingToolError:
    missing = f"the program /usr/bin/{program}, for compiling wheels"
    return MissingToolError([missing], install=["binutils"], installer=installer(target))


def _has_debug_information(content: bytes) -> bool:
    return is_linked(content) and has_section(content, b".debug_info")
