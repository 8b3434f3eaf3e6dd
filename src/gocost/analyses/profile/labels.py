"""Which samples to look at, by their labels (pprof's tags), and labels as frames.

tagfocus and tagignore choose samples: `key=REGEX[,REGEX]` is any of the expressions on the texts
under the key, `REGEX[,REGEX]` is all of them on `key:text`, and a number or range with a unit
(`32kb`, `:64kb`, `4mb:`, `12kb:64mb`) is for labels with numbers. tagshow and taghide choose
labels; tagroot and tagleaf make frames of them. (`internal/driver` of github.com/google/pprof.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from gocost.analyses.expressions import compiled
from gocost.analyses.profile.names import matching
from gocost.analyses.profile.selection import of_samples
from gocost.analyses.profile.units import label, scaled
from gocost.formats.pprof.profile import (
    Bools,
    Functions,
    Lines,
    Locations,
    Profile,
    starts_of,
)

_AMOUNT: Final = re.compile(r"([+-]?[0-9]+)([A-Za-z]+)?")
_IN_BYTES: Final = ("alignment", "request")
"""Keys whose numbers are bytes where no unit is given."""

Range = Callable[[int, str], bool]


def units_of(profile: Profile) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The unit of each key with numbers: the first that is met; and the others that are."""
    labels, strings = profile.labels, profile.strings
    rows = np.flatnonzero(labels.text == 0)
    pairs = np.stack([labels.key[rows], labels.unit[rows]], axis=1) if len(rows) else None
    found: dict[str, str] = {}
    ignored: dict[str, set[str]] = {}
    if pairs is None:
        return {}, {}
    unique, first = np.unique(pairs, axis=0, return_index=True)
    for key_index, unit_index in unique[np.argsort(first)].tolist():
        key, unit = strings[key_index], strings[unit_index] if unit_index else ""
        if not found.get(key):
            found[key] = unit
        elif unit and unit != found[key]:
            ignored.setdefault(key, set()).add(unit)
    for key, unit in found.items():
        found[key] = unit or ("bytes" if key in _IN_BYTES else key)
    return found, {key: sorted(units) for key, units in ignored.items()}


def focused(
    profile: Profile, units: dict[str, str], focus: str = "", ignore: str = ""
) -> tuple[Profile, list[str]]:
    """The samples that tagfocus and tagignore leave, and the options that matched nothing."""
    kept = np.ones(profile.samples, np.bool_)
    unmatched: list[str] = []
    for option, text in (("tagfocus", focus), ("tagignore", ignore)):
        if not text:
            continue
        found = _chosen(profile, units, option, text)
        if not found.any():
            unmatched.append(option)
        kept &= found if option == "tagfocus" else ~found
    return of_samples(profile, kept), unmatched


def _chosen(profile: Profile, units: dict[str, str], option: str, text: str) -> Bools:
    """The samples that have what a tag filter asks for."""
    key, equals, value = text.partition("=")
    if not equals:
        key, value = "", text
    wanted = parse_range(value)
    if wanted is not None:
        return _any_label(profile, _in_range(profile, units, key, wanted))
    expressions = [compiled(option, part) for part in value.split(",")]
    labels, strings = profile.labels, profile.strings
    texts = labels.text != 0
    if key:
        under = texts & _has_key(profile, key)
        found = np.zeros(len(labels.key), np.bool_)
        for expression in expressions:
            found |= matching(strings, labels.text, expression)
        return _any_label(profile, under & found)
    pairs, of_pair = _pairs(profile)
    chosen = np.ones(profile.samples, np.bool_)
    for expression in expressions:
        hits = np.array([expression.search(pair) is not None for pair in pairs], np.bool_)
        hit = hits[of_pair] if len(pairs) else np.zeros(0, np.bool_)
        chosen &= _any_label(profile, hit & texts)
    return chosen


def _in_range(profile: Profile, units: dict[str, str], key: str, wanted: Range) -> Bools:
    labels, strings = profile.labels, profile.strings
    numbers = labels.text == 0
    if key:
        numbers &= _has_key(profile, key)
    found = np.zeros(len(labels.key), np.bool_)
    for row in np.flatnonzero(numbers).tolist():
        found[row] = wanted(int(labels.number[row]), units.get(strings[int(labels.key[row])], ""))
    return found


