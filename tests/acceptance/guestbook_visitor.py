"""A visitor of the guestbook: signs it over HTTP, reads page and feed back, says what it found.

Usage: guestbook_visitor.py URL. Runs inside the clean root, on the application's own interpreter, with nothing but the
standard library. Exit code 0 if all was as it should be.
"""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # the server is ours and it runs in the same throw-away root

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Ada Lovelace"
MESSAGE = 'The engine weaves "patterns" & <numbers>,\njust as the Jacquard loom weaves flowers.'
ESCAPED = "weaves &#34;patterns&#34; &amp; &lt;numbers&gt;"
ATOM = {"a": "http://www.w3.org/2005/Atom"}
START_TIMEOUT_S = 30


def get(url: str, data: dict[str, str] | None = None) -> tuple[int, str]:
    """Return status and text of an answer, after redirections; with ``data`` the request is a POST of a form."""
    body = None if data is None else urllib.parse.urlencode(data).encode()
    try:
        with urllib.request.urlopen(url, body, timeout=10) as answer:  # noqa: S310  # the address is http://127.0.0.1
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_until_served(url: str) -> bool:
    """Return whether the server says within the time limit that it works."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if get(f"{url}/healthz") == (200, "ok\n"):
                return True
        except OSError:
            pass
        time.sleep(0.1)
    return False


def visit(url: str) -> Iterator[tuple[str, bool]]:
    """Return what should be so, one sentence each, and whether it is; nothing more once the server does not answer."""
    served = wait_until_served(url)
    yield "the server answers", served
    if not served:
        return
    status, page = get(f"{url}/", {"name": NAME, "message": MESSAGE})
    yield "an entry can be posted", status == 200
    yield "the page shows the entry", NAME in page and "Jacquard loom" in page
    yield "the page shows markup as text", ESCAPED in page and "<numbers>" not in page
    yield "an entry without a name is refused", get(f"{url}/", {"name": " ", "message": "x"})[0] == 422
    yield "the style sheet is served", get(f"{url}/static/guestbook.css")[0] == 200
    try:
        feed = ET.fromstring(get(f"{url}/feed.atom")[1])  # noqa: S314  # see above
    except ET.ParseError:
        feed = ET.Element("none")
    yield "the feed is well-formed Atom", feed.tag == f"{{{ATOM['a']}}}feed"
    yield "the feed holds this one entry", len(feed.findall("a:entry", ATOM)) == 1
    yield "the feed gives the entry back as it was", feed.findtext("a:entry/a:content", "", ATOM) == MESSAGE
    yield "the feed names its author", feed.findtext("a:entry/a:author/a:name", "", ATOM) == NAME


def main() -> int:
    """Visit and say what was found. Return the exit code."""
    (url,) = sys.argv[1:]
    all_well = True
    for sentence, so in visit(url):
        sys.stdout.write(f"  {'yes' if so else 'NO '}  {sentence}\n")
        all_well = all_well and so
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main())
