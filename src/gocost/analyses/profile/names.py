"""Regular expressions over a profile's names, with RE2's meaning, as Go's tools have it.

Python's `re` reads `[[:alpha:]]`, `\\pL`, `\\z` and `(?U)` otherwise, and can take exponential
time on a hostile expression; RE2 takes linear time.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from gocost.formats.pprof.profile import Bools, Profile, Strings
from gocost.model.errors import UsageError


class Expression(Protocol):
    """A compiled expression."""

    def search(self, text: str) -> object | None:
        """A match anywhere in the text, or None."""


def compiled(option: str, text: str) -> Expression:
    """The expression of an option. Raises UsageError naming the option."""
    import re2  # 6 ms that only those who filter pay

    options = re2.Options()
    options.log_errors = False
    try:
        expression: Expression = re2.compile(text, options)
    except re2.error as error:
        told = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise UsageError(
            f"{option} {text!r} is no regular expression: {told}",
            hint="quote it, and escape what should stand for itself with \\",
        ) from error
    return expression


def matching(strings: Strings, indexes: npt.NDArray[np.int32], expression: Expression) -> Bools:
    """For each index whether its text matches."""
    unique, places = np.unique(indexes, return_inverse=True)
    found = [expression.search(text) is not None for text in strings.texts(unique.tolist())]
    return np.array(found, np.bool_)[places.reshape(-1)]


class Matches:
    """What an expression matches in a profile: functions by name or file, mappings by file."""

    def __init__(self, profile: Profile, expression: Expression) -> None:
        functions, strings = profile.functions, profile.strings
        by_function = matching(strings, functions.name, expression)
        by_function |= matching(strings, functions.file, expression)
        by_mapping = matching(strings, profile.mappings.file, expression)
        mapping = profile.locations.mapping
        self.lines: Bools = by_function[profile.lines.function]
        """A row a line."""
        self.mapped: Bools = np.zeros(len(mapping), np.bool_)
        """A row a location: its mapping matches."""
        if len(by_mapping):
            self.mapped = np.where(mapping >= 0, by_mapping[mapping], False)
