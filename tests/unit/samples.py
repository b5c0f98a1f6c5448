"""Values that tests of several stages begin with."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from unit.fakes import RecordingReporter
from venvpkg.families.base import TargetContext
from venvpkg.model.depends import Dependency, DependencySet, Evidence, NativePackage, Source
from venvpkg.model.package import PackageSpec
from venvpkg.model.project import Project, Settings
from venvpkg.model.staged import ApplicationMetadata, InstalledDistribution, PathKind, Payload, PayloadPath, StagedVenv
from venvpkg.model.target import Interpreter, Release, Target
from venvpkg.model.wheels import Action, ReadyWheel, SystemDistribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.console import Reporter
    from venvpkg.host.command import Runner

PREFIX = PurePosixPath("/opt/venvs/app")
SITE = PREFIX / "lib/python3.11/site-packages"


def debian_12() -> Target:
    interpreter = Interpreter(
        path=PurePosixPath("/usr/bin/python3.11"),
        version=(3, 11, 2),
        ext_suffix=".cpython-311-x86_64-linux-gnu.so",
        include=PurePosixPath("/usr/include/python3.11"),
        marker_environment={
            "implementation_name": "cpython",
            "implementation_version": "3.11.2",
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": "3.11.2",
            "python_version": "3.11",
            "sys_platform": "linux",
        },
        glibc=(2, 36),
    )
    release = Release("debian", "12", "bookworm")
    return Target("deb", release, "amd64", "x86_64", "x86_64-linux-gnu", Path("/"), interpreter)


def a_project(settings: Settings | None = None, **changes: str | None) -> Project:
    values = {"name": "app", "requirement": None} | changes
    return Project(
        name=str(values["name"]),
        requirement=values["requirement"],
        directory=None if values["requirement"] else Path("/srv/build/checkout/app"),
        lock=Path("pylock.toml"),
        build_lock=Path("venvpkg.lock"),
        settings=settings or Settings(),
    )


def record_line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"


def write_wheel(  # noqa: PLR0913 - each is one thing that a wheel can get wrong
    directory: Path,
    name: str = "app",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes] | None = None,
    metadata: str = "",
    entry_points: str = "",
    record: str | None = None,
    executable: tuple[str, ...] = (),
) -> ReadyWheel:
    """Write a wheel of ``files``; ``metadata`` and ``record`` replace what would be right."""
    dist_info = f"{name}-{version}.dist-info"
    content = dict(files or {})
    content[f"{dist_info}/METADATA"] = (
        metadata or f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    ).encode()
    content[f"{dist_info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if entry_points:
        content[f"{dist_info}/entry_points.txt"] = entry_points.encode()
    listed = "".join(record_line(path, each) for path, each in content.items()) + f"{dist_info}/RECORD,,\n"
    content[f"{dist_info}/RECORD"] = (listed if record is None else record).encode()
    path = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, each in content.items():
            info = zipfile.ZipInfo(member)
            info.external_attr = (0o100755 if member in executable else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, each)
    return ReadyWheel(name, version, path, hashlib.sha256(path.read_bytes()).hexdigest(), Action.PURE)


def an_application(**changes: str) -> ApplicationMetadata:
    values = {
        "name": "App",
        "version": "1.0",
        "summary": "Keeps a list of things",
        "description": "",
        "homepage": "https://example.org/app",
        "maintainer": "Jane Doe <jane@example.org>",
        "license_expression": "MIT",
    } | changes
    return ApplicationMetadata(commands=("app",), **values)


def a_staged(
    destdir: Path = Path("/srv/job/destdir"),
    application: ApplicationMetadata | None = None,
    payload: Payload | None = None,
) -> StagedVenv:
    program = PayloadPath(PREFIX / "bin/app", PathKind.FILE, 0o755, 100, "0" * 32)
    own = InstalledDistribution("app", "1.0", "0" * 64, (PREFIX / "bin/app", SITE / "app/__init__.py"), "MIT")
    return StagedVenv(
        destdir=destdir,
        prefix=PREFIX,
        application=application or an_application(),
        distributions=(own,),
        python_floor="3.11.0",
        payload=Payload((program,)) if payload is None else payload,
    )


def a_system(name: str = "psycopg2", version: str = "2.9.5", **changes: Any) -> SystemDistribution:
    """A distribution as Debian has it."""
    directory = PurePosixPath("/usr/lib/python3/dist-packages")
    made = SystemDistribution(
        name=name,
        version=version,
        requires=(),
        metadata=directory / f"{name}-{version}.egg-info",
        directories=(directory,),
        modules=(name,),
        package=NativePackage(f"python3-{name}", f"{version}-1", "amd64"),
    )
    return dataclasses.replace(made, **changes)


def needing(*relations: str) -> DependencySet:
    """Dependencies that the user declared."""
    return DependencySet(tuple(Dependency(each, (Evidence(Source.USER),)) for each in relations))


def a_spec(staged: StagedVenv | None = None, /, **changes: object) -> PackageSpec:
    spec = PackageSpec(
        name="app",
        epoch=0,
        upstream_version="1.0",
        revision="1",
        maintainer="Jane Doe <jane@example.org>",
        summary="Keeps a list of things",
        description="It keeps them well.",
        homepage="https://example.org/app",
        license_expression="MIT",
        section="misc",
        dependencies=DependencySet(),
        evidence=b"{}\n",
        sbom=b'{"bomFormat": "CycloneDX"}\n',
        links=((PurePosixPath("/usr/bin/app"), PREFIX / "bin/app"),),
        source_date_epoch=1_700_000_000,
        staged=staged or a_staged(),
    )
    return dataclasses.replace(spec, **changes)  # type: ignore[arg-type]


def on_target(
    target: Target, runner: Runner, reporter: Reporter | None = None, cache: Path = Path("/nonexistent")
) -> TargetContext:
    """Return what a family's code works with."""
    return TargetContext(target, runner, reporter or RecordingReporter(), cache)