def parse_range(text: str) -> Range | None:
    """What a range of numbers accepts, or None where the text is no range."""
    found = [(match.group(0), match.group(1), match.group(2) or "") for match in
             list(_AMOUNT.finditer(text))[:2]]  # fmt: skip
    if not found:
        return None
    whole, digits, given = found[0]
    low, unit = scaled(int(digits), given, given)
    if len(found) == 1:
        tests: dict[str, Callable[[float], bool]] = {
            whole: lambda amount: amount == low,
            f"{whole}:": lambda amount: amount >= low,
            f":{whole}": lambda amount: amount <= low,
        }
        test = tests.get(text)
    else:
        if text != f"{whole}:{found[1][0]}":
            return None
        high, other = scaled(int(found[1][1]), found[1][2], unit)
        if unit != other:
            return None

        def test(amount: float) -> bool:
            return low <= amount <= high

    if test is None:
        return None

    def accepts(value: int, value_unit: str) -> bool:
        amount, name = scaled(value, value_unit, unit)
        return name == unit and test(amount)

    return accepts


def shown(profile: Profile, show: str = "", hide: str = "") -> tuple[Profile, list[str]]:
    """The profile with the labels that tagshow and taghide leave, and what matched nothing."""
    labels = profile.labels
    kept = np.ones(len(labels.key), np.bool_)
    unmatched: list[str] = []
    for option, text in (("tagshow", show), ("taghide", hide)):
        if not text:
            continue
        found = matching(profile.strings, labels.key, compiled(option, text))
        if not found.any():
            unmatched.append(option)
        kept &= found if option == "tagshow" else ~found
    return without_labels(profile, ~kept), unmatched


def without_labels(profile: Profile, dropped: Bools) -> Profile:
    """The profile without the labels of a mask."""
    if not dropped.any():
        return profile
    ends = np.concatenate([[0], np.cumsum(~dropped)])[profile.label_end]
    return replace(profile, labels=profile.labels.keep(~dropped), label_end=ends)


def samples_with(profile: Profile, key: str, text: str) -> Bools:
    """The samples that have this label."""
    labels = profile.labels
    under = np.flatnonzero(_has_key(profile, key) & (labels.text != 0))
    hit = np.zeros(len(labels.key), np.bool_)
    hit[under] = [each == text for each in profile.strings.texts(labels.text[under].tolist())]
    return _any_label(profile, hit)


def has_key(profile: Profile, key: str) -> Bools:
    """The labels under a key."""
    return _has_key(profile, key)


def as_frames(
    profile: Profile, roots: Sequence[str], leaves: Sequence[str], unit: str
) -> tuple[Profile, list[str]]:
    """Stacks with the texts of labels as frames: `roots` outermost, the first of them the root;
    `leaves` innermost, the last of them the leaf. Also the options that matched nothing.
    """
    if not roots and not leaves:
        return profile, []
    added = _Added(profile, unit)
    below = [added.column(key) for key in reversed(leaves)]
    above = [added.column(key) for key in reversed(roots)]
    unmatched = [
        option
        for option, keys in (("tagroot", roots), ("tagleaf", leaves))
        if keys and not any(added.matched[key] for key in keys)
    ]
    sizes = np.diff(profile.stack_end, prepend=0)
    ends = np.cumsum(sizes + len(below) + len(above))
    starts = starts_of(ends)
    stack = np.empty(int(ends[-1]) if len(ends) else 0, np.int32)
    for at, column in enumerate(below):
        stack[starts + at] = column
    for at, column in enumerate(above):
        stack[starts + len(below) + sizes + at] = column
    old = np.ones(len(stack), np.bool_)
    for at in range(len(below)):
        old[starts + at] = False
    for at in range(len(above)):
        old[ends - 1 - at] = False
    stack[old] = profile.stack
    return replace(added.profile(), stack=stack, stack_end=ends), unmatched


