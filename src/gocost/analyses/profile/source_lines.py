"""Costs by source line, function by function: what pprof's `list` annotates a source file with.

As `printSource` in pprof's `internal/report/source.go`: a function's lines are those of its nodes
at the granularity of lines, from its first line (five above its first cost where the profile does
not tell it) to five below its last cost; its own costs are the sums over its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from gocost.analyses.expressions import Expression
from gocost.analyses.profile.machine_code import Code, Instruction, routines_table
from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import Costs, View
from gocost.model.quantity import Unit
from gocost.model.report import Column, Table

MARGIN: Final = 5
"""Lines shown above and below."""


@dataclass(slots=True)
class Routine:
    """A function in one file, with what its lines cost."""

    name: str
    file: str
    flat: int = 0
    cumulative: int = 0
    first: int = 0
    last: int = 0
    lines: dict[int, tuple[int, int]] = field(default_factory=dict)


def mixed_table(
    seen: View, lines: Table, found: Sequence[tuple[Code, Sequence[Instruction]]]
) -> Table:
    """Source lines as `lines_table` has them, each with the instructions that are of it beneath.

    Instructions of calls that were inlined into a function are of other functions' lines, and are
    not shown here but in its disassembly.
    """
    beneath: dict[tuple[str, str, int], list[Instruction]] = {}
    for code, parts in found:
        for each in parts:
            beneath.setdefault((code.name, each.file, each.line), []).append(each)
    rows: list[tuple[Any, ...]] = []
    for function, file, line, flat, whole, text in lines.rows:
        rows.append((function, file, line, None, flat, whole, text, None))
        rows += [
            (function, file, None, f"{each.address:#x}", each.flat or None,
             each.cumulative or None, f"    {each.text}", each.calls or None)
            for each in beneath.get((str(function), str(file), int(str(line))), ())
        ]  # fmt: skip
    unit = reported(seen.type.unit)
    return Table(
        title=f"{seen.type.type} by line and instruction",
        columns=(
            Column("function", Unit.TEXT, "its name, as the profile has it"),
            Column("file", Unit.TEXT, "the source file, as the build had it"),
            Column("line", Unit.TEXT, "its number; nothing for an instruction"),
            Column("address", Unit.TEXT, "the instruction's; nothing for a line"),
            Column("flat", unit, "in itself; nothing where that is 0"),
            Column("cumulative", unit, "with what it called; nothing where that is 0"),
            Column("text", Unit.CODE, "the line, or the instruction"),
            Column("calls", Unit.TEXT, "the function that the instruction calls or jumps to"),
        ),
        rows=rows,
    )


def routines(nodes: Nodes, found: Costs, expression: Expression) -> list[Routine]:
    """The functions whose names match, by name and file; nodes are those of lines."""
    matches: dict[str, bool] = {}
    parts: dict[tuple[str, str], Routine] = {}
    for number in np.flatnonzero((found.flat_sum != 0) | (found.cumulative_sum != 0)).tolist():
        node = nodes.nodes[number]
        if node.name not in matches:
            matches[node.name] = expression.search(node.name) is not None
        if not matches[node.name]:
            continue
        flat, whole = int(found.flat_sum[number]), int(found.cumulative_sum[number])
        routine = parts.setdefault((node.name, node.file), Routine(node.name, node.file))
        start = node.start_line or node.line - MARGIN
        routine.first = min(routine.first, start) if routine.lines else start
        routine.last = max(routine.last, node.line + MARGIN)
        own, called = routine.lines.get(node.line, (0, 0))
        routine.lines[node.line] = own + flat, called + whole
        routine.flat += flat
        routine.cumulative += whole
    for routine in parts.values():
        routine.first = max(1, routine.first)
    return [routine for _, routine in sorted(parts.items())]


def files_table(seen: View, found: Sequence[Routine]) -> Table:
    """One row a function and file."""
    return routines_table(
        seen,
        "its name, as the profile has it",
        Column("file", Unit.TEXT, "the source file, as the build had it"),
        "lines",
        [(each.name, each.file, each.flat, each.cumulative) for each in found],
    )


def _shown(each: Routine, text: Callable[[str, int], str | None]) -> Iterator[int]:
    """The lines that the file has, and behind its end those with a cost: a profile may name any."""
    number = each.first
    while number <= each.last and text(each.file, number) is not None:
        yield number
        number += 1
    yield from sorted(line for line in each.lines if line >= number)


def lines_table(
    seen: View, found: Iterable[Routine], text: Callable[[str, int], str | None]
) -> Table:
    """Every line with what it costs; `text(file, line)` is its source, None where there is none."""
    unit = reported(seen.type.unit)
    rows: list[tuple[str, str, int, int | None, int | None, str | None]] = []
    for each in found:
        for number in _shown(each, text):
            flat, whole = each.lines.get(number, (0, 0))
            source = text(each.file, number)
            rows.append((each.name, each.file, number, flat or None, whole or None, source))
    return Table(
        title=f"{seen.type.type} by line",
        columns=(
            Column("function", Unit.TEXT, "its name, as the profile has it"),
            Column("file", Unit.TEXT, "the source file, as the build had it"),
            Column("line", Unit.TEXT, "its number"),
            Column("flat", unit, "the line itself; nothing where that is 0", additive=True),
            Column("cumulative", unit, "the line with what it called; nothing where that is 0"),
            Column("source", Unit.CODE, "the line; nothing where the file was not found"),
        ),
        rows=rows,
    )
