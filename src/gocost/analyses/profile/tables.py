"""A profile's costs as tables: what is asked most is the first table, all are in the sample unit.

Values are whole numbers in the sample type's own unit, as `go tool pprof -unit` prints them. A
table's flat column adds up to `profile.total` where nothing was left out of stacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, overload

import numpy as np
from msgspec import structs

from gocost.analyses.profile.nodes import Nodes, grouped
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import Calls, Costs, Options, View, nodes_in
from gocost.model.quantity import Money, Unit
from gocost.model.report import Cell, Column, SumsTo, Table

if TYPE_CHECKING:
    from gocost.analyses.ownership import Repository
    from gocost.formats.buildinfo import BuildInfo

Row = Sequence[Cell]
Priced = Callable[[Sequence[int]], list[Money]]
"""What values cost a month, each."""
MONEY: Final = (
    Column("money", Unit.MONEY_PER_MONTH, "what flat costs", additive=True),
    Column("money_cumulative", Unit.MONEY_PER_MONTH, "what cumulative costs"),
)

_PRICED: Final = {"flat": "money", "value": "money", "cumulative": "money_cumulative"}
"""By column: the one that has it in money."""

TOTAL: Final = "profile.total"
GRANULARITIES: Final = {
    "function": "functions",
    "filefunction": "filefunctions",
    "file": "files",
    "line": "lines",
    "address": "addresses",
    "package": "packages",
    "module": "modules",
    "owner": "owners",
}
"""What `--by` takes, and the name of the table that it makes."""
OF_FUNCTIONS: Final = dict.fromkeys(("package", "module", "owner"), "filefunctions")
"""Those that are made of nodes at one of pprof's granularities."""


def by_name(
    seen: View,
    options: Options,
    by: str,
    info: BuildInfo | None = None,
    repository: Repository | None = None,
) -> Nodes:
    """The nodes at a word of `--by`; for `owner` the repository is needed."""
    if by == "file":
        # pprof, which shows only the file, tells functions of one apart that begin elsewhere.
        nodes = nodes_in(seen, options)
        return grouped(nodes, nodes.labels())
    if by not in OF_FUNCTIONS:
        return nodes_in(seen, options)
    from gocost.analyses.profile.groups import modules_of, packages_of

    nodes = nodes_in(seen, replace(options, granularity=OF_FUNCTIONS[by]))
    names = [node.name for node in nodes.nodes]
    files = [node.file for node in nodes.nodes]
    if by == "package":
        return grouped(nodes, packages_of(names, info, files))
    if by == "module":
        return grouped(nodes, modules_of(names, info, files))
    from gocost.analyses.ownership import owners_of

    assert repository is not None
    return grouped(nodes, owners_of(packages_of(names, info, files), files, repository))


def value_columns(seen: View) -> tuple[Column, ...]:
    """flat, flat_share, cumulative, cumulative_share."""
    unit = reported(seen.type.unit)
    told = f"{seen.type.type} in {seen.type.unit}"
    of_total = "of the profile's total"
    return (
        Column("flat", unit, f"{told}, in itself", additive=not seen.mean),
        Column("flat_share", Unit.RATIO, f"flat {of_total}", additive=not seen.mean),
        Column("cumulative", unit, f"{told}, with what it called"),
        Column("cumulative_share", Unit.RATIO, f"cumulative {of_total}"),
    )


def costs_table(
    seen: View,
    nodes: Nodes,
    found: Costs,
    by: str,
    rows: Sequence[int],
    *,
    complete: bool = True,
    money: Priced | None = None,
) -> Table:
    """One row for each of these nodes; `complete` where all that cost something are among them.

    Where values have a price, `money`, the last two columns are MONEY.
    """
    return Table(
        title=f"{seen.type.type} by {by}",
        columns=(*_name_columns(by), *value_columns(seen), *(MONEY if money is not None else ())),
        rows=_CostRows(nodes, found, rows, seen.total, filed=by == "filefunction", money=money),
        sums_to=SumsTo("flat", TOTAL) if complete and not seen.mean else None,
    )


def in_money(table: Table, money: Priced) -> Table:
    """The table with what its flat costs, or values, and its cumulative ones are in money.

    These columns are its last, MONEY's; where a row has no value it has no amount.
    """
    names = table.names()
    places = [at for at, name in enumerate(names) if name in _PRICED]
    told = [
        Column(_PRICED[each.name], Unit.MONEY_PER_MONTH, f"what {each.name} costs",
               additive=each.additive)
        for each in (table.columns[at] for at in places)
    ]  # fmt: skip
    rows: list[Row] = []
    for row in table.rows:
        found = [value if isinstance(value := row[at], int) else None for at in places]
        amounts = iter(money([value for value in found if value is not None]))
        paid = [None if value is None else next(amounts) for value in found]
        rows.append((*row, *paid))
    return structs.replace(table, columns=(*table.columns, *told), rows=rows)


