"""Every key of the configuration, declared once: its name, type, default and meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from venvpkg.config.types import Array, Flag, Named, Natural, OneOf, Table, Text
from venvpkg.families.registry import FAMILIES, build_root_names
from venvpkg.model.project import FileSetting, PrepareStep, Settings, SonameRule, WheelPolicy

if TYPE_CHECKING:
    from venvpkg.config.types import ValueType


# Debian Policy 9.1.1, 9.1.2, 9.1.4 (FHS 3.0): places of the administrator, of users, of the kernel, of one boot; and
# the old names of directories in /usr, under which dpkg would not recognise the file again.
_FOREIGN: Final = (
    "bin|boot|dev|home|lib|lib32|lib64|libx32|media|mnt|proc|root|run|sbin|sys|tmp|usr/local|var/run|var/lock|var/tmp"
    "|DEBIAN"
)
# Written into activate scripts and shebangs as it is, so it may hold nothing that a shell would quote. What is in /etc
# is configuration, each module a conffile, and directories of programs have no directories in them (FHS 3.0, 4.4).
PREFIX: Final = rf"(?!/(?:{_FOREIGN}|etc|usr/bin|usr/sbin)(?:/|$))(/(?!\.\.?(/|$))[A-Za-z0-9._+-]+){{2,}}"
FILE_TARGET: Final = rf"/(?!(?:{_FOREIGN})(?:/|$))((?!\.\.?(/|$))[^/\x00-\x1f\x7f]+/)+((?!\.\.?$)[^/\x00-\x1f\x7f]+)?"

# What programs make when they run (FHS 3.0, chapter 5): something of the package's own in there, in words that neither
# shell nor spec file reads anything into, and not what the package managers keep.
STATE: Final = (
    r"/var/(?:cache|lib|log|opt|spool)/(?!(?:apt|dnf|dpkg|private|rpm|zypp)(?:/|$))"
    r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*/?"
)


def target_path(text: str) -> PurePosixPath:
    """Return the path that a string is."""
    return PurePosixPath(text)


# Debian Policy 5.6.1; rpm allows more.
PACKAGE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+")

_DISTRIBUTION: Final = Text(
    r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", "the name of a distribution", canonicalize_name
)
_GROUP: Final = Text(_DISTRIBUTION.pattern, "the name of a dependency group", canonicalize_name)
_PACKAGE: Final = Text(
    PACKAGE_NAME.pattern, "a package name: lower-case letters, digits and + - . , two or more characters"
)
# rpm's names have capitals, and what packages provide can be asked for instead: pkgconfig(libpq).
_BUILD_PACKAGE: Final = Text(
    r"[A-Za-z0-9][A-Za-z0-9+._-]*(\([A-Za-z0-9+._:-]+\)|:[a-z0-9-]+)?",
    "a package, such as libpq-dev, or what one provides, such as 'pkgconfig(libpq)'",
)
# The family's own grammar is checked by its backend; here only what could never be a part of one field's line.
_RELATION: Final = Text(r"[^\x00-\x20\x7f,$!][^\x00-\x1f\x7f,]*", "one relation, such as 'postgresql-client (>= 13)'")
_DEPENDS: Final = Text(
    rf"\$auto|!{PACKAGE_NAME.pattern}|{_RELATION.pattern}",
    "'$auto', one relation, such as 'postgresql-client (>= 13)', or the name of a package to leave out, as '!libfoo1'",
)
# A file of the project; what it leads to is looked at when it is read.
_SOURCE: Final = Text(
    r"(?!/|~)(?!(?:.*/)?\.\.(?:/|$))[^\x00-\x1f\x7f]+", "a path inside the project, relative and without '..'"
)
_MODE: Final = Text(
    r"0?[0-7][0145][0145]", "a mode such as '0644', which only the owner can write", lambda mode: int(mode, 8)
)
_ARGUMENT: Final = Text(r"[^\x00]*", "an argument, which holds no NUL")
_LINE: Final = Text(r"[^\x00-\x20\x7f][^\x00-\x1f\x7f]*", "one line of text")


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        path: below ``[tool.venvpkg]``, ``wheels.default``.
        shape: what its values look like.
        help: what it is, for people; no full stop.
        example: a value, as TOML writes it.
        default: for people, where the model's own default does not say it.
    """

    path: str
    shape: ValueType
    help: str
    example: str
    default: str = ""

    @property
    def field(self) -> tuple[str, ...]:
        """Where its value is in ``Settings``: attribute, and attribute of that one."""
        return tuple(part.replace("-", "_") for part in self.path.split("."))

    @property
    def option(self) -> str:
        """``--wheels-default``."""
        return f"--{self.path.replace('.', '-')}"

    @property
    def variable(self) -> str:
        """``VENVPKG_WHEELS_DEFAULT``."""
        return f"VENVPKG_{re.sub('[.-]', '_', self.path).upper()}"

    @property
    def repeatable(self) -> bool:
        """Whether its option may be given several times."""
        return isinstance(self.shape, Array)

    def default_value(self) -> object:
        """Return the model's default."""
        value: object = Settings()
        for attribute in self.field:
            value = getattr(value, attribute)
        return value


