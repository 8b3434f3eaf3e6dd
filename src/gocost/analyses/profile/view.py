"""One look at a profile: the options, applied in pprof's order, and what then is summed.

Order: what the profile itself declares uninteresting goes first; then tagroot and tagleaf make
frames; the total is taken (after the filters where percentages are relative); focus, ignore, hide
and show; show_from; tagfocus and tagignore; tagshow and taghide; prune_from; the granularity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np

from gocost.analyses.expressions import compiled
from gocost.analyses.profile import frames, labels
from gocost.analyses.profile.bounds import check_sums
from gocost.analyses.profile.nodes import Nodes, nodes_of, without_inlined
from gocost.analyses.profile.selection import somewhere
from gocost.formats.pprof.profile import BASE_LABEL, Int64s, Profile, ValueType, named
from gocost.kernels import stack_fold
from gocost.model.errors import FormatError, UsageError

CUMULATIVE: Final = frozenset({"alloc_objects", "alloc_space", "contentions", "delay"})
"""Sample types that only ever grow: what counts is how much came between two profiles."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to look at and how; the names and meanings are pprof's."""

    sample_index: str = ""
    """A sample type's name or number; by default the profile's own default, or its last."""
    granularity: str = "functions"
    noinlines: bool = False
    showcolumns: bool = False
    focus: str = ""
    ignore: str = ""
    hide: str = ""
    show: str = ""
    show_from: str = ""
    prune_from: str = ""
    tagfocus: str = ""
    tagignore: str = ""
    tagshow: str = ""
    taghide: str = ""
    tagroot: str = ""
    tagleaf: str = ""
    unit: str = "minimum"
    mean: bool = False
    relative_percentages: bool = False
    drop_negative: bool = False
    source_path: str = ""
    trim_path: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A profile as the options leave it."""

    profile: Profile
    index: int
    """The column of the values that is looked at."""
    type: ValueType
    total: int
    """What percentages are of: the sum of absolute values, or of the base's."""
    mean: bool
    units: dict[str, str]
    """The unit of each label key that has numbers."""
    notes: list[str] = field(default_factory=list)

    def values(self, column: int | None = None) -> Int64s:
        """A column of the samples' values; by default the one that is looked at."""
        index = self.index if column is None else column
        return np.ascontiguousarray(self.profile.values[:, index])


@dataclass(frozen=True, slots=True)
class Costs:
    """What each node cost itself and with its callees."""

    flat: Int64s
    cumulative: Int64s
    flat_sum: Int64s
    cumulative_sum: Int64s
    """Both before a mean divides them: what has a sum is a row, and rows are sorted by them."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls between nodes."""

    caller: np.ndarray[tuple[int], np.dtype[np.int32]]
    callee: np.ndarray[tuple[int], np.dtype[np.int32]]
    weight: Int64s
    residual: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """The call went over frames that are not shown."""
    inlined: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """The call was inlined wherever it was seen."""


_EXPRESSIONS: Final = (
    "focus", "ignore", "hide", "show", "show_from", "prune_from", "tagshow", "taghide",
)  # fmt: skip


def options_of(granularity: str, given: Mapping[str, Any]) -> Options:
    """What was given by name as Options. Raises UsageError for a name that is none of theirs."""
    known = [each.name for each in fields(Options) if each.name != "granularity"]
    for name in given:
        if name == "granularity":
            hint = "`by` says what rows are: function, line, package, ..."
            raise UsageError("there is no option 'granularity'", hint=hint)
        if name not in known:
            from gocost.model.catalogue import nearest

            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else f"the options are {', '.join(known)}"
            raise UsageError(f"there is no option {name!r}", hint=hint)
    return Options(granularity=granularity, **given)


def check_expressions(options: Mapping[str, object]) -> None:
    """Raises UsageError where one of Options' expressions is none, before there is a profile."""
    for name in _EXPRESSIONS:
        if text := options.get(name):
            compiled(name, str(text))


def sample_index(profile: Profile, name: str = "") -> int:
    """The column of a sample type, by name, number or alias. Raises UsageError."""
    types = profile.header.sample_types
    if not types:
        raise FormatError("the profile has no samples", hint="record it again")
    if not name:
        wanted = profile.header.default_sample_type
        return next((i for i, each in enumerate(types) if wanted and each.type == wanted),
                    len(types) - 1)  # fmt: skip
    if name.lstrip("+-").isdecimal():
        if 0 <= int(name) < len(types):
            return int(name)
        raise UsageError(
            f"sample index {name} is outside 0 to {len(types) - 1}",
            hint=f"the profile has {named(types)}",
        )
    short = name.removeprefix("inuse_")
    for i, each in enumerate(types):
        if each.type in (name, short):
            return i
    raise UsageError(f"the profile has no sample type {name!r}", hint=f"choose of {named(types)}")


