"""Files are fetched, verified, and kept; against a server on the loopback interface."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from indexserver import (
    Index,
    Stalling,
    content,
    for_login,
    running_index,
    status,
    truncated,
)
from unit.fakes import RecordingReporter
from venvpkg.errors import DownloadError
from venvpkg.index.downloads import Downloads, Limits
from venvpkg.index.pip_settings import UvSettings
from venvpkg.model.lock import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexserver import Handle

BODY = b"wheel " * 50_000
QUICK = Limits(tries=3, pause_s=0.01)


@pytest.fixture
def index() -> Iterator[Index]:
    with running_index() as running:
        yield running


def downloads(
    tmp_path: Path,
    settings: UvSettings | None = None,
    *,
    limits: Limits = QUICK,
    offline: bool = False,
    reporter: RecordingReporter | None = None,
) -> Downloads:
    return Downloads(
        tmp_path / "store",
        settings or UvSettings({}),
        reporter or RecordingReporter(),
        offline=offline,
        limits=limits,
    )


def file_at(url: str, body: bytes = BODY, name: str = "a-1.0-py3-none-any.whl") -> RemoteFile:
    return RemoteFile(name, url, hashlib.sha256(body).hexdigest())


def in_store(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "store").rglob("*") if not path.is_dir())


def test_a_fetch_is_a_task_that_tells_how_far_it_is(tmp_path: Path, index: Index) -> None:
    files = [file_at(index.serve(f"/{name}.whl", content(BODY)), name=f"{name}-1.0-py3-none-any.whl") for name in "ab"]
    reporter = RecordingReporter()

    downloads(tmp_path, reporter=reporter).fetch(files)

    first, *doing, last = reporter.tasks  # on a slow machine there are more than one between
    assert (first, last) == ("+ download fetching 2 files", "- download fetching 2 files")
    assert [each for each in doing if each.startswith("  1 of 2, ")] != []


def test_a_file_is_kept_under_its_hash_and_fetched_once(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/a.whl", content(BODY)))
    reporter = RecordingReporter()

    first = downloads(tmp_path, reporter=reporter).fetch([file, file])
    second = downloads(tmp_path, reporter=reporter).fetch([file])

    assert first == second == {file: tmp_path / "store" / file.sha256[:2] / file.sha256 / file.filename}
    assert first[file].read_bytes() == BODY
    assert index.asked == ["/a.whl"]
    assert len(reporter.steps) == 1


def test_many_files_are_fetched_at_once(tmp_path: Path, index: Index) -> None:
    together = threading.Barrier(8, timeout=10)

    def answer(handle: object) -> None:
        together.wait()
        content(BODY)(handle)  # type: ignore[arg-type]

    files = [file_at(index.serve(f"/{n}", answer), name=f"a-{n}-py3-none-any.whl") for n in range(8)]

    assert len(downloads(tmp_path).fetch(files)) == 8


def test_nothing_to_fetch_is_nothing(tmp_path: Path) -> None:
    assert downloads(tmp_path).fetch([]) == {}
    assert not (tmp_path / "store").exists()


def test_a_file_with_another_hash_is_not_kept_and_both_hashes_are_told(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/a.whl", content(b"evil")))

    with pytest.raises(DownloadError) as caught:
        downloads(tmp_path).fetch([file])

    assert f"expected sha256 {file.sha256}" in caught.value.details
    assert f"actual   sha256 {hashlib.sha256(b'evil').hexdigest()}" in caught.value.details
    assert index.asked == ["/a.whl"]
    assert in_store(tmp_path) == []


def test_every_failure_is_told_and_the_good_files_are_kept(tmp_path: Path, index: Index) -> None:
    good = file_at(index.serve("/good", content(BODY)), name="good-1-py3-none-any.whl")
    wrong = file_at(index.serve("/wrong", content(b"x")), name="wrong-1-py3-none-any.whl")
    gone = file_at(index.url + "/gone", name="gone-1-py3-none-any.whl")

    with pytest.raises(DownloadError, match="2 of 3 files") as caught:
        downloads(tmp_path).fetch([good, wrong, gone])

    assert "gone-1-py3-none-any.whl: the server returned 404" in caught.value.details
    assert "wrong-1-py3-none-any.whl: not the locked file" in caught.value.details
    assert in_store(tmp_path) == ["good-1-py3-none-any.whl"]


@pytest.mark.parametrize("failure", [status(500), status(503), status(429), truncated(BODY[:100])])
def test_a_failure_that_may_pass_is_tried_again(tmp_path: Path, index: Index, failure: object) -> None:
    file = file_at(index.serve("/a.whl", failure, content(BODY)))  # type: ignore[arg-type]

    found = downloads(tmp_path).fetch([file])

    assert found[file].read_bytes() == BODY
    assert index.asked == ["/a.whl"] * 2


def test_trying_ends(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/a.whl", status(502)))

    with pytest.raises(DownloadError, match=r"502 .*tried 3 times"):
        downloads(tmp_path).fetch([file])

    assert len(index.asked) == 3
    assert in_store(tmp_path) == []


def test_a_server_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="tried 3 times"):
        downloads(tmp_path).fetch([file_at("http://127.0.0.1:9/a.whl")])


@pytest.mark.parametrize("code", [401, 403, 404, 410, 418])
def test_a_refusal_is_not_tried_again(tmp_path: Path, index: Index, code: int) -> None:
    with pytest.raises(DownloadError, match=str(code)):
        downloads(tmp_path).fetch([file_at(index.serve("/a.whl", status(code)))])

    assert len(index.asked) == 1


def test_credentials_of_the_index_open_its_files_and_are_not_told(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/files/a.whl", for_login("me", "p@ss", content(BODY))))
    with_login = index.url.replace("http://", "http://me:p%40ss@") + "/simple"

    found = downloads(tmp_path, UvSettings({}, indexes=(with_login,))).fetch([file])
    with pytest.raises(DownloadError) as caught:
        downloads(tmp_path / "other", UvSettings({}, indexes=(with_login.replace("p%40ss", "wr0ng"),))).fetch([file])

    assert found[file].is_file()
    assert "401" in caught.value.details
    assert "wr0ng" not in str(caught.value)


def test_netrc_opens_files_of_its_hosts(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/a.whl", for_login("me", "secret", content(BODY))))
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")

    found = downloads(tmp_path, UvSettings({"NETRC": str(netrc)}, indexes=(index.url + "/simple",))).fetch([file])

    assert found[file].is_file()


def test_a_netrc_that_is_malformed_does_not_count_and_is_not_quoted(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/a.whl", content(BODY)))
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 password s3cret oops\n")
    reporter = RecordingReporter()

    downloads(tmp_path, UvSettings({"NETRC": str(netrc)}), reporter=reporter).fetch([file])

    assert reporter.warnings == [f"ignoring {netrc}: NetrcParseError"]


def test_a_file_larger_than_allowed_is_given_up(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/a.whl", content(BODY)))

    with pytest.raises(DownloadError, match="larger than 1000 bytes"):
        downloads(tmp_path, limits=Limits(largest=1000)).fetch([file])

    assert in_store(tmp_path) == []


def test_a_server_that_drips_is_given_up(tmp_path: Path, index: Index) -> None:
    server = Stalling(drips=True)
    file = file_at(index.serve("/a.whl", server))

    with pytest.raises(DownloadError, match="too slow"):
        downloads(tmp_path, limits=Limits(patience_s=0.2, slowest=10_000)).fetch([file])

    assert not server.gave_up


def test_a_silent_server_is_given_up(tmp_path: Path, index: Index) -> None:
    server = Stalling()
    file = file_at(index.serve("/a.whl", server))

    with pytest.raises(DownloadError, match="tried 1 times"):
        downloads(tmp_path, UvSettings({"UV_HTTP_TIMEOUT": "1"}), limits=Limits(tries=1)).fetch([file])

    assert not server.gave_up
    server.ended.set()


def test_nothing_is_decompressed_on_the_way(tmp_path: Path, index: Index) -> None:
    body = gzip.compress(BODY)
    file = file_at(index.serve("/a.tar.gz", content(body, Content_Encoding="gzip")), body, "a-1.0.tar.gz")

    found = downloads(tmp_path).fetch([file])

    assert found[file].read_bytes() == body


def test_a_redirect_is_followed_but_not_to_a_file_of_this_machine(tmp_path: Path, index: Index) -> None:
    local = tmp_path / "local"
    local.write_bytes(BODY)
    index.serve("/real", content(BODY))
    good = file_at(index.serve("/good", status(302, Location="/real")))
    bad = file_at(index.serve("/bad", status(302, Location=local.as_uri())), name="b-1-py3-none-any.whl")
    loop = file_at(index.serve("/loop", status(302, Location="/loop")), name="c-1-py3-none-any.whl")

    with pytest.raises(DownloadError, match="2 of 3 files"):
        downloads(tmp_path).fetch([good, bad, loop])

    assert in_store(tmp_path) == ["a-1.0-py3-none-any.whl"]


def test_credentials_do_not_follow_a_redirect_to_another_host(tmp_path: Path, index: Index) -> None:
    seen: list[str | None] = []

    def elsewhere(handle: object) -> None:
        seen.append(handle.headers.get("Authorization"))  # type: ignore[attr-defined]
        content(BODY)(handle)  # type: ignore[arg-type]

    with running_index() as other:
        target = other.serve("/a.whl", elsewhere).replace("127.0.0.1", "localhost")
        file = file_at(index.serve("/a.whl", for_login("me", "pw", status(302, Location=target))))
        login = index.url.replace("http://", "http://me:pw@")
        downloads(tmp_path, UvSettings({}, indexes=(login,))).fetch([file])

    assert seen == [None]


@pytest.mark.parametrize("excepted", ["localhost, 127.0.0.1", "[::1], 127.0.0.0/8", "*.0.0.1,10.0.0.0/8", ".0.0.1"])
def test_a_proxy_is_used_unless_the_host_is_excepted(tmp_path: Path, index: Index, excepted: str) -> None:
    with running_index() as proxy:
        proxy.serve("http://files.corp/a.whl", content(BODY))
        file = file_at("http://files.corp/a.whl")
        direct = file_at(index.serve("/b.whl", content(BODY)), name="b-1-py3-none-any.whl")
        environment = {"HTTP_PROXY": proxy.url.removeprefix("http://"), "NO_PROXY": excepted}

        downloads(tmp_path, UvSettings(environment)).fetch([file, direct])

        assert proxy.asked == ["http://files.corp/a.whl"]
        assert index.asked == ["/b.whl"]


def test_certificates_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="network settings"):
        downloads(tmp_path, UvSettings({"SSL_CERT_FILE": "/nowhere.pem"})).fetch([file_at("https://h.example/a.whl")])


def test_a_stored_file_that_was_damaged_is_fetched_again(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/a.whl", content(BODY)))
    reporter = RecordingReporter()
    place = downloads(tmp_path).fetch([file])[file]
    place.write_bytes(BODY[:-1] + b"!")

    downloads(tmp_path, reporter=reporter).fetch([file])

    assert place.read_bytes() == BODY
    assert len(index.asked) == 2
    assert "damaged" in reporter.warnings[0]


def test_an_empty_file_in_the_store_is_no_file(tmp_path: Path, index: Index) -> None:
    file = file_at(index.serve("/a.whl", content(BODY)))
    place = downloads(tmp_path).path_of(file)
    place.parent.mkdir(parents=True)
    place.touch()

    downloads(tmp_path).fetch([file])

    assert place.read_bytes() == BODY


def test_offline_uses_the_store_and_lists_everything_that_is_not_in_it(tmp_path: Path, index: Index) -> None:
    there = file_at(index.serve("/a.whl", content(BODY)))
    absent = [file_at(index.url + f"/{name}", name=f"{name}-1-py3-none-any.whl") for name in "bc"]
    downloads(tmp_path).fetch([there])

    assert list(downloads(tmp_path, offline=True).fetch([there])) == [there]
    with pytest.raises(DownloadError, match="2 of 3 files are not on this machine") as caught:
        downloads(tmp_path, offline=True).fetch([there, *absent])

    assert "b-1-py3-none-any.whl" in caught.value.details
    assert "c-1-py3-none-any.whl" in caught.value.details
    assert index.asked == ["/a.whl"]


def test_a_file_url_is_copied_and_verified_offline_too(tmp_path: Path) -> None:
    source = tmp_path / "my wheels" / "a-1.0-py3-none-any.whl"
    source.parent.mkdir()
    source.write_bytes(BODY)
    file = file_at(source.as_uri())

    place = downloads(tmp_path, offline=True).fetch([file])[file]
    source.write_bytes(b"changed")

    assert place.read_bytes() == BODY
    with pytest.raises(DownloadError, match="not the locked file"):
        downloads(tmp_path / "other").fetch([file])


def test_a_file_url_of_something_else_is_an_error_and_no_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    urls = [(tmp_path / "fifo").as_uri(), tmp_path.as_uri(), (tmp_path / "gone").as_uri(), "file:///a%00b"]
    files = [file_at(url, name=f"a-{n}-py3-none-any.whl") for n, url in enumerate(urls)]

    with pytest.raises(DownloadError, match="4 of 4"):
        downloads(tmp_path).fetch(files)


def test_an_interrupt_ends_a_fetch_at_once_and_leaves_nothing(tmp_path: Path, index: Index) -> None:
    main = threading.main_thread().ident or 0
    server = Stalling(drips=True)

    def answer(handle: Handle) -> None:
        signal.pthread_kill(main, signal.SIGINT)
        server(handle)

    file = file_at(index.serve("/a.whl", answer))

    with pytest.raises(KeyboardInterrupt):
        downloads(tmp_path).fetch([file])

    assert not server.gave_up
    assert in_store(tmp_path) == []
