"""runtime.MemStats in its two forms, and the index page of net/http/pprof."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.formats import memstats, pprof_index
from gocost.model.errors import FormatError


def decode(data: bytes) -> None:
    """Each page as each of the three; a page can be at most one of them."""
    found = 0
    for read in (memstats.decode_vars, memstats.decode_heap_comments):
        try:
            stats = read(data)
        except FormatError:
            continue
        found += 1
        assert len(stats.pauses_since(0)) <= memstats.RING
        assert len(stats.pauses_since(stats.num_gc - 1)) <= 1
    try:
        assert min(pprof_index.decode(data).values()) >= 0
        found += 1
    except FormatError:
        pass
    assert found <= 2


HARNESS = Harness("memstats", decode, corpus("memstats"))

if __name__ == "__main__":
    main(HARNESS)
