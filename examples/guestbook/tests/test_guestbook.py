from __future__ import annotations

from datetime import datetime, timezone

import pytest

pytest.importorskip("flask")
pytest.importorskip("lxml")

from guestbook.entries import MESSAGE_MAX, NAME_MAX, PAGE_SIZE, Entry, StoreError, draft
from guestbook.feed import NAMESPACE, atom_feed
from guestbook.web import create_app
from lxml import etree

UID = "5b8a3c52-3c2e-4a34-9d55-0f9c3f2a1b7{}"
ATOM = {"a": NAMESPACE}


class MemoryStore:
    """A Store in a list."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def sign(self, name: str, message: str) -> Entry:
        moment = datetime(2026, 1, 1, 12, len(self.entries) % 60, tzinfo=timezone.utc)
        entry = Entry(UID.format(len(self.entries)), name, message, moment)
        self.entries.insert(0, entry)
        return entry

    def newest(self, limit: int, offset: int = 0) -> list[Entry]:
        return self.entries[offset : offset + limit]

    def check(self) -> None:
        pass


class ClosedStore(MemoryStore):
    """A Store whose database is away."""

    def newest(self, limit: int, offset: int = 0) -> list[Entry]:
        raise StoreError(f"no route to host db.internal ({limit}, {offset})")

    def check(self) -> None:
        self.newest(1)


def test_what_a_visitor_wrote_is_shown_as_text() -> None:
    store = MemoryStore()
    client = create_app(store).test_client()

    answer = client.post("/", data={"name": "<b>Ada</b>", "message": "a < b && '\"<script>alert(1)</script>"})
    page = client.get("/").text

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/#entry-{UID.format(0)}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;Ada&lt;/b&gt;" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("name", "message", "wrong"),
    [
        ("", "hello", {"name"}),
        ("  \t ", "hello", {"name"}),
        ("Ada", " \r\n ", {"message"}),
        ("A" * (NAME_MAX + 1), "m" * (MESSAGE_MAX + 1), {"name", "message"}),
        ("Ada\0", "bell \a", {"name", "message"}),
        ("Ada", "lone surrogate \ud800", {"message"}),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused_with_the_field_named(name: str, message: str, wrong: set[str]) -> None:
    assert set(draft(name, message).problems) == wrong


def test_an_entry_as_long_as_allowed_is_taken() -> None:
    assert not draft("A" * NAME_MAX, "m" * MESSAGE_MAX).problems


def test_a_name_is_one_line_and_a_message_has_unix_line_ends() -> None:
    tidy = draft(" Ada\r\n Lovelace ", "one\r\ntwo\rthree\n\n")

    assert (tidy.name, tidy.message) == ("Ada Lovelace", "one\ntwo\nthree")


def test_a_refused_visitor_gets_the_text_back_and_nothing_is_stored() -> None:
    store = MemoryStore()

    answer = create_app(store).test_client().post("/", data={"name": "", "message": "keep <this>"})

    assert answer.status_code == 422
    assert "keep &lt;this&gt;" in answer.text
    assert "Please tell us your name." in answer.text
    assert not store.entries


def test_the_feed_is_well_formed_and_gives_back_what_was_written() -> None:
    store = MemoryStore()
    message = "a < b & c ]]> \N{GREEK SMALL LETTER LAMDA}\nsecond line"
    store.sign("Ada & Co", message)

    answer = create_app(store).test_client().get("/feed.atom")
    feed = etree.fromstring(answer.data)

    assert answer.content_type == "application/atom+xml; charset=utf-8"
    assert feed.findtext("a:entry/a:content", namespaces=ATOM) == message
    assert feed.findtext("a:entry/a:author/a:name", namespaces=ATOM) == "Ada & Co"
    assert feed.findtext("a:updated", namespaces=ATOM) == "2026-01-01T12:00:00Z"
    assert feed.findtext("a:entry/a:id", namespaces=ATOM) == "urn:uuid:" + UID.format(0)


def test_a_feed_without_entries_has_all_that_atom_demands() -> None:
    feed = etree.fromstring(atom_feed([], page_url="http://x/", feed_url="http://x/feed.atom"))

    assert [feed.findtext(f"a:{tag}", namespaces=ATOM) for tag in ("id", "title", "updated")] == [
        "http://x/feed.atom",
        "Guestbook",
        "1970-01-01T00:00:00Z",
    ]


def test_an_unchanged_feed_is_not_sent_twice() -> None:
    client = create_app(MemoryStore()).test_client()
    etag = client.get("/feed.atom").headers["ETag"]

    assert client.get("/feed.atom", headers={"If-None-Match": etag}).status_code == 304


def test_older_entries_are_on_the_next_page() -> None:
    store = MemoryStore()
    for number in range(PAGE_SIZE + 1):
        store.sign("Ada", f"message {number}.")
    client = create_app(store).test_client()

    first, second = client.get("/").text, client.get("/?page=2").text

    assert "message 0." not in first
    assert "/?page=2" in first
    assert "message 0." in second


@pytest.mark.parametrize("number", ["0", "-1", "x", "\N{SUPERSCRIPT TWO}", "1" * 5000, "100001", ""])
def test_a_page_that_cannot_be_is_not_found(number: str) -> None:
    answer = create_app(MemoryStore()).test_client().get("/", query_string={"page": number})

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/", "/feed.atom", "/healthz"])
def test_without_its_database_it_says_so_and_keeps_the_address_to_itself(path: str) -> None:
    answer = create_app(ClosedStore()).test_client().get(path)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "cannot be opened" in answer.text
    assert "db.internal" not in answer.text


def test_a_request_beyond_any_entry_is_refused() -> None:
    answer = create_app(MemoryStore()).test_client().post("/", data={"name": "Ada", "message": "m" * 100_000})

    assert answer.status_code == 413


def test_every_answer_forbids_what_the_page_does_not_need() -> None:
    client = create_app(MemoryStore()).test_client()

    for path in ("/", "/feed.atom", "/nowhere", "/static/guestbook.css"):
        with client.get(path) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