def _reason(ignore: str) -> str:
    return ignore


def _distributions(path: str, meaning: str) -> Key:
    return Key(path, Array(_DISTRIBUTION), meaning, '["lxml"]')


def _script(name: str, when: str) -> Key:
    return Key(f"scripts.{name}", _SOURCE, f"file of the project with shell that runs {when}", f'"packaging/{name}.sh"')


KEYS: Final[tuple[Key, ...]] = (
    Key("name", _PACKAGE, "name of the package", '"guestbook"', "the project's name"),
    Key(
        "prefix",
        Text(
            PREFIX,
            "an absolute path of two or more parts out of letters, digits and . _ + - where a package may put programs",
            target_path,
        ),
        "where the virtual environment lives on the target",
        '"/opt/guestbook"',
        "`/opt/venvs/NAME`",
    ),
    # Debian Policy 5.6.12: alphanumerics and + . ~
    Key(
        "revision",
        Text(r"[A-Za-z0-9+.~]+", "a revision: letters, digits and + . ~"),
        "package revision; the release is appended",
        '"2"',
    ),
    Key(
        "target-revision",
        Natural(),
        "number of a rebuild for one release alone, appended behind the release, as in `-1~debian12+2`; 0 for none",
        "2",
    ),
    Key("epoch", Natural(), "package epoch", "1"),
    Key(
        "maintainer",
        Text(
            r"[^<>\x00-\x1f\x7f]+ <[^<>\s\x00-\x1f\x7f]+@[^<>\s\x00-\x1f\x7f]+>",
            "of the form 'Name <address@example.org>'",
        ),
        "who is responsible for the package, as `Name <address>`",
        '"Web Team <web@example.org>"',
        "the author or maintainer in the metadata",
    ),
    Key("section", Text(r"[a-z0-9][a-z0-9+./-]*", "an archive section"), "archive section", '"web"'),
    Key("extras", Array(_DISTRIBUTION), "extras of the application to include", '["ldap"]'),
    Key(
        "lock",
        Text(
            r"(?!/)([^\x00-\x1f\x7f]*/)?"
            r"(pylock(\.[^./\x00-\x1f\x7f]+)?\.toml|(uv|poetry|pdm|Pipfile)\.lock|[^/\x00-\x1f\x7f]+\.txt)",
            "a relative path to pylock.toml, pylock.NAME.toml, uv.lock, the lock of poetry, pdm or pipenv, or NAME.txt",
        ),
        "the lock to build from, which may be a requirements file",
        '"requirements.txt"',
        "`pylock.toml`, else `uv.lock`",
    ),
    Key(
        "python",
        Text(
            r"(python|pypy)?3(\.[0-9]{1,2}t?)?|(/(?!\.\.?(/|$))[A-Za-z0-9._+-]+){2,}",
            "a version, such as '3.12', a program, such as 'pypy3', or its absolute path",
        ),
        "the interpreter on the target: its version, its program's name or path",
        '"3.12"',
        "the release's `/usr/bin/python3`",
    ),
    Key(
        "unowned-python",
        Flag(),
        "whether `python` may be an interpreter that no package owns; nothing then sees to it that it is there",
        "false",
    ),
    Key("groups", Array(_GROUP), "dependency groups (PEP 735) of the project to include", '["production"]'),
    Key(
        "commands",
        Array(Text(r"[A-Za-z0-9][A-Za-z0-9._+-]*", "the name of a command")),
        "commands to link into `/usr/bin`",
        '["guestbook"]',
        "every script of the application",
    ),
    Key(
        "depends",
        Array(_DEPENDS),
        "relations to add to the computed ones, which `$auto` may stand for; `!libfoo1` leaves a computed one out",
        '["postgresql-client (>= 13)"]',
        "`$auto`",
    ),
    Key("recommends", Array(_RELATION), "packages that all but unusual installations have", '["nginx | httpd"]'),
    Key("suggests", Array(_RELATION), "packages that make it more useful", '["postgresql"]'),
    Key("conflicts", Array(_RELATION), "packages that cannot be installed beside it", '["guestbook-ng"]'),
    Key("breaks", Array(_RELATION), "packages that do not work beside it", '["guestbook-plugin (<< 2)"]'),
    Key("replaces", Array(_RELATION), "packages whose files it may take over", '["guestbook-legacy"]'),
    Key("provides", Array(_RELATION), "virtual packages that it is one of", '["guestbook-server"]'),
    Key("build-depends", Array(_BUILD_PACKAGE), "packages of the release that the compile needs", '["libpq-dev"]'),
    Key(
        "ci-targets",
        Array(
            Text(rf"({'|'.join(build_root_names())}):[a-z0-9][a-z0-9./]{{0,39}}", "a release, such as debian:trixie")
        ),
        "releases that `venvpkg ci` makes jobs for",
        '["debian:bookworm", "debian:trixie"]',
    ),
    Key(
        "debug-symbols",
        Flag(),
        "whether debug information of what is compiled goes into a second package, NAME-dbgsym or NAME-debuginfo",
        "true",
    ),
    Key(
        "files",
        Array(
            Table(
                FileSetting,
                {"source": _SOURCE, "target": Text(FILE_TARGET, "an absolute path where a package may put files")},
                {"mode": _MODE},
            )
        ),
        "more files: `source` in the project, `target` on the target, `mode`; those in `/etc` become conffiles",
        '[{ source = "packaging/app.toml", target = "/etc/guestbook/app.toml" }]',
    ),
    Key(
        "state-paths",
        Array(Text(STATE, "an absolute path of the application's own in /var/cache, lib, log, opt or spool")),
        "files that the application makes when it runs, and directories, with a slash at the end: they go with the"
        " package, directories when they are empty",
        '["/var/lib/guestbook/", "/var/log/guestbook.log"]',
    ),
    Key(
        "prepare",
        Array(
            Table(
                PrepareStep,
                {"run": Array(_ARGUMENT, distinct=False, least=1)},
                {"outputs": Array(_SOURCE), "network": Flag()},
            ),
            distinct=False,
        ),
        "commands before the application's own wheel: `run` (program and arguments), `outputs` (files and directories"
        " that it makes), `network`",
        '[{ run = ["npm", "run", "build"], outputs = ["static/dist"] }]',
    ),
    Key(
        "rpm-min-versions",
        Flag(),
        "whether an .rpm needs at least the version installed now of each package whose library has no symbol versions",
        "true",
    ),
    Key(
        "strict",
        Flag(),
        "whether a library whose package says nothing about its ABI is an error, rather than a warning and the"
        " installed version as the lowest",
        "true",
    ),
    Key("templates", _SOURCE, "directory of templates that shadow venvpkg's own by name", '"packaging/templates"'),
    Key(
        "sonames",
        Named(
            Text(r"[^\x00-\x20\x7f/]+", "the name of a library"),
            (_RELATION, lambda soname, relation: SonameRule(soname, relation=relation)),
            (
                Table(_reason, {"ignore": _LINE}, {}),
                lambda soname, reason: SonameRule(soname, reason=str(reason)),
            ),
        ),
        'needed library to the relation that stands for it, or to `{ ignore = "reason" }`',
        '{ "libcuda.so.1" = { ignore = "comes with the driver" } }',
    ),
    _script("preinst", "before the files are unpacked"),
    _script("postinst", "after the package was unpacked and its dependencies are there"),
    _script("prerm", "before the files are removed"),
    _script("postrm", "after the files were removed, and at purge"),
    Key("wheels.default", OneOf(WheelPolicy), "how wheels with native code come about", '"compile"'),
    _distributions("wheels.compile", "distributions that must be compiled"),
    _distributions("wheels.prefer-compile", "compiled, or the publisher's wheel where there is no source"),
    _distributions("wheels.binary", "distributions whose publisher's wheel is used"),
    Key(
        "wheels.system",
        Array(_DISTRIBUTION),
        "distributions that come from the release's own packages, with all that these require",
        '["psycopg2"]',
    ),
)

# Table of the tables for families and single releases; not a key, because each of them holds keys.
TARGET: Final = "target"
RELEASE: Final = Text(
    rf"{'|'.join(FAMILIES)}|[a-z0-9][a-z0-9._-]*-([0-9][0-9.]*|tumbleweed)",
    f"a family ({', '.join(FAMILIES)}), or a release, such as debian-13",
)
