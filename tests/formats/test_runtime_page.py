"""Pages of the Go runtime: the four kinds of one real program, and what is wrong with others."""

from __future__ import annotations

import math

import pytest

from gocost.formats import runtime_page
from gocost.formats.runtime_page import Histogram, decode, prometheus_name
from gocost.model.errors import FormatError
from tests.fixtures.collected import pages

KINDS = ("txt", "om", "usual", "vars")
TOTAL = "/memory/classes/total:bytes"


@pytest.mark.parametrize("kind", KINDS)
def test_the_classes_of_memory_add_up_on_every_kind_of_page(kind: str) -> None:
    for page in pages().read(kind):
        classes = {n: v for n, v in page.values.items() if n.startswith("/memory/classes/")}
        total = classes.pop(TOTAL)
        assert sum(classes.values()) == total > 8 << 20
        assert len(classes) == 13


@pytest.mark.parametrize("kind", ["om", "usual", "vars"])
def test_the_kinds_tell_the_same_of_one_moment(kind: str) -> None:
    # Pages of one moment are made in turn: a collection may have run between two of them.
    for page, other in zip(pages().read(kind), pages().read("txt"), strict=True):
        allocated = "/gc/heap/allocs:bytes"
        assert page.values[allocated] == pytest.approx(other.values[allocated], rel=0.05)
        for name in ("/gc/heap/goal:bytes", TOTAL):
            assert page.values[name] == pytest.approx(other.values[name], rel=0.6)
        cycles = "/gc/cycles/total:gc-cycles"
        assert abs(page.values[cycles] - other.values[cycles]) <= 1
        assert page.last_gc == pytest.approx(other.last_gc, abs=2)


def test_only_the_page_of_all_metrics_has_histograms_and_scans() -> None:
    first, last = pages().read("txt")
    latencies = "/sched/latencies:seconds"
    gained = last.histograms[latencies].since(first.histograms[latencies])
    assert gained is not None
    assert gained.total > 0
    assert last.values["/gc/scan/total:bytes"] > 1 << 20
    assert last.go.startswith("go1.")
    assert last.cpu_seconds is not None
    usual = pages().read("usual")[1]
    assert not usual.histograms
    assert usual.pause_quantiles[1.0] > 0
    assert usual.values["/gc/gogc:percent"] == 100


@pytest.mark.parametrize("left_out", [("mspan", "mcache"), ("other_sys",), ("buck_hash", "gc_sys")])
def test_what_a_page_leaves_out_of_the_runtime_s_own_is_in_the_whole(
    left_out: tuple[str, ...],
) -> None:
    data = pages().data["usual"][1]
    lines = [
        line
        for line in data.splitlines(keepends=True)
        if not any(f"go_memstats_{name}".encode() in line for name in left_out)
    ]
    before, page = decode(data), decode(b"".join(lines))
    classes = {n: v for n, v in page.values.items() if n.startswith("/memory/classes/")}
    assert classes.pop(TOTAL) == before.values[TOTAL] == sum(classes.values())
    for name in ("heap/objects", "heap/free", "heap/stacks"):
        assert page.value(f"/memory/classes/{name}:bytes") == before.value(
            f"/memory/classes/{name}:bytes"
        )


def test_a_page_without_its_heap_has_no_classes() -> None:
    data = pages().data["usual"][1].replace(b"go_memstats_heap_idle_bytes", b"go_other")
    assert decode(data).value(TOTAL) is None


def test_names_follow_the_rule_of_client_golang() -> None:
    assert prometheus_name("/gc/heap/live:bytes", counter=False) == "go_gc_heap_live_bytes"
    name = "/cpu/classes/gc/mark/assist:cpu-seconds"
    told = "go_cpu_classes_gc_mark_assist_cpu_seconds_total"
    assert prometheus_name(name, counter=True) == told


