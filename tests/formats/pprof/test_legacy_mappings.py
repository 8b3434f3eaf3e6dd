"""The mapped files of legacy profiles: lines, names for values, caps, and whose an address is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.analyses.profile.frames import without_uninteresting
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.legacy import mappings
from gocost.formats.pprof.legacy.lines import Lines
from gocost.formats.pprof.legacy.mappings import Mapped, read_mappings
from gocost.model.errors import FormatError
from tests.fixtures.legacy_profiles import MAPS
from tests.fixtures.profiles import described, pprof_reads, we_read

HEAD = b"goroutine profile: total 1\n"
TAIL = b"--- Memory map: ---\n"


def mapped(*lines: bytes) -> list[Mapped]:
    return read_mappings(Lines(b"\n".join(lines)))


def counted(*addresses: int, maps: bytes = b"") -> bytes:
    """A profile of one stack."""
    stack = b" ".join(b"0x%x" % (address + 1) for address in addresses)
    return HEAD + b"1 @ " + stack + b"\n" + TAIL + maps


def places(data: bytes) -> list[tuple[int, int, int, str] | None]:
    """The mapping of each address in a profile of one stack."""
    frames = described(decode(data))["samples"][0][1]
    return [
        None if place is None else (place[0], place[1], place[2], place[4])
        for _, place, *_ in frames
    ]


def test_neighbours_are_joined_and_what_is_not_executable_is_left_out() -> None:
    assert mapped(*MAPS.splitlines()) == [
        Mapped(0x400000, 0x4FD000, 0, b"/usr/bin/server"),
        Mapped(0x7F0000000000, 0x7F0000300000, 0x1000, b"/lib/x86_64/libc-2.31.so"),
        Mapped(0x7FFF00000000, 0x7FFF00001000, 0, b"[vdso]"),
    ]


def test_the_program_comes_first() -> None:
    found = mapped(b"10-20 [vdso]", b"30-40 /lib/a.so", b"50-60 /lib/b.so.6", b"70-80 /bin/server")
    assert [each.file for each in found] == [
        b"/bin/server", b"/lib/a.so", b"/lib/b.so.6", b"[vdso]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"40-80 /bin/a (@1f) beef", [Mapped(0x40, 0x80, 0x1F, b"/bin/a", b"beef")]),
        (b"0x40-0x80: r-xp /bin/a", [Mapped(0x40, 0x80, 0, b"/bin/a")]),
        (b"40-80 rw-p /bin/a", []),
        (b"maps.cc:77] 40-80 /bin/a", [Mapped(0x40, 0x80, 0, b"/bin/a")]),
        (b"12345678901234567-20 /bin/a", []),
        (b"hello", []),
        (b"abcd", [Mapped(0xABC, 0xD)]),  # as pprof reads it
    ],
)
def test_lines(line: bytes, found: list[Mapped]) -> None:
    assert mapped(line) == found


def test_names_stand_for_values() -> None:
    found = mapped(b"x = /bin", b"xy=/lib", b"$y=z", b"10-20 $x/a", b"30-40 $xy", b"50-60 $z")
    # Of two names that fit the first one does; a name's own line is searched too.
    assert [each.file for each in found] == [b"/bin/a", b"/biny", b"$z"]


def test_values_may_not_make_a_line_long() -> None:
    lines = [b"x0=" + b"/" * 1000, *(b"x%d=" % i + b"$x%d" % (i - 1) * 10 for i in range(1, 9))]
    with pytest.raises(FormatError, match="with its values a line is longer than 65,535 bytes"):
        mapped(*lines)


def test_so_many_names_are_no_longer_looked_for() -> None:
    names = [b"x%d=y" % i for i in range(40)]
    assert len(mapped(*names, b"10-20 /bin/a")) == 1
    with pytest.raises(FormatError, match="more than 32 of NAME=VALUE"):
        mapped(*names, b"10-20 $x1/a")


def test_so_many_mappings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mappings, "_MAX_MAPPINGS", 1000)
    lines = [b"%x-%x a%d" % (i * 32, i * 32 + 16, i) for i in range(1000)]
    assert len(mapped(*lines)) == 1000
    with pytest.raises(FormatError, match="more than 1,000 mappings"):
        mapped(*lines, b"10-20 x")


@pytest.mark.parametrize(
    ("addresses", "maps", "wanted"),
    [
        ((0x10, 0x20), b"10-20 /bin/a\n", [(0x10, 0x20, 0, "/bin/a"), (0, 2**64 - 1, 0, "")]),
        ((2**64 - 2,), b"10-20 /bin/a\n", [(0, 2**64 - 1, 0, "")]),
        ((0x15,), b"10-20 /bin/a\n14-18 /bin/b\n", [(0x10, 0x20, 0, "/bin/a")]),
        # Of a later part of a file the earlier one is taken too, from offset 0 on.
        ((0x1500, 0x2500), b"2000-3000 /bin/a (@1000)\n", [(0x1000, 0x3000, 0, "/bin/a")] * 2),
        ((0x500, 0x1500), b"2000-3000 /bin/a (@1000)\n",
         [(0, 2**64 - 1, 0, ""), (0, 2**64 - 1, 0, "")]),
        ((0x1500, 0x1600, 0x1500),
         b"2000-3000 /a (@f00)\n4000-5000 /b (@3000)\n1580-1700 /c\n",
         [(0x1100, 0x3000, 0, "/a")] * 3),
        ((0x400010,), b"410000-420000 /bin/a (@10000)\n", [(0x400000, 0x420000, 0, "/bin/a")]),
        ((0x10,), b"0-10 /anon_hugepage\n10-20 /bin/a\n", [(0x10, 0x20, 0, "/bin/a")]),
        ((0,), b"0-10 /bin/a\n", [None]),
    ],
)  # fmt: skip
def test_whose_an_address_is(
    addresses: tuple[int, ...],
    maps: bytes,
    wanted: list[tuple[int, int, int, str] | None],
    tmp_path: Path,
) -> None:
    data = counted(*addresses, maps=maps)
    assert places(data) == wanted
    assert we_read(data) == pprof_reads(data, tmp_path)


def test_so_many_grown_mappings_are_refused() -> None:
    maps = b"".join(b"%x-%x a%d (@800)\n" % (i << 12, (i << 12) + 16, i) for i in range(1, 1200))
    with pytest.raises(FormatError, match="more than 1,000 mappings begin before"):
        decode(counted(*((i << 12) - 1 for i in range(1, 1200)), maps=maps))


NAMES = (
    "malloc", "calloc", "cfree", "free", "do_memalign", "memalign", "posix_memalign",
    "__posix_memalign", "pvalloc", "valloc", "realloc", "tcmalloc::x", "tc_new_nothrow",
    "tc_deletearray", "tc_delete_nothrow", "tc_pvalloc", "malloc_zone_free", "malloc_zone_cfree",
    "runtime.mallocgc", "runtime.panic", "runtime.panicked", "runtime.reflectcall",
    "runtime.call32", "BaseArena::x", "::do_malloc", "do_malloc_pages", "do_malloc_no_errno",
    "DoSampledAllocation", "MallocedMemBlock::MallocedMemBlock", "_M_allocate",
    "__builtin_vec_delete", "__builtin_new",
    "__gnu_cxx::new_allocator::allocate", "__libc_malloc", "__malloc_alloc_template::allocate",
    "allocate", "cpp_alloc", "operator new", "operator new[]", "operator new[](int)",
    "simple_alloc::allocate", "mallocs", "my_malloc",
    "RecordLockProfileData", "base::RecordLockProfileData2", "SubmitMutexProfileData",
    "base::SubmitSpinLockProfileData", "AwaitCommon", "base::Mutex::AwaitCommon", "Mutex::Unlock",
    "base::Unlock", "Mutex::UnlockSlow", "base::Mutex::ReaderUnlock", "~MutexLock",
    "base::MutexLock::~MutexLock", "SpinLock::Unlock", "SpinLock::SlowUnlock",
    "SpinLock::ReaderUnlock", "SpinLockHolder::~SpinLockHolder", "sync.Mutex.Unlock",
    "ProfileData::Add", "ProfileData::prof_handler", "CpuProfiler::prof_handler",
    "__pthread_sighandler", "__restore", "__restored",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["heapz", "contentionz"])
def test_the_same_frames_are_left_out_as_by_pprof(kind: str, tmp_path: Path) -> None:
    # Only Java's have names; each name here is the leaf of a stack of its own.
    lines = [b"--- %s 1 ---" % kind.encode(), b"format = java", b"resolution = bytes"]
    lines += [b" 64 1 @ 0x%x 0x1" % (0x100 + i) for i in range(len(NAMES))]
    lines += [b"0x1 main.main (main.go:1)"]
    lines += [b"0x%x %s" % (0x100 + i, name.encode()) for i, name in enumerate(NAMES)]
    data = b"\n".join([*lines, b""])

    left = described(without_uninteresting(decode(data)))

    dropped = sum(len(stack) == 1 for _, stack, _ in left["samples"])
    assert dropped > 10
    assert left == pprof_reads(data, tmp_path)
