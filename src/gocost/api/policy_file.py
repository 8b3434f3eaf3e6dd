"""`gocost.policy_file()`: the policy as it holds; here are also `lint`, `schema` and `tighten`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from gocost._version import VERSION
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Cell, Column, Layout, Note, Report, Table
from gocost.policy.loading import Policy, discover, load, shown
from gocost.policy.rules import Rule

Progress = Callable[[str], None]


def policy_file(path: str | Path | None = None) -> Report:
    """The policy with everything that holds, and the file and line that each value comes from.

    `path` is a file, by default the nearest `gocost.yaml`. Raises PolicyError, UsageError.
    """
    loaded = _loaded(path)
    tables = {
        "settings": _settings(loaded),
        "rules": _rules(loaded),
        "waivers": _waivers(loaded),
    }
    title = f"{shown(loaded.path)}: {', '.join(g.service.name for g in loaded.services)}"
    return _report(
        {name: table for name, table in tables.items() if table.rows},
        Layout(
            title=title,
            rows=0,
            columns={"rules": _seen(loaded), "waivers": _waivers_seen(loaded)},
            whole={"rules": ("rule",), "settings": ("setting",), "waivers": ("rule",)},
        ),
    )


def _seen(loaded: Policy) -> tuple[str, ...]:
    """The columns of the rules that tell a person something, in the order they are needed in.

    On a narrow terminal the last ones go first: where a rule comes from stands before them.
    """
    rules = [rule for governed in loaded.services for rule in governed.rules]
    named = any(rule.id != rule.metric.id or rule.select for rule in rules)
    everywhere = all(rule.where == rule.metric.where for rule in rules)
    return (
        *(("service",) if len(loaded.services) > 1 else ()),
        "rule",
        "limit",
        "from",
        "severity",
        *(() if everywhere else ("where",)),
        *(("metric",) if named else ()),
    )


def _waivers_seen(loaded: Policy) -> tuple[str, ...]:
    """The same of the waivers: why one was given goes first."""
    several = len(loaded.services) > 1
    return (
        *(("service",) if several else ()),
        "rule",
        "limit",
        "owner",
        "expires",
        "from",
        "reason",
    )


def lint(path: str | Path | None = None, *, today: date | None = None) -> Report:
    """The policy checked, without measuring anything; waivers that expired before `today` are told.

    Raises PolicyError where it is wrong.
    """
    from gocost.cost.price_book import load_prices
    from gocost.policy.around import check_around

    loaded = _loaded(path, to_extend=True)
    check_around(loaded, load_prices(loaded.prices))
    rules = sum(len(governed.rules) for governed in loaded.services) or len(loaded.rules)
    names = ", ".join(governed.service.name for governed in loaded.services)
    about = names or "no services, to be extended by other files"
    text = f"{shown(loaded.path)} is right: {about}; {rules} {'rule' if rules == 1 else 'rules'}"
    return _report({}, Layout(title=text), _expired(loaded, today or date.today()))


def _expired(loaded: Policy, today: date) -> list[Note]:
    """Waivers that act no more, each once whatever many services it was for."""
    waivers = {waiver.place: waiver for governed in loaded.services for waiver in governed.waivers}
    return [
        Note(
            "warning",
            f"{place}: the waiver of {waiver.rule} expired on {waiver.expires}; remove it, or "
            f"agree on another day with {waiver.owner}",
        )
        for place, waiver in waivers.items()
        if waiver.expired(today)
    ]


def schema() -> dict[str, Any]:
    """The JSON Schema of `gocost.yaml`, for editors."""
    from gocost.policy.json_schema import schema as build

    return build()


def tighten(
    path: str | Path | None = None,
    *,
    headroom: float = 0.1,
    sampled_headroom: float = 0.5,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> Report:
    """Measure the services and bring the file's limits down to what they are now plus `headroom`.

    What is sampled (time, memory, latency) gets the larger of that and `sampled_headroom`, for it
    is measured once here and varies from run to run. Only limits that are written in that file
    change, and only to the tighter side; comments and layout stay. `dry_run` only reports. Raises
    PolicyError, SourceError.
    """
    from gocost.cost.price_book import load_prices
    from gocost.gate.check import Request, check
    from gocost.policy.kinds.interface import Bound
    from gocost.policy.kinds.registry import KINDS
    from gocost.policy.loading import shown as as_shown
    from gocost.policy.rewriting import Headroom, Measurement, rewritten, tightenings
    from gocost.policy.rules import selected
    from gocost.sources.cache import write_atomically
    from gocost.sources.files import read_bounded

    loaded = _loaded(path)
    report = check(Request(loaded, progress=progress))
    measurements = [
        Measurement(
            rule,
            [
                fact
                for fact in report.facts
                if fact.metric == rule.metric.id
                and fact.subject.service == governed.service.name
                and selected(rule.select, governed.service.name, fact.labels)
            ],
        )
        for governed in loaded.services
        for rule in governed.rules
    ]
    name = as_shown(loaded.path)
    currency = load_prices(loaded.prices).currency
    room = Headroom(headroom, sampled_headroom)
    changes = tightenings(measurements, name, room, currency)
    if changes and not dry_run:
        text = read_bounded(loaded.path, 1 << 20).decode("utf-8")
        # Places are counted without the mark that some editors put at a file's start.
        mark, text = text[: text.startswith("\ufeff")], text.removeprefix("\ufeff")
        mode = loaded.path.stat().st_mode
        target = loaded.path.resolve()
        write_atomically(target, (mark + rewritten(text, name, changes)).encode())
        target.chmod(mode & 0o777)
    rows: list[Sequence[Cell]] = [
        [
            str(each.place),
            each.rule,
            each.kind,
            each.before,
            each.after,
            format_quantity(each.measured, each.unit),
            each.headroom,
        ]
        for each in changes
    ]
    table = Table(
        title="Limits that came down" if not dry_run else "Limits that can come down",
        columns=(
            Column("place", Unit.TEXT, "file and line"),
            Column("rule", Unit.TEXT, "the rule's id"),
            Column("limit", Unit.TEXT, "which of the rule's limits"),
            Column("before", Unit.TEXT, "as it was written"),
            Column("after", Unit.TEXT, "as it is now"),
            Column("measured", Unit.TEXT, "what it follows"),
            Column("headroom", Unit.RATIO, "how far above that it stays, or below"),
        ),
        rows=rows,
    )
    count = f"{len(rows)} {'limit' if len(rows) == 1 else 'limits'}"
    done = "can be tightened" if dry_run else "tightened"
    said = f"{name}: {count} {done}" if rows else f"{name}: no limit can come down"
    unmeasured = sorted(
        {
            finding.rule
            for finding in report.findings
            if finding.outcome.value in ("unknown", "skipped")
            and finding.limit is not None
            and KINDS[finding.limit.kind].bound is not Bound.NONE
        }
    )
    notes = [*report.notes]
    if unmeasured:
        notes.append(
            Note("info", f"not measured, and so left as they are: {', '.join(unmeasured)}")
        )
    layout = Layout(
        title=said,
        rows=0,
        # A person finds the place by the rule's name, which is not to be cut.
        columns={"tightened": ("rule", "before", "after", "measured", "headroom")},
        whole={"tightened": ("rule",)},
    )
    return _report({"tightened": table} if rows else {}, layout, notes)


def _loaded(path: str | Path | None, *, to_extend: bool = False) -> Policy:
    file = Path(path) if path is not None else discover(Path.cwd())
    if file.is_dir():
        raise UsageError(f"{file} is a folder", hint="name the policy's file")
    return load(file, to_extend=to_extend)


def _settings(loaded: Policy) -> Table:
    return Table(
        title="Settings",
        columns=(
            Column("service", Unit.TEXT, "empty for the whole file"),
            Column("setting", Unit.TEXT, "its name in the file"),
            Column("value", Unit.TEXT, "what holds"),
            Column("from", Unit.TEXT, "file and line, or `default`"),
        ),
        rows=[[s.service, s.name, s.value, s.origin] for s in loaded.settings if s.value],
    )


def _rules(loaded: Policy) -> Table:
    return Table(
        title="Rules",
        columns=(
            Column("service", Unit.TEXT, "whom it holds for"),
            Column("rule", Unit.TEXT, "its id"),
            Column("metric", Unit.TEXT, "what it limits"),
            Column("limit", Unit.TEXT, "as it was written, and how long it must be broken"),
            Column("severity", Unit.TEXT, "how much it matters"),
            Column("from", Unit.TEXT, "file and line"),
            Column("where", Unit.TEXT, "where it acts; empty: wherever its metric can be measured"),
        ),
        rows=[
            [
                governed.service.name,
                rule.id,
                rule.metric.id + _selector(rule),
                f"{kind} {limit.text}" + rule.lasting,
                rule.severity.value + (" (locked)" if rule.locked else ""),
                str(rule.places[kind]),
                "" if rule.where == rule.metric.where else ", ".join(rule.where),
            ]
            for governed in loaded.services
            for rule in governed.rules
            for kind, limit in rule.limits.items()
        ],
    )


def _waivers(loaded: Policy) -> Table:
    return Table(
        title="Waivers",
        columns=(
            Column("service", Unit.TEXT, "whom it holds for"),
            Column("rule", Unit.TEXT, "the rule that is waived"),
            Column("owner", Unit.TEXT, "who answers for it"),
            Column("expires", Unit.TEXT, "the last day it acts"),
            Column("reason", Unit.TEXT, "why"),
            Column("from", Unit.TEXT, "file and line"),
            Column("limit", Unit.TEXT, "how far it acts; empty: however far"),
        ),
        rows=[
            [
                governed.service.name,
                waiver.rule,
                waiver.owner,
                waiver.expires.isoformat(),
                waiver.reason,
                str(waiver.place),
                f"{waiver.limit.kind} {waiver.limit.text}" if waiver.limit else "",
            ]
            for governed in loaded.services
            for waiver in governed.waivers
        ],
    )


def _selector(rule: Rule) -> str:
    if not rule.select:
        return ""
    return "{" + ", ".join(f"{key}={value}" for key, value in rule.select.items()) + "}"


def _report(tables: dict[str, Table], layout: Layout, notes: list[Note] | None = None) -> Report:
    return Report(command="policy", gocost=VERSION, tables=tables, notes=notes or [], layout=layout)
