"""What `go test -bench` measures of a package's own code."""

from __future__ import annotations

from gocost.model.metric import Metric, Worse
from gocost.model.quantity import Unit

_RUNS = (
    "the median of runs of the package's Go benchmarks; with a base, the test binaries of both "
    "sides run in turn on this machine"
)

METRICS = (
    Metric(
        id="bench.time",
        summary="wall time of one operation of a benchmark",
        unit=Unit.SECONDS_PER_OPERATION,
        exact=False,
        how=f"ns/op of {_RUNS}, compared by the Mann-Whitney test over the whole family",
        advice=(
            "take a CPU profile of the benchmark (`go test -bench NAME -cpuprofile cpu.out`) at "
            "base and head; `gocost bench --calibrate` says which change this machine can tell"
        ),
        labels=("benchmark", "package"),
    ),
    Metric(
        id="bench.bytes",
        summary="bytes that one operation of a benchmark allocates on the heap",
        unit=Unit.BYTES_PER_OPERATION,
        exact=True,
        how=f"B/op of {_RUNS}; a difference between figures that do not vary needs no test",
        advice=(
            "`go test -bench NAME -memprofile mem.out` shows the lines that allocate; reuse "
            "buffers, size slices and maps before filling them"
        ),
        labels=("benchmark", "package"),
    ),
    Metric(
        id="bench.allocations",
        summary="heap allocations of one operation of a benchmark",
        unit=Unit.COUNT_PER_OPERATION,
        exact=True,
        how=f"allocs/op of {_RUNS}; a difference between figures that do not vary needs no test",
        advice=(
            "`go build -gcflags=-m` says what escapes to the heap and why; keep values out of "
            "interfaces and closures on the hot path"
        ),
        labels=("benchmark", "package"),
    ),
    Metric(
        id="bench.throughput",
        summary="bytes that a benchmark processes in a second",
        unit=Unit.BYTES_PER_SECOND,
        worse=Worse.LOWER,
        exact=False,
        how=f"MB/s of {_RUNS}, where the benchmark calls b.SetBytes",
        advice="it moves with bench.time of the same benchmark: look there",
        labels=("benchmark", "package"),
    ),
    Metric(
        id="bench.custom",
        summary="a figure that a benchmark reports itself with b.ReportMetric",
        unit=Unit.COUNT,
        least=None,
        worse=Worse.NEITHER,
        exact=False,
        how=(
            f"the unit named by the label `unit`, of {_RUNS}; a line `Unit NAME better=lower` in "
            "the benchmark's output says which way is better"
        ),
        advice="the benchmark's author knows what it means and what moves it",
        labels=("benchmark", "package", "unit"),
    ),
)
