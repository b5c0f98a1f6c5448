"""A registry of Rust crates on the loopback interface, in cargo's sparse protocol, made of crates' directories."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import io
import json
import tarfile
import threading
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SEVERAL = ("dependencies", "build-dependencies")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextlib.contextmanager
def serving(directory: Path) -> Iterator[str]:
    """Serve a directory's files by http, and yield the URL."""
    handler = functools.partial(_Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def publish(crate: Path, registry: Path, url: str) -> str:
    """Put a crate, given by its directory, into the registry that ``url`` will serve; return its checksum.

    Source:
        The Cargo Book, "Registry Index", "Registry Web API".
    """
    manifest = tomllib.loads((crate / "Cargo.toml").read_text())
    name, version = manifest["package"]["name"], manifest["package"]["version"]
    content = _archive(crate, f"{name}-{version}")
    (registry / "crates").mkdir(parents=True, exist_ok=True)
    (registry / "crates" / f"{name}-{version}.crate").write_bytes(content)
    (registry / "config.json").write_text(json.dumps({"dl": f"{url}/crates/{{crate}}-{{version}}.crate"}))
    checksum = hashlib.sha256(content).hexdigest()
    tables = [(manifest, None), *((table, target) for target, table in manifest.get("target", {}).items())]
    line = {
        "name": name,
        "vers": version,
        "deps": [
            _dependency(key, wanted, kind, target)
            for table, target in tables
            for kind in _SEVERAL
            for key, wanted in table.get(kind, {}).items()
        ],
        "cksum": checksum,
        "features": manifest.get("features", {}),
        "yanked": False,
    }
    entry = registry / _index_path(name)
    entry.parent.mkdir(parents=True, exist_ok=True)
    with entry.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return checksum


def _dependency(key: str, wanted: str | Mapping[str, Any], kind: str, target: str | None) -> dict[str, object]:
    table: Mapping[str, Any] = {"version": wanted} if isinstance(wanted, str) else wanted
    return {
        "name": key,
        "package": table.get("package"),
        "req": table.get("version", "*"),
        "features": table.get("features", []),
        "optional": table.get("optional", False),
        "default_features": table.get("default-features", True),
        "target": target,
        "kind": "build" if kind.startswith("build") else "normal",
    }


def _index_path(name: str) -> str:
    name = name.lower()
    short = {1: f"1/{name}", 2: f"2/{name}", 3: f"3/{name[0]}/{name}"}
    return short.get(len(name), f"{name[:2]}/{name[2:4]}/{name}")


def _archive(crate: Path, top: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in sorted(crate.rglob("*")):
            if path.is_file() and not path.name.startswith(".cargo-checksum"):
                archive.add(path, f"{top}/{path.relative_to(crate)}")
    return buffer.getvalue()
