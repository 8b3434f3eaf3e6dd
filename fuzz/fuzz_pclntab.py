"""The account of a whole binary: pclntab, moduledata, type data, symbols, to the last byte."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, main
from fuzz.small_binary import small_binary
from fuzz.small_pclntab import LAYOUTS
from gocost.analyses.size.account import account
from gocost.analyses.size.stripping import savings
from gocost.analyses.size.tables import nested, tables
from gocost.formats.executable import open_executable


def decode(data: bytes) -> None:
    """Every table, which must add up to the file whatever is in it."""
    image = open_executable(data)
    found = account(image, None, seed=1)
    assert found.ledger.total() == len(data)
    for name, table in tables(found).items():
        if table.sums_to is not None:
            assert sum(map(int, table.column("bytes"))) == len(data), name  # type: ignore[arg-type]
    nested(found, ("module", "kind"))
    savings(image, None)


HARNESS = Harness(
    "pclntab", decode, [small_binary(*layout) for layout in LAYOUTS], max_input=16_384
)

if __name__ == "__main__":
    main(HARNESS)
