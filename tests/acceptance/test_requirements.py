"""Applications that are not ours, straight from the index."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from acceptance.lintian import findings
from acceptance.packages import Visit, depends_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

INSTALL = 'apt-get update -qq && apt-get install -qq -y --no-install-recommends "$1" || exit 100\n'


@dataclass(frozen=True, slots=True)
class Application:
    """A requirement, packages that it must depend on, and a script that succeeds only if it works."""

    requirement: str
    depends: frozenset[str]
    smoke: str
    environment: Mapping[str, str] = field(default_factory=dict)


APPLICATIONS = (
    Application(
        "borgbackup==1.4.5",
        frozenset({"libacl1", "libssl3", "liblz4-1", "libzstd1", "libxxhash0"}),
        "borg --version && borg init -e repokey-blake2 /tmp/r"
        " && borg create /tmp/r::a /etc/os-release && borg list /tmp/r",
        {"BORG_PASSPHRASE": "x"},
    ),
    Application(
        "mercurial==7.2.4",
        frozenset({"libc6"}),
        "hg version -q && hg init /tmp/h && cd /tmp/h && echo a > a && hg add a && hg commit -u x -m a && hg log",
    ),
)


@pytest.fixture(scope="module", params=APPLICATIONS, ids=lambda application: application.requirement)
def application(request: pytest.FixtureRequest) -> Application:
    found = request.param
    assert isinstance(found, Application)
    return found


@pytest.fixture(scope="module")
def visit(application: Application, venvpkg: Venvpkg, clean_root: CleanRoot) -> Visit:
    package = venvpkg.build(application.requirement)
    outcome = clean_root.run(
        INSTALL + application.smoke,
        binds={package: shown(package)},
        arguments=[str(shown(package))],
        environment=application.environment,
    )
    return Visit(package, outcome)


def test_it_installs_and_works_in_a_clean_root(visit: Visit) -> None:
    assert visit.outcome.code == 0, visit.outcome.transcript


def test_it_depends_on_the_owners_of_its_c_libraries(visit: Visit, application: Application) -> None:
    assert application.depends <= depends_of(visit.package).keys()


def test_lintian_finds_no_fault(visit: Visit) -> None:
    assert findings(visit.package) == []
