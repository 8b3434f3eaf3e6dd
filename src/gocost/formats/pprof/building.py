"""A profile of stacks whose functions, files and lines are known by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from gocost.formats.pprof.profile import (
    Functions,
    Header,
    Labels,
    Lines,
    Locations,
    Mappings,
    Profile,
    Strings,
)

NamedFrame = tuple[str, str, int]
"""Function, file, line."""
_NONE: Final = np.zeros(0, np.int32)
_NO: Final = np.zeros(0, np.uint64)


def built(
    header: Header,
    stacks: Sequence[Sequence[NamedFrame]],
    values: Sequence[Sequence[int]],
    numbers: tuple[str, Sequence[int]] | None = None,
) -> Profile:
    """A profile with a sample a stack (leaf first) and its values, one for each sample type.

    `numbers` is the key of a numeric label and its value for each sample.
    """
    strings = Strings(b"", np.zeros(1, np.int64), np.zeros(1, np.int64))
    frames: dict[NamedFrame, int] = {}
    functions: dict[tuple[str, str], int] = {}
    stack = [frames.setdefault(frame, len(frames)) for each in stacks for frame in each]
    of_frame = [functions.setdefault(frame[:2], len(functions)) for frame in frames]
    names = np.array([strings.add(name) for name, _ in functions], np.int32)
    count = len(frames)
    labelled = len(stacks) if numbers is not None else 0
    return Profile(
        header=header,
        strings=strings,
        values=np.array(values, np.int64).reshape(len(stacks), len(header.sample_types)),
        stack_end=np.cumsum([len(each) for each in stacks], dtype=np.int64),
        stack=np.array(stack, np.int32),
        label_end=np.arange(1, len(stacks) + 1) if labelled else np.zeros(len(stacks), np.int64),
        labels=Labels(
            np.full(labelled, strings.add(numbers[0]) if numbers else 0, np.int32),
            np.zeros(labelled, np.int32),
            np.array(numbers[1] if numbers else [], np.int64),
            np.zeros(labelled, np.int32),
        ),
        locations=Locations(
            id=np.arange(1, count + 1, dtype=np.uint64),
            mapping=np.full(count, -1, np.int32),
            address=np.zeros(count, np.uint64),
            folded=np.zeros(count, np.bool_),
            line_end=np.arange(1, count + 1),
        ),
        lines=Lines(
            function=np.array(of_frame, np.int32),
            line=np.array([line for _, _, line in frames], np.int64),
            column=np.zeros(count, np.int64),
        ),
        functions=Functions(
            id=np.arange(1, len(functions) + 1, dtype=np.uint64),
            name=names,
            system_name=names,
            file=np.array([strings.add(file) for _, file in functions], np.int32),
            start_line=np.zeros(len(functions), np.int64),
        ),
        mappings=Mappings(_NO, _NO, _NO, _NO, _NONE, _NONE, np.zeros(0, np.uint8)),
    )
