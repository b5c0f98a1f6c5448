"""The record of a build."""

from __future__ import annotations

from venvpkg.model.package import BuildRecord

RECORD = BuildRecord(
    name="app",
    requirement="app==1.0",
    settings={"revision": "1"},
    source_date_epoch=1_700_000_000,
    lock='lock-version = "1.0"\n',
    build_lock="",
    inputs={"tools": {"dpkg": "1.21.22"}},
    artifact="app_1.0-1~debian12_all.deb",
    sha256="a" * 64,
    size_bytes=1000,
)
