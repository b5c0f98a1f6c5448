"""What a session's target brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from unit.fakes import RecordingReport
from unit.targets.makers import TRIXIE, Machine, root_with
from venvpkg.host.places import Places
from venvpkg.targets.selection import Kind, Selection
from venvpkg.wheelhouse.pool import Pool
from venvpkg.workbench import Session, site_target

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import SubprocessRunner


def test_the_rules_for_platform_tags_are_the_targets_own(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    root_with(TRIXIE, root)
    (root / "etc/python").mkdir()
    (root / "etc/python/binary-compatibility.cfg").write_text(
        '{"linux_x86_64_debian_13": {"install": ["linux_x86_64_debian_12"]}}'
    )
    session = Session(
        runner=cast("SubprocessRunner", Machine()),
        report=RecordingReport(),
        places=Places(tmp_path / "wheelhouse", tmp_path / "cache"),
        environment={},
        pool=Pool(1),
        offline=True,
        target=Selection(Kind.ROOT, str(root)),
    )

    resolved = site_target(session)

    assert resolved.target.accepts == ("linux_x86_64_debian_12",)
