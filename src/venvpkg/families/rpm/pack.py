"""Run rpmbuild on a tree and a spec file, and check that the package is what was composed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from venvpkg.errors import AssembleError, MissingToolError
from venvpkg.families.rpm.header import PAYLOAD_QUERY, QUERY, differences_of, parse_header, payload_differences
from venvpkg.host.command import Bind, Command
from venvpkg.host.oserrors import environment_error_in
from venvpkg.host.tree import set_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.families.common.artifact_cache import ArtifactCache
    from venvpkg.families.rpm.header import Header
    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.staged import PayloadPath
    from venvpkg.store.filecache import Json


# Paths of the destdir and of the work directory for the target's rpmbuild.
_BUILDROOT: Final = PurePosixPath("/usr/src/venvpkg/buildroot")
_TOP: Final = PurePosixPath("/usr/src/venvpkg/rpm")
_SPEC: Final = "package.spec"
_PACKED: Final = "package.rpm"
BUILD_HOST: Final = "venvpkg"
_TIMEOUT_S: Final = 3600.0
_MOST_SHOWN: Final = 20
_PACKAGES: Final = {"rpm": "rpm", "rpmspec": "rpm-build", "rpmbuild": "rpm-build"}

# Nothing may be generated, stripped, byte-compiled, mangled or linked: the staged files are packed as they are. Neither
# the target's configuration nor the clock may influence the header.
_MACROS: Final = (
    ("_topdir", str(_TOP)),
    ("_rpmdir", str(_TOP)),
    ("_builddir", str(_TOP)),
    # Where %post -f looks is relative to _builddir, which rpm 4.20 moves one level down, to NAME-VERSION-build.
    ("scriptlets", f'%{{lua:if rpm.expand("%{{_builddir}}") ~= "{_TOP}" then print("../") end}}'),
    ("_rpmfilename", _PACKED),
    ("_buildhost", BUILD_HOST),
    ("use_source_date_epoch_as_buildtime", "1"),
    ("clamp_mtime_to_source_date_epoch", "1"),
    ("source_date_epoch_from_changelog", "0"),
    ("_changelog_trimage", "0"),
    ("_changelog_trimtime", "0"),
    ("_build_id_links", "none"),
    ("debug_package", "%{nil}"),
    ("_debuginfo_template", "%{nil}"),
    ("__spec_install_pre", "%{nil}"),
    ("__spec_install_post", "%{nil}"),
    ("__os_install_post", "%{nil}"),
    ("_unpackaged_files_terminate_build", "1"),
)


class Expected(NamedTuple):
    """The expected package.

    Attributes:
        header: of the package.
        paths: in its payload.
    """

    header: Header
    paths: Iterable[PayloadPath]


class Packed(NamedTuple):
    """A package that was written and read back.

    Attributes:
        path: of the file.
        said: by rpmbuild.
    """

    path: Path
    said: str


class PackInputs(NamedTuple):
    """Everything that a package is packed from.

    Attributes:
        destdir: the payload.
        text: of the spec file.
        scripts: file name next to the spec file → escaped text of the scriptlet.
        expected: what the package must have.
        architecture: the target's, in rpm's words.
        source_date_epoch: seconds since 1970 UTC.
    """

    destdir: Path
    text: str
    scripts: Mapping[str, str]
    expected: Expected
    architecture: str
    source_date_epoch: int


def pack(inputs: PackInputs, work: Path, runner: Runner, earlier: ArtifactCache) -> Packed:
    """Write a package of everything in the destdir, which gets the time of the sources.

    The target's rpmbuild gets the destdir as its buildroot, read-only: it is packed in place, and no clean-up of
    rpmbuild or the spec file can remove it. There is no %install, because everything is installed already.

    Args:
        inputs: what is packed.
        work: directory for the spec file and the package; emptied before.
        runner: runs rpm's programs on the target.
        earlier: packages that were packed before.

    Raises:
        AssembleError: rpmbuild failed, or the spec file or the package is not what was composed.
        MissingToolError: there is no rpmbuild.
        MachineError: no space, or no permission.
    """
    destdir, text, scripts, expected, architecture, source_date_epoch = inputs
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    programs = _RpmPrograms(destdir, work, runner, architecture, source_date_epoch)
    configuration = programs.run("rpm", *programs.macros, "--showrc").text

    def pack_and_read_back() -> str:
        for name, content in {_SPEC: text, **scripts}.items():
            (work / name).write_text(content, encoding="utf-8")
        set_times(destdir, source_date_epoch)
        parsed = programs.run("rpmspec", *programs.macros, "--query", "--queryformat", QUERY, str(_TOP / _SPEC))
        _require_composed(expected.header, parsed, "the spec file", but_scripts=True)
        payload = ("_binary_payload", compression(configuration))
        built = programs.run(
            "rpmbuild", *programs.macros, *_define_options(payload), "-bb", "--noclean", "--buildroot", str(_BUILDROOT),
            str(_TOP / _SPEC),
        )  # fmt: skip
        found = programs.run("rpm", "--query", "--queryformat", QUERY, "--package", str(_TOP / _PACKED))
        _require_composed(expected.header, found, "the package")
        listed = programs.run("rpm", "--query", "--queryformat", PAYLOAD_QUERY, "--package", str(_TOP / _PACKED))
        differences = payload_differences(expected.paths, listed.text, source_date_epoch)
        _require_same("the package", differences)
        return built.errors.strip()

    # The expected payload is part of the spec file, in %files.
    key: dict[str, Json] = {
        "spec": text, "scripts": dict(scripts), "header": repr(expected.header), "configuration": configuration,
        "architecture": architecture, "source_date_epoch": source_date_epoch,
    }  # fmt: skip
    output = earlier.get_or_build(work / _PACKED, destdir, key, pack_and_read_back)
    return Packed(work / _PACKED, output)


def compression(features: str) -> str:
    """Return the compression of the payload: zstd if the target's own rpm can read it, else xz.

    Both run in one thread (without rpm's ``T``), so that the bytes do not depend on the number of cores.

    Args:
        features: of the target's rpm, as ``rpm --showrc`` lists them.

    Source:
        rpm's macros file, ``_binary_payload``.
    """
    return "w10.zstdio" if "rpmlib(PayloadIsZstd)" in features else "w2.xzdio"


class _RpmPrograms:
    """Runs rpm's programs on the target, with the directories of one package.

    Attributes:
        macros: options of the programs that read spec files.
    """

    def __init__(self, destdir: Path, work: Path, runner: Runner, architecture: str, source_date_epoch: int) -> None:
        self.macros = (*_define_options(*_MACROS), "--target", architecture)
        self._binds = (Bind(destdir, _BUILDROOT, writable=False), Bind(work, _TOP))
        # HOME: ignore any user's .rpmmacros.
        self._env = {"SOURCE_DATE_EPOCH": str(source_date_epoch), "TZ": "UTC", "HOME": str(_TOP)}
        self._runner = runner

    def run(self, *argv: str) -> Completed:
        """Run a program.

        Raises:
            AssembleError: it failed.
            MissingToolError: it is not installed.
            MachineError: it failed for lack of space or permission.
        """
        done = self._runner.run(Command(argv, env=self._env, binds=self._binds, network=False, timeout_s=_TIMEOUT_S))
        if done.ok:
            return done
        if done.not_found:
            raise MissingToolError([f"{argv[0]} on the target, which writes packages"], install=[_PACKAGES[argv[0]]])
        refusal = environment_error_in(done.errors)
        if refusal is not None:
            raise refusal
        raise AssembleError(
            f"{argv[0]} failed: {done.outcome()}.",
            details="\n".join(f"  {line}" for line in (done.errors or done.text).splitlines()[-20:]),
        )


def _define_options(*macros: tuple[str, str]) -> tuple[str, ...]:
    return tuple(word for name, value in macros for word in ("--define", f"{name} {value}"))


def _require_composed(header: Header, answered: Completed, what: str, *, but_scripts: bool = False) -> None:
    """Require that an answer to ``QUERY`` is the header; rpm reads the files of scriptlets only when it packs."""
    try:
        found = parse_header(answered.text)
    except ValueError as error:
        raise AssembleError(f"{what} could not be read back.", details=f"  {error}") from error
    _require_same(what, differences_of(header, replace(found, scripts=header.scripts) if but_scripts else found))


def _require_same(what: str, differences: Iterable[str]) -> None:
    found = list(differences)
    if found:
        shown = found[:_MOST_SHOWN]
        more = [f"and {len(found) - len(shown)} more"] if len(found) > len(shown) else []
        raise AssembleError(
            f"{what} differs from what was composed.",
            details="\n".join(f"  {line}" for line in (*shown, *more)),
            resolution="Fix the template or the value named above.",
        )
