"""Names for addresses: locations of a profile that have no lines get them from the executable.

Which locations: those without lines that are in a mapping of the file, by its build id, or by its
name; or in no mapping at all. Their addresses are those of the process: the mapping says which
place of the file they are, and the file where that is when linked, so that position-independent
executables, whose address is another every time, are read like others.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gocost.formats.executable.interface import Executable
from gocost.formats.pclntab_frames import Frame
from gocost.formats.pprof.profile import (
    Bools,
    Functions,
    Int64s,
    Lines,
    Mappings,
    Profile,
    starts_of,
)

_HAS_ALL: Final = 15
"""Mappings.flags: functions, file names, line numbers, inlined frames."""
_NOT_FILES: Final = ("[", "//anon")
_EVERYWHERE: Final = (0, (1 << 64) - 1, 0)
"""Start, limit and offset of the mapping that stands for none: texts of Go have no others."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Which mappings of a profile are of an executable."""

    rows: list[int]
    other_build: tuple[str, str] | None = None
    """Build ids of the profile's mapping and of the file, where names agree but these do not."""


def nameless(profile: Profile) -> Bools:
    """The locations without lines that samples refer to."""
    bare = profile.locations.line_end == starts_of(profile.locations.line_end)
    wanted: Bools = np.zeros(len(bare), np.bool_)
    wanted[profile.stack] = True
    wanted &= bare & (profile.locations.address != 0)
    return wanted


def belonging(profile: Profile, image: Executable, name: str) -> Belonging:
    """The mappings that are of the executable, whose file has that name."""
    mappings, strings = profile.mappings, profile.strings
    mine = build_id(image)
    files = [strings[file] for file in mappings.file.tolist()]
    ids = [strings[build].lower() for build in mappings.build_id.tolist()]
    same = [row for row, each in enumerate(ids) if mine and each == mine]
    if same:
        return Belonging(same)
    base = posixpath.basename(name)
    named = [row for row, file in enumerate(files) if posixpath.basename(file) == base]
    if not named:
        # As pprof has it, the first mapping is the program's own, unless it is known to be other.
        programs = [row for row, file in enumerate(files) if not file.startswith(_NOT_FILES)]
        named = programs[:1]
        named += [row for row in programs[1:] if named and files[row] == files[named[0]] != ""]
    wrong = [ids[row] for row in named if mine and ids[row] and ids[row] != mine]
    return Belonging(named, (wrong[0], mine) if wrong else None)


@dataclass(frozen=True, slots=True)
class Program:
    """What a profile says that it is of: the file that was run, and its build id; empty where it
    does not say.
    """

    file: str = ""
    build_id: str = ""

    def is_other(self, than: Program) -> bool:
        """Whether the two are of different programs, or builds of one, as far as both say."""
        if self.build_id and than.build_id:
            return self.build_id != than.build_id
        names = (posixpath.basename(each.file) for each in (self, than))
        return all((self.file, than.file)) and len({*names}) > 1

    def __str__(self) -> str:
        """`/srv/payments (build 1a2b3c4d5e6f)`."""
        build = f"build {self.build_id[:12]}" if self.build_id else ""
        return f"{self.file} ({build})" if self.file and build else self.file or build


def program_of(profile: Profile) -> Program:
    """The program that a profile is of: as pprof has it, its first mapping that is a file."""
    mappings, strings = profile.mappings, profile.strings
    for file, build in zip(mappings.file.tolist(), mappings.build_id.tolist(), strict=True):
        name = strings[file]
        if not name.startswith(_NOT_FILES):
            return Program(name, strings[build].lower())
    return Program()


def build_id(image: Executable) -> str:
    """The GNU build id of an ELF file in hex, empty where there is none."""
    section = image.section(".note.gnu.build-id")
    if section is None:
        return ""
    raw = image.contents(section).tobytes()
    sizes = [int.from_bytes(raw[at : at + 4], image.byte_order) for at in (0, 4)]
    start = 12 + (sizes[0] + 3 & ~3)
    return raw[start : start + sizes[1]].hex()


