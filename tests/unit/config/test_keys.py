"""Every key in good and bad shapes, in every place where it may stand; and what follows from its declaration."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from venvpkg.config.keys import KEYS, Key
from venvpkg.config.schema import schema_text
from venvpkg.config.settings import read_configuration
from venvpkg.model.project import FileSetting, PrepareStep, Settings, SonameRule, WheelPolicy

BY_PATH = {key.path: key for key in KEYS}
VALIDATOR = Draft7Validator(json.loads(schema_text()))

# key → TOML value → what it becomes
GOOD = [
    ("name", '"guest.book+1"', "guest.book+1"),
    ("prefix", '"/opt/guest_book/v1"', PurePosixPath("/opt/guest_book/v1")),
    ("prefix", '"/usr/lib/guestbook"', PurePosixPath("/usr/lib/guestbook")),
    ("prefix", '"/etcetera/bin"', PurePosixPath("/etcetera/bin")),
    ("revision", '"1.2~rc+3"', "1.2~rc+3"),
    ("target-revision", "2", 2),
    ("epoch", "2", 2),
    ("maintainer", '"Jörg Müller <j@example.org>"', "Jörg Müller <j@example.org>"),
    ("section", '"non-free/web"', "non-free/web"),
    ("extras", '["Fast_Path", "ldap", "ldap"]', ("fast-path", "ldap")),
    ("lock", '"../uv.lock"', "../uv.lock"),
    ("lock", '"requirements/prod.txt"', "requirements/prod.txt"),
    ("lock", '"pylock.prod.toml"', "pylock.prod.toml"),
    ("groups", '["Prod.Extra"]', ("prod-extra",)),
    ("commands", '["a", "b.c"]', ("a", "b.c")),
    ("commands", "[]", ()),
    ("depends", '["!libc.so.6()(64bit)", "!libX11", "!a_b"]', ("!libc.so.6()(64bit)", "!libX11", "!a_b")),
    ("depends", '["$auto", "pg (>= 1) | pgcli", "!libfoo1"]', ("$auto", "pg (>= 1) | pgcli", "!libfoo1")),
    ("recommends", '["nginx | httpd"]', ("nginx | httpd",)),
    ("suggests", '["x1"]', ("x1",)),
    ("conflicts", '["x1 (<< 2)"]', ("x1 (<< 2)",)),
    ("breaks", '["x1"]', ("x1",)),
    ("replaces", '["x1"]', ("x1",)),
    ("provides", '["x1 (= 2)"]', ("x1 (= 2)",)),
    ("ci-targets", '["debian:sid", "fedora:43"]', ("debian:sid", "fedora:43")),
    ("debug-symbols", "true", True),
    (
        "build-depends",
        '["libpq-dev", "unixODBC-devel", "pkgconfig(libpq)"]',
        ("libpq-dev", "unixODBC-devel", "pkgconfig(libpq)"),
    ),
    (
        "files",
        '[{ source = "a b/*.c", target = "/etc/x/", mode = "0640" }, { source = "..a", target = "/srv/..b" }]',
        (FileSetting("a b/*.c", "/etc/x/", 0o640), FileSetting("..a", "/srv/..b")),
    ),
    (
        "prepare",
        '[{ run = ["cp", "a", "a"], outputs = ["b/c"], network = true }, { run = ["make", ""] }]',
        (PrepareStep(("cp", "a", "a"), ("b/c",), network=True), PrepareStep(("make", ""))),
    ),
    ("state-paths", '["/var/lib/app/", "/var/log/app/x.log"]', ("/var/lib/app/", "/var/log/app/x.log")),
    ("rpm-min-versions", "true", True),
    ("strict", "true", True),
    ("python", '"3.12"', "3.12"),
    ("python", '"pypy3"', "pypy3"),
    ("python", '"python3.13t"', "python3.13t"),
    ("python", '"/usr/local/bin/python3"', "/usr/local/bin/python3"),
    ("unowned-python", "false", False),
    ("templates", '"packaging/templates"', "packaging/templates"),
    ("scripts.preinst", '"p/a.sh"', "p/a.sh"),
    ("scripts.postinst", '"p/a.sh"', "p/a.sh"),
    ("scripts.prerm", '"p/a.sh"', "p/a.sh"),
    ("scripts.postrm", '"p/a.sh"', "p/a.sh"),
    (
        "sonames",
        '{ "libcuda.so.1" = { ignore = "driver, not a package" }, "liba.so" = "liba1 (>= 2)" }',
        (SonameRule("libcuda.so.1", reason="driver, not a package"), SonameRule("liba.so", relation="liba1 (>= 2)")),
    ),
    ("leave-out", '["Django_Sekizai:tests/*"]', ("django-sekizai:tests/*",)),
    ("undefined-symbols", '["ap_*", "foo"]', ("ap_*", "foo")),
    ("wheels.default", '"compile"', WheelPolicy.COMPILE),
    ("wheels.compile", '["LXML"]', ("lxml",)),
    ("wheels.prefer-compile", '["a_b"]', ("a-b",)),
    ("wheels.binary", '["a"]', ("a",)),
    ("wheels.system", '["PyYAML"]', ("pyyaml",)),
]

# key → TOML value → how its problem goes on
BAD = [
    ("name", '"x; rm -rf"', ": 'x; rm -rf' is not a package name"),
    ("name", "1", ": must be a string, not an integer"),
    ("prefix", '"relative/path"', ": 'relative/path' is not an absolute path"),
    ("prefix", '"/opt"', ": "),
    ("prefix", '"/opt/../etc"', ": "),
    ("prefix", '"/opt/./etc"', ": "),
    ("prefix", '"/opt/{{x}}"', ": "),
    ("prefix", '"/etc/guestbook"', ": '/etc/guestbook' is not an absolute path"),
    ("prefix", '"/usr/bin/guestbook"', ": "),
    ("prefix", '"/usr/local/guestbook"', ": "),
    ("prefix", '"/proc/guestbook"', ": "),
    ("prefix", '"/bin/guestbook"', ": "),
    ("prefix", '"/DEBIAN/guestbook"', ": "),
    ("revision", '"1-2"', ": "),
    ("target-revision", "-1", ": "),
    ("prepare", "[{ run = [] }]", "[0].run: must not be empty"),
    ("prepare", '[{ run = "make" }]', "[0].run: must be an array of strings, not a string"),
    ("prepare", '[{ run = ["a"], outputs = ["../b"] }]', "[0].outputs[0]: '../b' is not a path inside the project"),
    ("prepare", '[{ run = ["a"], network = "yes" }]', "[0].network: must be a boolean, not a string"),
    ("prepare", '[{ outputs = ["a"] }]', "[0].run: missing"),
    ("epoch", "-1", ": -1 is not between 0 and 2147483647"),
    ("epoch", "true", ": must be an integer, not a boolean"),
    ("maintainer", '"A <a@b.c>\\nDepends: evil"', ": "),
    ("section", '"a\\nb"', ": "),
    ("extras", '["../x", "fine", "-"]', "[0]: '../x' is not the name of a distribution"),
    ("lock", '"/etc/uv.lock"', ": '/etc/uv.lock' is not a relative path"),
    ("lock", '"pyproject.toml"', ": 'pyproject.toml' is not a relative path"),
    ("lock", '"pylock.a.b.toml"', ": 'pylock.a.b.toml' is not a relative path"),
    ("groups", '"dev"', ": must be an array of strings, not a string"),
    ("commands", '["../../etc/passwd"]', "[0]: "),
    ("depends", '["a1, b1"]', "[0]: "),
    ("depends", '["a\\nPre-Depends: b"]', "[0]: "),
    ("depends", '["$shlibs:Depends"]', "[0]: "),
    ("depends", '["!lib foo"]', "[0]: "),
    ("depends", '[""]', "[0]: "),
    ("recommends", '["$auto"]', "[0]: "),
    ("suggests", '["!x1"]', "[0]: "),
    ("conflicts", "{}", ": must be an array of strings, not a table"),
    ("breaks", "[1]", "[0]: must be a string, not an integer"),
    ("replaces", '["a\\u0000b"]', "[0]: "),
    ("provides", '[" "]', "[0]: "),
    ("build-depends", '["-oAPT::x=y"]', "[0]: "),
    ("ci-targets", '["host"]', "[0]: 'host' is not a release"),
    ("debug-symbols", "1", ": must be a boolean, not an integer"),
    ("build-depends", '["a(b", "a b", "a;b"]', "[0]: "),
    ("state-paths", '["/var/lib/"]', "[0]: "),
    ("state-paths", '["/var/lib/dpkg/status"]', "[0]: "),
    ("state-paths", '["/var/lib/app/../x"]', "[0]: "),
    ("state-paths", '["/etc/app.conf"]', "[0]: "),
    ("state-paths", '["/var/lib/a b"]', "[0]: "),
    ("files", '["a:/etc/b"]', "[0]: must be a table, not a string"),
    ("files", '[{ source = "a" }]', "[0].target: missing"),
    ("files", '[{ source = "../a", target = "/etc/b" }]', "[0].source: '../a' is not a path inside the project"),
    ("files", '[{ source = "a/../../b", target = "/etc/b" }]', "[0].source: "),
    ("files", '[{ source = "/etc/shadow", target = "/etc/b" }]', "[0].source: "),
    ("files", '[{ source = "a", target = "etc/b" }]', "[0].target: "),
    ("files", '[{ source = "a", target = "/etc/../b" }]', "[0].target: "),
    ("files", '[{ source = "a", target = "/b" }]', "[0].target: "),
    ("files", '[{ source = "a", target = "/usr/local/b" }]', "[0].target: "),
    ("files", '[{ source = "a", target = "/bin/b" }]', "[0].target: "),
    ("files", '[{ source = "a", target = "/DEBIAN/postinst" }]', "[0].target: "),
    ("files", '[{ source = "a", target = "/etc/b\\nc" }]', "[0].target: "),
    ("files", '[{ source = "a", target = "/etc/b", mode = "4755" }]', "[0].mode: "),
    ("files", '[{ source = "a", target = "/etc/b", mode = "0666" }]', "[0].mode: "),
    ("files", '[{ source = "a", target = "/etc/b", owner = "me" }]', "[0].owner: unknown key"),
    ("rpm-min-versions", "1", ": must be a boolean, not an integer"),
    ("strict", "'yes'", ": must be a boolean, not a string"),
    ("python", "3.12", ": must be a string, not a float"),
    ("python", '"2.7"', ": '2.7' is not a version, such as '3.12'"),
    ("python", '"bin/python3"', ": "),
    ("python", '"/opt/../bin/python3"', ": "),
    ("python", '"python3; id"', ": "),
    ("unowned-python", '"yes"', ": must be a boolean, not a string"),
    ("templates", '"/etc"', ": "),
    ("scripts.preinst", '"~/x"', ": "),
    ("scripts.postinst", '""', ": "),
    ("scripts.prerm", "[]", ": must be a string, not an array"),
    ("scripts.postrm", '"a\\tb"', ": "),
    ("leave-out", '["tests/*"]', "[0]: 'tests/*' is not of the form 'DISTRIBUTION:PATTERN'"),
    ("undefined-symbols", '["a b"]', "[0]: 'a b' is not the name of a symbol"),
    ("sonames", '["libcuda.so.1"]', ": must be a table, not an array"),
    ("sonames", '{ "a b" = "x1" }', ".\"a b\": 'a b' is not the name of a library"),
    ("sonames", '{ "a.so" = { because = "x" } }', '."a.so".ignore: missing'),
    ("sonames", '{ "a.so" = { ignore = "" } }', '."a.so".ignore: '),
    ("sonames", '{ "a.so" = "x1\\nDepends: y" }', '."a.so": '),
    ("wheels.default", '"no"', ": 'no' is not one of compile, prefer-compile, binary"),
    ("wheels.default", "1", ": 1 is not one of compile"),
    ("wheels.compile", '["a b"]', "[0]: "),
    ("wheels.prefer-compile", '"a"', ": must be an array"),
    ("wheels.binary", '["../x"]', "[0]: "),
    ("wheels.system", '["python3-yaml=6"]', "[0]: "),
]


def at(path: str, toml: str) -> dict[str, object]:
    return tomllib.loads(f"{path} = {toml}")


def value_of(settings: Settings, key: Key) -> object:
    value: object = settings
    for attribute in key.field:
        value = getattr(value, attribute)
    return value


def as_text(value: object, toml: str) -> str:
    """Return how an option or a variable spells a TOML value."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else toml


