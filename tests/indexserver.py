"""An index on the loopback interface that behaves well or badly, as a test tells it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Handle = http.server.BaseHTTPRequestHandler
# Longer than any client in a test should wait.
PATIENCE_S = 60.0


@dataclass
class Index:
    """What to answer: a list of answers for each path, of which the last is repeated."""

    url: str
    answers: dict[str, list[Callable[[Handle], None]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def serve(self, path: str, *answers: Callable[[Handle], None]) -> str:
        self.answers[path] = list(answers)
        return self.url + path


def content(body: bytes, **headers: str) -> Callable[[Handle], None]:
    def answer(handle: Handle) -> None:
        handle.send_response(200)
        for key, value in ({"Content_Length": str(len(body))} | headers).items():
            handle.send_header(key.replace("_", "-"), value)
        handle.end_headers()
        handle.wfile.write(body)

    return answer


def status(code: int, **headers: str) -> Callable[[Handle], None]:
    def answer(handle: Handle) -> None:
        handle.send_response(code)
        for key, value in ({"Content_Length": "0"} | headers).items():
            handle.send_header(key.replace("_", "-"), value)
        handle.end_headers()

    return answer


def truncated(body: bytes) -> Callable[[Handle], None]:
    def answer(handle: Handle) -> None:
        content(body, Content_Length=str(len(body) + 10))(handle)
        handle.close_connection = True

    return answer


@dataclass
class Stalling:
    """An answer that does not come to its end before ``ended`` is set, or its time is over.

    Attributes:
        drips: whether a byte comes now and then.
        ended: for the test to set when it has seen enough.
        gave_up: whether it came to its end by itself; then the client waited all the time.
    """

    drips: bool = False
    ended: threading.Event = field(default_factory=threading.Event)
    gave_up: bool = False

    def __call__(self, handle: Handle) -> None:
        """Send nothing, or a byte in each pause."""
        pause_s = 0.01
        if self.drips:
            handle.send_response(200)
            handle.end_headers()
        for _ in range(round(PATIENCE_S / pause_s)):
            if self.ended.wait(pause_s) or (self.drips and not _drips(handle)):
                break
        else:
            self.gave_up = True
        handle.close_connection = True


def _drips(handle: Handle) -> bool:
    """Send a byte, and tell whether anybody still takes it."""
    try:
        handle.wfile.write(b"x")
        handle.wfile.flush()
    except OSError:
        return False
    return True


def for_login(user: str, password: str, answer: Callable[[Handle], None]) -> Callable[[Handle], None]:
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def ask(handle: Handle) -> None:
        if handle.headers.get("Authorization") == expected:
            answer(handle)
        else:
            status(401, WWW_Authenticate='Basic realm="index"')(handle)

    return ask


@contextlib.contextmanager
def running_index() -> Iterator[Index]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            index.asked.append(self.path)
            answers = index.answers.get(self.path, [status(404)])
            (answers.pop(0) if len(answers) > 1 else answers[0])(self)

        def do_HEAD(self) -> None:
            status(405)(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index = Index(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def publish(index: Index, *files: tuple[str, bytes], login: tuple[str, str] | None = None, at: str = "") -> str:
    """Serve a simple index of ``files`` below ``at`` and return its URL, with the login."""
    links: dict[str, list[str]] = {}
    for filename, body in files:
        answer = content(body)
        url = index.serve(f"{at}/files/{filename}", for_login(*login, answer) if login else answer)
        link = f'<a href="{url}#sha256={hashlib.sha256(body).hexdigest()}">{filename}</a>'
        links.setdefault(filename.split("-")[0], []).append(link)
    for project, of_project in links.items():
        html = f"<!DOCTYPE html><html><body>{''.join(of_project)}</body></html>".encode()
        page = content(html, Content_Type="text/html")
        index.serve(f"{at}/simple/{project}/", for_login(*login, page) if login else page)
    userinfo = f"{login[0]}:{login[1]}@" if login else ""
    return index.url.replace("http://", f"http://{userinfo}") + f"{at}/simple"
