"""What is listed in a package, and that it is what was packed."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from unit.samples import a_spec, a_staged
from venvpkg.families.rpm.documents import bundled_provides
from venvpkg.families.rpm.files import owned_paths
from venvpkg.families.rpm.header import payload_differences
from venvpkg.model.staged import InstalledDistribution, PathKind, PayloadPath

FILE = PayloadPath(PurePosixPath("/usr/a"), PathKind.FILE, 0o755)
CONFIGURATION = PayloadPath(PurePosixPath("/etc/a b"), PathKind.FILE, 0o644)
LINK = PayloadPath(PurePosixPath("/usr/bin/a"), PathKind.LINK, 0o777)
AS_PACKED = "100755\t\troot:root\t7\t/usr/a\n0100644\tcn\troot:root\t7\t/etc/a b\n0120777\t\troot:root\t7\t/usr/bin/a\n"


def told(text: str) -> list[str]:
    return list(payload_differences((FILE, CONFIGURATION, LINK), text, 7))


def test_a_payload_that_is_packed_as_it_was_to_be_has_no_difference() -> None:
    assert told(AS_PACKED) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("100755", "100644", "/usr/a: mode 100644, not 0100755"),
        ("cn", "c", "/etc/a b: no configuration file"),
        ("\t\troot:root\t7\t/usr/a", "\tc\troot:root\t7\t/usr/a", "/usr/a: configuration file"),
        ("root:root\t7\t/usr/a", "jane:root\t8\t/usr/a", "/usr/a: belongs to jane:root, of 8"),
        ("/usr/bin/a", "/usr/bin/b", "/usr/bin/a: not packed"),
    ],
)
def test_each_path_that_is_not_is_told(old: str, new: str, expected: str) -> None:
    assert expected in told(AS_PACKED.replace(old, new))


def test_what_was_not_to_be_packed_is_told() -> None:
    assert told(AS_PACKED + "040755\t\troot:root\t7\t/etc\n") == ["/etc: packed, but not part of the payload"]


def test_directories_of_the_release_are_not_owned() -> None:
    places = ("/", "/etc", "/etc/cron.d", "/opt", "/opt/venvs", "/usr/share/man/de/man1", "/usr/lib/app", "/etc/app")
    paths = [PayloadPath(PurePosixPath(each), PathKind.DIRECTORY, 0o755) for each in places]

    assert [str(each.path) for each in owned_paths(paths)] == ["/etc/app", "/opt/venvs", "/usr/lib/app"]


def provides(sbom: bytes = b"", version: str = "1.0rc1") -> list[str]:
    own, vendored = a_staged().distributions[0], InstalledDistribution("a-b", version, "", ())
    staged = a_staged()
    spec = a_spec(
        type(staged)(staged.destdir, staged.prefix, staged.application, (vendored, own), "3.11.0", staged.payload),
        sbom=sbom,
    )
    return list(bundled_provides(spec))


def test_vendored_distributions_are_named_and_the_application_is_not() -> None:
    assert provides() == ["bundled(python3dist(a-b)) = 1.0~rc1"]
    assert provides(version="odd %{x}") == ["bundled(python3dist(a-b)) = odd___x_"]


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ('"name": "openssl-libs", "version": "1:1.1.1k-15.el8_6"', ["bundled(openssl-libs) = 1.1.1k"]),
        ('"name": "libx", "version": ""', ["bundled(libx)"]),
        ('"name": "libx", "version": "%(id)"', ["bundled(libx)"]),
        ('"name": "x) = 1\\nRequires: y", "version": "1"', []),
    ],
)
def test_bundled_libraries_are_named_as_far_as_their_names_can_be(component: str, expected: list[str]) -> None:
    sbom = f'{{"components": [{{{component}, "properties": [{{"name": "venvpkg:bundled-in", "value": "a-b"}}]}}]}}'

    assert provides(sbom.encode())[1:] == expected


def test_a_file_that_a_template_makes_a_ghost_is_not_packed() -> None:
    assert list(payload_differences((FILE,), "100755\tg\troot:root\t7\t/usr/a\n", 7)) == ["/usr/a: not packed"]
