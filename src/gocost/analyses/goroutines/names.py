"""Functions and places: what a person is told of a stack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gocost.formats.goroutine_dump.dump import Frame

NO_STACK: Final = "(no stack: it ran on another thread)"
_WAITING: Final = frozenset(
    {"runtime", "sync", "time", "syscall", "reflect", "golang.org/x/sys/unix"}
)
"""Packages whose functions only wait for somebody: the caller is the line to look at."""
_READING: Final = frozenset({"net", "os", "io", "bufio", "crypto/tls"})
"""The same, where what is waited for is the network or a file."""
_RUNTIME: Final = re.compile(r"runtime$|internal/runtime/|runtime/internal/")
"""Its packages; what is below internal/runtime since Go 1.23 was below runtime/internal before."""
_EXITS: Final = frozenset({"runtime.goexit", "runtime.main"})
_USERS: Final = frozenset({"runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"})

_FRAMES: Final = (
    ("runtime.selectgo", "select"),
    ("runtime.block", "select (no cases)"),
    ("runtime.chanrecv", "chan receive"),
    ("runtime.chansend", "chan send"),
    ("runtime.netpollblock", "IO wait"),
    ("runtime.coroswitch", "coroutine"),
    ("runtime.timeSleep", "sleep"),
    ("time.Sleep", "sleep"),
    ("sync.runtime_notifyListWait", "sync.Cond.Wait"),
    ("sync.(*WaitGroup).Wait", "sync.WaitGroup.Wait"),
    ("sync.(*RWMutex).RLock", "sync.RWMutex.RLock"),
    ("sync.(*RWMutex).Lock", "sync.RWMutex.Lock"),
    ("sync.(*Mutex).Lock", "sync.Mutex.Lock"),
    ("internal/sync.(*Mutex).Lock", "sync.Mutex.Lock"),
    ("sync.runtime_Semacquire", "semacquire"),
)
"""What a function among the innermost ones waits for; the first that is found counts."""
_INNERMOST: Final = 8


def package(function: str) -> str:
    """The package of a function: what is before the first dot after the last slash."""
    name = function.split("[", 1)[0].split("(", 1)[0]
    slash = name.rfind("/") + 1
    dot = name.find(".", slash)
    return name[:dot] if dot >= 0 else name


def waits_at(stack: tuple[Frame, ...], state: str) -> Frame | None:
    """The line that waits: the innermost one that is not only a way of waiting."""
    ways = _WAITING | _READING if state in ("IO wait", "syscall", "") else _WAITING
    for frame in stack:
        within = package(frame.function)
        if frame.place and within not in ways and not within.startswith("internal/"):
            return frame
    return stack[0] if stack else None


def waits_in(functions: Sequence[str]) -> str:
    """The same of functions alone, leaf first, whatever is waited for; empty where there are none.

    What waits in the runtime and nowhere else is the runtime's own, and named by where it began.
    """
    for function in functions:
        within = package(function)
        if within not in _WAITING | _READING and not within.startswith("internal/"):
            return function
    began = [function for function in functions if function not in _EXITS]
    return (began or [*functions] or [""])[-1]


def blocked_in(functions: Sequence[str]) -> str:
    """What the innermost functions, leaf first, wait for, in a dump's words; empty where they do
    not show it.
    """
    near = functions[:_INNERMOST]
    return next((word for name, word in _FRAMES if any(each.startswith(name) for each in near)), "")


def entry(stack: tuple[Frame, ...]) -> str:
    """The function that a goroutine began in."""
    for frame in reversed(stack):
        if frame.function not in _EXITS:
            return frame.function
    return stack[-1].function if stack else ""


def is_system(stack: tuple[Frame, ...], creator: tuple[Frame, ...]) -> bool:
    """Whether a goroutine is the runtime's own, as `isSystemGoroutine` in traceback.go has it.

    A goroutine of runtime code that calls into the program (a finalizer) is the program's.
    """
    if any(frame.function in _USERS for frame in stack):
        return False
    named = [frame.function for frame in (*stack, *creator) if frame.function != "runtime.goexit"]
    return bool(named) and all(_RUNTIME.match(package(name)) for name in named)


def told(frame: Frame | None) -> str | None:
    """A line in short: function, file and line."""
    if frame is None:
        return None
    place = frame.place.replace("\\", "/").rpartition("/")[2]
    return f"{frame.function} {place}".rstrip()
