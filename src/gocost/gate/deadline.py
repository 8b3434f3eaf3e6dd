"""A hard end for a measure that does not keep its deadline itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gocost.model.errors import NotMeasurableError

GRACE = 5.0
"""Seconds a measure has beyond its deadline to end by itself, with a better message than ours."""


class DeadlineError(NotMeasurableError):
    """A measure took longer than it may."""


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Raise DeadlineError inside the context once `seconds` and a grace are over.

    By SIGALRM, which interrupts the waiting system calls of the main thread, so that the `with`
    blocks of the measure end their children. In another thread, or where there is no such signal,
    measures are trusted to look at `Context.remaining()`.
    """
    alarm = getattr(signal, "setitimer", None)
    if alarm is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise DeadlineError(
            f"{what} did not end within {seconds:g} s", hint="see what it waits for"
        )

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
