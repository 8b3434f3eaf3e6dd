"""Pages over HTTP, from servers that answer well and from servers that do not."""

from __future__ import annotations

import contextlib
import gzip
import socket
import time
from collections.abc import Callable

import pytest

from gocost.model.errors import UsageError
from gocost.sources.endpoints import Endpoint, EndpointError
from tests.fixtures.answering import Quiet, answering
from tests.fixtures.watched import free_port, misbehaving

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
ZIPPED = OK + b"Content-Encoding: gzip\r\n\r\n"


def test_a_page_is_read_over_one_kept_connection() -> None:
    seen: list[tuple[str, str, int]] = []

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append((self.path, self.headers["X-Key"], self.client_address[1]))
            body = self.path.encode()
            self.send_response(200 if "missing" not in self.path else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with (
        answering(Handler) as url,
        Endpoint(f"{url}/base/?x=1", headers={"X-Key": "secret"}) as endpoint,
    ):
        assert endpoint.get("/metrics").body == b"/base/metrics?x=1"
        assert endpoint.get("").body == b"/base?x=1"
        assert not endpoint.get("/missing").ok
    assert [path for path, _, _ in seen] == ["/base/metrics?x=1", "/base?x=1", "/base/missing?x=1"]
    assert {key for _, key, _ in seen} == {"secret"}
    assert len({port for _, _, port in seen}) == 1


def test_a_chunked_page() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(
            OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )

    with misbehaving(answer) as url, Endpoint(url) as endpoint:
        assert endpoint.get("/").body == b"abcde"


@pytest.mark.parametrize("name", [b"gzip", b"x-gzip", b"GZip"])
def test_a_page_that_a_proxy_compressed_is_unpacked(name: bytes) -> None:
    body = gzip.compress(b"abc") + gzip.compress(b"def")

    def answer(connection: socket.socket) -> None:
        head = b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (name, len(body))
        connection.sendall(OK + head + body)

    saved = bytearray()
    with misbehaving(answer) as url, Endpoint(url) as endpoint:
        assert endpoint.get("/").body == b"abcdef"
        assert endpoint.save("/", saved.extend).body == b""
    assert saved == b"abcdef"


def test_the_size_of_a_compressed_page_is_that_of_what_is_in_it() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    saved = []
    with (
        misbehaving(lambda c: c.sendall(ZIPPED + bomb)) as url,
        Endpoint(url, max_body=2 << 20, timeout=20) as endpoint,
        pytest.raises(EndpointError, match="more than 2,097,152 bytes"),
    ):
        endpoint.save("/", lambda piece: saved.append(len(piece)))
    assert 2 << 20 < sum(saved) < 4 << 20, "what came before it is written"


def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")

    with misbehaving(answer) as url, Endpoint(url) as endpoint:
        assert [endpoint.get("/").body for _ in range(3)] == [b"ok"] * 3


def hang(connection: socket.socket) -> None:
    connection.recv(1)  # until the client leaves


def drip_headers(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 200 OK\r\nX: ")


def drip_body(connection: socket.socket) -> None:
    drip(connection, OK + b"Content-Length: 1000000\r\n\r\n")


def drip_to_the_end(connection: socket.socket) -> None:
    """Without a length the body ends with the connection."""
    drip(connection, OK + b"Connection: close\r\n\r\n")


def drip(connection: socket.socket, head: bytes) -> None:
    """Until the client leaves: one that waits for the end hangs until pytest's time is up."""
    connection.sendall(head)
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [hang, drip_headers, drip_body, drip_to_the_end])
def test_time_is_bounded_whatever_the_server_does(answer: object) -> None:
    with (
        misbehaving(answer) as url,  # type: ignore[arg-type]
        Endpoint(url, timeout=0.3) as endpoint,
        pytest.raises(EndpointError, match=r"did not answer within 0\.3 s"),
    ):
        endpoint.get("/metrics")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 99",
        b"Connection: close",
        b"Content-Encoding: gzip",
        b"Transfer-Encoding: chunked",
    ],
)
@pytest.mark.parametrize("then", [hang, lambda connection: drip(connection, b"")])
def test_a_refusal_is_known_before_its_page_ends(
    head: bytes, then: Callable[[socket.socket], None]
) -> None:
    asked = 0

    def answer(connection: socket.socket) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            with contextlib.suppress(OSError):  # whoever asked has gone
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\n" + head + b"\r\n\r\n")
                then(connection)
        connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")

    with misbehaving(answer) as url, Endpoint(url, timeout=0.3) as endpoint:
        assert endpoint.get("/metrics").status == 403
        assert endpoint.get("/metrics").body == b"ok", "on a new connection"


