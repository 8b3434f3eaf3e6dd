"""`gocost.trace` and every function that takes a trace: a service by URL, as the command has it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.api.trace_intervals import trace_export, trace_mmu, trace_slice
from gocost.api.trace_profile import trace_profile_file
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.model.report import Report
from tests.fixtures.attributed import attributed
from tests.fixtures.breaking import TOKEN, breaking_off
from tests.fixtures.profiles import shared
from tests.fixtures.traces import recorded

NOBODY = "http://127.0.0.1:1"
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_service_is_recorded_for_as_long_as_is_said_and_kept(folder: Path) -> None:
    told: list[str] = []
    with attributed() as service:
        report = gocost.trace(service.origin, seconds=1, announce=told.append)
        (kept,) = folder.iterdir()
        named = gocost.trace(service.origin, seconds=1, view="waits", keep=folder / "app.trace")
    assert told == [f"recorded in {kept.name}"]
    assert report.subject.service == kept.name
    assert gocost.trace(kept).tables == report.tables
    assert named.subject.service == "app.trace"


def test_a_trace_is_compared_with_a_service(folder: Path) -> None:
    path = recorded("go", "cpu")
    with attributed() as service:
        report = gocost.trace(path, base=service.origin, seconds=0.5)
    assert "goroutine_rates" in report.tables
    assert [each.suffix for each in folder.iterdir()] == [".trace"]


FUNCTIONS: dict[str, Callable[..., object]] = {
    "trace": gocost.trace,
    "trace_intervals": gocost.trace_intervals,
    "trace_mmu": trace_mmu,
    "trace_profile": lambda file, **how: gocost.trace_profile(file, "sched", **how),
    "trace_profile_file": lambda file, **how: trace_profile_file(file, "sched", **how),
    "trace_export": lambda file, **how: trace_export(file, lambda _: None, **how),
    "trace_slice": lambda file, **how: trace_slice(file, lambda _: None, (0, 1 << 60), **how),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_takes_a_service_with_its_credentials(name: str, folder: Path) -> None:
    data = recorded("go", "cpu").read_bytes()
    with breaking_off(data, len(data)) as url:
        FUNCTIONS[name](url, headers=ALLOWED, seconds=1, keep="app.trace", max_bytes=len(data))
        assert Path("app.trace").read_bytes() == data
        with pytest.raises(SourceError, match="answered 401") as caught:
            FUNCTIONS[name](url, headers={"Authorization": f"Bearer x{TOKEN}"})
    assert TOKEN not in str(caught.value)
    assert [each.name for each in folder.iterdir()] == ["app.trace"]


def test_a_service_may_answer_in_gzip(folder: Path) -> None:
    data = recorded("go", "cpu").read_bytes()
    packed = gzip.compress(data)
    with breaking_off(packed, len(packed)) as url:
        report = gocost.trace(f"{url}/app.trace.gz", headers=ALLOWED)
    assert report.tables == gocost.trace(recorded("go", "cpu")).tables
    assert report.subject.service in [each.name for each in folder.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"seconds": 2}, "--seconds is about recording a service"),
        ({"keep": "x"}, "--keep is about recording a service"),
        ({"view": "nothing"}, "there is no view 'nothing'; choose of summary"),
        ({"base": "none.trace"}, "none.trace does not exist"),
    ],
)
def test_what_does_not_go_together(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises((UsageError, SourceError), match=says):
        gocost.trace(recorded("go", "cpu"), **arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"view": "nothing"}, "there is no view 'nothing'"),
        ({"seconds": 0}, "for up to 86,400 seconds, and not for 0"),
        ({"seconds": float("nan")}, "and not for nan"),
        ({"base": "none.trace"}, "none.trace does not exist"),
        ({"base": NOBODY, "keep": "x"}, "--keep names one file, and two services are recorded"),
        ({"keep": "none/x"}, "none/x does not exist"),
        ({"keep": "there"}, "there is there already; name a new file"),
        ({}, "nothing listens there"),
    ],
)
def test_what_is_wrong_costs_no_recording(
    arguments: dict[str, Any], says: str, folder: Path
) -> None:
    (folder / "there").write_text("kept")
    with pytest.raises((UsageError, SourceError), match=says):
        gocost.trace(NOBODY, **arguments)
    assert [each.read_text() for each in folder.iterdir()] == ["kept"]


def test_an_unknown_view_of_intervals_is_named() -> None:
    with pytest.raises(UsageError, match="there is no view 'x'; choose of threads, spikes"):
        gocost.trace_intervals(recorded("go", "cpu"), "x")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            b"<!DOCTYPE html><title>Log in</title>",
            "this is a web page, not an execution trace; correct the URL, or pass credentials",
        ),
        (
            b"\n\7\x08\1\x10\2",
            "this is a profile, not an execution trace; see `gocost profile top`",
        ),
        (
            b"hello, who are you?",
            "this is not an execution trace of Go; correct the URL, or pass credentials",
        ),
    ],
)
def test_an_answer_that_is_no_trace_is_named_and_not_kept(
    answer: bytes, says: str, folder: Path
) -> None:
    with breaking_off(answer, len(answer)) as url, pytest.raises(FormatError) as caught:
        gocost.trace(url, headers=ALLOWED)
    assert str(caught.value).startswith(f"{url}: {says}")
    assert [*folder.iterdir()] == []


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(UsageError, match="a trace has no profile 'x'; choose of net, sync"):
        gocost.trace_profile(recorded("go", "cpu"), "x")


def test_more_than_the_cap_gives_what_is_whole(folder: Path) -> None:
    data = recorded("go", "all").read_bytes()
    told: list[str] = []
    with breaking_off(data, len(data)) as url, pytest.raises(FormatError, match="cut off"):
        gocost.trace(url, headers=ALLOWED, max_bytes=1000, announce=told.append)
    assert "more than 1,000 bytes" in told[0]
    assert "raise --max-bytes" in told[0]


PROFILE = shared("large.cpu.pb.gz")
PATHS: dict[str, Callable[[], Report | object]] = {
    "profile": lambda: gocost.profile(PROFILE, base=PROFILE),
    "profile of a base": lambda: gocost.profile(str(PROFILE), diff_base=[str(PROFILE)]),
    "profile_forms": lambda: [*gocost.profile_forms(PROFILE, form="folded")],
    "attribute": lambda: gocost.attribute(profiles=PROFILE),
    "attribute several": lambda: gocost.attribute(profiles=[PROFILE], by="package"),
    "attribute a trace": lambda: gocost.attribute(trace=recorded("go", "cpu")),
    "goroutines": lambda: gocost.goroutines(recorded("go", "cpu")),
    "query": lambda: gocost.query(PROFILE, recorded("go", "cpu"), sql="select 1"),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path_or_a_name_is_enough_for_one_file(name: str) -> None:
    assert PATHS[name]()
