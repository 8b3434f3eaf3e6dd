"""Stacks with how many goroutines have each: `debug=1` of the goroutine and goroutineleak pages.

Written by `printCountProfile` in Go's src/runtime/pprof/pprof.go, the most frequent first:

    goroutine profile: total 12
    10 @ 0x43b125 0x406d1f 0x4ac44a 0x46fd81
    # labels: {"key":"value"}
    #\t0x46cd1e\ttime.Sleep+0xbe\t\t/go/src/runtime/time.go:188
    #\t0x4ac449\tmain.loop+0x29\t\t/src/main.go:165
    (an empty line)

It has neither ids nor states nor creators. The runtime's own frames at the leaf are not printed.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from gocost.formats.goroutine_dump.dump import LEAKED, Dump, Form, column
from gocost.model.errors import FormatError

HEAD: Final = re.compile(rb"(goroutine|goroutineleak) profile: total (\d{1,15})\r?\n")
_GROUP: Final = re.compile(r"(\d{1,15}) @((?: 0x[0-9a-f]{1,16})*)")
_FRAME: Final = re.compile(
    r"#\t0x[0-9a-f]+(?:\t(?P<function>[^\t]*)\+0x[0-9a-f]+\t+(?P<place>.*))?"
)
_LABELS: Final = "# labels: "


def pages(data: bytes) -> list[bytes]:
    """The pages of a text that has several, each from its HEAD on."""
    starts = [found.start() for found in HEAD.finditer(data)]
    whole = [at for at in starts if at == 0 or data[at - 1] == 10]
    return [data[at:end] for at, end in zip(whole, [*whole[1:], len(data)], strict=True)]


def read_grouped(data: bytes) -> Dump:
    """The groups of a text that begins with HEAD. Raises FormatError."""
    head = HEAD.match(data)
    if head is None:
        raise FormatError("this is no grouped goroutine dump", offset=0)
    numbers: dict[str, int] = {}
    rows: list[tuple[int, int, int]] = []
    count, labels = 0, -1
    frames: list[str] = []
    open_group = False
    lines = data[head.end() :].decode("utf-8", "backslashreplace").replace("\r\n", "\n").split("\n")
    for line in lines:
        if found := _GROUP.fullmatch(line):
            count, labels, frames, open_group = int(found[1]), -1, [], True
        elif not line and open_group:
            stack = numbers.setdefault("".join(frames), len(numbers))
            rows.append((count, stack, labels))
            open_group = False
        elif line.startswith(_LABELS) and open_group:
            labels = numbers.setdefault(line.removeprefix(_LABELS), len(numbers))
        elif open_group and (found := _FRAME.fullmatch(line)):
            function = (found["function"] or "").replace("%2e", ".")
            frames.append(f"{function or line.split(chr(9))[1]}\n{found['place'] or ''}\n")
    total = int(head[2])
    got = sum(row[0] for row in rows)
    lost = ""
    if got < total:
        lost = f"the dump is cut off: {total - got:,} of {total:,} goroutines are missing"
    leaks = head[1] == b"goroutineleak"
    table = np.array(rows, np.int64).reshape(-1, 3)
    return grouped(Form.GROUPED, table, list(numbers), leaks=leaks, lost=lost, size=len(data))


def grouped(
    form: Form,
    table: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    texts: list[str],
    *,
    leaks: bool,
    lost: str,
    size: int,
) -> Dump:
    """A dump that has stacks and counts only: rows of (count, stack, labels)."""
    rows = len(table)
    return Dump(
        form=form,
        leaks=leaks,
        count=table[:, 0],
        id=column(rows, 0, np.int64),
        parent=column(rows, 0, np.int64),
        minutes=column(rows, -1),
        flags=column(rows, LEAKED if leaks else 0),
        state=column(rows, -1),
        stack=table[:, 1].astype(np.int32),
        creator=column(rows, -1),
        labels=table[:, 2].astype(np.int32),
        ancestors=column(rows, -1),
        texts=texts,
        lost=lost,
        size=size,
    )