def test_what_was_ended_before_it_was_asked_for_ends_at_once() -> None:
    with misbehaving(hang) as url, Endpoint(url, timeout=25) as endpoint:
        endpoint.abort()
        with pytest.raises(EndpointError) as caught:
            endpoint.get("/profile?seconds=60")
    assert "did not answer within" not in str(caught.value)


def test_size_is_bounded() -> None:
    sent = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(OK + b"Content-Length: 1073741824\r\n\r\n")
        for _ in range(1024):
            connection.sendall(b"x" * (1 << 20))
            sent.append(1)

    with misbehaving(answer) as url, Endpoint(url, max_body=2 << 20, timeout=20) as endpoint:
        with pytest.raises(EndpointError, match="more than 2,097,152 bytes"):
            endpoint.get("/")
        assert len(sent) < 100


@pytest.mark.parametrize("head", [b"", b"Content-Encoding: gzip\r\n", b"Content-Length: 9\r\n"])
def test_of_a_page_of_an_error_the_beginning_is_enough(head: bytes) -> None:
    sent = 0

    def answer(connection: socket.socket) -> None:
        nonlocal sent
        sent = 0
        with contextlib.suppress(OSError):  # whoever asked has gone
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\n" + head + b"\r\n")
            if b"Length" in head:
                connection.sendall(b"no")
                return
            while sent < 256 << 20:
                connection.sendall(bytes(1 << 20))
                sent += 1 << 20

    with misbehaving(answer) as url, Endpoint(url, timeout=20) as endpoint:
        found = endpoint.get("/")
        assert found.status == 403
        assert len(found.body) <= 1 << 16
        assert endpoint.get("/").status == 403, "on a new connection"
    assert sent < 64 << 20


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x16\x03\x01garbage\n", "did not answer in HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "did not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "did not answer in HTTP"),
        (OK + b"Content-Length: 10\r\n\r\nabc", "7 bytes early"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "ended its answer early"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "ended its answer early"),
        (
            ZIPPED + gzip.compress(b"abc", mtime=0)[:-9],
            "ended its answer early: its gzip is cut off",
        ),
        (ZIPPED + b"no gzip", "the gzip stream is damaged"),
        (OK + b"Content-Encoding: br\r\n\r\nabc", "in the encoding 'br'; have the proxy"),
        (b"", "did not answer in HTTP"),
    ],
)
def test_what_is_not_a_whole_answer(data: bytes, message: str) -> None:
    with (
        misbehaving(lambda c: c.sendall(data)) as url,
        Endpoint(url) as endpoint,
        pytest.raises(EndpointError, match=message),
    ):
        endpoint.get("/metrics")


def test_nothing_listens() -> None:
    with (
        Endpoint(f"127.0.0.1:{free_port()}") as endpoint,
        pytest.raises(EndpointError, match="nothing listens there"),
    ):
        endpoint.get("/metrics")


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:b", "http://[::1", "//"])
def test_what_is_not_a_url(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL"):
        Endpoint(url)


def test_credentials_are_never_shown() -> None:
    with pytest.raises(UsageError) as caught:
        Endpoint("http://me:hunter2@127.0.0.1:1")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(UsageError) as caught:
        Endpoint("ftp://me:hunter2@127.0.0.1:1")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(UsageError) as caught:
        Endpoint("http://127.0.0.1:1", headers={"Authorization": "hunter2\r\nX: y"})
    assert "hunter2" not in str(caught.value)
    url = f"http://127.0.0.1:{free_port()}"
    with (
        Endpoint(url, headers={"Authorization": "hunter2 \u20ac"}) as endpoint,
        pytest.raises(EndpointError) as refused,
    ):
        endpoint.get("/metrics")
    assert "hunter2" not in str(refused.value)
