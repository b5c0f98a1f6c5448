"""Declare every configuration key once: its name, type, default and meaning."""

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


# Debian Policy 9.1.1, 9.1.2, 9.1.4 (FHS 3.0): directories that belong to the administrator, to users, to the kernel or
# to one boot; and the names that merged-/usr directories had before, under which dpkg would not find the file again.
_FOREIGN: Final = (
    "bin|boot|dev|home|lib|lib32|lib64|libx32|media|mnt|proc|root|run|sbin|sys|tmp|usr/local|var/run|var/lock|var/tmp"
    "|DEBIAN"
)
# Written unquoted into activate scripts and shebangs, so no character may need quoting in a shell. Below /etc every
# module would be a conffile, and /usr/bin and /usr/sbin have no subdirectories (FHS 3.0, 4.4).
PREFIX: Final = rf"(?!/(?:{_FOREIGN}|etc|usr/bin|usr/sbin)(?:/|$))(/(?!\.\.?(/|$))[A-Za-z0-9._+-]+){{2,}}"
FILE_TARGET: Final = rf"/(?!(?:{_FOREIGN})(?:/|$))((?!\.\.?(/|$))[^/\x00-\x1f\x7f]+/)+((?!\.\.?$)[^/\x00-\x1f\x7f]+)?"

# Files that programs create at run time (FHS 3.0, chapter 5): below a directory of the package's own, not one of a
# package manager, and without characters that are special in a shell or a spec file.
STATE: Final = (
    r"/var/(?:cache|lib|log|opt|spool)/(?!(?:apt|dnf|dpkg|private|rpm|zypp)(?:/|$))"
    r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*/?"
)


def target_path(text: str) -> PurePosixPath:
    """Return the path on the target that ``text`` spells."""
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
# rpm package names may have capitals, and a capability may stand for a package: pkgconfig(libpq).
_BUILD_PACKAGE: Final = Text(
    r"[A-Za-z0-9][A-Za-z0-9+._-]*(\([A-Za-z0-9+._:-]+\)|:[a-z0-9-]+)?",
    "a package, such as libpq-dev, or a capability, such as 'pkgconfig(libpq)'",
)
# The family checks its own grammar. Here only text is rejected that could never be part of a field's single line.
_RELATION: Final = Text(r"[^\x00-\x20\x7f,$!][^\x00-\x1f\x7f,]*", "one relation, such as 'postgresql-client (>= 13)'")
_DEPENDS: Final = Text(
    rf"\$auto|![^\x00-\x20\x7f,$!]+|{_RELATION.pattern}",
    "'$auto', one relation, such as 'postgresql-client (>= 13)', or a package to leave out, such as '!libfoo1'",
)
# A file of the project. Whether it exists, and whether a link leads outside, is checked when it is read.
_SOURCE: Final = Text(
    r"(?!/|~)(?!(?:.*/)?\.\.(?:/|$))[^\x00-\x1f\x7f]+", "a path inside the project, relative and without '..'"
)
_MODE: Final = Text(
    r"0?[0-7][0145][0145]", "a mode such as '0644' that only lets the owner write", lambda mode: int(mode, 8)
)
_ARGUMENT: Final = Text(r"[^\x00]*", "an argument without NUL")
_LINE: Final = Text(r"[^\x00-\x20\x7f][^\x00-\x1f\x7f]*", "one line of text")


@dataclass(frozen=True, slots=True)
class Key:
    """A configuration key.

    Attributes:
        path: dotted path below ``[tool.venvpkg]``, ``wheels.default``.
        value_type: type of its values.
        help: meaning, for help texts and the reference; no full stop.
        example: a value in TOML.
        default: description of the default, if the model's default value does not speak for itself.
    """

    path: str
    value_type: ValueType
    help: str
    example: str
    default: str = ""

    @property
    def field(self) -> tuple[str, ...]:
        """Attribute path of its value in ``Settings``."""
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
        """Whether its option may be repeated."""
        return isinstance(self.value_type, Array)

    def default_value(self) -> object:
        """Return the model's default."""
        value: object = Settings()
        for attribute in self.field:
            value = getattr(value, attribute)
        return value


def _normalise_entry(entry: str) -> str:
    name, _, pattern = entry.partition(":")
    return f"{canonicalize_name(name)}:{pattern}"


