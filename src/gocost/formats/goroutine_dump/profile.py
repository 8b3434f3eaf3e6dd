"""Goroutines as a pprof profile: `/debug/pprof/goroutine` and `goroutineleak` without `debug`.

The same as debug=1 in protobuf form: stacks and counts, no ids, states or creators. As there, the
runtime's own frames at the leaf and `runtime.goexit` are left out (`printStackRecord` in Go's
src/runtime/pprof/pprof.go), so that both forms have the same stacks.
"""

from __future__ import annotations

import numpy as np

from gocost.formats.goroutine_dump.dump import Dump, Form
from gocost.formats.goroutine_dump.grouped import grouped
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.profile import Profile, starts_of
from gocost.model.errors import FormatError

MAX_FRAMES = 1 << 22
"""Frames of all stacks of a profile together."""


def read_profile(data: bytes, *, origin: str = "", max_bytes: int) -> Dump:
    """The goroutines of a profile. Raises FormatError, also for a profile of something else."""
    profile = decode(data, origin=origin, max_bytes=max_bytes)
    types = [each.type for each in profile.header.sample_types]
    if len(types) != 1 or types[0] not in ("goroutine", "goroutineleak"):
        raise FormatError(
            f"this is a profile of {', '.join(types) or 'nothing'}, not of goroutines",
            hint="see `gocost profile top`",
        )
    if int(profile.values.min(initial=0)) < 0:
        raise FormatError("the profile has a negative number of goroutines")
    if len(profile.stack) > MAX_FRAMES:
        raise FormatError(f"the profile has more than {MAX_FRAMES:,} frames")
    numbers: dict[str, int] = {}
    frames = _frames(profile)
    starts = starts_of(profile.stack_end).tolist()
    labels = _labels(profile)
    rows = []
    for i, (first, last) in enumerate(zip(starts, profile.stack_end.tolist(), strict=True)):
        stack = [frame for at in profile.stack[first:last].tolist() for frame in frames[at]]
        text = "".join(f"{name}\n{place}\n" for name, place in _shown(stack))
        number = numbers.setdefault(text, len(numbers))
        label = numbers.setdefault(labels[i], len(numbers)) if i in labels else -1
        rows.append((int(profile.values[i, 0]), number, label))
    table = np.array(rows, np.int64).reshape(-1, 3)
    leaks = types[0] == "goroutineleak"
    return grouped(Form.PROFILE, table, list(numbers), leaks=leaks, lost="", size=len(data))


def _frames(profile: Profile) -> list[list[tuple[str, str]]]:
    """(function, file:line) of the lines of each location, innermost first."""
    strings, functions, lines = profile.strings, profile.functions, profile.lines
    names = strings.texts(functions.name.tolist())
    files = strings.texts(functions.file.tolist())
    ends = profile.locations.line_end.tolist()
    found: list[list[tuple[str, str]]] = []
    first = 0
    rows = list(zip(lines.function.tolist(), lines.line.tolist(), strict=True))
    for at, end in enumerate(ends):
        told = [
            (_plain(names[row]), f"{_plain(files[row])}:{line}")
            for row, line in rows[first:end]
            if row >= 0
        ]
        found.append(told or [(f"{int(profile.locations.address[at]):#x}", "")])
        first = end
    return found


def _shown(stack: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What debug=1 prints of a stack."""
    stack = [frame for frame in stack if frame[0] != "runtime.goexit"]
    for at, (name, _) in enumerate(stack):
        if not name.startswith(("runtime.", "internal/runtime/")):
            return stack[at:]
    return stack


def _labels(profile: Profile) -> dict[int, str]:
    """The text labels of each sample that has some, as debug=1 prints them."""
    strings, table = profile.strings, profile.labels
    told: dict[int, list[str]] = {}
    rows = zip(
        profile.label_sample().tolist(), table.key.tolist(), table.text.tolist(), strict=True
    )
    for sample, key, text in rows:
        told.setdefault(sample, []).append(f'"{strings[key]}":"{strings[text]}"')
    return {sample: f"{{{', '.join(sorted(each))}}}" for sample, each in told.items()}


def _plain(text: str) -> str:
    return text.replace("%2e", ".").replace("\n", " ")