def test_no_key_goes_untested() -> None:
    assert {path for path, *_ in GOOD} == {path for path, *_ in BAD} == set(BY_PATH)


@pytest.mark.parametrize(("path", "toml", "expected"), GOOD)
def test_a_good_value_becomes_the_field_in_a_file(path: str, toml: str, expected: object) -> None:
    read = read_configuration(at(path, toml), "tool.venvpkg", {}, {})

    assert read.problems == ()
    assert value_of(read.settings, BY_PATH[path]) == expected


@pytest.mark.parametrize(("path", "toml", "expected"), [each for each in GOOD if each[1] != "[]"])
def test_a_good_value_becomes_the_same_from_an_option_and_from_a_variable(
    path: str, toml: str, expected: object
) -> None:
    key = BY_PATH[path]
    text = as_text(tomllib.loads(f"x = {toml}")["x"], toml)

    of_option = read_configuration({}, "", {}, {path: (text,) if key.repeatable else text})
    of_variable = read_configuration({}, "", {key.variable: text}, {})

    assert of_option.problems == of_variable.problems == ()
    assert value_of(of_option.settings, key) == value_of(of_variable.settings, key) == expected


@pytest.mark.parametrize(("path", "toml", "problem"), BAD)
def test_a_bad_value_is_told_with_the_path_to_its_key_and_changes_nothing(path: str, toml: str, problem: str) -> None:
    read = read_configuration(at(path, toml), "tool.venvpkg", {}, {})

    assert read.problems[0].startswith(f"tool.venvpkg.{path}{problem}")
    assert read.settings == Settings()


