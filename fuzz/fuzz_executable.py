"""The readers of ELF, PE and Mach-O: headers, symbols, relocations, contents."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.formats.executable import open_executable


def decode(data: bytes) -> None:
    """Everything that an executable offers."""
    image = open_executable(data)
    symbols = image.symbols()
    assert len(symbols.names()) == len(symbols)
    moved = image.relocations()
    for part in image.segments[:8]:
        image.offset_of(part.address)
        image.offset_of(part.address + part.size_in_memory - 1)
        if part.size_in_file >= 16 and image.offset_of(part.address) is not None:
            image.read(part.address, 1)
    for at in moved.address[:4].tolist():
        if image.offset_of(at) is not None:
            image.pointer_at(at)
    for section in image.sections:
        assert len(image.contents(section)) == section.size_in_file
    for extent in image.extents:
        assert 0 <= extent.offset <= extent.end <= image.size


HARNESS = Harness("executable", decode, corpus("executable"), max_input=16_384)

if __name__ == "__main__":
    main(HARNESS)
