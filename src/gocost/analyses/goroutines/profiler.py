"""Who records the CPU profile of a service, by its goroutines.

One CPU profile is recorded at a time. While it is, a goroutine of `runtime/pprof.profileWriter`
runs, and since Go 1.21 a dump says which goroutine called `StartCPUProfile` in
runtime/pprof/pprof.go: that of an HTTP handler, a profiling agent, or the program's own code. Where
that one is now is mostly where it waits for the profile's end, and else what it does beside it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gocost.analyses.goroutines.names import package, told, waits_at
from gocost.formats.goroutine_dump.dump import Dump, Frame

_WRITER: Final = "runtime/pprof.profileWriter"
_NOT_YET: Final = "runtime/pprof.StartCPUProfile."
"""What a writer that has not run yet stands in: what the compiler made of the go statement."""
_HANDLER: Final = "net/http/pprof.Profile"
_SHOWN: Final = 160
"""Characters of a line of code; names are a service's own."""
_LATER: Final = "try again when that profile has ended"
_STOP: Final = "have it stopped there, or take the profiles that it writes"


def profiler(dump: Dump) -> tuple[str, str]:
    """Who records it, and what to do about that. `dump` is of debug=2."""
    starter = _starter(dump)
    if starter is None:
        return "which has ended meanwhile", "try again"
    if not starter:
        return "and its Go is too old to say by whom", _LATER
    rows = (dump.id == starter).nonzero()[0]
    if not rows.size:
        return f"by goroutine {starter}, which has ended", _STOP
    stack = dump.frames(int(dump.stack[rows[0]]))
    if any(frame.function == _HANDLER for frame in stack):
        who = f"another client of its /debug/pprof/profile (goroutine {starter})"
        return f"by {who}", _LATER
    line = "".join(filter(str.isprintable, told(_code(stack)) or ""))[:_SHOWN]
    return f"by goroutine {starter}" + (f", in {line}" if line else ""), _STOP


def _starter(dump: Dump) -> int | None:
    """The goroutine that began the profile; 0 where that is not said, None where there is none."""
    for stack in np.unique(dump.stack).tolist():
        if any(_writes(frame.function) for frame in dump.frames(stack)):
            return int(dump.parent[dump.stack == stack][0])
    return None


def _writes(function: str) -> bool:
    return function == _WRITER or function.startswith(_NOT_YET)


def _code(stack: tuple[Frame, ...]) -> Frame | None:
    """The innermost line that is not of the standard library, whose paths have no domain."""
    for frame in stack:
        within = package(frame.function)
        if within == "main" or "." in within.partition("/")[0]:
            return frame
    return waits_at(stack, "syscall")
