"""What a function of Go's runtime does for a stack that it stands in, by its name.

Names as in Go 1.16 to 1.27 (`runtime/mgc.go`, `mgcmark.go`, `mgcsweep.go`, `mgcscavenge.go`,
`mwbbuf.go`, `proc.go`); closures and generic instances count with the function that they are of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntFlag
from typing import Final

import numpy as np
import numpy.typing as npt


class Role(IntFlag):
    """What stands in a stack; a stack has the roles of all its frames."""

    NONE = 0
    USER = 1
    """A function outside of the runtime."""
    WORKER = 2
    """A background worker of the collector."""
    IDLE_MARK = 4
    """It marks with CPU that nothing else wanted."""
    STACKS = 8
    """Scanning goroutines' stacks."""
    GLOBALS = 16
    """Scanning global variables."""
    ASSIST = 32
    """Marking that an allocation had to do."""
    SWEEP = 64
    BARRIER = 128
    """A write barrier's buffer."""
    BACKGROUND_SWEEP = 256
    SCAVENGER = 512
    """Giving memory back to the operating system."""
    CYCLE = 1024
    """Beginning and ending a cycle; `_GC` stands for a stack that could not be walked then."""
    FORCED = 2048
    """The program itself asked for a collection."""
    SCHEDULER = 4096
    OBSERVER = 8192
    """Recording: profiles, traces, dumps."""
    ALLOCATION = 16384


_NAMED: Final = (
    (Role.WORKER, r"gcBgMarkWorker"),
    (Role.IDLE_MARK, r"gcDrainMarkWorkerIdle"),
    (Role.STACKS, r"scanstack|markrootFreeGStacks|shrinkstack"),
    (Role.GLOBALS, r"markrootBlock"),
    (Role.ASSIST, r"gcAssistAlloc1?|gcParkAssist"),
    (Role.SWEEP, r"deductSweepCredit|sweepone|\(\*sweepLocked\)\.sweep|\(\*mspan\)\.sweep"),
    (Role.BARRIER, r"gcWriteBarrier\w*|wbBufFlush1?"),
    (Role.BACKGROUND_SWEEP, r"bgsweep"),
    (Role.SCAVENGER, r"bgscavenge|\(\*scavengerState\)\.\w+"),
    (Role.CYCLE, r"_GC|gcStart|gcMarkDone|gcMarkTermination|gcSweep|gcBgMarkStartWorkers"),
    (Role.FORCED, r"GC"),
    (
        Role.SCHEDULER,
        r"schedule|findRunnable|findrunnable|park_m|goschedImpl|gopreempt_m|sysmon|mstart[01]?"
        r"|mcall|stopm|startm|wakep|exitsyscall\w*|goexit0|retake|resetspinning|netpoll"
        r"|stealWork|runqgrab|mPark|notesleep|execute",
    ),
    (Role.ALLOCATION, r"mallocgc\w*|newobject|newarray|makeslice|growslice"),
    (Role.OBSERVER, r"traceAdvance|traceReader|traceStartReadCPU|ReadTrace|profileloop1?"),
)
_RUNTIME: Final = tuple(
    (role, re.compile(rf"runtime\.(?:{names})(?:\.func[\d.]+|\.gowrap\d+|-fm)*"))
    for role, names in _NAMED
)
_OBSERVERS: Final = re.compile(
    r"net/http/pprof\..*"
    r"|runtime/pprof\.(?:profileWriter|StartCPUProfile|StopCPUProfile|writeHeap\w*|\(\*Profile\)\..*"
    r"|\(\*profileBuilder\)\..*|writeRuntimeProfile|writeGoroutine\w*)(?:\..*)?"
    r"|runtime/trace\.(?:Start|Stop|\(\*recorder\)\..*|\(\*FlightRecorder\)\..*"
    r"|\(\*traceMultiplexer\)\..*|\(\*traceAdvancer\w*\)\..*)(?:\..*)?"
    r"|runtime\.\(\*traceAdvancer\w*\)\..*"
)
_PACKAGES: Final = re.compile(r"runtime|(?:runtime/internal|internal/runtime)/[\w/]+")
"""The packages that are the runtime. runtime/debug and the like are libraries."""
_ASSEMBLY: Final = re.compile(r"(?:^|/)(?:runtime|internal/bytealg|internal/runtime/\w+)/\w+\.s$")
_BODIES: Final = re.compile(r"(?:^|/src/)(runtime|internal/runtime/\w+)/\w+\.go$")
"""Sources of the runtime: what other packages declare, and it defines (go:linkname), is there."""


def roles_of(
    names: Sequence[str], files: Sequence[str], packages: Sequence[str]
) -> npt.NDArray[np.int32]:
    """The Role bits of each function, by name, file and import path."""
    found = np.zeros(len(names), np.int32)
    for at, (name, file, package) in enumerate(zip(names, files, packages, strict=True)):
        found[at] = _role(name, file, package)
    return found


def is_runtime(package: str) -> bool:
    """Whether an import path is the runtime's own."""
    return _PACKAGES.fullmatch(package) is not None


def _role(name: str, file: str, package: str) -> int:
    if not is_runtime(package):
        if "." not in name and (not name or _ASSEMBLY.search(file)):
            return Role.NONE  # assembly has no package in its name; addresses have no name
        if _is_lent(file, package):
            return Role.OBSERVER if _OBSERVERS.fullmatch(name) else Role.NONE
        return Role.USER | (Role.OBSERVER if _OBSERVERS.fullmatch(name) else Role.NONE)
    role = Role.NONE
    for each, pattern in _RUNTIME:
        if pattern.fullmatch(name):
            role |= each
    if _OBSERVERS.fullmatch(name):
        role |= Role.OBSERVER
    return role


def _is_lent(file: str, package: str) -> bool:
    """Whether a function of the standard library is the runtime's under another name, such as
    time.Sleep: its source says so, as no other package's files are in the runtime's folders.
    """
    found = _BODIES.search(file)
    if found is None or package == "main" or "." in package:
        return False
    return not package.endswith(f"/{found[1]}")  # a module's own, of a name without a dot
