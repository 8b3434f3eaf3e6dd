"""`gocost.profile`: what a pprof profile is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gocost._version import VERSION
from gocost.analyses.profile.names import compiled
from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.tables import (
    GRANULARITIES,
    OF_FUNCTIONS,
    TOTAL,
    by_name,
    calls_of,
    calls_table,
    costs_table,
)
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import Costs, Options, View, calls, costs, order, view
from gocost.formats.pprof.decoding import MAX_BYTES
from gocost.formats.pprof.profile import Profile
from gocost.measures.profiles import Reading, Recorded
from gocost.model.errors import UsageError
from gocost.model.fact import Fact
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Layout, Note, Report, Table
from gocost.model.subject import Subject

if TYPE_CHECKING:
    from gocost.analyses.ownership import Repository
    from gocost.formats.buildinfo import BuildInfo

ROWS = 20
"""Rows of a table that a person sees, as in pprof's own `top`."""


def profile(
    *files: str,
    base: Sequence[str] = (),
    diff_base: Sequence[str] = (),
    normalize: bool = False,
    page: str = "profile",
    seconds: float | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    **options: Any,
) -> Report:
    """Costs by function, package, module, owner, file, line or address of some profiles.

    `files` are paths or URLs, merged where there are several; `base` is subtracted, and with
    `diff_base` percentages are of the base. The other arguments are those of `profile_report`.

    Raises UsageError for an option that is wrong, SourceError where a file cannot be read and
    FormatError where it is no profile.
    """
    _granularity(options.get("by", "function"))  # said before a recording takes its time
    reading = Reading(page, seconds, headers, max_bytes)
    recorded = reading.recorded(files, base, diff_base, normalize=normalize)
    return profile_report(recorded, **options)


def profile_report(
    recorded: Recorded,
    *,
    by: str = "function",
    cum: bool = False,
    peek: str | None = None,
    tree: bool = False,
    tags: bool = False,
    traces: bool = False,
    flame: bool = False,
    nodefraction: float | None = None,
    binary: str | None = None,
    codeowners: str | None = None,
    **options: Any,
) -> Report:
    """The same of profiles that are read already.

    `options` are pprof's by their names with underscores: `focus`, `ignore`, `hide`, `show`,
    `show_from`, `prune_from`, `tagfocus`, `tagignore`, `tagshow`, `taghide`, `tagroot`, `tagleaf`,
    `sample_index`, `mean`, `relative_percentages`, `drop_negative`, `noinlines`, `showcolumns`,
    `trim_path`, `source_path`. `peek` is an expression: callers and callees of what matches; `tree`
    is that of every function. `tags` is what was spent under each label, `traces` is every sample
    with its stack. `flame` adds the tree of all stacks, which HTML draws, without what is below
    `nodefraction` of the total. `by="owner"` goes by `codeowners`, by default the CODEOWNERS of the
    current repository.
    Tables: the one that `by` names (`functions`), or `calls`, `labels`, `samples`; and `stacks`.
    """
    _granularity(by)
    chosen = Options(granularity=OF_FUNCTIONS.get(by, GRANULARITIES[by]), **options)
    found = recorded.difference()
    seen = view(found, chosen)
    info = _build_info(binary)
    repository = _repository(codeowners, info, seen) if by == "owner" else None
    nodes = by_name(seen, chosen, by, info, repository)
    spent = costs(seen, nodes)
    if tags or traces:
        from gocost.analyses.profile.samples import labels_table, samples_table

        tables = {"labels": labels_table(seen)} if tags else {"samples": samples_table(seen, nodes)}
    else:
        tables = _tables(seen, nodes, spent, by, chosen, cum=cum, peek=peek, tree=tree)
    report = _report(recorded.files, found, seen, spent, tables)
    if not flame:
        return report
    from gocost.api.profile_flame import with_flame

    if recorded.base is not None and not recorded.of_base:
        seen = view(recorded.difference(apart=True), chosen)
        nodes = by_name(seen, chosen, by, info, repository)
    return with_flame(report, seen, nodes, by, nodefraction)


def _granularity(by: str) -> None:
    if by not in GRANULARITIES:
        raise UsageError(
            f"there is nothing to sort a profile by named {by!r}",
            hint=f"choose of {', '.join(GRANULARITIES)}",
        )


def _tables(
    seen: View,
    nodes: Nodes,
    spent: Costs,
    by: str,
    options: Options,
    *,
    cum: bool,
    peek: str | None,
    tree: bool,
) -> dict[str, Table]:
    if peek is not None:
        expression = compiled("the expression", peek)
        rows = [i for i in order(nodes, spent) if expression.search(nodes.nodes[i].label)]
        if not rows:
            raise UsageError(
                f"no function of the profile matches {peek!r}",
                hint="`gocost profile top FILE` lists them",
            )
        return {"calls": calls_of(seen, nodes, spent, calls(seen, nodes), rows)}
    if tree:
        return {"calls": calls_table(seen, nodes, spent, calls(seen, nodes))}

    def rose(node: int) -> bool:
        return bool(spent.flat[node] > 0 or (spent.flat[node] == 0 and spent.cumulative[node] >= 0))

    kept = rose if options.drop_negative else None
    name = "functions" if by == "filefunction" else GRANULARITIES[by]
    return {name: costs_table(seen, nodes, spent, by, cumulative=cum, kept=kept)}


def _build_info(binary: str | None) -> BuildInfo | None:
    if binary is None:
        return None
    from pathlib import Path

    from gocost.measures.binary import opened

    with opened(Path(binary)) as image:
        return image.info


def _repository(codeowners: str | None, info: BuildInfo | None, seen: View) -> Repository:
    from pathlib import Path

    from gocost.measures.ownership import repository

    found, passed_over = repository(Path(), Path(codeowners) if codeowners else None, info)
    seen.notes.extend(passed_over)
    return found


def _report(
    files: Sequence[str], found: Profile, seen: View, spent: Costs, tables: dict[str, Table]
) -> Report:
    subject = Subject()
    shown = int(seen.values().sum())
    kind = {"type": seen.type.type, "unit": seen.type.unit}
    total = Fact(TOTAL, shown, Unit.COUNT, subject, labels=kind, origin=", ".join(files))
    return Report(
        command="profile",
        gocost=VERSION,
        subject=subject,
        facts=[total],
        tables=tables,
        notes=[Note("warning", text) for text in seen.notes],
        layout=Layout(title=_title(files, found, seen), facts=(), rows=ROWS),
    )


def _title(files: Sequence[str], found: Profile, seen: View) -> str:
    name = files[0] if len(files) == 1 else f"{len(files)} profiles"
    told = f"{name}: {seen.type.type}, {format_quantity(seen.total, reported(seen.type.unit))}"
    if found.header.duration_ns > 0:
        told += f" in {format_quantity(found.header.duration_ns, Unit.NANOSECONDS)}"
    return told
