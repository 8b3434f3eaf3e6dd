"""Policies: the text, its types, its rules and its resolution."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.model.errors import FormatError, UsageError
from gocost.policy.loading import load_text
from gocost.policy.rewriting import Headroom, Measurement, rewritten, tightenings

PATH = Path("gocost.yaml")


def decode(data: bytes) -> None:
    """The resolved policy, and its text as `tighten` would write it where nothing was measured."""
    try:
        text = data.decode("utf-8", "replace")
        policy = load_text(text, PATH)
        measurements = [Measurement(rule, []) for each in policy.services for rule in each.rules]
        changes = tightenings(measurements, "gocost.yaml", Headroom(), "USD")
        assert rewritten(text, "gocost.yaml", changes) == text
    except UsageError as error:
        # What a user may do wrong is a PolicyError or a UsageError, on one line.
        if "\n" in str(error):
            raise AssertionError("an error of more than one line") from error
        raise FormatError(error.message) from error


HARNESS = Harness("policy", decode, corpus("policy"))

if __name__ == "__main__":
    main(HARNESS)
