"""gocost.record of replicas behind one URL, of a service with too much to do for a while, and on a
host whose clock is set: none of them ended or was started anew.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import gocost
from gocost.formats.runtime_page import RuntimePage, decode
from gocost.measures.listening import APART, LASTING, LOOKS, Listening
from gocost.measures.manifest import Manifest, read_manifest
from gocost.measures.same_process import another_process, in_turn, same_process
from tests.fixtures.restarting import (
    Restarting,
    between,
    only_one_is_billed,
    recorded_live,
    restarting,
)

COMPARED = {"metrics", "memstats", "heap", "block", "mutex"}


@contextmanager
def replicas() -> Iterator[tuple[Restarting, Restarting]]:
    """Two, the first of which is older by more than what pages round a start to."""
    with restarting() as one:
        time.sleep(0.05)
        with restarting() as other:
            yield one, other


def lost(manifest: Manifest) -> dict[str, str]:
    return {part.file: part.lost for part in manifest.parts if part.lost}


@pytest.mark.parametrize("tunnel", [False, True], ids=["proxy", "tunnel"])
def test_replicas_are_told_from_a_restart(
    tmp_path: Path, tunnel: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "recording"
    with replicas() as (one, other), between(one, other, tunnel=tunnel) as url:
        manifest = recorded_live(url, 2, folder)
    told = capsys.readouterr()
    assert not manifest.restarted
    assert manifest.ended == ""
    (said,) = [line for line in told.err.splitlines() if "several processes" in line]
    assert f"several processes answer in turn at {url} (it started " in said
    assert said.endswith("record one of them, by its own address")

    # What is recorded at once counts, and nothing is compared with what another process gave.
    assert {*lost(manifest).values()} == {manifest.several}
    assert {file.partition("-2.")[0] for file in lost(manifest)} == COMPARED
    only_one_is_billed(folder)
    notes = [note.text for note in gocost.attribute(folder).notes]
    assert notes[0].startswith(manifest.several)
    assert "of metrics, memstats, heap, block, mutex there is no second page" in notes[0]
    assert not [text for text in notes[1:] if "of the recording" in text]


@pytest.mark.parametrize("page", ["/metrics", "/debug/vars", "/debug/pprof/heap?debug=1"])
def test_pages_tell_replicas_from_a_restart(page: str) -> None:
    with replicas() as (one, other):
        for service in (one, other, one):
            service.get("/debug/pprof/heap?gc=1")  # of what was never collected no ring tells
        first, second, again = (decode(service.get(page)) for service in (one, other, one))
        assert same_process(first, again)
        assert not same_process(first, second)
        assert in_turn([first, second, again])
        # However many there are: one that answers later is no restart where it is older.
        assert in_turn([second, first]) == (page == "/metrics")
        one.restart()
        one.get("/debug/pprof/heap?gc=1")
        pages = [decode(one.get(page)) for _ in range(4)]
    assert another_process(first, pages[0])
    assert not in_turn([first, *pages])


def test_counters_alone_tell_several_by_falling_twice() -> None:
    pages = [RuntimePage("metrics", {"/gc/heap/allocs:bytes": value}) for value in (9, 3, 9.5, 3.5)]
    assert in_turn(pages)
    assert not in_turn(pages[:3]), "one that was started anew may have come so far"


@pytest.mark.parametrize("step", [-86400.0, -3.0, 1.0, 60.0, 3600.0])
def test_a_clock_that_is_set_restarts_nothing(step: float) -> None:
    with restarting() as service:
        service.get("/debug/pprof/heap?gc=1")
        first = decode(service.get("/metrics"))
        later = decode(service.get("/metrics"))
        assert first.started is not None
        # Linux has when a process started in hundredths since a boot at a whole second.
        ticks = int(first.started) + 0.37
        first, later = replace(first, started=ticks), replace(later, started=ticks + step)
        assert another_process(first, later) == ""
        service.restart()
        fresh = replace(decode(service.get("/metrics")), started=ticks + step)
        assert another_process(first, fresh), "its counters fell"
        # What says itself in whole seconds when it started was not counted from the boot.
        whole = replace(first, started=float(int(ticks)))
        moved = replace(later, started=float(int(ticks)) + step)
        assert bool(another_process(whole, moved)) == (abs(step) > 1)


def test_a_moment_of_503_is_no_end(tmp_path: Path) -> None:
    """Of all pages, where no profile that is recorded shows that the service is there."""
    with restarting() as service, between(service, busy=f"{LASTING / 2}s") as url:
        listening = Listening([f"{url}/metrics", f"{url}/debug/pprof/cmdline"])
        url.overload()
        assert listening.gone() == ""

        folder = tmp_path / "recording"

        def progress(text: str) -> None:
            if text == "snapshots after the window":
                url.overload()

        gocost.record(url, 1, folder, progress=progress)
    manifest = read_manifest(folder)
    assert manifest.ended == ""
    assert all("answered 503" in why for why in lost(manifest).values())
    assert {re.sub(r"-2\..*", "", file) for file in lost(manifest)} == COMPARED


def test_what_answers_503_for_long_stands_before_no_service() -> None:
    slept = list[float]()
    with restarting() as service, between(service, busy="1h") as url:
        url.overload()
        clock = iter(range(0, 1000, 1))
        listening = Listening([url], sleep=slept.append, clock=lambda: float(next(clock)))
        assert listening.gone() == f"what stands before it at {url} answers 503"
    assert len(slept) > LOOKS
    assert {*slept} == {APART}
