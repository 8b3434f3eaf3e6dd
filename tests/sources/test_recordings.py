"""Pages of a service that are not had: too large ones, and refusals whose page does not end."""

from __future__ import annotations

import socket
import time

import pytest

from gocost.model.errors import SourceError
from gocost.sources.endpoints import TooLargeError
from gocost.sources.recordings import read_recording
from tests.fixtures.breaking import TOKEN, breaking_off
from tests.fixtures.watched import misbehaving


@pytest.mark.parametrize(
    ("page", "hint"),
    [
        ("goroutine?debug=2", "raise --max-bytes"),
        ("heap", "raise --max-bytes"),
        ("heap?seconds=2", "record for a shorter time (?seconds=N), or raise --max-bytes"),
        ("profile", "record for a shorter time (?seconds=N), or raise --max-bytes"),
    ],
)
def test_only_what_lasts_can_be_recorded_for_a_shorter_time(page: str, hint: str) -> None:
    with breaking_off(b"\1" * 2_000, 2_000) as url, pytest.raises(TooLargeError) as caught:
        read_recording(
            url, page=page, headers={"Authorization": f"Bearer {TOKEN}"}, max_bytes=1_000
        )
    assert caught.value.hint == hint
    assert "more than 1,000 bytes" in str(caught.value)


@pytest.mark.parametrize("page", ["profile", "heap"])
def test_a_refusal_is_said_by_its_status_and_soon_where_its_page_does_not_end(page: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\nno role\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    begun = time.monotonic()
    with misbehaving(answer) as url, pytest.raises(SourceError) as caught:
        read_recording(url, page=page)
    assert "answered 403: no role; pass credentials with --header" in str(caught.value)
    assert time.monotonic() - begun < 10, "no profile of 30 s is waited for"
