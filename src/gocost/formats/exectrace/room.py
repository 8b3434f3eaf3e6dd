"""Memory for what a trace has one by one: goroutines, marks, CPU samples, stacks, texts.

An event of three bytes can make a row of 144: a trace of a gigabyte that was forged could take tens
of them. What its generations hold is counted together, and is refused beyond a cap; what of them is
read ahead is given up before that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, Final, Generic, TypeVar

from gocost.model.errors import FormatError

MAX_BYTES: Final = 4 << 30
"""Of rows, and copies of them on the way: 40 million marks, or nearly 5 million goroutines that
live at once through several generations, with a timeline of them. What is read ahead has what is
left beside that."""
AT_ONCE: Final = 1 << 14
"""Rows that Python's lists are made of at once: these are six times as large, and not counted."""

T = TypeVar("T")


def cap(max_bytes: int | None) -> int:
    """A user's `max_bytes` raises the cap, and does not lower it."""
    return max(MAX_BYTES, max_bytes or 0)


class Room:
    """What is left of the cap; taken and given back by any thread."""

    def __init__(self, max_bytes: int | None = None) -> None:
        """`max_bytes` is as for `cap`."""
        self._most = cap(max_bytes)
        self._held = 0
        self._changed = threading.Condition()
        self._ahead: list[Ahead[Any]] = []
        self.crowded = False
        """Whether once something that was made ahead had no room beside the rest."""

    def take(self, size: int) -> None:
        """So many bytes more. Raises FormatError where there is no room for them.

        What is made ahead is no reason for that: it has to go.
        """
        with self._changed:
            self._held += size
            self._settle(self._held)

    def give(self, size: int) -> None:
        """So many bytes are free again."""
        with self._changed:
            self._held -= size

    @contextmanager
    def lent(self, size: int) -> Iterator[None]:
        """So many bytes for a while: of copies that are made and let go. Raises as `take`."""
        self.take(size)
        try:
            yield
        finally:
            self.give(size)

    def _settle(self, most: int) -> None:
        """Makes room for what is taken in order, which is or was `most` bytes at a time."""
        if most > self._most:
            raise self._refusal()
        if not self._fits():
            self.crowded = True
            for each in self._ahead:
                each.drop()
            self._changed.wait_for(self._fits)  # those under way see it when they take or end

    def _fits(self) -> bool:
        return self._held + sum(each._held for each in self._ahead) <= self._most

    def _refusal(self) -> FormatError:
        return FormatError(
            f"its goroutines, tasks, regions, logs, samples and stacks need more than "
            f"{self._most:,} bytes of memory",
            hint="raise the cap with --max-bytes if you trust it, or look at a part: "
            "`gocost trace slice --from TIME --to TIME`",
        )


class Ahead(Room, Generic[T]):
    """What is made before its turn, in another thread, and the part of the room that it has.

    Whether there is room for it is seen when its turn comes, as if it were made only then: so it
    depends neither on how many cores there are nor on which of them is faster. What has no room
    beside what is made before it is given up, and made once more in its turn. What is made in its
    turn never waits for what is not; and of what waits for its turn nothing waits for room.
    """

    def __init__(self, room: Room, make: Callable[[Room], T]) -> None:
        """`make` takes what it holds of the room that it is given. In the order of the turns."""
        super().__init__(room._most)
        self._room, self._make, self._changed = room, make, room._changed
        self._future: Future[None] | None = None
        self._peak = 0
        self._turn = self._done = self._again = False
        self._found: T | None = None
        self._error: FormatError | None = None
        with self._changed:
            room._ahead.append(self)

    def begin(self, pool: Executor) -> None:
        """Makes it there; else it is made in its turn."""
        self._future = pool.submit(self._run)

    def cancel(self) -> None:
        """Does not begin with it."""
        if self._future is not None:
            self._future.cancel()

    def taken(self) -> T:
        """It, as its turn has come. Raises what `make` does, and FormatError for want of room."""
        room = self._room
        with self._changed:
            room._ahead.remove(self)
            room._held += self._held
            self._turn = True
            room._settle(room._held - self._held + self._peak)
        if self._future is not None:
            self._future.result()
        if self._error is not None and not self._again:
            raise self._error
        found, self._found = self._found, None
        return self._make(room) if found is None else found

    def take(self, size: int) -> None:
        """As of the room, once its turn has come; before that FormatError is not the last word."""
        with self._changed:
            self._held += size
            self._peak = max(self._peak, self._held)
            if self._turn:
                self._room.take(size)
            elif not self._room._fits():
                self._again = self._room.crowded = True
                raise self._refusal()

    def give(self, size: int) -> None:
        """So many bytes are free again."""
        with self._changed:
            self._held -= size
            if self._turn:
                self._room.give(size)
            self._changed.notify_all()

    def drop(self) -> None:
        """Gives up what is made; it is made once more in its turn."""
        if self._done:
            self._found = None
            self.give(self._held)

    def _run(self) -> None:
        try:
            self._found = self._make(self)
        except FormatError as error:
            self._error = error.with_traceback(None)  # which would hold what was made so far
        finally:
            with self._changed:
                self._done = True
                if self._found is None or not (self._turn or self._room._fits()):
                    self.drop()
