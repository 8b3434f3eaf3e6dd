"""CODEOWNERS and go.mod files, and paths against the rules that come out."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from contextlib import suppress

from fuzz.runner import Harness, corpus, main
from gocost.formats import codeowners, gomod
from gocost.model.errors import FormatError


def decode(data: bytes) -> None:
    """As both forges read it, and what of it some paths belong to."""
    with suppress(FormatError):
        gomod.decode(data)
    for gitlab in (None, False, True):
        found = codeowners.decode(data, gitlab=gitlab)
        for path in ("", "main.go", "cmd/api/main.go", "a" * 300, "docs/x/\udc80.md"):
            assert all(found.owners(path))


HARNESS = Harness("codeowners", decode, corpus("codeowners"))

if __name__ == "__main__":
    main(HARNESS)
