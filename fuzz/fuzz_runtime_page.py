"""Pages that tell of the Go runtime: read, made into a window, predicted from."""

from __future__ import annotations

import math
import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.analyses.collector.recommending import choices, recommend
from gocost.analyses.collector.settings import predictions
from gocost.analyses.collector.window import allocation_weight, window_of_pages
from gocost.analyses.runtime.health import health
from gocost.analyses.runtime.recorded import Recorded
from gocost.analyses.runtime.tables import default_limits, health_table, heap_table
from gocost.formats.recognition import recognise
from gocost.formats.runtime_page import decode as decode_page
from gocost.model.errors import UsageError
from gocost.model.subject import Subject


def decode(data: bytes) -> None:
    """The page, and all that is made of it."""
    assert recognise(data).hint
    page = decode_page(data)
    assert all(0 <= value < math.inf for value in page.values.values())
    seen = Recorded([page, page])
    try:
        window = window_of_pages([page])
        assert window_of_pages(seen.pages).allocated == 0
    except UsageError:
        window = None
    if window is not None:
        weight = allocation_weight(window)
        assert weight is None or 0 <= weight <= 1
        predictions(window, choices(window, 1e9))
        recommend(window, 1e9)
    for each in (Recorded([page]), seen):
        found = health(each, window, Subject())
        health_table(found, default_limits())
    table = heap_table(page)
    if table is not None:
        parts = [row[1] for row in table.rows]
        assert all(isinstance(part, int) for part in parts)
        assert sum(int(str(part)) for part in parts) == int(
            page.values["/memory/classes/total:bytes"]
        )


HARNESS = Harness("runtime_page", decode, corpus("runtime_page"))

if __name__ == "__main__":
    main(HARNESS)
