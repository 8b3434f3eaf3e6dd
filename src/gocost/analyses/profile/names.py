"""Regular expressions over a profile's names."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gocost.analyses.expressions import Expression
from gocost.formats.pprof.profile import Bools, Profile, Strings


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