def calls_of(seen: View, nodes: Nodes, found: Costs, calls: Calls, chosen: Sequence[int]) -> Table:
    """Callers and callees of some nodes: a row for each caller, for itself, for each callee."""
    unit = reported(seen.type.unit)
    callers: dict[int, list[tuple[int, int, bool]]] = {}
    callees: dict[int, list[tuple[int, int, bool]]] = {}
    for source, target, weight, inlined in zip(
        calls.caller.tolist(),
        calls.callee.tolist(),
        calls.weight.tolist(),
        calls.inlined.tolist(),
        strict=True,
    ):
        callers.setdefault(target, []).append((weight, source, inlined))
        callees.setdefault(source, []).append((weight, target, inlined))
    labels = nodes.labels()
    flat, whole = found.flat.tolist(), found.cumulative.tolist()
    rows: list[Row] = []
    for node in chosen:
        for role, edges in (("caller", callers), ("callee", callees)):
            if role == "callee":
                rows.append((labels[node], "itself", labels[node], False, flat[node],
                             _share(flat[node], whole[node]), whole[node]))  # fmt: skip
            listed = sorted(edges.get(node, []), key=lambda e: (-abs(e[0]), labels[e[1]]))
            rows += [
                (labels[node], role, labels[other], inlined, weight,
                 _share(weight, whole[node]), whole[other])
                for weight, other, inlined in listed
            ]  # fmt: skip
    return Table(
        title=f"{seen.type.type} by call",
        columns=(
            Column("function", Unit.TEXT, "the function that the row is about"),
            Column("role", Unit.TEXT, "what `other` is to it: caller, itself or callee"),
            Column("other", Unit.TEXT, "the function at the other end of the call"),
            Column("inlined", Unit.BOOLEAN, "the call was inlined wherever it was seen"),
            Column("value", unit, "what was spent in the call; for itself, its flat cost"),
            Column("share", Unit.RATIO, "value, of the function's cumulative cost"),
            Column("cumulative", unit, "what `other` costs with what it called, by any call"),
        ),
        rows=rows,
    )


def _name_columns(by: str) -> tuple[Column, ...]:
    file = Column("file", Unit.TEXT, "the source file, as the build had it")
    if by in ("file", "filefunction"):
        return (file,) if by == "file" else (Column("function", Unit.TEXT, "its name"), file)
    meaning = {
        "function": "its name, as the profile has it",
        "line": "function, file and line",
        "address": "address, function, file and line",
        "package": "import path",
        "module": "module path, and its version where the binary was given",
        "owner": "who CODEOWNERS names, or the module that is another's",
    }[by]
    return (Column(by, Unit.TEXT, meaning),)


class _CostRows(Sequence[Row]):
    """name, flat, its share, cumulative, its share, and both in money: made when they are looked
    at.
    """

    def __init__(
        self,
        nodes: Nodes,
        found: Costs,
        rows: Sequence[int],
        total: int,
        *,
        filed: bool,
        money: Priced | None = None,
    ) -> None:
        self._nodes = nodes
        self._found = found
        self._order = rows
        self._total = total
        self._filed = filed
        self._money = money

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> _CostRows: ...

    def __getitem__(self, index: int | slice) -> Row | _CostRows:
        if isinstance(index, slice):
            part = self._order[index]
            return _CostRows(
                self._nodes, self._found, part, self._total, filed=self._filed, money=self._money
            )
        row = self._order[index]
        node = self._nodes.nodes[row]
        names = (node.name or node.label, node.file) if self._filed else (node.label,)
        flat, whole = int(self._found.flat[row]), int(self._found.cumulative[row])
        cells = (*names, flat, _share(flat, self._total), whole, _share(whole, self._total))
        return cells if self._money is None else (*cells, *self._money((flat, whole)))

    def sum_of(self, index: int) -> Cell:
        """The sum of the column at `index`: flat or cumulative, a share of them, or their money."""
        column, share = divmod(index - (2 if self._filed else 1), 2)
        priced = column == len(_AMOUNTS)
        amounts = (self._found.flat, self._found.cumulative)[share if priced else column]
        total = int(amounts[np.array(self._order, np.int64)].sum())
        if priced:
            assert self._money is not None
            return self._money((total,))[0]
        return (_share(total, self._total) or 0) if share else total

    def __iter__(self) -> Iterator[Row]:
        if self._filed or self._money or 8 * len(self) < len(self._nodes.nodes):
            yield from (self[index] for index in range(len(self)))
            return
        labels, total = self._nodes.labels(), self._total
        flat, whole = self._found.flat.tolist(), self._found.cumulative.tolist()
        for row in self._order:
            own, called = flat[row], whole[row]
            yield labels[row], own, _share(own, total), called, _share(called, total)


_AMOUNTS: Final = ("flat", "cumulative")


def _share(value: int, total: int) -> float | None:
    return value / total if total else None
