"""A package that needs a library, compiled and built inside a world as a developer there would."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from rpmworld.tools import RpmWorldError

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot

# What a root must have to build it.
BUILD_PACKAGES = ("gcc", "libpq-devel", "rpm-build")

# strtol's symbol version tells the release apart: glibc 2.38 gave it a new one.
_SOURCE = r"""
#define _GNU_SOURCE
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **words) {
    printf("libpq %ld\n", strtol("1", NULL, 10) * PQlibVersion() / 10000);
    if (count < 2) return 0;
    PGconn *connection = PQconnectdb(words[1]);
    if (PQstatus(connection) != CONNECTION_OK) {
        fputs(PQerrorMessage(connection), stderr);
        return 1;
    }
    PGresult *answer = PQexec(connection, "select 'served by ' || current_database()");
    puts(PQgetvalue(answer, 0, 0));
    return 0;
}
"""

_SPEC = r"""
Name: demo
Version: 1.0
Release: 1%{?dist}
Summary: A program that talks to PostgreSQL
License: MIT
%global debug_package %{nil}
%description
A program that talks to PostgreSQL.
%build
gcc %{build_cflags} %{build_ldflags} -I"$(pg_config --includedir)" -o demo /tmp/demo.c -lpq
%install
install -D demo %{buildroot}/usr/bin/demo
%files
/usr/bin/demo
"""

_BUILD = f"""
set -eu
cat > /tmp/demo.c <<'END'
{_SOURCE}
END
cat > /tmp/demo.spec <<'END'
{_SPEC}
END
rpmbuild -bb --quiet --define '_topdir /tmp/top' /tmp/demo.spec >&2
base64 /tmp/top/RPMS/*/demo-*.rpm
"""


def built_demo(root: CleanRoot, directory: Path) -> Path:
    """Return the demo's package, made in a root that has ``BUILD_PACKAGES``.

    Raises:
        RpmWorldError: it cannot be built there.
    """
    outcome = root.run(_BUILD, network=False)
    if outcome.code != 0:
        raise RpmWorldError(outcome.transcript)
    package = directory / "demo.rpm"
    package.write_bytes(base64.b64decode(outcome.stdout))
    return package