@pytest.mark.parametrize(("path", "toml", "_"), GOOD)
def test_the_schema_takes_what_the_model_takes(path: str, toml: str, _: object) -> None:
    VALIDATOR.validate(at(path, toml))


@pytest.mark.parametrize(("path", "toml", "_"), BAD)
def test_the_schema_refuses_what_the_model_refuses(path: str, toml: str, _: str) -> None:
    assert not VALIDATOR.is_valid(at(path, toml))


def test_the_schema_knows_the_tables_of_releases_and_nothing_else() -> None:
    assert VALIDATOR.is_valid({"target": {"debian-13": {"depends": ["x1"]}}})
    assert not VALIDATOR.is_valid({"target": {"debian-13": {"target": {}}}})
    assert not VALIDATOR.is_valid({"prefx": "/opt/x"})


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_the_example_of_a_key_is_good(key: Key) -> None:
    assert read_configuration(at(key.path, key.example), "", {}, {}).problems == ()


def test_every_setting_has_a_key_and_no_two_share_an_option_or_a_variable() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)}

    assert {key.field[0] for key in KEYS} == fields
    assert len({key.option for key in KEYS}) == len({key.variable for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize("text", ["", "1", "{", '"\n', "[" * 5000, "1\nname = 2", "\x00"])
@pytest.mark.parametrize("path", ["files", "sonames", "epoch"])
def test_text_that_is_no_value_is_a_problem_and_never_more(path: str, text: str) -> None:
    if (path, text) != ("epoch", "1"):
        assert read_configuration({}, "", {}, {path: text}).problems


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from(["default", "a-1", "name"]), LEAVES)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([*BY_PATH, "wheels", "scripts", "target", "x"]), VALUES))
def test_no_table_is_more_than_problems(table: dict[str, object]) -> None:
    assert all(isinstance(each, str) for each in read_configuration(table, "", {}, {}).problems)
