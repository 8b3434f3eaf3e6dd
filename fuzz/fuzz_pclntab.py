"""The account of a whole binary to the last byte, and the frames at its addresses."""

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
from gocost.formats.executable import Executable, open_executable
from gocost.formats.pclntab_frames import Symbolizer
from gocost.model.errors import FormatError


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
    _frames(image)


def _frames(image: Executable) -> None:
    """What stands at each function, and beyond them."""
    try:
        symbolizer = Symbolizer(image)
        for _, start, end in symbolizer.named()[:50]:
            for address in (start, (start + end) // 2, end):
                assert len(symbolizer.frames(address)) <= 257
    except FormatError:
        return


HARNESS = Harness(
    "pclntab", decode, [small_binary(*layout) for layout in LAYOUTS], max_input=16_384
)

if __name__ == "__main__":
    main(HARNESS)
