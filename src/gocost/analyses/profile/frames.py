"""Which samples and frames to look at, by names: focus, ignore, hide, show, show_from, prune.

The options are pprof's and mean what they mean there (`profile/filter.go` and `profile/prune.go`
of github.com/google/pprof): focus and ignore choose samples by any of their locations, and ignore
wins; hide and show take lines out of locations; show_from cuts away callers, prune_from callees.
"""

from __future__ import annotations

import numpy as np

from gocost.analyses.expressions import Expression, compiled
from gocost.analyses.profile.names import Matches
from gocost.analyses.profile.selection import (
    any_within,
    cut_stacks,
    first_within,
    last_before,
    last_within,
    line_locations,
    of_lines,
    of_samples,
    without_references,
)
from gocost.formats.pprof.profile import Bools, Int64s, Profile, starts_of
from gocost.model.errors import UsageError

_RESERVED = ("(anonymous namespace)", "operator()")


def focused(
    profile: Profile,
    *,
    focus: Expression | None = None,
    ignore: Expression | None = None,
    hide: Expression | None = None,
    show: Expression | None = None,
) -> tuple[Profile, list[str]]:
    """The profile that the four options leave, and the options that matched nothing."""
    if focus is None and ignore is None and hide is None and show is None:
        return profile, []
    locations = len(profile.locations.id)
    unmatched: list[str] = []
    ignored = np.zeros(locations, np.bool_)
    if ignore is not None:
        ignored = _named(profile, Matches(profile, ignore))
        _tell(unmatched, "ignore", ignored)
    chosen = np.ones(locations, np.bool_)
    if focus is not None:
        chosen = _named(profile, Matches(profile, focus)) & ~ignored
        _tell(unmatched, "focus", chosen)
    lines, hidden = _shown(profile, hide, show, unmatched)
    stack, ends = profile.stack, profile.stack_end
    kept = any_within(chosen[stack] & ~ignored[stack], ends) & ~any_within(ignored[stack], ends)
    if hidden.any():
        kept &= any_within(~hidden[stack], ends)
    profile = of_samples(profile, kept)
    profile = without_references(profile, ~hidden[profile.stack])
    return of_lines(profile, lines), unmatched


def _shown(
    profile: Profile, hide: Expression | None, show: Expression | None, unmatched: list[str]
) -> tuple[Bools, Bools]:
    """The lines that hide and show leave, and the locations that are left without any."""
    where, ends = line_locations(profile), profile.locations.line_end
    kept = np.ones(len(where), np.bool_)
    hidden = np.zeros(len(ends), np.bool_)
    if hide is not None:
        found = Matches(profile, hide)
        kept &= ~found.lines & ~found.mapped[where]
        touched = _named(profile, found)
        hidden |= touched & ~any_within(kept, ends)
        _tell(unmatched, "hide", touched)
    if show is not None:
        found = Matches(profile, show)
        kept &= found.lines | found.mapped[where]
        hidden |= ~any_within(kept, ends)
        _tell(unmatched, "show", kept)
    return kept, hidden


def shown_from(profile: Profile, expression: Expression) -> tuple[Profile, bool]:
    """Stacks from their outermost matching frame inwards; samples without one are dropped.

    Also whether anything matched.
    """
    found = Matches(profile, expression)
    where, ends = line_locations(profile), profile.locations.line_end
    last = last_within(found.lines, ends)
    matched = found.mapped | (last >= 0)
    keep_all = found.mapped | (last < 0)
    kept = keep_all[where] | (np.arange(len(where)) <= last[where])
    outermost = last_within(matched[profile.stack], profile.stack_end)
    cut = cut_stacks(profile, starts_of(profile.stack_end), outermost + 1)
    return of_lines(of_samples(cut, outermost >= 0), kept), bool(matched.any())


def pruned_from(profile: Profile, expression: Expression) -> Profile:
    """Stacks without what lies beneath their innermost matching frame."""
    matched = _matching_simplified(profile, expression, None)
    where, ends = line_locations(profile), profile.locations.line_end
    first = first_within(matched, ends)
    kept = (first[where] < 0) | (np.arange(len(where)) >= first[where])
    innermost = first_within((first >= 0)[profile.stack], profile.stack_end)
    starts = starts_of(profile.stack_end)
    cut = cut_stacks(profile, np.where(innermost >= 0, innermost, starts), profile.stack_end)
    return of_lines(cut, kept)


def without_uninteresting(profile: Profile) -> Profile:
    """The profile without the frames that it itself declares uninteresting (drop_frames).

    What lies beneath such a frame goes with it, but nothing before a stack's first other frame.
    Declarations that are no regular expressions are passed over, as by pprof's command.
    """
    drop, keep = profile.header.drop_frames, profile.header.keep_frames
    if not drop:
        return profile
    try:
        dropped_names = compiled("the profile's drop_frames", f"^({drop})$")
        kept_names = compiled("the profile's keep_frames", f"^({keep})$") if keep else None
    except UsageError:
        return profile
    matched = _matching_simplified(profile, dropped_names, kept_names)
    where, ends = line_locations(profile), profile.locations.line_end
    last = last_within(matched, ends)
    dropped = (last >= 0) & (last == ends - 1)
    beneath = last >= 0
    kept = dropped[where] | (last[where] < 0) | (np.arange(len(where)) > last[where])
    cut = _cut_beneath(profile, beneath, dropped)
    return of_lines(cut, kept)


def _cut_beneath(profile: Profile, beneath: Bools, dropped: Bools) -> Profile:
    stack, ends = profile.stack, profile.stack_end
    flagged = beneath[stack]
    user = last_within(~flagged, ends)
    at = last_before(flagged, user, ends)
    at = np.where(user >= 0, at, -1)
    whole = dropped[stack[np.maximum(at, 0)]] if len(stack) else np.zeros(len(ends), np.bool_)
    first: Int64s = np.where(at < 0, starts_of(ends), at + whole)
    return cut_stacks(profile, first, ends)


def _matching_simplified(profile: Profile, drop: Expression, keep: Expression | None) -> Bools:
    """The lines whose function's name, without arguments, matches `drop` and not `keep`."""
    names, of_function = profile.strings.distinct(profile.functions.name)
    found = np.array([bool(name) and _drops(_simplified(name), drop, keep) for name in names])
    found = found.astype(np.bool_)
    return found[of_function][profile.lines.function] if len(names) else np.zeros(0, np.bool_)


def _drops(name: str, drop: Expression, keep: Expression | None) -> bool:
    return drop.search(name) is not None and (keep is None or keep.search(name) is None)


def _simplified(name: str) -> str:
    """The name without its arguments, and without the dot of PPC64's first ABI."""
    name = name.removeprefix(".")
    at = 0
    while (at := name.find("(", at)) >= 0:
        for word in _RESERVED:
            start = at if word.startswith("(") else at - word.index("(")
            if start >= 0 and name.startswith(word, start):
                at = start + len(word)
                break
        else:
            return name[:at]
    return name


def _named(profile: Profile, found: Matches) -> Bools:
    return found.mapped | any_within(found.lines, profile.locations.line_end)


def _tell(unmatched: list[str], option: str, matched: Bools) -> None:
    if not matched.any():
        unmatched.append(option)
