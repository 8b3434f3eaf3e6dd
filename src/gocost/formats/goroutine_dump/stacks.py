"""Every goroutine as text: `/debug/pprof/goroutine?debug=2`, a panic, SIGQUIT, a log with those.

The layout is that of `goroutineheader` and `traceback` in Go's src/runtime/traceback.go, which
gocost.kernels.stacktext reads. What stands in a header's brackets, by Go's version:

    chan receive                            what it waits for, or what it does (runtime2.go)
    chan receive (nil chan)
    chan receive (leaked)                   1.26, GOEXPERIMENT=goroutineleakprofile; 1.27
    select (scan)                           while the collector looks at its stack
    sleep (durable), synctest bubble 1      1.25; 1.24 said `synctest group 1`
    IO wait, 5 minutes, locked to thread
    select labels:{"key": "value"}          1.26 with GODEBUG=tracebacklabels=1
    select] {key: value}                    1.27, behind the bracket, quoted where need be

`debug=2` is cut at 64 MiB by `writeGoroutineStacks` in src/runtime/pprof/pprof.go, which says
nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.formats.goroutine_dump.dump import (
    BUBBLE,
    DURABLE,
    LEAKED,
    LOCKED,
    Dump,
    Form,
    column,
)
from gocost.kernels import stacktext as kernel

CAP: Final = 64 << 20
"""Where the runtime cuts a dump off."""
SEED: Final = 0x5EED
_PIECE: Final = 1 << 20
_MINUTES: Final = re.compile(r"(\d{1,9}) minutes")
_SUFFIXES: Final = ((" (durable)", DURABLE), (" (scan)", 0), (" (leaked)", LEAKED))


def read_stacks(pieces: Iterable[bytes | memoryview], *, seed: int = SEED) -> Dump:
    """All goroutines in a text that comes in pieces. Raises FormatError beyond the kernel's caps.

    `seed` belongs to whoever reads hostile text: with a seed that is known, texts can be made that
    take long to tell apart.
    """
    scanner = kernel.Scanner(seed)
    window = np.empty(2 * _PIECE, np.uint8)
    filled = size = 0
    starts_with_one = ended = False
    for piece in pieces:
        if not size:
            starts_with_one = bytes(piece[:10]) == b"goroutine "
        size += len(piece)
        ended = piece[-1] == 10 if len(piece) else ended
        for at in range(0, len(piece), _PIECE):
            part = np.frombuffer(piece, np.uint8)[at : at + _PIECE]
            window[filled : filled + len(part)] = part
            filled += len(part)
            read = scanner.feed(window[:filled])
            rest = filled - read
            if rest > _PIECE:
                scanner.skip()
                rest = 0
            window[:rest] = window[filled - rest : filled].copy()
            filled = rest
    scanner.feed(window[:filled], last=True)
    cut = scanner.end(whole=ended)
    rows = scanner.columns()
    lost = _lost(rows.shape[1], cut, size == CAP and starts_with_one)
    return _dump(rows, scanner.texts(), lost, size)


def _lost(rows: int, cut: int, capped: bool) -> str:
    if capped:
        at = f" in goroutine {cut}" if cut else ""
        return (
            f"the runtime cuts its text at 64 MiB: this dump ends there{at}, and every goroutine "
            f"behind the {rows:,} that are whole is missing"
        )
    if cut:
        return (
            f"the dump is cut off in goroutine {cut}, which is left out, as is whatever stood "
            f"behind it; {rows:,} are whole"
        )
    return ""


def _dump(rows: npt.NDArray[np.int64], texts: list[bytes], lost: str, size: int) -> Dump:
    decoded = [text.decode("utf-8", "backslashreplace").replace("%2e", ".") for text in texts]
    state = rows[kernel.STATUS]
    # Different brackets are few: they are taken apart once each.
    said = np.zeros((3, len(decoded)), np.int32)
    for number in np.unique(state).tolist():
        word, minutes, flags = status(decoded[number])
        decoded.append(word)
        said[:, number] = len(decoded) - 1, minutes, flags
    return Dump(
        form=Form.STACKS,
        leaks=False,
        count=column(rows.shape[1], 1, np.int64),
        id=rows[kernel.ID],
        parent=rows[kernel.PARENT],
        minutes=said[1][state],
        flags=(rows[kernel.FLAGS] | said[2][state]).astype(np.int32),
        state=said[0][state],
        stack=rows[kernel.STACK].astype(np.int32),
        creator=rows[kernel.CREATOR].astype(np.int32),
        labels=rows[kernel.LABELS].astype(np.int32),
        ancestors=rows[kernel.ANCESTORS].astype(np.int32),
        texts=decoded,
        lost=lost,
        size=size,
    )


def status(text: str) -> tuple[str, int, int]:
    """What stands in the brackets: the state, minutes of waiting, flags."""
    word, *parts = text.split(", ")
    minutes = flags = 0
    taken = True
    while taken:
        taken = False
        for suffix, flag in _SUFFIXES:
            if word.endswith(suffix):
                word, flags, taken = word.removesuffix(suffix), flags | flag, True
    for part in parts:
        if found := _MINUTES.fullmatch(part):
            minutes = int(found[1])
        elif part == "locked to thread":
            flags |= LOCKED
        elif part.startswith("synctest "):
            flags |= BUBBLE
    return word, minutes, flags
