"""The measures that exist, by their light specs. One entry a measure; nothing is imported here."""

from __future__ import annotations

from gocost.measures.interface import Need, Spec

SPECS: tuple[Spec, ...] = (
    Spec(
        name="linkage",
        gives=("binary.linkage", "binary.needed_libraries", "binary.glibc", "binary.cgo"),
        needs=frozenset({Need.BINARY}),
        rank=5,
        deadline=60.0,
        function="gocost.measures.linkage:measure",
    ),
    Spec(
        name="binary",
        gives=(
            "binary.size",
            "binary.size.*",
            "binary.kind.*",
            "binary.module.*",
            "binary.package.*",
        ),
        needs=frozenset({Need.BINARY}),
        rank=10,
        deadline=120.0,
        function="gocost.measures.binary:measure",
    ),
    Spec(
        name="build",
        gives=("build.*",),
        needs=frozenset({Need.BINARY}),
        rank=20,
        # With --rebuild it builds once more, from an empty cache.
        deadline=1800.0,
        function="gocost.measures.build:measure",
    ),
    Spec(
        name="lint",
        gives=("lint.*",),
        needs=frozenset({Need.MODULE, Need.GO}),
        rank=30,
        deadline=600.0,
        function="gocost.measures.lint:measure",
    ),
    Spec(
        name="benchmarks",
        gives=("bench.*",),
        needs=frozenset({Need.MODULE, Need.GO}),
        rank=40,
        deadline=3600.0,
        function="gocost.measures.benchmarks:measure",
        interleaves=True,
    ),
    Spec(
        name="recorded_bill",
        gives=("cpu.share", "profile.total", "attribution.*"),
        needs=frozenset({Need.PROFILE}),
        rank=44,
        deadline=300.0,
        function="gocost.measures.recorded_bill:measure",
    ),
    Spec(
        name="recorded_goroutines",
        gives=("goroutines.count", "goroutines.leak.*", "goroutines.leaked"),
        needs=frozenset({Need.DUMPS}),
        rank=46,
        deadline=300.0,
        function="gocost.measures.recorded_goroutines:measure",
    ),
    Spec(
        name="recorded_trace",
        gives=("scheduler.*",),
        needs=frozenset({Need.TRACE}),
        rank=45,
        deadline=600.0,
        function="gocost.measures.recorded_trace:measure",
    ),
    Spec(
        name="portrait",
        gives=(
            "memory.*",
            "gc.*",
            "goroutines.start",
            "goroutines.load",
            "goroutines.after",
            "goroutines.leaked",
            "process.*",
            "latency.*",
        ),
        needs=frozenset({Need.BINARY, Need.RUN, Need.LINUX}),
        rank=50,
        # What the policy's own `run:` takes is added to it; with a base it runs several rounds.
        deadline=600.0,
        function="gocost.measures.portrait:measure",
        interleaves=True,
        rounds=5,
    ),
)
