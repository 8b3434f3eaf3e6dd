"""Memory for what a trace has one by one: goroutines, marks, CPU samples, stacks, texts.

An event of three bytes can make a row of 144: a trace of a gigabyte that was forged could take tens
of them. What its generations hold is counted together, and is refused beyond a cap.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gocost.model.errors import FormatError

MAX_BYTES: Final = 4 << 30
"""Of rows, and copies of them on the way: 25 million marks, or about 4 million goroutines that live
at once through several generations. Of these two more than there are cores are read at a time, so
that on two cores it is four of them, and fewer goroutines on more."""
AT_ONCE: Final = 1 << 14
"""Rows that Python's lists are made of at once: these are six times as large, and not counted."""


def cap(max_bytes: int | None) -> int:
    """A user's `max_bytes` raises the cap, and does not lower it."""
    return max(MAX_BYTES, max_bytes or 0)


class Room:
    """What is left of the cap; taken and given back by any thread."""

    def __init__(self, max_bytes: int | None = None) -> None:
        """`max_bytes` is as for `cap`."""
        self._most = cap(max_bytes)
        self._held = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """So many bytes more. Raises FormatError where there is no room for them."""
        with self._lock:
            self._held += size
            over = self._held > self._most
        if over:
            raise FormatError(
                f"its goroutines, tasks, regions, logs, samples and stacks need more than "
                f"{self._most:,} bytes of memory",
                hint="raise the cap with --max-bytes if you trust it, or look at a part: "
                "`gocost trace slice --from TIME --to TIME`",
            )

    def give(self, size: int) -> None:
        """So many bytes are free again."""
        with self._lock:
            self._held -= size

    @contextmanager
    def lent(self, size: int) -> Iterator[None]:
        """So many bytes for a while: of copies that are made and let go. Raises as `take`."""
        self.take(size)
        try:
            yield
        finally:
            self.give(size)