def view(profile: Profile, options: Options) -> View:
    """The profile as the options leave it. Raises UsageError for an option that is wrong."""
    notes: list[str] = []
    profile = frames.without_uninteresting(somewhere(profile))
    units, others = labels.units_of(profile)
    for key, ignored in others.items():
        notes.append(f"label {key} has the unit {units[key]}, and also {', '.join(ignored)}")
    profile, unmatched = labels.as_frames(
        profile, _words(options.tagroot), _words(options.tagleaf), options.unit
    )
    filtered: Profile | None = None
    if options.relative_percentages:
        filtered = _filtered(profile, options, units, unmatched)
    index = sample_index(profile, options.sample_index)
    total = _total(filtered or profile, index, mean=options.mean)
    if filtered is None:
        filtered = _filtered(profile, options, units, unmatched)
    notes += [f"{option} matched nothing" for option in unmatched]
    if options.noinlines:
        filtered = without_inlined(filtered)
    filtered = labels.without_labels(filtered, labels.has_key(filtered, BASE_LABEL))
    return View(
        profile=filtered,
        index=index,
        type=profile.header.sample_types[index],
        total=total,
        mean=options.mean,
        units=units,
        notes=notes,
    )


def _filtered(
    profile: Profile, options: Options, units: dict[str, str], unmatched: list[str]
) -> Profile:
    chosen = {
        name: compiled(name, text) if (text := getattr(options, name)) else None
        for name in ("focus", "ignore", "hide", "show")
    }
    show_from = compiled("show_from", options.show_from) if options.show_from else None
    prune_from = compiled("prune_from", options.prune_from) if options.prune_from else None
    profile, missed = frames.focused(profile, **chosen)
    unmatched += missed
    if show_from is not None:
        profile, matched = frames.shown_from(profile, show_from)
        unmatched += [] if matched else ["show_from"]
    profile, missed = labels.focused(profile, units, options.tagfocus, options.tagignore)
    unmatched += missed
    profile, missed = labels.shown(profile, options.tagshow, options.taghide)
    unmatched += missed
    if prune_from is not None:
        profile = frames.pruned_from(profile, prune_from)
    return profile


def _words(text: str) -> Sequence[str]:
    return [word for word in text.split(",") if word]


def _total(profile: Profile, index: int, *, mean: bool) -> int:
    values = profile.values
    check_sums(values, profile.origin)
    amounts = np.abs(values[:, index])
    divisors = values[:, 0] if mean else np.zeros(len(values), np.int64)
    total, divisor = int(amounts.sum()), int(divisors.sum())
    of_base = labels.samples_with(profile, BASE_LABEL, "true")
    if int(amounts[of_base].sum()) > 0:
        total, divisor = int(amounts[of_base].sum()), int(divisors[of_base].sum())
    return _quotient(total, divisor) if divisor else total


def nodes_in(seen: View, options: Options, *, objects: bool = False) -> Nodes:
    """The nodes of the view at the options' granularity."""
    from gocost.analyses.profile.source_paths import trimmer

    # pprof leaves frames of addresses as they are unless it takes the inlined ones out.
    as_they_are = options.granularity == "addresses" and not options.noinlines
    return nodes_of(
        seen.profile,
        options.granularity,
        columns=options.showcolumns or as_they_are,
        objects=objects,
        trimmed=trimmer(options.trim_path, options.source_path),
    )


def costs(seen: View, nodes: Nodes) -> Costs:
    """What each node cost itself (flat) and with its callees (cumulative)."""
    found = [
        _folded(seen, nodes, values)
        for values in ([seen.values(), seen.values(0)] if seen.mean else [seen.values()])
    ]
    if not seen.mean:
        return Costs(*found[0], *found[0])
    flat, whole = (_means(amounts, counts) for amounts, counts in zip(*found, strict=True))
    return Costs(flat, whole, *found[0])


def _folded(seen: View, nodes: Nodes, values: Int64s) -> tuple[Int64s, Int64s]:
    profile = seen.profile
    return stack_fold.fold(
        profile.stack_end, profile.stack, nodes.frame_end, nodes.frames, values, len(nodes.nodes)
    )


def calls(seen: View, nodes: Nodes) -> Calls:
    """The calls between nodes, each with what was spent in it."""
    profile = seen.profile
    caller, callee, weight, flags = stack_fold.fold_calls(
        profile.stack_end, profile.stack, nodes.frame_end, nodes.frames, seen.values()
    )
    residual = flags & stack_fold.RESIDUAL != 0
    return Calls(caller, callee, weight, residual, flags & stack_fold.CALLED == 0)


def order(nodes: Nodes, found: Costs, *, cumulative: bool = False) -> list[int]:
    """The nodes by cost, the largest first; equals by name. Nodes without a cost are left out."""
    first, second = found.flat_sum, found.cumulative_sum
    if cumulative:
        first, second = second, first
    labels = nodes.labels()
    # The least telling key first; every sort keeps the order of what is equal.
    kept = np.flatnonzero((first != 0) | (second != 0))
    kept = kept[np.argsort(-np.abs(second[kept]), kind="stable")]
    by_name = np.array(sorted(kept.tolist(), key=labels.__getitem__), np.int64)
    ordered = by_name[np.argsort(-np.abs(first[by_name]), kind="stable")]
    found_order: list[int] = ordered.tolist()
    return found_order


def _means(amounts: Int64s, counts: Int64s) -> Int64s:
    """Quotients that are cut towards zero, as Go's integers divide."""
    safe = np.where(counts == 0, 1, counts)
    quotients = np.abs(amounts) // np.abs(safe)
    return np.where(counts == 0, amounts, quotients * np.sign(amounts) * np.sign(safe))


def _quotient(amount: int, count: int) -> int:
    quotient = abs(amount) // abs(count)
    return quotient if (amount < 0) == (count < 0) else -quotient
