"""What is told of a service that refuses: what to do, and never what it was sent."""

from __future__ import annotations

import base64
import html
from urllib.parse import quote, quote_plus

import pytest

from gocost.sources.credentials import Credentials
from gocost.sources.refusals import ProfilingInUseError, refusal

URL = "https://orders:6060/debug/pprof/profile"
TOKEN = "s3cr3t/t0ken+<&>=="
BASIC = base64.b64encode(b"admin:hunter2").decode()


@pytest.mark.parametrize(
    ("status", "body", "headers", "says"),
    [
        (401, b"who?", None, "answered 401: who?; pass credentials with --header"),
        (403, b"", None, "answered 403; pass credentials with --header"),
        (401, b"who?", Credentials({}), "answered 401: who?; pass credentials with --header"),
        (401, b"expired", {"X-Key": "a"}, "answered 401; correct what --header gives"),
        (403, b"no role", {"X-Key": "k"}, "answered 403: no role; correct what --header gives"),
        (302, b"<a>", None, "answered 302, which leads elsewhere: to a login perhaps; correct"),
        (404, b"404 page", None, "answered 404: 404 page; import net/http/pprof"),
        (500, b"one\ntwo", None, "answered 500: one; see whether the service has this page"),
        (502, b"", None, "answered 502; see whether the service that it is for runs"),
        (400, b"Client sent an HTTP request to an HTTPS server.", None, "; write https:// in"),
    ],
)
def test_every_refusal_says_what_to_do(
    status: int, body: bytes, headers: dict[str, str] | None, says: str
) -> None:
    assert says in str(refusal(URL, status, body, headers))


@pytest.mark.parametrize("status", [302, 401, 403, 404, 500])
@pytest.mark.parametrize(
    "repeated",
    [f"Bearer {TOKEN}", TOKEN, html.escape(TOKEN), quote(TOKEN, safe=""), quote_plus(TOKEN), "k3y",
     BASIC, "admin:hunter2", "hunter2"],
)  # fmt: skip
def test_what_was_sent_is_not_repeated(status: int, repeated: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Key": "k3y", "X-Proxy": f"Basic {BASIC}"}
    told = str(refusal(URL, status, f"wrong: {repeated}, sorry".encode(), headers))
    assert repeated not in told
    assert f"answered {status}" in told


def test_what_is_no_base64_is_hidden_as_it_is() -> None:
    told = str(refusal(URL, 500, b"no: hunter2", {"Authorization": "Basic hunter2"}))
    assert "hunter2" not in told
    assert "no: ***" in told


def test_a_page_full_of_nothing_is_one_short_line() -> None:
    told = str(refusal(URL, 500, b"\x1b[31m" + b"x" * 100_000, None))
    assert "\x1b" not in told
    assert len(told) < 400


def test_a_profile_that_another_records_is_an_error_of_its_own() -> None:
    body = b"Could not enable CPU profiling: cpu profiling already in use\n"
    assert isinstance(refusal(URL, 500, body, None), ProfilingInUseError)
