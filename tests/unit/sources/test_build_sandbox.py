"""What a compile job is shown beside its own workspace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from unit.wheelhouse.makers import bookworm
from venvpkg.sources.build_sandbox import shown_interpreter

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.target import Target


def with_prefix(root: Path, prefix: str) -> Target:
    (root / prefix[1:]).mkdir(parents=True, exist_ok=True)
    target = bookworm(root)
    return replace(target, interpreter=replace(target.interpreter, prefix=PurePosixPath(prefix)))


def test_an_interpreter_is_shown_where_it_would_be_hidden(tmp_path: Path) -> None:
    prefix = "/usr/local/pyenv/3.12"

    assert shown_interpreter(with_prefix(tmp_path, prefix)) == ((tmp_path / prefix[1:], prefix),)
    assert shown_interpreter(with_prefix(tmp_path, "/usr")) == ()
    assert shown_interpreter(with_prefix(tmp_path, "/opt/pypy")) == ()


def test_a_link_to_it_leads_to_what_the_root_has_there(tmp_path: Path) -> None:
    target = with_prefix(tmp_path, "/srv/python")
    (tmp_path / "home/me").mkdir(parents=True)
    (tmp_path / "home/me/python").symlink_to("/srv/python")
    linked = replace(target.interpreter, prefix=PurePosixPath("/home/me/python"))

    shown = shown_interpreter(replace(target, interpreter=linked))

    assert shown == ((tmp_path / "srv/python", "/home/me/python"),)
