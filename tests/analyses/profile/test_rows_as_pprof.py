"""Rows and totals are pprof's, as whole numbers and in its order, for every option."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analyses.profile.peer import compared
from tests.fixtures.profiles import KINDS, recorded, shared

OPTIONS: list[dict[str, Any]] = [
    {},
    {"granularity": "functions", "noinlines": True},
    {"granularity": "filefunctions"},
    {"granularity": "files"},
    {"granularity": "lines"},
    {"granularity": "lines", "noinlines": True},
    {"granularity": "lines", "showcolumns": True},
    {"granularity": "addresses"},
    {"granularity": "addresses", "noinlines": True},
    {"granularity": "lines", "trim_path": "/usr/local/go/src:/usr/lib/go/src"},
    {"granularity": "files", "source_path": "/home/me/go:/home/me/profiled"},
    {"sample_index": "0"},
    {"sample_index": "1"},
    {"sample_index": "3"},
    {"sample_index": "inuse_space"},
    {"sample_index": "alloc_objects"},
    {"sample_index": "delay"},
    {"mean": True},
    {"mean": True, "focus": "json"},
    {"focus": "json"},
    {"focus": "json", "relative_percentages": True},
    {"focus": r"main\.go|select"},
    {"focus": "(?i)JSON"},
    {"focus": "[[:upper:]]nc"},
    {"focus": "nothing like this"},
    {"ignore": "json|runtime"},
    {"ignore": "profiled"},
    {"focus": "main", "ignore": "json"},
    {"hide": "^runtime"},
    {"hide": "main"},
    {"hide": "mallocgc", "granularity": "lines"},
    {"show": "main|json"},
    {"show": "grow", "noinlines": True},
    {"hide": "main", "show": "json", "focus": "serve"},
    {"show_from": r"main\.serve"},
    {"show_from": "json", "granularity": "lines"},
    {"show_from": "nothing like this"},
    {"prune_from": "encoding"},
    {"prune_from": r"main\.grow"},
    {"prune_from": "mallocgc|Unlock", "granularity": "addresses"},
    {"focus": "main", "show_from": "serve", "prune_from": "json", "hide": "reflect"},
    {"focus": "("},
    {"hide": "*"},
    {"prune_from": "[z-a]"},
]
TAGS: list[dict[str, Any]] = [
    {"tagfocus": "tenant-1"},
    {"tagfocus": "tenant=tenant-0"},
    {"tagfocus": "tenant=tenant-0,tenant-1"},
    {"tagfocus": "tenant-0,/e1"},
    {"tagfocus": "ten[a-z]+:tenant-1"},
    {"tagfocus": "nothing=x"},
    {"tagignore": "endpoint=/e1"},
    {"tagignore": "tenant-0"},
    {"tagfocus": "tenant=tenant-0", "tagignore": "endpoint=/e[12]"},
    {"tagfocus": "bytes=1kb:"},
    {"tagfocus": "bytes=:512b"},
    {"tagfocus": "bytes=64b:4kb"},
    {"tagfocus": "32b"},
    {"tagfocus": "1kb:10mb"},
    {"tagignore": "bytes=16b:48b"},
    {"tagfocus": "bytes=1s:2s"},
    {"tagfocus": "bytes=5mb:1kb"},
    {"tagroot": "tenant"},
    {"tagroot": "tenant,endpoint"},
    {"tagleaf": "endpoint"},
    {"tagleaf": "endpoint,tenant", "tagroot": "bytes"},
    {"tagroot": "bytes"},
    {"tagroot": "nothing"},
    {"tagroot": "tenant", "focus": "tenant-1"},
    {"tagroot": "tenant", "granularity": "files"},
    {"tagleaf": "tenant", "prune_from": "main"},
    {"taghide": "ten"},
    {"tagshow": "end"},
    {"tagshow": "end", "tagfocus": "tenant-1"},
    {"taghide": "("},
    {"tagfocus": "("},
]
"""Only CPU profiles have texts, and only heaps numbers."""


def named(options: dict[str, Any]) -> str:
    """A test's name."""
    return " ".join(f"{name}={value}" for name, value in options.items()) or "none"


@pytest.mark.parametrize("options", OPTIONS, ids=named)
def test_real_profiles(options: dict[str, Any]) -> None:
    for kind in KINDS:
        compared([recorded() / f"{kind}.1.pb.gz"], options)


@pytest.mark.parametrize("options", TAGS, ids=named)
def test_labels_of_real_profiles(options: dict[str, Any]) -> None:
    for kind in ("cpu", "heap", "goroutine"):
        compared([recorded() / f"{kind}.1.pb.gz"], options)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "cpu"])
def test_texts_that_go_prints(kind: str) -> None:
    for options in ({}, {"granularity": "addresses"}, {"sample_index": "0"}, {"mean": True}):
        assert compared([recorded() / f"{kind}.0.txt"], options) > 0


@pytest.mark.parametrize(
    "name",
    ["anon.in.pprof", "anon.out.pprof", "avg.in.pprof", "avg.out.pprof", "heapage.in.pprof",
     "heapage.out.pprof", "json.in.pprof", "labelframes.in.pprof", "labelframes.out.pprof"],
)  # fmt: skip
def test_profiles_of_others(name: str) -> None:
    path = shared(name)
    for options in (*OPTIONS[:9], *OPTIONS[11:14], *OPTIONS[17:23:2], *OPTIONS[28:35]):
        compared([path], options)
    for options in ({"tagroot": "pid"}, {"tagleaf": "thread id"}, {"tagfocus": "bytes=1kb:"}):
        compared([path], options)


def test_a_large_profile() -> None:
    path = shared("large.cpu.pb.gz")
    for options in (
        {},
        {"granularity": "lines"},
        {"granularity": "addresses"},
        {"focus": "func1", "hide": "next"},
        {"show_from": "setFunctions", "prune_from": "time.Now", "noinlines": True},
    ):
        assert compared([path], options) > 100


def test_what_is_compared_is_there() -> None:
    folder = recorded()
    assert compared([folder / "cpu.1.pb.gz"]) > 0
    assert compared([folder / "heap.1.pb.gz"], {"granularity": "lines"}) > 0
    assert compared([folder / "cpu.1.pb.gz"], {"tagfocus": "tenant=tenant-0"}) > 0
    assert (
        compared(
            [folder / "heap.1.pb.gz"], {"tagfocus": "bytes=1kb:", "sample_index": "alloc_space"}
        )
        > 0
    )
    assert compared([folder / "cpu.1.pb.gz"], {"focus": "("}) == -1
