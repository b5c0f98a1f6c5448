"""What packed a package, for its record."""

from __future__ import annotations

from unit.fakes import ScriptedRunner, expect
from unit.families.rpm.samples import el_9
from venvpkg.families.rpm.owners import packaging_tool_versions
from venvpkg.host.command import Completed

INSTALLED = (
    b"rpm\t0\t4.18.0-1\tx86_64\nno package provides rpm-libs\nzstd\t2\t1.5-1\tx86_64\npython3\t0\t3.9.18-1\tx86_64\n"
)


def test_packages_that_are_not_installed_under_a_name_are_left_out() -> None:
    runner = ScriptedRunner({
        expect("rpm", "--query", "--queryformat", SHIPS, "--whatprovides", ...): Completed(7, INSTALLED),
    })  # fmt: skip

    found = packaging_tool_versions(el_9(), runner)

    assert found == (("python3", "3.9.18-1"), ("rpm", "4.18.0-1"), ("zstd", "2:1.5-1"))


SHIPS = r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n"
