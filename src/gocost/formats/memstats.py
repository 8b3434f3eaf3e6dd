"""runtime.MemStats as a Go service publishes it, in two forms.

- /debug/vars (package expvar): a JSON object whose member `memstats` is the struct;
- /debug/pprof/heap?debug=1 (package runtime/pprof): the text profile ends in comment lines
  `# TotalAlloc = 21342024` and `# PauseNs = [336999 44544 ...]`.

PauseNs is a ring: the pause of cycle n stands at (n + 255) % 256, both stops of the cycle together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from gocost.model.errors import FormatError

RING = 256
"""Cycles whose pauses MemStats remembers."""
MAX_PAUSES = 4096
"""Entries of PauseNs that are read; Go writes 256."""


class MemStats(msgspec.Struct, frozen=True, rename="pascal"):
    """What is used of runtime.MemStats. Sizes in bytes."""

    total_alloc: int
    """Allocated since the start, freed or not."""
    heap_alloc: int
    """Objects that are reachable or not yet swept."""
    next_gc: int = msgspec.field(name="NextGC")
    """The heap size at which the next cycle is to end; 2**64 - 1 where GOGC is off."""
    num_gc: int = msgspec.field(name="NumGC")
    num_forced_gc: int = msgspec.field(name="NumForcedGC", default=0)
    pause_ns: tuple[int, ...] = ()
    pause_end: tuple[int, ...] = ()
    """When those cycles ended, in nanoseconds since 1970; at the same places."""
    sys: int = 0
    """All memory that was had from the system: the sum of the fields that end in Sys."""
    heap_sys: int = 0
    heap_idle: int = 0
    """Spans without objects, given back or not."""
    heap_inuse: int = 0
    """Spans with objects, their free slots included."""
    heap_released: int = 0
    """Of the idle spans, those that were given back to the system."""
    heap_objects: int = 0
    stack_inuse: int = 0
    stack_sys: int = 0
    m_span_inuse: int = msgspec.field(name="MSpanInuse", default=0)
    m_span_sys: int = msgspec.field(name="MSpanSys", default=0)
    m_cache_inuse: int = msgspec.field(name="MCacheInuse", default=0)
    m_cache_sys: int = msgspec.field(name="MCacheSys", default=0)
    buck_hash_sys: int = 0
    """Of the memory and block profiles."""
    gc_sys: int = msgspec.field(name="GCSys", default=0)
    """Of the collector, its work buffers included."""
    other_sys: int = 0
    last_gc: int = msgspec.field(name="LastGC", default=0)
    """When the last cycle ended, in nanoseconds since 1970."""
    gc_cpu_fraction: float = msgspec.field(name="GCCPUFraction", default=0.0)
    """Of the CPU time that was there for the program since it started."""

    def pauses_since(self, cycle: int) -> list[float]:
        """Seconds stopped in each cycle after number `cycle`, oldest first, as far as remembered.

        Fewer than `num_gc - cycle` of them where the ring has wrapped.
        """
        if len(self.pause_ns) != RING:
            return []
        first = max(cycle, self.num_gc - RING, 0)
        # Cycle n, counted from 1, stands at (n + 255) % 256.
        return [self.pause_ns[(n + 255) % RING] * 1e-9 for n in range(first + 1, self.num_gc + 1)]


class _Vars(msgspec.Struct):
    memstats: MemStats


_VARS = msgspec.json.Decoder(_Vars)
_COMMENT = re.compile(
    rb"^# (\w{1,20}) = (\d{1,20}|\[[\d ]{0,100000}\]|\d{1,20} / \d{1,20}|[\d.e+-]{1,30})$",
    re.MULTILINE,
)
_PAIRS = (("Stack", "stack"), ("MSpan", "m_span"), ("MCache", "m_cache"))
"""Written as `# Stack = inuse / sys`."""
_PLAIN = (
    ("Sys", "sys"),
    ("HeapSys", "heap_sys"),
    ("HeapIdle", "heap_idle"),
    ("HeapInuse", "heap_inuse"),
    ("HeapReleased", "heap_released"),
    ("HeapObjects", "heap_objects"),
    ("BuckHashSys", "buck_hash_sys"),
    ("GCSys", "gc_sys"),
    ("OtherSys", "other_sys"),
    ("LastGC", "last_gc"),
)


def decode_vars(data: bytes) -> MemStats:
    """The page /debug/vars. Raises FormatError where it is not one, or has no memstats."""
    try:
        return _checked(_VARS.decode(data).memstats)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"this is not a page of Go's expvar: {error}") from error


def decode_heap_comments(data: bytes) -> MemStats:
    """The comments of /debug/pprof/heap?debug=1. Raises FormatError where there are none."""
    start = data.rfind(b"# runtime.MemStats\n")
    if not data.startswith(b"heap profile: ") or start < 0:
        raise FormatError("this is not a heap profile with debug=1", offset=0)
    found = {m[1].decode(): m[2].decode() for m in _COMMENT.finditer(data, start)}
    try:
        more = {field: int(found.get(name, "0")) for name, field in _PLAIN}
        for name, field in _PAIRS:
            inuse, _, all_ = found.get(name, "0 / 0").partition(" / ")
            more |= {f"{field}_inuse": int(inuse), f"{field}_sys": int(all_)}
        stats = MemStats(
            total_alloc=int(found["TotalAlloc"]),
            heap_alloc=int(found["HeapAlloc"]),
            next_gc=int(found["NextGC"]),
            num_gc=int(found["NumGC"]),
            num_forced_gc=int(found.get("NumForcedGC", "0")),
            pause_ns=_ring(found, "PauseNs"),
            pause_end=_ring(found, "PauseEnd"),
            gc_cpu_fraction=float(found.get("GCCPUFraction", "0")),
            **more,
        )
    except (KeyError, ValueError) as error:
        raise FormatError(f"the heap profile's comments lack {error}", offset=start) from error
    return _checked(stats)


def _ring(found: Mapping[str, str], name: str) -> tuple[int, ...]:
    return tuple(map(int, found.get(name, "[]").strip("[]").split()))


def _checked(stats: MemStats) -> MemStats:
    fields = msgspec.structs.asdict(stats)
    numbers = [value for value in fields.values() if isinstance(value, int)]
    numbers += (*stats.pause_ns[:MAX_PAUSES], *stats.pause_end[:MAX_PAUSES])
    share = stats.gc_cpu_fraction
    if (
        max(len(stats.pause_ns), len(stats.pause_end)) > MAX_PAUSES
        or not all(0 <= number < 2**64 for number in numbers)
        # The runtime has been seen to say a little less than 0.
        or not -1 <= share <= 1
    ):
        raise FormatError("a figure of memstats is outside of what Go writes")
    return stats
