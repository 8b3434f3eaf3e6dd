"""Builds a main package in the three ways that a Go program can be linked, and compares them.

What cannot be built says why in one line of the compiler's or linker's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gocost.measures.linkage import NO_GLIBC, Examined, examine, runs
from gocost.model.errors import BuildError
from gocost.model.quantity import Unit
from gocost.model.report import Column, Note, Table
from gocost.sources.go_command import first_complaint, go_in
from gocost.sources.scratch import scratch

EXTERNAL_STATIC = "-linkmode=external -extldflags=-static"
# A linker's warning comes before its error, and says nothing about why it failed.
_TELLING = re.compile(
    r"cannot find|undefined reference|not found|error:|undefined:|excluded|unknown|unsupported"
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to link: what is set in the environment, and what the linker is told."""

    name: str
    column: str
    cgo: bool
    ldflags: str = ""

    @property
    def settings(self) -> str:
        """What to set for it, as it is typed in a shell."""
        ldflags = [f'-ldflags="{self.ldflags}"'] if self.ldflags else []
        return " ".join([f"CGO_ENABLED={int(self.cgo)}", *ldflags])

    def flags(self, flags: Sequence[str]) -> tuple[str, ...]:
        """The user's build flags with this way's linker flags added: go takes the last -ldflags."""
        given = [flag for flag in flags if flag.startswith("-ldflags=")]
        rest = [flag for flag in flags if flag not in given]
        ldflags = " ".join([*(flag.removeprefix("-ldflags=") for flag in given), self.ldflags])
        return (*rest, f"-ldflags={ldflags.strip()}") if ldflags.strip() else tuple(rest)


WAYS = (
    Way("pure Go", "pure_go", cgo=False),
    Way("cgo", "cgo", cgo=True),
    Way("cgo, static C", "cgo_static", cgo=True, ldflags=EXTERNAL_STATIC),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one way: the file that was built, or why there is none."""

    way: Way
    found: Examined | None
    seconds: float | None
    reason: str = ""


def build_ways(
    directory: Path,
    package: str,
    *,
    flags: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Builds `package` of the module in `directory` in every way, and reads what was written.

    The files are removed again. Raises SourceError where there is no Go.
    """
    with scratch("linkage") as folder:
        outcomes = []
        for number, way in enumerate(WAYS):
            progress(f"building: {way.name}")
            output = folder / f"way-{number}"
            outcomes.append(_build(way, directory, package, output, flags, env or {}))
        return outcomes


def _build(
    way: Way,
    directory: Path,
    package: str,
    output: Path,
    flags: Sequence[str],
    env: Mapping[str, str],
) -> Outcome:
    go = go_in(directory, {**env, "CGO_ENABLED": "1" if way.cgo else "0"})
    try:
        built = go.build(package, output, flags=way.flags(flags))
    except BuildError as error:
        return Outcome(way, None, None, reason(error.output))
    return Outcome(way, examine(output), built.wall_seconds)


def reason(output: str) -> str:
    """The one line of a failed build's output that says why."""
    lines = [line.strip() for line in output.splitlines() if not line.startswith("#")]
    telling = [line for line in lines if _TELLING.search(line) and "warning:" not in line]
    return telling[0] if telling else first_complaint(output)


def matrix_tables(outcomes: Sequence[Outcome]) -> dict[str, Table]:
    """The ways side by side: what each weighs and needs, and where each runs."""
    tables = {"matrix": _ways_table(outcomes), "matrix_platforms": _platforms_table(outcomes)}
    failed = [(outcome.way.name, outcome.reason) for outcome in outcomes if outcome.found is None]
    if failed:
        tables["matrix_failures"] = Table(
            title="Could not be built",
            columns=(Column("way"), Column("why", description="the build's own words")),
            rows=failed,
        )
    return tables


def _ways_table(outcomes: Sequence[Outcome]) -> Table:
    return Table(
        title="Ways to link it",
        columns=(
            Column("way"),
            Column("bytes", Unit.BYTES, "size of the file"),
            Column("linkage", description="static, static-pie or dynamic"),
            Column("libraries", Unit.COUNT, "shared libraries that it needs"),
            Column("glibc", description="the highest GLIBC version it asks for"),
            Column("build_time", Unit.SECONDS, "wall time, with the build cache as it was"),
            Column("settings", description="environment and linker flags of this way"),
        ),
        rows=[_row(outcome) for outcome in outcomes],
    )


def _row(outcome: Outcome) -> tuple[str | int | float | None, ...]:
    way = outcome.way
    if outcome.found is None:
        return (way.name, None, None, None, None, None, way.settings)
    linkage = outcome.found.linkage
    return (
        way.name,
        outcome.found.size,
        str(linkage.linked),
        len(linkage.needed),
        linkage.glibc or NO_GLIBC,
        outcome.seconds,
        way.settings,
    )


def _platforms_table(outcomes: Sequence[Outcome]) -> Table:
    """A platform a row, a way a column; of a distribution the oldest release that will do."""
    columns = [
        runs(outcome.found.program) if outcome.found is not None else {} for outcome in outcomes
    ]
    names = list(dict.fromkeys(name for column in columns for name in column))
    return Table(
        title="Where each runs",
        columns=(
            Column("platform", description="an image, or a family of distributions"),
            *(
                Column(
                    outcome.way.column,
                    description=f"{outcome.way.name}: yes, no, or the oldest release it runs on",
                )
                for outcome in outcomes
            ),
        ),
        rows=[(name, *(column.get(name) for column in columns)) for name in names],
    )


def matrix_notes(outcomes: Sequence[Outcome]) -> Iterator[Note]:
    """What a reader of the table should know."""
    for outcome in outcomes:
        if outcome.found is not None and outcome.way.ldflags:
            # Whole, where a table of 80 columns has room for its ends only.
            cgo, ldflags = outcome.way.settings.split(" ", 1)
            yield Note("info", f"{outcome.way.name}: `{cgo} go build {ldflags}` builds it")
    for outcome in outcomes:
        if outcome.found is not None and outcome.found.linkage.static_glibc:
            yield Note(
                "warning",
                f"{outcome.way.name}: glibc looks up names and users through libraries of its own "
                "version at run time; build with -tags=netgo,osusergo to do without",
            )
    # An external linker brings runtime/cgo along, so the plain cgo build is the one that tells.
    plain = next((one.found for one in outcomes if one.way.cgo and not one.way.ldflags), None)
    if plain is not None and plain.linkage.cgo is False:
        yield Note("info", "nothing in the program uses cgo: the first way costs nothing")
