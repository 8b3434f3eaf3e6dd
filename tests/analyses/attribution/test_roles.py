"""What functions of the runtime do for a stack, by their names."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from gocost.analyses.attribution.bill import Evidence, bill
from gocost.analyses.attribution.keys import Keying
from gocost.analyses.attribution.processor import COLLECTOR, OTHER
from gocost.analyses.attribution.roles import Role, roles_of
from gocost.analyses.profile.groups import packages_of
from gocost.formats.pprof.decoding import decode
from tests.fixtures.attributed import attributed


def role(name: str, file: str = "") -> int:
    return int(roles_of([name], [file], packages_of([name]))[0])


@pytest.mark.parametrize(
    ("name", "file", "expected"),
    [
        ("time.runtimeNano", "runtime/time_nofake.go", Role.NONE),
        ("time.Sleep", "/usr/local/go/src/runtime/time.go", Role.NONE),
        ("reflect.unsafe_New", "/usr/local/go/src/runtime/malloc.go", Role.NONE),
        ("internal/poll.runtime_pollWait", "/usr/local/go/src/runtime/netpoll.go", Role.NONE),
        ("reflect.mapassign", "/go/src/internal/runtime/maps/export.go", Role.NONE),
        ("time.Since", "/usr/local/go/src/time/time.go", Role.USER),
        ("runtime/debug.SetGCPercent", "/usr/local/go/src/runtime/debug/garbage.go", Role.USER),
        ("main.main", "runtime/main.go", Role.USER),
        ("example.com/x/runtime.F", "/home/go/src/runtime/f.go", Role.USER),
        ("example.com/x.F", "/home/x/runtime/f.go", Role.USER),
        ("x/runtime.F", "/home/x/runtime/f.go", Role.USER),
        ("x/runtime.F", "/home/src/runtime/f.go", Role.USER),
        ("x/internal/runtime/p.F", "/src/internal/runtime/p/f.go", Role.USER),
    ],
)
def test_what_the_runtime_lends_to_a_package_is_its_own(
    name: str, file: str, expected: int
) -> None:
    assert role(name, file) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("runtime.gcBgMarkWorker", Role.WORKER),
        ("runtime.gcBgMarkWorker.func2", Role.WORKER),
        ("runtime.gcDrainMarkWorkerIdle", Role.IDLE_MARK),
        ("runtime.scanstack", Role.STACKS),
        ("runtime.markrootBlock", Role.GLOBALS),
        ("runtime.gcAssistAlloc", Role.ASSIST),
        ("runtime.gcAssistAlloc1", Role.ASSIST),
        ("runtime.gcAssistAlloc.func1", Role.ASSIST),
        ("runtime.(*sweepLocked).sweep", Role.SWEEP),
        ("runtime.deductSweepCredit", Role.SWEEP),
        ("runtime.wbBufFlush1", Role.BARRIER),
        ("runtime.gcWriteBarrier2", Role.BARRIER),
        ("runtime.bgsweep", Role.BACKGROUND_SWEEP),
        ("runtime.bgscavenge", Role.SCAVENGER),
        ("runtime.gcMarkTermination.func4", Role.CYCLE),
        ("runtime.GC", Role.FORCED),
        ("runtime._GC", Role.CYCLE),
        ("runtime.findRunnable", Role.SCHEDULER),
        ("runtime.mallocgc", Role.ALLOCATION),
        ("runtime.mallocgcSmallScanNoHeader", Role.ALLOCATION),
        ("runtime.memmove", Role.NONE),
        ("runtime.mapassign_faststr", Role.NONE),
        ("internal/runtime/maps.(*Map).Put", Role.NONE),
        ("runtime/internal/atomic.Cas", Role.NONE),
        ("encoding/json.Marshal", Role.USER),
        ("main.main", Role.USER),
        ("main.F[...]", Role.USER),
        ("runtime/debug.FreeOSMemory", Role.USER),
        ("runtime/pprof.Do", Role.USER),
        ("runtime/pprof.profileWriter", Role.USER | Role.OBSERVER),
        ("net/http/pprof.Profile", Role.USER | Role.OBSERVER),
        ("runtime/trace.Start.func1", Role.USER | Role.OBSERVER),
        ("runtime/trace.WithRegion", Role.USER),
        ("runtime.traceAdvance", Role.OBSERVER),
        ("", Role.NONE),
    ],
)
def test_names(name: str, expected: int) -> None:
    assert role(name) == expected


def test_assembly_is_the_runtimes_and_c_is_somebodys() -> None:
    assert role("memeqbody", "/usr/local/go/src/internal/bytealg/equal_amd64.s") == Role.NONE
    assert role("gogo", "runtime/asm_amd64.s") == Role.NONE
    assert role("deflate_fast", "/build/zlib/deflate.c") == Role.USER


@pytest.mark.parametrize("toolchain", ["go1.22.12", "go1.23.12", "go1.25.5", "go"])
def test_of_a_real_profile_little_is_the_runtimes_and_unexplained(
    toolchain: str, tmp_path: Path
) -> None:
    path = tmp_path / "cpu.pb.gz"
    with attributed("-rate=300000000", toolchain=toolchain) as service:
        page = f"{service.origin}/debug/pprof/profile?seconds=3"
        path.write_bytes(urllib.request.urlopen(page, timeout=60).read())
    found = bill(Evidence(cpu=decode(path.read_bytes())), Keying("function")).cpu
    assert found is not None
    share = found.others.get(OTHER, 0) / found.total
    print(f"{toolchain}: {OTHER} {share:.2%} of {found.total / 1e9:.2f} s; {found.others}")
    assert share < 0.02
    assert found.others.get(COLLECTOR, 0) > 0, "its heap profile is not there to share it out by"