class _Added:
    """Locations made of labels, one for each different text under each key."""

    def __init__(self, profile: Profile, unit: str) -> None:
        self._profile = profile
        self._unit = unit
        self._rows: dict[tuple[str, str], int] = {}
        self.matched: dict[str, bool] = {}

    def column(self, key: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """For each sample the row of its location."""
        texts = self._texts(key)
        self.matched[key] = any(texts)
        first = len(self._profile.locations.id)
        return np.array(
            [first + self._rows.setdefault((text, key), len(self._rows)) for text in texts],
            np.int32,
        )

    def _texts(self, key: str) -> list[str]:
        labels, strings = self._profile.labels, self._profile.strings
        texts: list[list[str]] = [[] for _ in range(self._profile.samples)]
        numbers: list[list[tuple[int, str]]] = [[] for _ in range(self._profile.samples)]
        rows = np.flatnonzero(_has_key(self._profile, key))
        samples = self._profile.label_sample()[rows].tolist()
        for row, sample in zip(rows.tolist(), samples, strict=True):
            if labels.text[row]:
                texts[sample].append(strings[int(labels.text[row])])
            else:
                given = strings[int(labels.unit[row])] if labels.unit[row] else ""
                numbers[sample].append((int(labels.number[row]), given))
        return [",".join(a + self._shown(b)) for a, b in zip(texts, numbers, strict=True)]

    def _shown(self, numbers: list[tuple[int, str]]) -> list[str]:
        """Numbers under one key of a sample: in the wanted unit where any of them has one."""
        wanted = self._unit if any(given for _, given in numbers) else ""
        return [label(number, given, wanted) for number, given in numbers]

    def profile(self) -> Profile:
        """The profile with those locations, each of one line and a function of its own."""
        old, count = self._profile, len(self._rows)
        names = np.array([old.strings.add(text) for text, _ in self._rows], np.int32)
        files = np.array([old.strings.add(key) for _, key in self._rows], np.int32)
        numbers = np.arange(count)
        zeros = np.zeros(count, np.int64)
        functions, locations, lines = old.functions, old.locations, old.lines
        return replace(
            old,
            functions=Functions(
                id=np.concatenate([functions.id, _fresh(functions.id, count)]),
                name=np.concatenate([functions.name, names]),
                system_name=np.concatenate([functions.system_name, zeros.astype(np.int32)]),
                file=np.concatenate([functions.file, files]),
                start_line=np.concatenate([functions.start_line, zeros]),
            ),
            locations=Locations(
                id=np.concatenate([locations.id, _fresh(locations.id, count)]),
                mapping=np.concatenate([locations.mapping, np.full(count, -1, np.int32)]),
                address=np.concatenate([locations.address, zeros.astype(np.uint64)]),
                folded=np.concatenate([locations.folded, zeros.astype(np.bool_)]),
                line_end=np.concatenate([locations.line_end, len(lines.line) + 1 + numbers]),
            ),
            lines=Lines(
                function=np.concatenate(
                    [lines.function, (len(functions.id) + numbers).astype(np.int32)]
                ),
                line=np.concatenate([lines.line, zeros]),
                column=np.concatenate([lines.column, zeros]),
            ),
        )


def _fresh(
    ids: np.ndarray[tuple[int], np.dtype[np.uint64]], count: int
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Ids that are not in use: those after the largest, wrapped past 0 where that is the last."""
    highest = int(ids.max()) if len(ids) else 0
    taken = set(ids.tolist()) if highest + count >= 1 << 64 else set()
    found: list[int] = []
    number = highest
    while len(found) < count:
        number = number + 1 if number + 1 < 1 << 64 else 1
        if number not in taken:
            found.append(number)
    return np.array(found, np.uint64)


def _has_key(profile: Profile, key: str) -> Bools:
    unique, places = np.unique(profile.labels.key, return_inverse=True)
    same = np.array([text == key for text in profile.strings.texts(unique.tolist())], np.bool_)
    return same[places.reshape(-1)]


def _pairs(profile: Profile) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The different `key:text` of labels, and for each label which it is."""
    labels, strings = profile.labels, profile.strings
    joined = labels.key.astype(np.int64) << 32 | labels.text
    unique, places = np.unique(joined, return_inverse=True)
    texts = [f"{strings[pair >> 32]}:{strings[pair & 0xFFFFFFFF]}" for pair in unique.tolist()]
    return texts, places.reshape(-1)


def _any_label(profile: Profile, hit: Bools) -> Bools:
    before = np.concatenate([[0], np.cumsum(hit)])
    return before[profile.label_end] > before[starts_of(profile.label_end)]
