"""Build info, and the naming of files that hold none."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.formats.buildinfo import module_text, parse, version_text
from gocost.formats.go_binary import open_go_binary


def decode(data: bytes) -> None:
    """A file, or the text alone; what can be read can be written, and read again the same."""
    if data[:5] == b"path\t":
        info = parse(data.decode("utf-8", "surrogateescape"))
        assert parse(module_text(info)).settings == info.settings
        return
    binary = open_go_binary(data)
    if binary.info is not None:
        version_text(binary.info, "file")


SEEDS = corpus("executable") + corpus("buildinfo") * 4
HARNESS = Harness("buildinfo", decode, SEEDS, max_input=16_384)

if __name__ == "__main__":
    main(HARNESS)
