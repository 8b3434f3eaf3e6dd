"""Metrics pages, in both text formats."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.formats.promtext import Caps
from gocost.formats.promtext import decode as decode_page
from gocost.model.errors import FormatError


def decode(data: bytes) -> None:
    """The page as it is, as each of the two formats, and under tight caps."""
    caps = Caps(samples=50, labels=4, value_bytes=64, name_bytes=32)
    for openmetrics, limits in ((False, None), (True, None), (None, caps)):
        try:
            decode_page(data, openmetrics=openmetrics, caps=limits)
        except FormatError:
            continue
    page = decode_page(data)
    for family in page.families.values():
        for sample in family.samples:
            assert sample in list(page.samples(sample.name))


HARNESS = Harness("promtext", decode, corpus("promtext"))

if __name__ == "__main__":
    main(HARNESS)
