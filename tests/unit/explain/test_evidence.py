"""What explains a package is written into it and read back."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from venvpkg.errors import NotAPackageError
from venvpkg.explain.evidence import SCHEMA, dump_evidence, load_evidence
from venvpkg.model.depends import Dependency, DependencySet, Evidence, Exclusion, Source

SSL = Evidence(
    Source.SYMBOLS,
    soname="libssl.so.3",
    needed_by=PurePosixPath("/opt/venvs/app/lib/_ssl\udcff.so"),
    distribution="cryptography",
    floor="3.0.0",
    symbol="SSL_read@OPENSSL_3.0.0",
    library=PurePosixPath("/usr/lib/x86_64-linux-gnu/libssl.so.3"),
    owner="libssl3:amd64",
)
SET = DependencySet(
    (Dependency("libssl3 (>= 3.0.0)", (SSL,)), Dependency("postgresql-client", (Evidence(Source.USER),))), ("beware",)
)


def record(**changes: Any) -> bytes:
    return json.dumps(json.loads(dump_evidence(SET)) | changes).encode()


LEFT_OUT = DependencySet(exclusions=(Exclusion("libssl.so.3", "not needed here", (SSL,)),))


@pytest.mark.parametrize("dependencies", [SET, DependencySet(), LEFT_OUT])
def test_what_is_written_is_read_back(dependencies: DependencySet) -> None:
    assert load_evidence(dump_evidence(dependencies), "app.deb") == dependencies


def test_the_record_is_ascii_with_a_line_for_each_evidence() -> None:
    lines = dump_evidence(SET).decode("ascii").splitlines()

    assert sum('"source"' in line for line in lines) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b'{"schema": "venvpkg.dependencies/1"}',
        b"[" * 100_000,
        b'{"schema": ' + b"1" * 5000 + b"}",
        record(schema="venvpkg.dependencies/2"),
        record(more=1),
        record(dependencies={}),
        record(dependencies=[{"relation": "a", "evidence": []}]),
        record(dependencies=[{"relation": 7, "evidence": [{"source": "user"}]}]),
        record(dependencies=[{"relation": "a", "evidence": [{"source": "rumour"}]}]),
        record(dependencies=[{"relation": "a", "evidence": [{"source": "user", "colour": "red"}]}]),
        record(dependencies=[{"relation": "a", "evidence": [{"source": "user", "library": "../etc"}]}]),
        record(dependencies=[{"relation": "a\x1b[2J", "evidence": [{"source": "user"}]}]),
        record(warnings=["two\nlines"]),
    ],
)
def test_anything_else_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(NotAPackageError, match=r"^app\.deb has no valid dependency evidence") as caught:
        load_evidence(content, "app.deb")

    assert SCHEMA in caught.value.resolution


def test_a_record_without_exclusions_has_no_word_about_them() -> None:
    assert b"exclusions" not in dump_evidence(SET)


@pytest.mark.parametrize("exclusions", [3, [3], [{"what": "x"}], [{"what": "x", "reason": "a\nb", "evidence": []}]])
def test_malformed_exclusions_are_refused(exclusions: object) -> None:
    with pytest.raises(NotAPackageError):
        load_evidence(record(exclusions=exclusions), "app.deb")


def test_recommendations_survive_the_way_through_a_record() -> None:
    evidence = Evidence(Source.IMPORT, needed_by=PurePosixPath("/opt/a/gui.py"), distribution="a", module="tkinter")
    dependencies = DependencySet(recommends=(Dependency("python3-tk", (evidence,)),))

    assert load_evidence(dump_evidence(dependencies), "app.deb") == dependencies
