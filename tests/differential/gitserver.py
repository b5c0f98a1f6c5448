"""git repositories over http and https on the loopback interface, by git's own http-backend."""

from __future__ import annotations

import base64
import contextlib
import http.server
import os
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def http_backend() -> Path:
    """Return where git's http-backend is, or would be."""
    done = subprocess.run(("git", "--exec-path"), check=False, capture_output=True, text=True)
    return Path(done.stdout.strip()) / "git-http-backend"


@dataclass
class GitServer:
    """Serves the repositories below a directory.

    Attributes:
        url: of that directory.
        certificate: of the server, its own authority; None for http.
        asked: method and path of each request that was answered.
    """

    url: str
    certificate: Path | None
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def running_git_server(
    directory: Path, *, certificates: Path | None = None, login: tuple[str, str] | None = None
) -> Iterator[GitServer]:
    """Serve a directory's repositories.

    Args:
        directory: with the repositories.
        certificates: an empty directory for key and certificate; https is spoken then.
        login: user and password that every request needs.
    """
    expected = "Basic " + base64.b64encode(":".join(login).encode()).decode() if login else None

    class Handler(http.server.BaseHTTPRequestHandler):
        # A connection that ends after each answer ends without TLS' own goodbye, which git does not forgive.
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            if expected is not None and self.headers.get("Authorization") != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            server.asked.append(f"{self.command} {self.path}")
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            environment = {
                "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(directory), "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
                "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }  # fmt: skip
            done = subprocess.run((http_backend(),), input=body, check=True, capture_output=True, env=environment)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for key, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    server = GitServer(f"http://127.0.0.1:{running.server_port}", None)
    if certificates is not None:
        server.certificate = _certificate(certificates)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate, certificates / "key.pem")
        running.socket = context.wrap_socket(running.socket, server_side=True)
        server.url = server.url.replace("http:", "https:")
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def _certificate(directory: Path) -> Path:
    directory.mkdir()
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory / "key.pem", "-out", directory / "cert.pem"),
        check=True, capture_output=True,
    )  # fmt: skip
    return directory / "cert.pem"
