"""The package manager is asked once for each state of its metadata, and each time where the state is not known."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from unit.samples import debian_12, on_target
from venvpkg.families.rpm.repositories import CachedRepositoryQueries
from venvpkg.host.command import Command, Completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUESTION = Command(("dnf", "--quiet", "--cacheonly", "repoquery", "app"))


@dataclass
class Dnf:
    """Counts how often it is asked."""

    answer: Completed = field(default_factory=lambda: Completed(0, b"app|1-1|\xff\n"))
    asked: int = 0

    def run(self, command: Command) -> Completed:
        del command
        self.asked += 1
        return self.answer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root whose settings are links, as RHEL has them."""
    root = tmp_path / "root"
    for directory in ("var/cache/dnf/fedora-1", "etc/dnf/vars", "etc/yum", "etc/yum.repos.d", "usr/bin"):
        (root / directory).mkdir(parents=True)
    (root / "var/cache/dnf/fedora.solv").write_bytes(b"metadata")
    (root / "var/cache/dnf/fedora-1/repomd.xml").write_bytes(b"<repomd/>")
    (root / "etc/dnf/dnf.conf").write_text("[main]\nbest=False\n")
    (root / "etc/yum.conf").symlink_to("dnf/dnf.conf")
    (root / "etc/yum/vars").symlink_to("/etc/dnf/vars")
    (root / "etc/yum.repos.d/fedora.repo").write_text("[fedora]\nbaseurl=https://example.org/\n")
    (root / "usr/bin/dnf").symlink_to("dnf-3")
    (root / "usr/bin/dnf-3").touch()
    return root


def asked_again(root: Path, tmp_path: Path, dnf: Dnf, question: Command = QUESTION) -> bool:
    """Ask in a new run; return whether dnf was asked."""
    before = dnf.asked
    done = CachedRepositoryQueries(on_target(replace(debian_12(), root=root), dnf, cache=tmp_path / "cache")).run(
        question
    )
    assert (done.returncode, done.stdout) == (dnf.answer.returncode, dnf.answer.stdout)
    return dnf.asked > before


def test_the_same_question_is_asked_once(root: Path, tmp_path: Path) -> None:
    dnf = Dnf()

    assert asked_again(root, tmp_path, dnf)
    assert not asked_again(root, tmp_path, dnf)
    assert asked_again(root, tmp_path, dnf, replace(QUESTION, argv=("dnf", "other")))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "var/cache/dnf/fedora.solv").write_bytes(b"newer metadata"),
        lambda root: os.utime(root / "var/cache/dnf/fedora-1/repomd.xml", (1, 1)),
        lambda root: (root / "var/cache/dnf/updates.solv").touch(),
        lambda root: (root / "etc/yum.repos.d/fedora.repo").unlink(),
        lambda root: (root / "etc/dnf/vars/releasever").write_text("41"),
        lambda root: (root / "usr/bin/dnf-3").write_bytes(b"newer"),
    ],
)
def test_what_it_depends_on_changes_and_it_is_asked_again(
    root: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    dnf = Dnf()
    assert asked_again(root, tmp_path, dnf)
    change(root)
    assert asked_again(root, tmp_path, dnf)


@pytest.mark.parametrize("setting", ["cachedir=/srv/cache", " reposdir = /srv/repos", "pluginpath=/srv", "include=x"])
def test_settings_that_lead_elsewhere_leave_the_state_unknown(root: Path, tmp_path: Path, setting: str) -> None:
    (root / "etc/dnf/dnf.conf").write_text(f"[main]\n# metadatadir = /x\n{setting}\n")
    dnf = Dnf()

    assert asked_again(root, tmp_path, dnf)
    assert asked_again(root, tmp_path, dnf)


def test_a_copy_of_a_filesystem_without_metadata_tells_nothing_of_its_state(tmp_path: Path) -> None:
    (tmp_path / "root/etc/dnf").mkdir(parents=True)
    dnf = Dnf()

    assert asked_again(tmp_path / "root", tmp_path, dnf)
    assert asked_again(tmp_path / "root", tmp_path, dnf)


@pytest.mark.parametrize(("returncode", "is_kept"), [(127, True), (104, True), (1, False), (124, False), (-9, False)])
def test_a_failure_is_asked_again_but_for_no_dnf_and_no_match(
    root: Path, tmp_path: Path, returncode: int, *, is_kept: bool
) -> None:
    dnf = Dnf(Completed(returncode))

    assert asked_again(root, tmp_path, dnf)
    assert asked_again(root, tmp_path, dnf) is not is_kept


def test_a_damaged_answer_is_asked_again(root: Path, tmp_path: Path) -> None:
    dnf = Dnf()
    asked_again(root, tmp_path, dnf)
    (kept,) = (tmp_path / "cache/metadata").glob("*/*")
    content = kept.read_bytes()
    for position in range(len(content)):
        kept.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        assert asked_again(root, tmp_path, dnf), position


def test_a_link_that_goes_round_and_one_that_leads_out_do_no_harm(root: Path, tmp_path: Path) -> None:
    (root / "etc/dnf/round").symlink_to(".")
    (root / "etc/dnf/out").symlink_to("../../../../../../etc/passwd")
    dnf = Dnf()

    assert asked_again(root, tmp_path, dnf)
    assert not asked_again(root, tmp_path, dnf)
