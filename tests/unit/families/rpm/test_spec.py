"""The spec file: what it says of a package, and that nothing in a value is rpm's syntax."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from unit.families.rpm.samples import el_9
from unit.golden import golden
from unit.samples import PREFIX, SITE, a_spec, a_staged, an_application, needing
from venvpkg.errors import AssembleError
from venvpkg.families.rpm.header import QUERY, RELATIONS, Header, differences_of, parse_header
from venvpkg.families.rpm.spec import compose_spec_file, package_architecture, render_spec
from venvpkg.families.rpm.versions import is_higher
from venvpkg.model.package import PackageSpec, Relations
from venvpkg.model.project import ProjectFiles
from venvpkg.model.staged import InstalledDistribution, PathKind, Payload, PayloadPath

HOSTILE = "100% %{lua:print(1)} %(date) %{nil}"


def file(path: str | PurePosixPath, kind: PathKind = PathKind.FILE, *, is_elf: bool = False) -> PayloadPath:
    mode = {PathKind.FILE: 0o644, PathKind.DIRECTORY: 0o755, PathKind.LINK: 0o777}[kind]
    return PayloadPath(PurePosixPath(path), kind, mode, is_elf=is_elf)


PATHS = (
    file("/etc", PathKind.DIRECTORY),
    file("/etc/app", PathKind.DIRECTORY),
    file("/etc/app/a b%{name}.conf"),
    file("/etc/cron.d", PathKind.DIRECTORY),
    file("/etc/cron.d/app"),
    file("/opt", PathKind.DIRECTORY),
    file("/opt/venvs", PathKind.DIRECTORY),
    file(PREFIX, PathKind.DIRECTORY),
    file(PREFIX / "bin/app"),
    file(SITE / "_foo.so", is_elf=True),
    file("/usr/bin/app", PathKind.LINK),
    file("/usr/share/licenses/app/copyright"),
    file("/usr/share/man/man1/app.1.gz"),
)


def rendered(spec: PackageSpec, dist: str = ".el9") -> str:
    return render_spec(compose_spec_file(spec, el_9(dist)), PATHS, spec)


def test_a_whole_spec_file_is_as_expected() -> None:
    vendored = InstalledDistribution("lxml", "6.0.2", "0" * 64, (), "BSD-3-Clause")
    own = a_staged().distributions[0]
    staged = replace(a_staged(payload=Payload(PATHS)), distributions=(own, vendored))
    spec = a_spec(
        staged,
        epoch=1,
        upstream_version="1.2rc3",
        summary=HOSTILE,
        description="%include /etc/passwd\n\nIt keeps them well. " * 3,
        dependencies=needing("/usr/bin/python3.11", "libc.so.6(GLIBC_2.34)(64bit)", "python(abi) = 3.11"),
        relations=Relations(recommends=("nginx (>= 1) | httpd",), breaks=("old < 2",), replaces=("older",)),
        project_files=ProjectFiles(scripts=(("postinst", f"echo '{HOSTILE}'\n"), ("prerm", "true\n"))),
        sbom=b'{"components": [{"name": "libxml2", "version": "2.14.5-3.el8", "properties":'
        b' [{"name": "venvpkg:bundled-in", "value": "lxml"}]}, {"name": "not-bundled"}]}',
    )

    found = rendered(spec)
    for name, text in compose_spec_file(spec, el_9()).script_files().items():
        found += f"\n==> {name}\n{text}\n"

    assert found == golden("rpm/package.spec", found)


@pytest.mark.parametrize("line", ["%build ALL=(ALL) NOPASSWD: /usr/bin/app", "  %if 0", "%files", r"echo \%{x"])
def test_no_line_of_a_script_stands_in_the_spec_file(line: str) -> None:
    spec = a_spec(project_files=ProjectFiles(scripts=(("postinst", f"cat <<END\n{line}\nEND\n"),)))

    assert "END" not in rendered(spec)
    assert "\n%post -f %{scriptlets}post.sh\n" in rendered(spec)
    assert line in compose_spec_file(spec, el_9()).header().scripts["POSTIN"]


def test_a_package_without_elf_files_is_noarch() -> None:
    spec = a_spec(a_staged(payload=Payload((file(PREFIX / "bin/app"),))))

    assert package_architecture(spec, el_9()) == "noarch"
    assert "\nBuildArch: noarch\n" in rendered(spec)


def test_a_release_without_a_mark_of_its_own_has_the_revision_alone() -> None:
    assert "\nRelease: 1\n" in rendered(a_spec(), dist="")


def test_a_rebuild_for_one_release_sorts_behind_its_first_build_and_before_the_next_release() -> None:
    def release(dist: str, target_revision: int = 0) -> str:
        spec = a_spec(target_revision=target_revision)
        return "1.0-" + compose_spec_file(spec, el_9(dist)).release

    assert release(".el9", 2) == "1.0-1.el9.2"
    assert is_higher(release(".el9", 2), release(".el9"))
    assert is_higher(release(".el10"), release(".el9", 2))


def test_the_epoch_of_the_version_is_the_packages() -> None:
    assert "\nEpoch: 2\nVersion: 1.0\n" in rendered(a_spec(upstream_version="2!1.0"))


@pytest.mark.parametrize(
    "changes",
    [
        {"maintainer": "Jane\n%post\nrm -rf /"},
        {"homepage": "https://example.org/\x1b[2J"},
        {"homepage": "https://example.org/a b"},
        {"maintainer": "Jane\u2028Doe"},
        {"name": "app%{nil}"},
        {"revision": "1\n%pre"},
    ],
)
def test_values_that_could_add_a_line_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(AssembleError, match="not valid in a spec file"):
        compose_spec_file(a_spec(**changes), el_9())


def test_a_projects_template_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "package.spec.j2").write_text('{% include "venvpkg/package.spec.j2" %}# ours\n')

    assert rendered(a_spec(project_files=ProjectFiles(templates=tmp_path))).endswith("# ours\n")


def answer_of(header: Header, **more: str) -> str:
    """Return what rpm answers to ``QUERY`` for a header, with what it adds."""
    lines = [f"{tag}='{value}'" for tag, value in (*header.fields.items(), *header.scripts.items())]
    lines += [f"{tag}='{each}'" for tag, values in header.relations.items() for each in values]
    author, text = header.changelog
    lines += [f"CHANGELOGNAME='{author}'", f"CHANGELOGTEXT='{text}'", "PREUN=(none)"]
    return "\n".join((*lines, *(f"{tag}={value}" for tag, value in more.items())))


HEADER = compose_spec_file(a_spec(dependencies=needing("bash >= 5")), el_9()).header()


def test_what_rpm_adds_by_itself_is_no_difference() -> None:
    answer = answer_of(HEADER, REQUIRENEVRS="'rpmlib(FileDigests) <= 4.6.0-1'", PROVIDENEVRS="'app = 1.0-1.el9'")
    answer += "\nPROVIDENEVRS='app(x86-64) = 1.0-1.el9'"

    assert list(differences_of(HEADER, parse_header(answer))) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"REQUIRENEVRS": "'libssl-0a1b2c3d.so.3()(64bit)'"},
            "Requires: 'libssl-0a1b2c3d.so.3()(64bit)' was not composed",
        ),
        ({"PROVIDENEVRS": "'libssl.so.3()(64bit)'"}, "Provides: 'libssl.so.3()(64bit)' was not composed"),
        ({"POSTIN": "'rm -rf /'"}, "POSTIN: 'rm -rf /', not ''"),
        ({"REQUIRENEVRS": "/bin/sh"}, "Requires: '/bin/sh' was not composed"),
    ],
)
def test_what_was_not_composed_is_told(changed: dict[str, str], told: str) -> None:
    assert told in list(differences_of(HEADER, parse_header(answer_of(HEADER, **changed))))


def test_what_is_not_there_or_is_other_is_told() -> None:
    answer = answer_of(HEADER).replace("bash >= 5", "bash").replace("Jane Doe", "Joe")

    told = list(differences_of(HEADER, parse_header(answer)))

    assert "Requires: 'bash >= 5' is missing" in told
    assert any(each.startswith("PACKAGER: 'Joe") for each in told)
    assert any(each.startswith("changelog:") for each in told)


def test_a_long_text_is_told_from_the_line_on_that_is_not_the_same() -> None:
    same = "# what many lines have in common\n" * 30
    wanted, found = (replace(HEADER, scripts={"POSTIN": f"{same}echo {word}"}) for word in ("%files", "lost"))

    assert list(differences_of(wanted, found)) == ["POSTIN: 'echo lost', not 'echo %files'"]


@pytest.mark.parametrize("answer", ["NAME='app", "nonsense"])
def test_an_answer_that_is_none_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_header(answer)


def test_every_relation_of_the_model_is_asked_for() -> None:
    assert all(f"%{{{tag}:shescape}}" in QUERY for tag in RELATIONS.values())


def test_the_applications_metadata_may_lack_everything() -> None:
    bare = an_application(summary="", homepage="", license_expression="")

    assert "URL" not in rendered(a_spec(a_staged(application=bare), homepage="", license_expression=""))
