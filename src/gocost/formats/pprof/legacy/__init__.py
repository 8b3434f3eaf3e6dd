"""Profiles from before the protobuf form, which Go still writes (`?debug=1`) and pprof still reads.

    cpu.py         words: 0, 3, 0 (1 of Java), period in us, 0, stacks
    heap.py        heap profile: 1: 2 [3: 4] @ heap/1048576   (also growth, fragmentation)
    counts.py      goroutine profile: total 4                 (any Go count)
    threads.py     --- threadz 1 ---
    contention.py  --- contention:, --- mutex:, --- contentionz 1 ---
    java.py        --- heapz 1 ---, --- contentionz 1 ---     (with `format = java`)

After the samples a list of mappings may follow (mappings.py). There are no names of functions but
in Java's; what stands in comments (`#`) is skipped. Specified by what reads it: pprof's
`profile/legacy_profile.go` and `legacy_java_profile.go` (github.com/google/pprof). What that
refuses is refused here, and where it gives numbers, they are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gocost.formats.pprof.legacy import contention, counts, cpu, heap, java, threads
from gocost.formats.pprof.legacy.lines import UnrecognizedError
from gocost.formats.pprof.profile import Profile
from gocost.model.errors import FormatError

_Begins = Callable[[bytes], bool]
_Read = Callable[[bytes, str], Profile]
_FORMS: Final[tuple[tuple[_Begins, _Read], ...]] = (
    (cpu.begins, cpu.read),
    (heap.begins, heap.read),
    (counts.begins, counts.read),
    (threads.begins, threads.read),
    (contention.begins, contention.read),
    (java.begins, java.read),
)
"""In the order in which they are tried: `--- contentionz 1 ---` begins two of them."""


def looks_legacy(raw: bytes | memoryview) -> bool:
    """Whether the bytes begin as one of the legacy forms does."""
    data = bytes(raw)
    return any(begins(data) for begins, _ in _FORMS)


def decode_legacy(raw: bytes | memoryview, origin: str = "") -> Profile:
    """The profile in one of the legacy forms. Raises FormatError."""
    data = bytes(raw)
    refused: FormatError | None = None
    for begins, read in _FORMS:
        if begins(data):
            try:
                return read(data, origin)
            except UnrecognizedError as error:
                refused = refused or error
    raise refused or FormatError("this is no profile that pprof knows")
