"""A process as Linux shows it in /proc: memory, CPU, threads, descriptors.

Reading costs the watched process nothing measurable (the kernel's own counters are read; its page
tables are not walked, as smaps would). A process id is reused once its process has ended, so a
process is its id and its start time together. Formats: proc(5), proc_pid_stat(5).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from gocost.model.errors import SourceError

PROC = Path("/proc")


class ProcessEndedError(SourceError):
    """The process that was watched is gone (or is only waited for by its parent)."""


class ProcessForbiddenError(SourceError):
    """This user may not look into that process."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process uses at one moment. Sizes in bytes, CPU in seconds since its start."""

    resident: int
    resident_peak: int
    """The kernel's high-water mark since the process started (VmHWM)."""
    anonymous: int
    file: int
    """Mapped files and shared memory."""
    threads: int
    cpu: float
    """User and system."""
    descriptors: int | None
    """None where this user may not list them."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told from a later one of the same id by when it started."""

    pid: int
    started: int
    """Clock ticks since the machine booted."""
    command: str
    root: Path = PROC

    def usage(self) -> Usage:
        """What it uses now.

        Raises ProcessEndedError where it has ended, or its id belongs to another process now.
        """
        state, started, ticks = _stat(self.pid, self.root)
        if started != self.started:
            raise ProcessEndedError(
                f"process {self.pid} ended, and its id belongs to another process now",
                hint="watch a process that stays",
            )
        if state in "ZX":
            raise _ended(self.pid)
        sizes = _status(self.pid, self.root)
        return Usage(
            resident=sizes.get("VmRSS", 0),
            resident_peak=sizes.get("VmHWM", 0),
            anonymous=sizes.get("RssAnon", 0),
            file=sizes.get("RssFile", 0) + sizes.get("RssShmem", 0),
            threads=sizes.get("Threads", 0),
            cpu=ticks / os.sysconf("SC_CLK_TCK"),
            descriptors=_descriptors(self.pid, self.root),
        )

    def age(self) -> float:
        """Seconds since it started."""
        uptime = float(_read(self.root / "uptime").split()[0])
        return max(0.0, uptime - self.started / os.sysconf("SC_CLK_TCK"))

    def environment(self, name: str) -> str | None:
        """A variable of the environment it was started with; None without it or without leave."""
        try:
            variables = _read(self.root / str(self.pid) / "environ", 1 << 20).split("\0")
        except OSError:
            return None
        return next((v[len(name) + 1 :] for v in variables if v.startswith(f"{name}=")), None)


def find_process(pid: int, root: Path = PROC) -> Process:
    """The process of that id as it is now.

    Raises SourceError where there is none (or /proc does not show it), ProcessForbiddenError where
    this user may not look, NotMeasurable reasons of `unsupported` where there is no /proc.
    """
    if reason := unsupported(root=root):
        raise SourceError(reason, hint="run gocost on Linux, where the process runs")
    try:
        state, started, _ = _stat(pid, root)
    except ProcessEndedError as error:
        raise SourceError(f"there is no process {pid}", hint="`ps -e` lists them") from error
    if state in "ZX":
        raise SourceError(f"process {pid} has ended already", hint="`ps -e` lists those that run")
    return Process(pid, started, _command(pid, root), root)


def main_child(pid: int, root: Path = PROC) -> int:
    """The process that does the work of a program that was started: itself, or, where it only
    starts another (a shell script, `env`, `go run`), the largest of what it started."""
    sizes = {}
    for candidate in _family(pid, root):
        try:
            sizes[candidate] = _status(candidate, root).get("VmRSS", 0)
        except SourceError:
            continue  # ended meanwhile
    return max(sizes, key=lambda each: sizes[each], default=pid)


def unsupported(platform: str = sys.platform, root: Path = PROC) -> str:
    """Why processes cannot be watched here, or an empty string where they can."""
    if platform != "linux":
        names = {"darwin": "macOS", "win32": "Windows"}
        return f"{names.get(platform, platform)} has no /proc to watch a process in"
    if not (root / "self").exists() and not (root / "uptime").exists():
        return f"{root} is not mounted"
    return ""


def _stat(pid: int, root: Path) -> tuple[str, int, int]:
    """State, start time and CPU ticks. The command's name may hold spaces and parentheses."""
    text = _process_file(pid, "stat", root)
    fields = text[text.rfind(")") + 2 :].split()
    try:
        # Numbered from 3 (state) in proc_pid_stat(5): 14 utime, 15 stime, 22 starttime.
        return fields[0], int(fields[19]), int(fields[11]) + int(fields[12])
    except (IndexError, ValueError) as error:
        raise SourceError(
            f"{root}/{pid}/stat is not what Linux writes: {text[:60]!r}",
            hint="check that /proc is the kernel's own",
        ) from error


def _family(pid: int, root: Path) -> list[int]:
    """The process and all that descend from it, as far as the kernel lists children."""
    found: list[int] = []
    waiting = [pid]
    while waiting and len(found) < 1000:
        each = waiting.pop()
        found.append(each)
        try:
            text = _read(root / str(each) / "task" / str(each) / "children")
        except OSError:
            continue
        waiting.extend(int(word) for word in text.split() if word.isdecimal())
    return found


def _status(pid: int, root: Path) -> dict[str, int]:
    """The sizes of /proc/PID/status in bytes, and the number of threads."""
    wanted = {"VmRSS", "VmHWM", "RssAnon", "RssFile", "RssShmem", "Threads"}
    found = {}
    for line in _process_file(pid, "status", root).splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if name in wanted and words and words[0].isdecimal():
            found[name] = int(words[0]) * (1024 if words[-1] == "kB" else 1)
    return found


def _descriptors(pid: int, root: Path) -> int | None:
    folder = root / str(pid) / "fd"
    try:
        # Linux 6.2 and later tell their number as the folder's size, to every user and at the
        # same cost for three and for a million; before, they are listed.
        if root == PROC and (count := folder.stat().st_size):
            return count
        return len(os.listdir(folder))  # noqa: PTH208 - five times as fast
    except FileNotFoundError as error:
        raise _ended(pid) from error
    except PermissionError:
        return None
    except OSError as error:
        raise _translated(error, pid) from error


def _command(pid: int, root: Path) -> str:
    try:
        words = _read(root / str(pid) / "cmdline", 1 << 16).split("\0")
        return words[0] or _read(root / str(pid) / "comm").strip()
    except OSError:
        return ""


def _process_file(pid: int, name: str, root: Path) -> str:
    try:
        return _read(root / str(pid) / name)
    except OSError as error:
        raise _translated(error, pid) from error


def _read(path: Path, limit: int = 1 << 16) -> str:
    with path.open("rb") as file:
        return file.read(limit).decode("utf-8", "replace")


def _translated(error: OSError, pid: int) -> SourceError:
    # ESRCH comes from a file that was opened before the process ended and read after it.
    if isinstance(error, FileNotFoundError | ProcessLookupError):
        return _ended(pid)
    if isinstance(error, PermissionError):
        return ProcessForbiddenError(
            f"process {pid} may not be looked into by this user",
            hint="run gocost as root or as the user the process runs as",
        )
    return SourceError(f"process {pid}: {error.strerror or error}", hint="try again")


def _ended(pid: int) -> ProcessEndedError:
    return ProcessEndedError(f"process {pid} ended", hint="watch a process that stays")
