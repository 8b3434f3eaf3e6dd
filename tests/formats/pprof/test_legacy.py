"""Profiles of the legacy forms: what they say, what pprof says of them, and what is refused."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from gocost.formats.pprof import legacy
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.profile import Profile
from gocost.model.errors import FormatError
from tests.fixtures.legacy_profiles import LEGACY, MAPS, cpu, mutant
from tests.fixtures.profiles import described, pprof, pprof_reads, recorded, run_pprof, we_read

MUTANTS = 400
AMD64 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"),
    reason="pprof's exponential has other last bits on this processor",
)


def stacks(profile: Profile) -> list[list[int]]:
    """The addresses of each sample."""
    return [[place[0] for place in places] for _, places, _ in described(profile)["samples"]]


@pytest.mark.parametrize(
    ("name", "types", "values"),
    [
        ("cpu-64-little", "samples count, cpu nanoseconds", [1, 10_000_000]),
        ("cpu-java", "samples count, cpu nanoseconds", [1, 10_000_000]),
        ("heap", "alloc_objects count, alloc_space bytes, inuse_objects count, inuse_space bytes",
         [512, 16400, 0, 0]),
        ("heap-v2", "objects count, space bytes", [4916, 1573344]),
        ("heapprofile",
         "alloc_objects count, alloc_space bytes, inuse_objects count, inuse_space bytes",
         [7, 1960, 3, 960]),
        ("growth", "objects count, space bytes", [1, 1048576]),
        ("fragmentation", "objects count, space bytes", [1, 1048576]),
        ("goroutine", "goroutine count", [10]),
        ("threadz", "thread count", [2]),
        ("mutex", "contentions count, delay nanoseconds", [10, 14800]),
        ("block", "contentions count, delay nanoseconds", [2, 71040]),
        ("contentionz", "contentions count, delay nanoseconds", [2700, 608881724]),
        ("java-heap", "inuse_objects count, inuse_space bytes", [3648, 3673541]),
        ("java-contention", "contentions count, delay microseconds", [100, 100]),
    ],
)  # fmt: skip
def test_each_form_has_its_types_and_values(name: str, types: str, values: list[int]) -> None:
    data = LEGACY[name]

    profile = decode(data, origin="here")

    assert legacy.looks_legacy(data)
    assert profile.origin == "here"
    assert ", ".join(f"{t.type} {t.unit}" for t in profile.header.sample_types) == types
    assert profile.values[0].tolist() == values


def test_return_addresses_are_moved_onto_their_calls() -> None:
    # Of a CPU profile the leaf is where the program was; a second one that repeats it is dropped.
    assert stacks(decode(LEGACY["cpu-64-little"]))[:2] == [
        [0x400010, 0x40001F, 0x400030],
        [0x400110, 0x400030],
    ]
    assert stacks(decode(LEGACY["goroutine"]))[1:] == [[0x43BD0F, 0, 2**64 - 1], [2**64 - 2]]
    assert stacks(decode(LEGACY["heapprofile"])) == [[0x4000FF, 0x4001FF]]


def test_a_signal_handler_in_most_stacks_is_left_out() -> None:
    assert (
        stacks(decode(LEGACY["cpu-32-little"]))[:2] == stacks(decode(LEGACY["cpu-64-little"]))[:2]
    )


def test_all_orders_and_sizes_of_words_say_the_same() -> None:
    said = [described(decode(cpu(word))) for word in ("<Q", ">Q", "<I", ">I")]
    assert all(each == said[0] for each in said)


def test_heap_samples_have_the_size_of_a_block() -> None:
    tags = [tags for _, _, tags in described(decode(LEGACY["heap"]))["samples"]]
    assert tags == [
        [("bytes", "", 32, "")], [("bytes", "", 320, "")], [("bytes", "", 20, "")],
        [("bytes", "", 9999999, "")],
    ]  # fmt: skip


def test_java_names_what_it_saw() -> None:
    profile = described(decode(LEGACY["java-heap"]))
    frames = [place[3] for place in profile["samples"][0][1]]
    assert frames == [
        (("com.example.Pool.take", "com.example.Pool.take", "Pool.java", 0), 20, 0),
        (("tc_new", "tc_new", "libjvm.so", 0), 0, 0),
        (("runtime.call32", "runtime.call32", "", 0), 0, 0),
    ]


def test_what_is_counted_again() -> None:
    assert decode(LEGACY["threadz"]).values.tolist() == [[2], [1]]
    assert decode(LEGACY["goroutine"]).values.tolist() == [[10], [2], [10]]  # 012 is octal


def test_what_stands_once() -> None:
    header = decode(LEGACY["contentionz"]).header
    assert (header.period, header.duration_ns) == (100, 16_502_830_000_000)
    assert decode(LEGACY["heap"]).header.period == 16_384
    assert decode(LEGACY["cpu-64-big"]).header.period == 10_000_000


@pytest.mark.parametrize("name", LEGACY)
@AMD64
def test_pprof_reads_the_same(name: str, tmp_path: Path) -> None:
    ours = we_read(LEGACY[name])
    assert ours is not None
    assert ours == pprof_reads(LEGACY[name], tmp_path)


@pytest.mark.parametrize("kind", ["heap", "allocs", "mutex", "block", "goroutine", "threadcreate"])
@AMD64
def test_pprof_reads_the_same_from_what_go_prints(kind: str, tmp_path: Path) -> None:
    for number in (0, 1):
        data = (recorded() / f"{kind}.{number}.txt").read_bytes()
        ours = we_read(data)
        assert ours is not None
        assert ours == pprof_reads(data, tmp_path)


@AMD64
def test_pprof_reads_the_same_from_damaged_ones(tmp_path: Path) -> None:
    pprof()
    refused = 0
    for seed in range(MUTANTS):
        name, data = mutant(seed)
        ours, theirs = we_read(data), pprof_reads(data, tmp_path)
        if ours != theirs and (theirs is not None or not crashes(data, tmp_path)):
            (tmp_path / "differs").write_bytes(data)
            pytest.fail(f"mutant {seed} of {name} is read otherwise: {tmp_path / 'differs'}")
        refused += ours is None
    assert MUTANTS // 20 < refused < MUTANTS * 3 // 4


def crashes(data: bytes, folder: Path) -> bool:
    """pprof takes the first two bytes of a build id that may have one."""
    given = folder / "crashing"
    given.write_bytes(data)
    return "panic: runtime error" in run_pprof("-raw", given).stderr


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"heap profile: 1: 2 [3: 4] @ heap_v7/3\n", "this kind of heap profile is not known"),
        (b"heap profile: 1: 2 [3: 4] @ heap/2\n1: 2\n", "no sample of a heap: '1: 2' (at byte 35)"),
        (b"heap profile: 1: 2 [3: 4] @ heap/2\n0: 2 [0: 0] @ 0x1\n", "no objects have 2 bytes"),
        (b"heap profile: 1: 2 [1: 2] @ heap/2\n99999999999999999999: 2 [0: 0] @ 0x1\n",
         "has over 64 bits (at byte 35)"),
        (b"heap profile: 1: 2 [1: 2] @ heap/2\n1: 2 [1: 2] @ 0x12345678123456781\n",
         "an address has more than 64 bits (at byte 35)"),
        (b"goroutine profile: total 2\n2 @\n", "no count of a stack: '2 @' (at byte 27)"),
        (b"goroutine profile: total 2\n08 @ 0x1\n", "no count of a stack: '08 @ 0x1'"),
        (b"--- threadz 1 ---\n--- Thread 7f (name: a/1) stack: ---\n0x1\n", "no thread begins"),
        (b"--- mutex:\ncycles/second=x\n", "not understood: 'cycles/second=x' (at byte 11)"),
        (b"--- mutex:\n1 @ 0x1\n", "no sample of waiting: '1 @ 0x1'"),
        (b"--- heapz 1 ---\nformat = java\n 1 1 @ 0x1\n", "does not say its resolution"),
        (b"--- heapz 1 ---\nresolution = bytes\n 1 0 @ 0x1\n", "there are no objects"),
        (b"--- heapz 1 ---\nresolution=b\n0x12345678123456781 f\n", "more than 64 bits"),
        (cpu("<Q", b"")[:-8 * 5], "a stack of the CPU profile is cut off (at byte 144)"),
        (b"goroutine profile: total 2\n#" + b"a" * 65_536, "longer than 65,535 bytes (at byte 27)"),
    ],
)  # fmt: skip
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode(data)
    assert message in str(caught.value)


def test_a_line_may_be_as_long_as_go_reads(tmp_path: Path) -> None:
    for size in (65_534, 65_535):
        data = b"goroutine profile: total 2\n#" + b"a" * size + b"\n1 @ 0x1\n"
        assert (we_read(data) is None) is (pprof_reads(data, tmp_path) is None) is (size > 65_534)


@pytest.mark.parametrize(
    "line",
    [b"1" * 65_000, b"1 " * 32_000, b"1:" * 32_000, b"1: 1 [" * 10_000, b" " * 65_000,
     b"-" * 65_000, b"0x1" * 20_000, b"1 1 @" * 13_000, b"ab" * 32_000, b"a:1:" * 16_000,
     b"--- Thread 1 (name: /" * 3_000, b"0x1 (a) (a" * 6_000],
    ids=lambda line: f"{len(line)}-{line[:6].decode()}",
)  # fmt: skip
@pytest.mark.timeout(20)
def test_no_line_takes_long(line: bytes) -> None:
    for head in (
        b"heap profile: 1: 2 [3: 4] @ heap/2\n",
        b"heap profile: 1: 2 [3: 4] @ heap/2\nMAPPED_LIBRARIES:\n",
        b"goroutine profile: total 2\n",
        b"--- threadz 1 ---\n--- Thread 7f (name: a/1) stack: ---\n",
        b"--- threadz 1 ---\n-",
        b"--- mutex:\n",
        b"--- heapz 1 ---\nresolution = bytes\n",
        b"",
    ):
        we_read(head + line + b"\n")


def test_what_is_no_profile_says_so() -> None:
    assert not legacy.looks_legacy(b"\x0a\x04\x08\x01\x10\x02" + b"x" * 70_000)
    assert not legacy.looks_legacy(b"hello\n" + MAPS)
    assert not legacy.looks_legacy(b"")