def test_a_page_of_several_processes_is_refused() -> None:
    text = (
        'go_goroutines{instance="a:1"} 5\ngo_goroutines{instance="b:1"} 7\n'
        'go_memstats_next_gc_bytes{instance="a:1"} 4194304\n'
    )
    with pytest.raises(FormatError, match=r"of 2 processes \(they differ by instance\)"):
        decode(text.encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"node_cpu_seconds_total 1\n", "none of the Go runtime's metrics"),
        (b'{"cmdline": []}', "not a page of Go's expvar"),
        (b"<html></html>\n", "none of the Go runtime's metrics"),
        (b"go_goroutines 5", "cut off"),
        (
            b'go_gc_pauses_seconds_bucket{le="1"} 5\ngo_gc_pauses_seconds_bucket{le="+Inf"} 4\n',
            "do not rise",
        ),
    ],
)
def test_what_is_no_such_page_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        decode(data)


def test_values_that_cannot_be_are_not_there() -> None:
    page = decode(
        b"go_goroutines NaN\ngo_memstats_next_gc_bytes -5\ngo_threads 3\ngo_gc_gogc_percent 1\n"
    )
    assert dict(page.values) == {"/gc/gogc:percent": 1.0}


def test_a_quantile_is_the_bucket_that_it_lies_in() -> None:
    histogram = Histogram((0.001, 0.01, math.inf), (10.0, 99.0, 100.0))
    assert histogram.quantile(0.1) == (0.0, 0.001)
    assert histogram.quantile(0.99) == (0.001, 0.01)
    assert histogram.quantile(1.0) == (0.01, math.inf)
    assert Histogram((math.inf,), (0.0,)).quantile(0.5) is None


def test_what_was_added_to_a_histogram() -> None:
    before = Histogram((1.0, math.inf), (2.0, 3.0))
    after = Histogram((1.0, math.inf), (4.0, 9.0))
    assert after.since(before) == Histogram((1.0, math.inf), (2.0, 6.0))
    assert before.since(after) is None, "a counter that fell is of another process"
    assert after.since(Histogram((2.0, math.inf), (0.0, 0.0))) is None


def test_the_comments_of_a_heap_profile_tell_the_same_classes() -> None:
    text = (
        "heap profile: 1: 8 [2: 16] @ heap/1048576\n\n# runtime.MemStats\n"
        "# Alloc = 100\n# TotalAlloc = 5000\n# Sys = 1000\n# HeapAlloc = 100\n# HeapSys = 600\n"
        "# HeapIdle = 300\n# HeapInuse = 300\n# HeapReleased = 200\n# HeapObjects = 7\n"
        "# Stack = 40 / 50\n# MSpan = 20 / 30\n# MCache = 5 / 10\n# BuckHashSys = 60\n"
        "# GCSys = 150\n# OtherSys = 100\n# NextGC = 400\n# LastGC = 1700000000000000000\n"
        "# PauseNs = [0 0]\n# NumGC = 3\n# NumForcedGC = 1\n# GCCPUFraction = 0.25\n"
    )
    page = decode(text.encode())
    classes = {n: v for n, v in page.values.items() if n.startswith("/memory/classes/")}
    assert classes.pop(TOTAL) == sum(classes.values()) == 1000
    assert classes["/memory/classes/os-stacks:bytes"] == 10
    assert page.last_gc == pytest.approx(1.7e9)
    assert page.kind == "heap"
    assert page.stats is not None
    assert page.stats.gc_cpu_fraction == 0.25


@pytest.mark.parametrize("told", ["mspan_sys", "mspan_inuse"])
def test_of_a_structure_of_which_half_is_told_no_split_is_known(told: str) -> None:
    names = {
        "sys": 1000, "heap_alloc": 100, "heap_inuse": 300, "heap_idle": 300, "heap_released": 200,
        "stack_inuse": 40, "stack_sys": 50, told: 30,
    }  # fmt: skip
    text = "".join(f"go_memstats_{name}_bytes {value}\n" for name, value in names.items())
    classes = decode(text.encode()).values
    assert classes["/memory/classes/metadata/mspan/inuse:bytes"] == 0
    assert classes["/memory/classes/metadata/mspan/free:bytes"] == 0
    assert classes["/memory/classes/other:bytes"] == 1000 - 600 - 50


def test_no_limit_is_known_as_that() -> None:
    page = pages().read("txt")[1]
    assert page.values["/gc/gomemlimit:bytes"] >= runtime_page.UNLIMITED
