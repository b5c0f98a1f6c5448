"""What Debian does in maintainer scripts, or otherwise than Fedora, done to the tree of a package."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rpmworld.tree import Tree

_BUNDLE = "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"


def amend(name: str, tree: Tree) -> None:
    """Change the tree of the package called ``name``, if there is anything to change."""
    if name in _AMENDMENTS:
        _AMENDMENTS[name](tree)


def _bundle_certificates(tree: Tree) -> None:
    """What update-ca-certificates does, at Fedora's places."""
    sources = sorted((tree.directory / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    for path in ("etc/pki/ca-trust", "etc/pki/ca-trust/extracted", "etc/pki/ca-trust/extracted/pem"):
        tree.make_directory(path)
    tree.make_directory("etc/pki/tls/certs")
    tree.write(_BUNDLE, "".join(f"# {path.stem}\n{path.read_text().strip()}\n\n" for path in sources), 0o444)
    tree.link("etc/pki/tls/certs/ca-bundle.crt", f"/{_BUNDLE}")
    tree.link("etc/pki/tls/certs/ca-certificates.crt", "ca-bundle.crt")  # where Debian's OpenSSL and curl look
    tree.link("etc/pki/tls/cert.pem", "certs/ca-bundle.crt")
    tree.make_directory("etc/ssl")
    tree.link("etc/ssl/cert.pem", "../pki/tls/cert.pem")
    tree.link("etc/ssl/certs", "../pki/tls/certs")


def _write_pg_config(tree: Tree) -> None:
    """Debian's pg_config is a perl script around a table; ours is sh, which the world has."""
    path = "usr/bin/pg_config"
    _, _, data = (tree.directory / path).read_text().partition("__DATA__\n")
    table = re.sub(r"/usr/lib/[a-z0-9_]+-linux-gnu", "/usr/lib64", data.partition("\n\n")[0])
    rows = re.findall(r"^(\S+) = (.*)$", table, re.MULTILINE)
    cases = "".join(f"    --{name.lower()}) echo {shlex.quote(value)} ;;\n" for name, value in rows)
    tree.write(
        path,
        f"#!/bin/sh\n[ $# != 0 ] || cat <<'END'\n{table}\nEND\nfor argument; do\n    case $argument in\n{cases}"
        '    *) echo "pg_config: invalid argument: $argument" >&2; exit 1 ;;\n    esac\ndone\n',
        0o755,
    )


def _silence_rpm(tree: Tree) -> None:
    """Debian's rpm before 6 refuses to install anything without an option of its own."""
    libraries = (tree.directory / "usr/lib64").glob("librpm.so.*.*")
    if any(b"force-debian" in library.read_bytes() for library in libraries):
        options = ("-i", "--install", "-U", "--upgrade", "-F", "--freshen", "-e", "--erase")
        tree.write("etc/popt", "".join(f"rpm alias {option} {option} --force-debian\n" for option in options))


def _keep_no_local_copies(tree: Tree) -> None:
    """Debian switches on a plugin that copies each installed package into a repository, which wants createrepo_c."""
    settings = tree.directory / "etc/dnf/libdnf5-plugins/local.conf"
    if settings.is_file():
        settings.write_text(settings.read_text().replace("enabled = host-only", "enabled = false"))


def _listen_where_the_client_looks(tree: Tree) -> None:
    """Debian's initdb leaves the socket's directory to its own cluster tools."""
    for path in [path for path in tree.entries if path.endswith("/postgresql.conf.sample")]:
        sample = tree.directory / path
        sample.write_text(f"{sample.read_text()}unix_socket_directories = '/run/postgresql'\n")


_AMENDMENTS: Mapping[str, Callable[[Tree], None]] = {
    "ca-certificates": _bundle_certificates,
    "libpq-devel": _write_pg_config,
    "rpm-libs": _silence_rpm,
    "libdnf5": _keep_no_local_copies,
    "postgresql-server": _listen_where_the_client_looks,
}
