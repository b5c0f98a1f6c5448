"""What a command is shown and what is hidden from it, as arguments of the programs that see to it."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import ConfigurationError
from venvpkg.host.command import Bind, Command
from venvpkg.host.sandbox import MOST_BINDS, isolated_argv

if TYPE_CHECKING:
    from collections.abc import Sequence


def parameters(argv: Sequence[str]) -> list[str]:
    """Return root, etc, cwd, whether it lasts, binds, masks and the command: what the shell text gets."""
    return list(argv[list(argv).index("-euc") + 3 :])


def shown_and_hidden(command: Command, root: Path | None = None) -> tuple[list[str], list[str]]:
    _, _, _, _, count, *rest = parameters(isolated_argv(command, root))
    end = 3 * int(count)
    return rest[:end], rest[end + 1 : end + 1 + int(rest[end])]


def test_what_is_shown_where_nothing_is_hides_the_nearest_directory_above_it_on_this_machine(tmp_path: Path) -> None:
    sandbox, other = (PurePosixPath(tmp_path / "new" / name) for name in ("room", "other"))

    shown, hidden = shown_and_hidden(Command(("true",), binds=(Bind(tmp_path, sandbox), Bind(tmp_path, other))))

    assert shown == [str(tmp_path), str(sandbox), "rw", str(tmp_path), str(other), "rw"]
    assert hidden == [str(tmp_path)]


def test_nothing_can_be_shown_where_only_the_root_of_this_machine_could_be_hidden(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no directory there"):
        isolated_argv(Command(("true",), binds=(Bind(tmp_path, PurePosixPath("/no-such-place/room")),)))


def test_what_lies_in_something_shown_before_hides_nothing(tmp_path: Path) -> None:
    sandbox = PurePosixPath(tmp_path / "room")
    tool = Bind(Path("/opt/tool"), sandbox / "tool", writable=False)
    command = Command(("true",), binds=(Bind(tmp_path, sandbox), tool))

    shown, hidden = shown_and_hidden(command)

    assert shown[3:] == ["/opt/tool", str(sandbox / "tool"), "ro"]
    assert hidden == [str(tmp_path)]


def test_what_is_in_its_place_already_is_mounted_only_where_a_mask_hides_it(tmp_path: Path) -> None:
    in_place = Bind.in_place(tmp_path)
    above = PurePosixPath(tmp_path).parent

    assert shown_and_hidden(Command(("true",), binds=(in_place,), network=False)) == ([], [])
    assert shown_and_hidden(Command(("true",), binds=(in_place,), masked=(above,)))[0] == [*2 * [str(tmp_path)], "rw"]


def test_only_what_this_machine_does_not_show_anyway_needs_namespaces(tmp_path: Path) -> None:
    assert not Command(("true",), binds=(Bind.in_place(tmp_path),)).needs_namespaces
    assert Command(("true",), binds=(Bind(tmp_path, PurePosixPath("/elsewhere")),)).needs_namespaces
    assert Command(("true",), masked=(PurePosixPath("/usr/local"),)).needs_namespaces
    assert Command(("true",), network=False).needs_namespaces
    assert Command(("true",), many_users=True).needs_namespaces


def test_links_of_a_root_stay_in_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr/src").mkdir(parents=True)
    (tmp_path / "src").symlink_to("/usr/src")
    command = Command(("true",), binds=(Bind(tmp_path, PurePosixPath("/src/room/deep")),))

    assert shown_and_hidden(command, tmp_path) == ([str(tmp_path), "/usr/src/room/deep", "rw"], [])


def test_a_link_of_a_root_to_a_place_that_only_this_machine_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "etc").symlink_to(tmp_path.parent)

    with pytest.raises(ConfigurationError, match="/etc is a dangling link"):
        isolated_argv(Command(("true",)), tmp_path)


def test_the_network_is_there_unless_it_is_not_wanted() -> None:
    assert "--net" not in isolated_argv(Command(("true",)), Path("/srv"))
    assert "--net" in isolated_argv(Command(("true",), network=False), Path("/srv"))


def test_an_ordinary_user_is_root_alone_unless_a_command_has_many_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    alone = isolated_argv(Command(("true",)), Path("/srv"))
    several = isolated_argv(Command(("true",), many_users=True), Path("/srv"))

    assert "--map-root-user" in alone
    assert "--map-auto" not in alone
    assert {"--map-root-user", "--map-auto"} <= set(several)
    assert parameters(alone)[3] == "userxattr"


def test_root_needs_no_mapping_and_no_other_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    argv = isolated_argv(Command(("true",), many_users=True), Path("/srv"))

    assert not any(word.startswith("--map") for word in argv)
    assert parameters(argv)[3] == ""


def test_too_much_to_show_is_a_mistake_of_ours(tmp_path: Path) -> None:
    binds = tuple(Bind(tmp_path, PurePosixPath(f"/mnt/{number}")) for number in range(MOST_BINDS + 1))

    with pytest.raises(ValueError, match="more than 6"):
        isolated_argv(Command(("true",), binds=binds), Path("/srv"))


def test_hostile_paths_reach_an_isolated_command_as_parameters_and_never_as_shell() -> None:
    hostile = Path("/tmp/$(touch pwned); x")

    argv = isolated_argv(Command(("true",), binds=(Bind(hostile, PurePosixPath("/usr/src/venvpkg")),)))

    script = argv[argv.index("-euc") + 1]
    assert str(hostile) in argv
    assert "pwned" not in script
