"""A recorded build is repeated; what is not the same is told in a way that helps."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.record.samples import RECORD
from venvpkg import rebuild
from venvpkg.context import Session
from venvpkg.errors import NotReproducedError
from venvpkg.host.files import sha256_of
from venvpkg.host.runner import SubprocessRunner
from venvpkg.record.file import dump_build_record
from venvpkg.store.dirs import Dirs
from venvpkg.wheelbuild.pool import Pool

if TYPE_CHECKING:
    from pathlib import Path


def test_a_package_of_the_other_family_says_to_name_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original, made = tmp_path / "app-1.0-1.el9.noarch.rpm", tmp_path / "app_1.0-1~debian12_all.deb"
    original.write_bytes(b"\xed\xab\xee\xdb")
    made.write_bytes(b"!<arch>\n")
    recorded = replace(RECORD, artifact=original.name, sha256=sha256_of(original))
    (tmp_path / "app.build.json").write_bytes(dump_build_record(recorded))
    built = (SimpleNamespace(path=made, sha256=sha256_of(made)), RECORD)
    monkeypatch.setattr(rebuild, "build", lambda *_, **__: built)
    dirs = Dirs(tmp_path / "wheelhouse", tmp_path / "cache")
    session = Session(SubprocessRunner({}), RecordingReporter(), dirs, {}, Pool(1), offline=False)

    with pytest.raises(NotReproducedError) as caught:
        rebuild.rebuild(tmp_path / "app.build.json", ".", session, keep=None)

    assert "app_1.0-1~debian12_all.deb is a package of another family" in caught.value.details
    assert "--target" in caught.value.resolution
