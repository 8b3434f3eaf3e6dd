"""URLs as they are shown: what authenticates is left out."""

from __future__ import annotations

import pytest

from gocost.model.errors import UsageError
from gocost.sources.naming import is_url, secrets_of, short_name, shown, shown_url, shown_within
from gocost.sources.recordings import page_url
from gocost.sources.service_urls import page_of, service_url


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("http://h:1/debug/pprof/profile?seconds=5", None),
        ("http://h/debug/pprof/heap?gc=1&debug=1", None),
        ("http://h", None),
        ("http://h/?", None),
        ("h:6060/debug/pprof", None),
        ("http://[::1]:6060/debug/@x", None),
        ("http://h/?token=S&seconds=0.5", "http://h/?token=***&seconds=0.5"),
        ("http://h/?seconds=S", "http://h/?seconds=***"),
        ("http://h/?debug=2;token=S", "http://h/?debug=***"),
        ("http://h/?S", "http://h/?***"),
        ("http://h?key=S#S", "http://h?key=***#***"),
        ("http://h/#S?a=S", "http://h/#***"),
        ("h:6060?sig=S", "h:6060?sig=***"),
        ("http://S@h/x", "http://***@h/x"),
        ("http://u:S@h/x?access_token=S", "http://***@h/x?access_token=***"),
        ("u:S@h:6060/x", "***@h:6060/x"),
        ("http://u:S@S@h/", "http://***@h/"),
        ("http://u:S/S@h:80/", "http://***@h:80/"),
        ("http://u:S?S@h/p", "http://***@h/p"),
        ("http://u:S#S@h/p?k=S", "http://***@h/p?k=***"),
        ("http://[::1]/x?mail=S@S", "http://[::1]/x?mail=***"),
        ("HTTPS://h/?token=S", "HTTPS://h/?token=***"),
        ("http:/h?token=S", "http:/h?token=***"),
        ("ftp://u:S@h/?token=S", "ftp://***@h/?token=***"),
    ],
)
def test_a_url_is_shown_without_what_authenticates(typed: str, told: str | None) -> None:
    assert shown_url(typed) == (told or typed)
    assert shown_url(shown_url(typed)) == shown_url(typed)
    if typed.startswith("http://"):
        assert shown(typed) == short_name(typed) == shown_url(typed)


def test_a_path_is_shown_as_it_is() -> None:
    assert shown("a?token=b") == "a?token=b"
    assert short_name("dir/a?token=b") == "a?token=b"
    assert shown("-") == short_name("-") == "standard input"
    assert is_url("HTTP://h")
    assert not is_url("http:/h")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("'http://h/?t=S' is none; see x", "'http://h/?t=***' is none; see x"),
        ("http://h/heap?debug=1: no", "http://h/heap?debug=1: no"),
        ("of http://h/?t=S, (http://u:S@h)", "of http://h/?t=***, (http://***@h)"),
        ("htps:/h?t=S does not exist", "htps:/h?t=*** does not exist"),
        ("(?i)a=b; either a/b", "(?i)a=b; either a/b"),
    ],
)
def test_urls_within_a_text(text: str, told: str) -> None:
    assert shown_within(text) == told


@pytest.mark.parametrize("before", ["_", "1", "0x", ".", "-"])
def test_what_stands_before_a_scheme_does_not_hide_it(before: str) -> None:
    assert "S" not in shown_within(f"no file {before}http://u:S@h/?token=S: it is not there")


@pytest.mark.parametrize("text", ["http://" + "." * 2_000_000 + "x", "a." * 1_000_000 + ":/x"])
def test_a_text_without_end_is_looked_through(text: str) -> None:
    """What looked again from each of its characters would not come to an end."""
    assert shown_within(text) == text


def test_what_is_left_out_is_known() -> None:
    assert secrets_of("http://h/?debug=1&a=S%20T&U&b=") == ["S%20T", "U"]
    assert secrets_of("http://h/#?a=b") == []


def test_the_query_of_a_service_goes_to_each_of_its_pages() -> None:
    service = "http://h:1/debug/pprof/?token=S"
    assert page_of(service, "/metrics") == "http://h:1/metrics?token=S"
    assert (
        page_of("http://h/debug/pprof?seconds=5&token=S", "/metrics") == "http://h/metrics?token=S"
    )
    assert page_of("http://h/below?token=S", "/debug/pprof/heap?debug=1") == (
        "http://h/below/debug/pprof/heap?debug=1&token=S"
    )
    assert page_url(service, "goroutine?debug=2", None) == (
        "http://h:1/debug/pprof/goroutine?debug=2&token=S"
    )
    assert page_url("http://h?token=S", "profile", 5) == (
        "http://h/debug/pprof/profile?token=S&seconds=5"
    )


@pytest.mark.parametrize(
    "text",
    ["http://h/a b?token=S", "http://h/\x7f?S", "http://h\n/?S", "http://h/é?S", "http://h?a=Sé"],
)
def test_what_no_request_can_hold_is_no_url(text: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of a service") as refused:
        service_url(text)
    assert "S" not in str(refused.value)
