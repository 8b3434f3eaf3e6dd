"""Waits by stack beside `go tool trace -pprof`, to the nanosecond; CPU samples; files for pprof."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from gocost.analyses.trace.account import Stacks
from gocost.analyses.trace.following import RUNNABLE, RUNNING, Chunk
from gocost.analyses.trace.profiles import profile_table
from gocost.api.trace_profile import trace_profile
from gocost.cli.main import run
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.profile import Profile, starts_of
from gocost.measures.trace import follow_trace, read_trace
from tests.fixtures.traces import TOOLCHAINS, recorded, tool_trace

Amounts = Counter[tuple[tuple[str, int], ...]]
SHARED = Path(__file__).parents[4] / "shared" / "data" / "traces"


def by_stack(profile: Profile, value: int) -> Amounts:
    """By functions and lines, leaf first."""
    names = profile.strings.texts(profile.functions.name.tolist())
    frames = [
        (names[function], line)
        for function, line in zip(
            profile.lines.function.tolist(), profile.lines.line.tolist(), strict=True
        )
    ]
    found: Amounts = Counter()
    starts = starts_of(profile.stack_end).tolist()
    for start, end, values in zip(
        starts, profile.stack_end.tolist(), profile.values.tolist(), strict=True
    ):
        found[tuple(frames[at] for at in profile.stack[start:end].tolist())] += values[value]
    return found


def ours(path: Path, kind: str, folder: Path) -> Profile:
    target = folder / f"{kind}.pb.gz"
    assert run(["trace", "profile", kind, str(path), "-o", str(target)]) == 0
    return decode(target.read_bytes())


def theirs(path: Path, kind: str) -> Profile:
    done = subprocess.run(
        [tool_trace(), f"-pprof={kind}", path], capture_output=True, check=True, timeout=300
    )
    return decode(done.stdout)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
@pytest.mark.parametrize("kind", ["net", "sync", "syscall"])
def test_as_go_tool_trace_has_it(toolchain: str, kind: str, tmp_path: Path) -> None:
    path = recorded(toolchain, "all")
    found, expected = ours(path, kind, tmp_path), theirs(path, kind)
    assert [each.type for each in found.header.sample_types] == [
        each.type for each in expected.header.sample_types
    ]
    assert +by_stack(found, 1) == +by_stack(expected, 1)
    # It leaves out intervals of no length, which there are where clocks tick in 64 ns.
    counts, fewer = by_stack(found, 0), by_stack(expected, 0)
    assert all(fewer[stack] <= count for stack, count in counts.items())
    assert fewer.total() > 0.99 * counts.total()


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_scheduler_latency_adds_up_to_the_same(toolchain: str, tmp_path: Path) -> None:
    """By stack it differs: theirs is the stack of whoever made a goroutine runnable.

    And theirs is without what lies before a goroutine first runs: mostly what follows its creation,
    but also what woke one that waited where the trace begins.
    """
    path = recorded(toolchain, "all")
    found, expected = ours(path, "sched", tmp_path), theirs(path, "sched")
    first = FirstRuns()
    follow_trace(path, first)
    assert first.total > 0
    rest = by_stack(found, 1).total() - first.total
    assert by_stack(expected, 1).total() == rest


class FirstRuns:
    """How long goroutines were runnable before they were first seen to run."""

    def __init__(self) -> None:
        self.total = 0
        self._ran: set[int] = set()

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        some = chunk.of(RUNNABLE, RUNNING)
        for kind, who, start, end, proc in zip(
            *(each.tolist() for each in (some.kind, some.who, some.start, some.end, some.proc)),
            strict=True,
        ):
            if who in self._ran:
                continue
            if kind == RUNNABLE:
                self.total += end - start
            if kind == RUNNING or proc >= 0:
                self._ran.add(who)


def test_a_table_has_what_the_profile_has(tmp_path: Path) -> None:
    path = recorded("go", "all")
    table = profile_table(read_trace(path), "net")
    assert sum(table.column("total")) == by_stack(ours(path, "net", tmp_path), 1).total()  # type: ignore[arg-type]
    assert "network" in table.column("reason")


def test_cpu_samples_are_those_of_the_trace(tmp_path: Path) -> None:
    path = SHARED / "1.25" / "test-encoding-json.trace"
    if not path.exists():
        pytest.skip("needs ../shared/data beside the checkout")
    trace = read_trace(path)
    assert len(trace.samples) == 40
    profile = ours(path, "cpu", tmp_path)
    assert profile.values.sum() == len(trace.samples)
    assert {profile.strings[key] for key in profile.labels.key.tolist()} == {"goroutine"}
    assert profile.header.time_ns > 1.7e18
    half = (trace.end - trace.start) // 2
    parts = [read_trace(path, between=(0, half)), read_trace(path, between=(half, 1 << 60))]
    assert sum(len(part.samples) for part in parts) == len(trace.samples)


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_cpu_samples_name_what_burns(toolchain: str) -> None:
    table = trace_profile(recorded(toolchain, "cpu"), "cpu").tables["stacks"]
    burnt = sum(
        int(str(count))
        for count, stack in zip(table.column("samples"), table.column("stack"), strict=True)
        if "main.burn" in str(stack)
    )
    assert burnt > 0.5 * sum(table.column("samples"))  # type: ignore[arg-type]
    assert all(isinstance(goroutine, int) for goroutine in table.column("goroutine")[:1])


def test_a_trace_without_cpu_samples_says_how_to_get_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["trace", "profile", "cpu", str(recorded("go", "ping"))]) == 2
    told = capsys.readouterr().err
    assert "has no CPU samples" in told
    assert "/debug/pprof/profile" in told