def _ignore_reason(ignore: str) -> str:
    return ignore


def _distributions_key(path: str, meaning: str) -> Key:
    return Key(path, Array(_DISTRIBUTION), meaning, '["lxml"]')


def _script_key(name: str, when: str) -> Key:
    return Key(f"scripts.{name}", _SOURCE, f"shell script in the project to run {when}", f'"packaging/{name}.sh"')


KEYS: Final[tuple[Key, ...]] = (
    Key("name", _PACKAGE, "name of the package", '"guestbook"', "the project's name"),
    Key(
        "prefix",
        Text(
            PREFIX,
            "an absolute path of two or more parts of letters, digits and . _ + - where a package may put programs",
            target_path,
        ),
        "path of the virtual environment on the target",
        '"/opt/guestbook"',
        "`/opt/venvs/NAME`",
    ),
    # Debian Policy 5.6.12: alphanumerics and + . ~
    Key(
        "revision",
        Text(r"[A-Za-z0-9+.~]+", "a revision: letters, digits and + . ~"),
        "package revision; the target's release is appended",
        '"2"',
    ),
    Key(
        "target-revision",
        Natural(),
        "number of a rebuild for a single release, appended after the release: `-1~debian12+2`; 0 for none",
        "2",
    ),
    Key("epoch", Natural(), "package epoch", "1"),
    Key(
        "maintainer",
        Text(
            r"[^<>\x00-\x1f\x7f]+ <[^<>\s\x00-\x1f\x7f]+@[^<>\s\x00-\x1f\x7f]+>",
            "of the form 'Name <address@example.org>'",
        ),
        "maintainer of the package, `Name <address>`",
        '"Web Team <web@example.org>"',
        "the maintainer or author in the metadata",
    ),
    Key("section", Text(r"[a-z0-9][a-z0-9+./-]*", "an archive section"), "archive section", '"web"'),
    Key("extras", Array(_DISTRIBUTION), "extras of the application to include", '["ldap"]'),
    Key(
        "lock",
        Text(
            r"(?!/)([^\x00-\x1f\x7f]*/)?"
            r"(pylock(\.[^./\x00-\x1f\x7f]+)?\.toml|(uv|poetry|pdm|Pipfile)\.lock|[^/\x00-\x1f\x7f]+\.txt)",
            "a relative path to pylock.toml, pylock.NAME.toml, uv.lock, the lockfile of poetry, pdm or pipenv, or"
            " NAME.txt",
        ),
        "lockfile to build from; may be a requirements file",
        '"requirements.txt"',
        "`pylock.toml`, else `uv.lock`",
    ),
    Key(
        "python",
        Text(
            r"(python|pypy)?3(\.[0-9]{1,2}t?)?|(/(?!\.\.?(/|$))[A-Za-z0-9._+-]+){2,}",
            "a version, such as '3.12', a program, such as 'pypy3', or its absolute path",
        ),
        "interpreter on the target: its version, program name or path",
        '"3.12"',
        "the release's `/usr/bin/python3`",
    ),
    Key(
        "unowned-python",
        Flag(),
        "whether `python` may be an interpreter that no package owns; no dependency then ensures that it is installed",
        "false",
    ),
    Key("groups", Array(_GROUP), "dependency groups of the project to include (PEP 735)", '["production"]'),
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
        "relations to add to the computed ones, for which `$auto` stands; `!libfoo1` leaves out a computed one",
        '["postgresql-client (>= 13)"]',
        "`$auto`",
    ),
    Key("recommends", Array(_RELATION), "packages found with it in all but unusual installations", '["nginx | httpd"]'),
    Key("suggests", Array(_RELATION), "packages that make it more useful", '["postgresql"]'),
    Key("conflicts", Array(_RELATION), "packages that cannot be installed together with it", '["guestbook-ng"]'),
    Key("breaks", Array(_RELATION), "packages that stop working next to it", '["guestbook-plugin (<< 2)"]'),
    Key("replaces", Array(_RELATION), "packages whose files it may overwrite", '["guestbook-legacy"]'),
    Key("provides", Array(_RELATION), "virtual packages that it provides", '["guestbook-server"]'),
    Key("build-depends", Array(_BUILD_PACKAGE), "packages of the release that compiling needs", '["libpq-dev"]'),
    Key(
        "ci-targets",
        Array(
            Text(rf"({'|'.join(build_root_names())}):[a-z0-9][a-z0-9./]{{0,39}}", "a release, such as debian:trixie")
        ),
        "releases that `venvpkg ci` creates jobs for",
        '["debian:bookworm", "debian:trixie"]',
    ),
    Key(
        "debug-symbols",
        Flag(),
        "whether the debug information of compiled code goes into a second package, NAME-dbgsym or NAME-debuginfo",
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
        "additional files: `source` in the project, `target` on the target, `mode`; files in `/etc` become conffiles",
        '[{ source = "packaging/app.toml", target = "/etc/guestbook/app.toml" }]',
    ),
    Key(
        "leave-out",
        Array(
            Text(
                rf"{_DISTRIBUTION.pattern}:(?!/)[^\x00-\x1f\x7f:]+",
                "of the form 'DISTRIBUTION:PATTERN'",
                _normalise_entry,
            )
        ),
        "files of distributions that are not installed, as `DISTRIBUTION:PATTERN`; the pattern matches paths in the"
        " wheel, and `*` stands for any characters",
        '["django-sekizai:tests/*"]',
    ),
    Key(
        "state-paths",
        Array(Text(STATE, "an absolute path of the application's own in /var/cache, lib, log, opt or spool")),
        "files and directories (with a trailing slash) that the application creates at run time; they are removed with"
        " the package, directories only if empty",
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
        "commands to run before the application's wheel is built: `run` (program and arguments), `outputs` (files and"
        " directories that it creates), `network`",
        '[{ run = ["npm", "run", "build"], outputs = ["static/dist"] }]',
    ),
    Key(
        "rpm-min-versions",
        Flag(),
        "whether an .rpm requires at least the version installed now of packages whose libraries have no symbol"
        " versions",
        "true",
    ),
    Key(
        "strict",
        Flag(),
        "whether a library whose package declares nothing about its ABI is an error; otherwise a warning, and at least"
        " the installed version is required",
        "true",
    ),
    Key("templates", _SOURCE, "directory of templates that override built-in ones by name", '"packaging/templates"'),
    Key(
        "sonames",
        Named(
            Text(r"[^\x00-\x20\x7f/]+", "the name of a library"),
            (_RELATION, lambda soname, relation: SonameRule(soname, relation=relation)),
            (
                Table(_ignore_reason, {"ignore": _LINE}, {}),
                lambda soname, reason: SonameRule(soname, reason=str(reason)),
            ),
        ),
        'for each needed library, the relation to use instead of the computed one, or `{ ignore = "reason" }`',
        '{ "libcuda.so.1" = { ignore = "comes with the driver" } }',
    ),
    Key(
        "undefined-symbols",
        Array(Text(r"[^\x00-\x20\x7f]+", "the name of a symbol, or a pattern with `*`")),
        "symbols that a module may import although neither the interpreter nor a needed library defines them, because"
        " something else loads them first; `*` stands for any characters",
        '["ap_*"]',
    ),
    _script_key("preinst", "before the files are unpacked"),
    _script_key("postinst", "after the package and its dependencies are unpacked"),
    _script_key("prerm", "before the files are removed"),
    _script_key("postrm", "after the files are removed, and on purge"),
    Key("wheels.default", OneOf(WheelPolicy), "policy for distributions with native code", '"compile"'),
    _distributions_key("wheels.compile", "distributions that must be compiled"),
    _distributions_key(
        "wheels.prefer-compile", "distributions to compile, or to take as a prebuilt wheel if they have no source"
    ),
    _distributions_key("wheels.binary", "distributions to take as a prebuilt wheel"),
    Key(
        "wheels.system",
        Array(_DISTRIBUTION),
        "distributions to take from the release's own packages, with everything that those require",
        '["psycopg2"]',
    ),
)

# The table whose tables hold keys for one family or release; therefore not a key itself.
TARGET: Final = "target"
RELEASE: Final = Text(
    rf"{'|'.join(FAMILIES)}|[a-z0-9][a-z0-9._-]*-([0-9][0-9.]*|tumbleweed)",
    f"a family ({', '.join(FAMILIES)}) or a release such as debian-13",
)