def linked(image: Executable, mappings: Mappings, row: int, address: int) -> int:
    """The address as linked of one in the process, which is in that mapping (-1: in none)."""
    start = int(mappings.start[row]) if row >= 0 else 0
    limit = int(mappings.limit[row]) if row >= 0 else 0
    offset = int(mappings.offset[row]) if row >= 0 else 0
    if not start <= address < limit or (start, limit, offset) == _EVERYWHERE:
        return address  # the address as linked already, as far as can be told
    if image.container == "pe":
        return address - start + image.image_base
    place = address - start + offset
    for part in image.segments:
        if part.kind == "load" and part.offset <= place < part.offset + part.size_in_file:
            return part.address + place - part.offset
    return address


def linker(image: Executable, mappings: Mappings, rows: Sequence[int]) -> Callable[[int], int]:
    """A function that gives the address as linked of one in a process with those mappings.

    Addresses in no mapping of the executable stay what they are.
    """

    def place(address: int) -> int:
        for row in rows:
            if int(mappings.start[row]) <= address < int(mappings.limit[row]):
                return linked(image, mappings, row, address)
        return address

    return place


def symbolised(
    profile: Profile,
    image: Executable,
    rows: Sequence[int],
    frames: Callable[[int], Sequence[Frame]],
) -> tuple[Profile, int]:
    """The profile with lines where it had none, and how many locations were named.

    `rows` are the mappings of the executable, `frames` what is at an address as linked.
    """
    locations = profile.locations
    of_file = np.zeros(len(profile.mappings.id) + 1, np.bool_)
    of_file[list(rows)] = True
    of_file[-1] = True  # what is in no mapping
    wanted = np.flatnonzero(nameless(profile) & of_file[locations.mapping])
    found: dict[int, Sequence[Frame]] = {}
    for at in wanted.tolist():
        address = int(locations.address[at])
        lines = frames(linked(image, profile.mappings, int(locations.mapping[at]), address))
        if lines:
            found[at] = lines
    if not found:
        return profile, 0
    flags = profile.mappings.flags.copy()
    flags[list(rows)] |= _HAS_ALL
    mappings = replace(profile.mappings, flags=flags)
    return replace(_with_lines(profile, found), mappings=mappings), len(found)


def _with_lines(profile: Profile, found: dict[int, Sequence[Frame]]) -> Profile:
    functions, lines, locations = profile.functions, profile.lines, profile.locations
    add, first = profile.strings.add, len(functions.id)
    numbers: dict[tuple[str, str, int], int] = {}
    places: list[int] = []
    counts = np.diff(locations.line_end, prepend=0)
    for at, frames in found.items():
        counts[at] = len(frames)
        places += [
            first + numbers.setdefault((each.name, each.file, each.start_line), len(numbers))
            for each in frames
        ]
    ends: Int64s = np.cumsum(counts)
    fresh = np.zeros(int(ends[-1]), np.bool_)
    starts = starts_of(ends)
    for at in found:
        fresh[starts[at] : ends[at]] = True
    names = np.array([add(name) for name, _, _ in numbers], np.int32)
    files = np.array([add(file) if file else 0 for _, file, _ in numbers], np.int32)
    begins = np.array([start for _, _, start in numbers], np.int64)
    highest = int(functions.id.max()) if first else 0
    ids = np.arange(highest + 1, highest + 1 + len(numbers)).astype(np.uint64)

    def mixed(old: Int64s, new: Sequence[int]) -> Int64s:
        column = np.zeros(len(fresh), old.dtype)
        column[~fresh] = old
        column[fresh] = new
        return column

    told = [each.line for frames in found.values() for each in frames]
    return replace(
        profile,
        locations=replace(locations, line_end=ends),
        lines=Lines(
            function=mixed(lines.function, places),  # type: ignore[arg-type]
            line=mixed(lines.line, told),
            column=mixed(lines.column, [0] * len(told)),
        ),
        functions=Functions(
            id=np.concatenate([functions.id, ids]),
            name=np.concatenate([functions.name, names]),
            system_name=np.concatenate([functions.system_name, names]),
            file=np.concatenate([functions.file, files]),
            start_line=np.concatenate([functions.start_line, begins]),
        ),
    )
