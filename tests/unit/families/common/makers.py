"""Payloads with units of systemd, and packages of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unit.samples import a_spec, a_staged
from venvpkg.model.project import ProjectFiles
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import StagedVenv

SYSTEM = "/usr/lib/systemd/system"
ENABLED = "[Service]\nExecStart=/usr/bin/app\n\n[Install]\nWantedBy=multi-user.target\n"
STATIC = "[Service]\nExecStart=/usr/bin/app\n"


def staged_with(destdir: Path, files: dict[str, str]) -> StagedVenv:
    for path, content in files.items():
        file = destdir / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return a_staged(destdir, payload=read_payload(destdir, ()))


def spec_with(destdir: Path, files: dict[str, str], **snippets: str) -> PackageSpec:
    return a_spec(staged_with(destdir, files), project_files=ProjectFiles(scripts=tuple(snippets.items())))
