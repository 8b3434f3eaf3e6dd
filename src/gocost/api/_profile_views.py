"""The views of a profile: what each command of `gocost profile` shows, one function a view.

A view is a function of a `Look` that returns tables. To add one: a line in VIEWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from gocost.analyses.expressions import compiled
from gocost.analyses.profile.nodes import Nodes, grouped
from gocost.analyses.profile.tables import (
    GRANULARITIES,
    OF_FUNCTIONS,
    Priced,
    by_name,
    calls_of,
    costs_table,
)
from gocost.analyses.profile.view import Costs, Options, View, costs, order, view
from gocost.formats.pprof.profile import Profile
from gocost.model.errors import UsageError
from gocost.model.report import Layout, Note, Table

if TYPE_CHECKING:
    from pathlib import Path

    from gocost.analyses.ownership import Repository
    from gocost.analyses.profile.machine_code import Code, Instruction
    from gocost.analyses.profile.trimming import Limits
    from gocost.formats.buildinfo import BuildInfo

Tables = dict[str, Table]
PLAIN: Final = Layout(facts=())


@dataclass
class Look:
    """A profile and how it is looked at; what views are made of is worked out once, when asked."""

    profile: Profile
    options: Options
    by: str = "function"
    cumulative: bool = False
    expression: str = ""
    """Which functions, for the views of some: `peek`, `list`, `disasm`."""
    limits: Limits | None = None
    stable_names: bool = False
    """Closures as `F.func`, whatever the toolchain calls them."""
    binary: Path | None = None
    info: BuildInfo | None = None
    repository: Repository | None = None
    notes: list[Note] = field(default_factory=list)
    money: Priced | None = None
    """What values cost a month, where they have a price."""

    @cached_property
    def seen(self) -> View:
        """The profile as the options leave it."""
        return view(self.profile, self.options)

    @cached_property
    def nodes(self) -> Nodes:
        """What `by` makes rows of."""
        found = by_name(self.seen, self.options, self.by, self.info, self.repository)
        if not self.stable_names:
            return found
        if self.by != "function":
            raise UsageError(
                "--stable-names is about names of functions", hint=f"drop --by {self.by}"
            )
        from gocost.analyses.profile.closures import stable

        return grouped(found, stable(found.labels()))

    @cached_property
    def spent(self) -> Costs:
        """What each node cost."""
        return costs(self.seen, self.nodes)

    def rows(self) -> list[int]:
        """The nodes that are shown, the most expensive first."""
        if self.limits is None:
            return order(self.nodes, self.spent, cumulative=self.cumulative)
        from gocost.analyses.profile.trimming import kept

        return kept(self.nodes, self.spent, self.limits, cumulative=self.cumulative)


@dataclass(frozen=True, slots=True)
class Shown:
    """A view: its tables, the granularity that it needs, how a person would like to see it."""

    tables: Callable[[Look], Tables]
    granularity: str = ""
    """One of pprof's, whatever `by` says."""
    noinlines: bool | None = None
    layout: Layout = PLAIN
    paid: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By table that has values: the columns a person sees where these have a price."""


def top(look: Look) -> Tables:
    """What costs most."""
    rows, spent = look.rows(), look.spent
    name = "functions" if look.by == "filefunction" else GRANULARITIES[look.by]
    partly = len(rows) < len(look.nodes.nodes) and look.limits is not None
    return {
        name: costs_table(
            look.seen, look.nodes, spent, look.by, rows, complete=not partly, money=look.money
        )
    }


def tree(look: Look) -> Tables:
    """Callers and callees of everything."""
    from gocost.analyses.profile.trimming import NOTHING, kept_calls

    rows = look.rows()
    limits = look.limits or NOTHING
    found = kept_calls(look.seen, look.nodes, look.spent, limits, rows)
    return {"calls": calls_of(look.seen, look.nodes, look.spent, found, rows)}


def peek(look: Look) -> Tables:
    """Callers and callees of the functions that match."""
    from gocost.analyses.profile.view import calls

    expression = compiled("the expression", look.expression)
    labels = look.nodes.labels()
    rows = [row for row in order(look.nodes, look.spent) if expression.search(labels[row])]
    if not rows:
        raise _no_match(look)
    found = calls(look.seen, look.nodes)
    return {"calls": calls_of(look.seen, look.nodes, look.spent, found, rows)}


def tags(look: Look) -> Tables:
    """What was spent under each label."""
    from gocost.analyses.profile.samples import labels_table

    return {"labels": labels_table(look.seen)}


def traces(look: Look) -> Tables:
    """Every sample with its stack."""
    from gocost.analyses.profile.samples import samples_table

    return {"samples": samples_table(look.seen, look.nodes)}


def raw(look: Look) -> Tables:
    """The profile itself."""
    from gocost.analyses.profile.raw import raw_tables

    return raw_tables(look.seen)


def source(look: Look) -> Tables:
    """The source of the functions that match, with what each line costs."""
    from gocost.analyses.profile.source_lines import files_table, lines_table, routines
    from gocost.analyses.profile.view import nodes_in
    from gocost.sources.source_files import SourceFiles

    if look.options.mean:
        raise UsageError("the lines of a function have no mean together", hint="drop --mean")
    nodes = nodes_in(look.seen, look.options, objects=True)
    matching = compiled("the expression", look.expression)
    found = routines(nodes, costs(look.seen, nodes), matching)
    if not found:
        raise _no_match(look)
    files = SourceFiles(look.options.source_path)
    for file in sorted({routine.file for routine in found}):
        read = files.read(file) if file else None
        if read is not None and not read.path:
            look.notes.append(Note("warning", _not_found(file, read.looked)))
        elif read is not None and read.looked:
            look.notes.append(Note("info", f"{file} was found at {read.path}"))
    unfiled = [routine.name for routine in found if not routine.file]
    if unfiled:
        told = f"the profile does not say in which file {', '.join(unfiled)} is"
        look.notes.append(Note("warning", told))

    def text(file: str, number: int) -> str | None:
        return files.read(file).line(number) if file else None

    return {
        "routines": files_table(look.seen, found),
        "lines": lines_table(look.seen, found, text),
    }


def disasm(look: Look) -> Tables:
    """The machine code of the functions that match, with what each instruction costs."""
    from gocost.analyses.profile.machine_code import codes_table, instructions_table

    found = _code(look)
    return {
        "routines": codes_table(look.seen, [code for code, _ in found]),
        "instructions": instructions_table(look.seen, found),
    }


def weblist(look: Look) -> Tables:
    """The source of the functions that match, and beneath each line its instructions."""
    from gocost.analyses.profile.source_lines import mixed_table

    lines = replace(look, options=replace(look.options, granularity="lines", noinlines=False))
    tables = source(lines)
    machine = replace(look, options=replace(look.options, granularity="addresses", noinlines=True))
    return {
        "routines": tables["routines"],
        "listing": mixed_table(look.seen, tables["lines"], _code(machine)),
    }


def _code(look: Look) -> list[tuple[Code, list[Instruction]]]:
    from gocost.analyses.profile.machine_code import codes, instructions
    from gocost.analyses.profile.symbols import belonging, linker
    from gocost.analyses.profile.view import nodes_in
    from gocost.formats.pclntab_frames import Symbolizer
    from gocost.measures.executables import opened
    from gocost.measures.symbols import other_build, program_here

    if look.options.mean:
        raise UsageError("the instructions of a function have no mean together", hint="drop --mean")
    path = look.binary or program_here(look.profile)
    if path is None:
        raise UsageError(
            "machine code is in the program, which is not named, and not where the profile says",
            hint="add --binary FILE",
        )
    matching = compiled("the expression", look.expression)
    nodes = nodes_in(look.seen, look.options)
    with opened(path) as binary:
        image, symbolizer = binary.image, Symbolizer(binary.image)
        rows = belonging(look.profile, image, path.name)
        if rows.other_build is not None:
            raise other_build(path, *rows.other_build)
        place = linker(image, look.profile.mappings, rows.rows)
        found = codes(nodes, costs(look.seen, nodes), matching, symbolizer, place)
        if not found:
            raise _no_match(look)
        return [(code, list(instructions(code, image, symbolizer))) for code in found]


def _not_found(file: str, looked: tuple[str, ...]) -> str:
    shown = ", ".join(looked[:6]) + (f" and {len(looked) - 6} more" if len(looked) > 6 else "")
    return f"{file} was not found; looked at {shown}: name its folder with --source-path"


def _no_match(look: Look) -> UsageError:
    return UsageError(
        f"no function of the profile matches {look.expression!r}",
        hint="`gocost profile top FILE` lists them",
    )


OF_A_FUNCTION: Final = Layout(
    facts=(),
    split={"calls": ("function",)},
    columns={"calls": ("other", "role", "inlined", "value", "share", "cumulative")},
)
ROUTINES: Final = ("function", "flat", "money", "cumulative", "money_cumulative")
LINES: Final = Layout(
    facts=(),
    rows=0,
    split={"lines": ("function", "file")},
    columns={
        "routines": ("function", "flat", "cumulative", "cumulative_share"),
        "lines": ("line", "flat", "cumulative", "source"),
    },
)

INSTRUCTIONS: Final = Layout(
    facts=(),
    rows=0,
    split={"instructions": ("function",)},
    columns={"instructions": ("address", "flat", "cumulative", "instruction", "line")},
)
LISTING: Final = Layout(
    facts=(),
    rows=0,
    split={"listing": ("function", "file")},
    columns={
        "routines": LINES.columns["routines"],
        "listing": ("line", "address", "flat", "cumulative", "text"),
    },
)

VIEWS: Final[Mapping[str, Shown]] = {
    "top": Shown(top),
    "flame": Shown(top),
    "tree": Shown(
        tree, paid={"calls": ("function", "role", "other", "value", "money", "money_cumulative")}
    ),
    "peek": Shown(
        peek,
        layout=OF_A_FUNCTION,
        paid={"calls": ("other", "role", "value", "money", "share", "money_cumulative")},
    ),
    "tags": Shown(tags, paid={"labels": ("key", "label", "value", "money", "share", "samples")}),
    "traces": Shown(traces, layout=Layout(facts=(), stacks={"samples": "stack"})),
    "raw": Shown(raw, "addresses", layout=Layout(facts=(), rows=0)),
    "list": Shown(
        source,
        "lines",
        layout=LINES,
        paid={
            "routines": ROUTINES,
            "lines": ("line", "flat", "cumulative", "money_cumulative", "source"),
        },
    ),
    "disasm": Shown(
        disasm,
        "addresses",
        noinlines=True,
        layout=INSTRUCTIONS,
        paid={
            "routines": ROUTINES,
            "instructions": ("address", "cumulative", "money_cumulative", "instruction", "line"),
        },
    ),
    "weblist": Shown(
        weblist,
        "addresses",
        layout=LISTING,
        paid={
            "routines": ROUTINES,
            "listing": ("line", "address", "flat", "cumulative", "money_cumulative", "text"),
        },
    ),
}


def chosen(name: str, by: str) -> tuple[Shown, str]:
    """The view of that name, and pprof's granularity of what it is made of. Raises UsageError."""
    shown = VIEWS.get(name)
    if shown is None:
        raise UsageError(f"there is no view {name!r}", hint=f"choose of {', '.join(VIEWS)}")
    if by not in GRANULARITIES:
        raise UsageError(
            f"there is nothing to sort a profile by named {by!r}",
            hint=f"choose of {', '.join(GRANULARITIES)}",
        )
    return shown, shown.granularity or OF_FUNCTIONS.get(by, GRANULARITIES[by])
