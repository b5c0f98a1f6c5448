"""Overrides: each for a tag that occurs, each below its reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from unit.samples import PREFIX, SITE, a_spec, a_staged
from venvpkg.families.deb.lintian import overrides, render_overrides
from venvpkg.model.elf import Abi, ElfKind, ElfObject, ElfReport
from venvpkg.model.project import ProjectFiles
from venvpkg.model.staged import InstalledDistribution, PathKind, Payload, PayloadPath

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec

AMD64 = Abi(64, little_endian=True, machine=62, flags=0)
PAGE = PurePosixPath("/usr/share/man/man1/app.1.gz")


def a_script(shebang: str, mode: int = 0o644, path: PurePosixPath = SITE / "app/tool.py") -> PayloadPath:
    return PayloadPath(path, PathKind.FILE, mode, 10, "0" * 32, shebang=shebang)


def lines(*paths: PayloadPath, pages: tuple[PurePosixPath, ...] = (PAGE,), zstd: bool = False) -> list[str]:
    spec = a_spec(a_staged(payload=Payload(paths)))
    text = render_overrides(spec, pages, zstd=zstd).decode()
    return [line.removeprefix("app: ") for line in text.splitlines() if line and not line.startswith("#")]


def test_every_payload_in_opt_says_why_it_is_there() -> None:
    assert lines() == ["dir-or-file-in-opt"]


def test_a_payload_with_nothing_unusual_has_no_overrides() -> None:
    staged = a_staged(payload=Payload())
    elsewhere = type(staged)(
        staged.destdir, PurePosixPath("/usr/lib/app"), staged.application, staged.distributions, "3.11.0"
    )

    assert render_overrides(a_spec(elsewhere), (PAGE,), zstd=False) == b""


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (a_script(f"{PREFIX}/bin/python", 0o755), ["unusual-interpreter /opt/venvs/app/bin/python*"]),
        (a_script("/usr/bin/env python3"), ["script-not-executable *opt/venvs/app/*"]),
        (a_script("/usr/bin/env python3", 0o755), ["python3-script-but-no-python3-dep *python3 *opt/venvs/app/*"]),
        (
            a_script("/usr/bin/env python"),
            ["unusual-interpreter python *opt/venvs/app/*", "script-not-executable *opt/venvs/app/*"],
        ),
        (a_script("/usr/bin/python", 0o755), ["unusual-interpreter /usr/bin/python *opt/venvs/app/*"]),
        (a_script("python"), ["unusual-interpreter python *opt/venvs/app/*"]),
        (a_script("/bin/sh", 0o755), []),
        (a_script(""), []),
    ],
)
def test_first_lines_of_scripts_are_told_as_lintian_tells_them(script: PayloadPath, expected: list[str]) -> None:
    assert lines(script)[1:] == expected


def of_a_wheel(path: PayloadPath, **facts: Any) -> PackageSpec:
    """A package with one file that a distribution brings along."""
    staged = a_staged(payload=Payload((path,)))
    own = InstalledDistribution("app", "1.0", "0" * 64, (path.path,))
    objects = (ElfObject(path.path, AMD64, ElfKind.SHARED, **facts),) if path.is_elf else ()
    return a_spec(replace(staged, distributions=(own,)), elf=ElfReport(objects))


def a_file(name: str, mode: int = 0o644, *, is_elf: bool = False) -> PayloadPath:
    return PayloadPath(SITE / name, PathKind.FILE, mode, 10, "0" * 32, is_elf=is_elf)


def tags(spec: PackageSpec) -> list[str]:
    found = overrides(spec, (PAGE,), multiarch="x86_64-linux-gnu", zstd=False)
    return [f"{each.tag} {each.context}".strip() for each in found][1:]


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("_rust.so", {"has_symbol_table": True}, ["unstripped-binary-or-object *opt/venvs/app/*"]),
        ("_rust.so", {}, []),
        ("crt1.o", {"has_symbol_table": True}, []),
        (
            "_x.so",
            {"runpath": ("/usr/lib/x86_64-linux-gnu/",)},
            ["custom-library-search-path RUNPATH /usr/lib/x86_64-linux-gnu *opt/venvs/app/*"],
        ),
        ("_x.so", {"rpath": ("$ORIGIN", "/lib")}, ["custom-library-search-path RPATH /lib *opt/venvs/app/*"]),
        ("_x.so", {"runpath": ("/home/build/lib",)}, []),
        ("_x.so", {"runpath": ("/usr/lib/aarch64-linux-gnu",)}, []),
    ],
)
def test_binaries_of_wheels_may_be_as_they_are(name: str, facts: dict[str, Any], expected: list[str]) -> None:
    assert tags(of_a_wheel(a_file(name, is_elf=True), **facts)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (a_file("app/.gitignore"), ["package-contains-vcs-control-file *opt/venvs/app/*"]),
        (a_file("app/.gitattributes.gz"), ["package-contains-vcs-control-file *opt/venvs/app/*"]),
        (a_file("app/gitignore"), []),
        (a_file("app/.gitkeep"), []),
    ],
)
def test_what_authors_left_in_their_wheels_may_stay(path: PayloadPath, expected: list[str]) -> None:
    assert tags(of_a_wheel(path)) == expected


def test_what_the_packager_adds_has_no_such_excuse() -> None:
    added = [a_file(".gitignore"), a_file("tool", 0o755, is_elf=True)]
    facts = ElfObject(added[-1].path, AMD64, ElfKind.EXECUTABLE, runpath=("/usr/lib",), has_symbol_table=True)

    assert tags(a_spec(a_staged(payload=Payload(tuple(added))), elf=ElfReport((facts,)))) == []


def test_bytecode_and_compression_have_their_reasons() -> None:
    cache = PayloadPath(SITE / "app/__pycache__", PathKind.DIRECTORY, 0o755)

    assert lines(cache, zstd=True) == [
        "malformed-deb-archive *.tar.zst not *",
        "dir-or-file-in-opt",
        "package-installs-python-pycache-dir",
    ]


def test_a_command_without_a_manual_page_is_told() -> None:
    assert "no-manual-page" in lines(pages=(PurePosixPath("/usr/share/man/man1/app-add.1.gz"),))
    assert "no-manual-page" not in lines()


def test_every_override_stands_below_its_reason() -> None:
    spec = a_spec(a_staged(payload=Payload((a_script("/usr/bin/env python"),))))
    paragraphs = render_overrides(spec, (), zstd=True).decode().removesuffix("\n").split("\n\n")

    assert len(paragraphs) == len(list(overrides(spec, (), multiarch="", zstd=True))) > 3
    for paragraph in paragraphs:
        *reason, override = paragraph.split("\n")
        assert reason
        assert all(line.startswith("# ") and len(line) <= 80 for line in reason)
        assert override.startswith("app: ")


def test_a_project_adds_overrides_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "lintian-overrides.j2").write_text(
        '{% include "venvpkg/lintian-overrides.j2" %}\n# Ours.\n{{ package }}: embedded-javascript-library *jquery*\n'
    )
    spec = a_spec(a_staged(payload=Payload()), project_files=ProjectFiles(templates=tmp_path))

    text = render_overrides(spec, (PAGE,), zstd=False).decode()

    assert text.splitlines()[-2:] == ["# Ours.", "app: embedded-javascript-library *jquery*"]
    assert "app: dir-or-file-in-opt" in text.splitlines()
