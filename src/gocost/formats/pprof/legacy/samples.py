"""Samples of a legacy profile, which name code by its address, made into a Profile."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from gocost.formats.pprof.legacy.mappings import Mapped, associated
from gocost.formats.pprof.legacy.uninteresting import expressions
from gocost.formats.pprof.profile import (
    Bools,
    Functions,
    Header,
    Int32s,
    Int64s,
    Labels,
    Lines,
    Locations,
    Mappings,
    Profile,
    Strings,
    UInt64s,
    starts_of,
)

BLOCK_LABEL: Final = "bytes"
"""The label of a heap sample with the size of one of its blocks."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the addresses of a profile stand for, where it says so."""

    frames: dict[int, tuple[str, int]] = field(default_factory=dict)
    """Function and line of an address."""
    files: dict[str, str] = field(default_factory=dict)
    """The file of each function."""


class Samples:
    """What is read line by line: values, and addresses from the leaf on."""

    def __init__(self) -> None:
        self._values = array("q")
        self._addresses = array("Q")
        self._ends = array("q")

    def add(self, values: Sequence[int], addresses: Sequence[int]) -> None:
        """One more sample; values and addresses are in the range of 64 bits."""
        self._values.extend(values)
        self._addresses.extend(addresses)
        self._ends.append(len(self._addresses))

    def again(self) -> None:
        """The last sample counts once more."""
        if self._values:
            self._values[-1] += 1

    def stacks(self, header: Header) -> Stacks:
        """All of them."""
        count = len(self._ends)
        return Stacks(
            header=header,
            values=np.array(self._values, np.int64).reshape(count, len(header.sample_types)),
            addresses=np.array(self._addresses, np.uint64),
            ends=np.array(self._ends, np.int64),
        )


@dataclass(frozen=True, slots=True)
class Stacks:
    """All samples of a legacy profile."""

    header: Header
    values: Int64s
    """(samples, sample types)."""
    addresses: UInt64s
    """Leaf first."""
    ends: Int64s
    """Where in `addresses` each sample's end."""
    block_bytes: Int64s | None = None
    """The size of a block of each sample, for a heap."""

    def of_calls(self, *, leaves: bool = True) -> Stacks:
        """Return addresses moved back onto the call; without `leaves` the leaf stays as it is."""
        moved = self.addresses - np.uint64(1)
        if not leaves:
            first = starts_of(self.ends)
            first = first[first < self.ends]
            moved[first] = self.addresses[first]
        return replace(self, addresses=moved)

    def callers(self) -> tuple[Int64s, UInt64s]:
        """Where the second address of each sample stands that has one; and these addresses."""
        starts = starts_of(self.ends)
        places = starts[self.ends - starts > 1] + 1
        return places, self.addresses[places]

    def without(self, places: Int64s) -> Stacks:
        """The stacks without the addresses at these places."""
        kept = np.ones(len(self.addresses), np.bool_)
        kept[places] = False
        return replace(self, addresses=self.addresses[kept], ends=_kept_ends(kept, self.ends))


def profile_of(
    stacks: Stacks,
    mapped: list[Mapped],
    origin: str,
    *,
    names: Names | None = None,
    doubled: bool = False,
) -> Profile:
    """The profile, with each address in its mapping.

    With `names` the profile has them instead of addresses. `doubled` says that the leaf may stand
    twice, once as it is and once as a return address; the second goes.
    """
    addresses, stack = _distinct(stacks.addresses)
    ends = stacks.ends
    known = np.zeros(len(addresses), np.bool_)
    if names is not None:
        known = np.array([each in names.frames for each in addresses.tolist()], np.bool_)
    mapping, mapped = associated(np.where(known, np.uint64(0), addresses), mapped)
    if doubled:
        kept = _undoubled(stacks)
        stack, ends = stack[kept], _kept_ends(kept, ends)
    strings = _strings()
    functions, lines = _named(addresses[known].tolist(), names or Names(), strings)
    drop, keep = expressions([each.type for each in stacks.header.sample_types])
    count = len(stacks.values)
    return Profile(
        header=replace(stacks.header, drop_frames=drop, keep_frames=keep),
        strings=strings,
        values=stacks.values,
        stack_end=ends,
        stack=stack,
        label_end=np.arange(1, count + 1) if stacks.block_bytes is not None else _zeros(count),
        labels=_labels(stacks.block_bytes, strings),
        locations=Locations(
            id=_numbered(len(addresses)),
            mapping=mapping,
            address=addresses if names is None else np.zeros(len(addresses), np.uint64),
            folded=np.zeros(len(addresses), np.bool_),
            line_end=np.cumsum(known),
        ),
        lines=lines,
        functions=functions,
        mappings=_mappings(mapped, strings),
        origin=origin,
    )


def _distinct(addresses: UInt64s) -> tuple[UInt64s, Int32s]:
    """The different addresses as they are first met, and each one's number among them."""
    unique, first, places = np.unique(addresses, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(order), np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return unique[order], number[places.reshape(-1)]


def _undoubled(stacks: Stacks) -> Bools:
    """All addresses but the second ones that are the leaf's less one."""
    places, second = stacks.callers()
    kept = np.ones(len(stacks.addresses), np.bool_)
    kept[places[stacks.addresses[places - 1] == second + np.uint64(1)]] = False
    return kept


def _named(addresses: list[int], names: Names, strings: Strings) -> tuple[Functions, Lines]:
    """A line for each address, and the functions of them all."""
    frames = [names.frames[address] for address in addresses]
    rows = {name: row for row, name in enumerate(dict.fromkeys(name for name, _ in frames))}
    texts = np.array([strings.add(name) for name in rows], np.int32)
    functions = Functions(
        id=_numbered(len(rows)),
        name=texts,
        system_name=texts,
        file=np.array([strings.add(names.files[name]) for name in rows], np.int32),
        start_line=_zeros(len(rows)),
    )
    lines = Lines(
        function=np.array([rows[name] for name, _ in frames], np.int32),
        line=np.array([line for _, line in frames], np.int64),
        column=_zeros(len(frames)),
    )
    return functions, lines


def _labels(block_bytes: Int64s | None, strings: Strings) -> Labels:
    amounts = block_bytes if block_bytes is not None else _zeros(0)
    key = strings.add(BLOCK_LABEL) if len(amounts) else 0
    none = np.zeros(len(amounts), np.int32)
    return Labels(np.full(len(amounts), key, np.int32), none, amounts, none)


def _mappings(mapped: list[Mapped], strings: Strings) -> Mappings:
    return Mappings(
        id=_numbered(len(mapped)),
        start=np.array([each.start for each in mapped], np.uint64),
        limit=np.array([each.limit for each in mapped], np.uint64),
        offset=np.array([each.offset for each in mapped], np.uint64),
        file=np.array([strings.add(_text(each.file)) for each in mapped], np.int32),
        build_id=np.array([strings.add(_text(each.build_id)) for each in mapped], np.int32),
        flags=np.zeros(len(mapped), np.uint8),
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _strings() -> Strings:
    strings = Strings(b"", _zeros(0), _zeros(0))
    strings.add("")
    return strings


def _numbered(count: int) -> UInt64s:
    return np.arange(1, count + 1, dtype=np.uint64)


def _zeros(count: int) -> Int64s:
    return np.zeros(count, np.int64)


def _kept_ends(kept: Bools, ends: Int64s) -> Int64s:
    return np.concatenate([[0], np.cumsum(kept)])[ends]
