"""How much text a view would join, before it does: a small file can name a long text very often."""

from __future__ import annotations

from typing import Final

import numpy as np

from gocost.formats.pprof.profile import Int32s, Profile
from gocost.model.errors import FormatError

MAX_TEXT: Final = 1 << 29
"""Bytes of texts that are joined; the stacks of a real profile of 100 MB come to less."""


def check_stacks(names: list[str], frames: Int32s) -> None:
    """Raises FormatError where the names of all frames are too much text together."""
    sizes = np.array([len(name) + 1 for name in names], np.int64)
    _check(int(np.bincount(frames, minlength=len(sizes))[: len(sizes)] @ sizes), "stacks")


def check_labels(profile: Profile) -> None:
    """Raises FormatError where all samples' labels are too much text together."""
    labels = profile.labels
    total = 0
    for column in (labels.key, labels.text):
        rows, counts = np.unique(column, return_counts=True)
        _, _, sizes = profile.strings.places(rows)
        total += int((sizes + 1) @ counts)
    _check(total, "labels")


def _check(size: int, what: str) -> None:
    if size > MAX_TEXT:
        raise FormatError(
            f"the samples' {what} come to {size:,} bytes of text, over the cap of {MAX_TEXT:,}",
            hint="show fewer, with --focus or --tagfocus; `gocost profile top` needs none",
        )
