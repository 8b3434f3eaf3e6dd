"""`gocost.explain()`: what a metric means, from the catalogue; what a rule of the policy limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gocost._version import VERSION
from gocost.model.catalogue import all_metrics, nearest
from gocost.model.errors import UsageError
from gocost.model.metric import Enforcer, Metric, Worse
from gocost.model.quantity import Unit, example
from gocost.model.report import Column, Layout, Note, Report, Table

if TYPE_CHECKING:
    from gocost.policy.rules import Rule

_DIRECTIONS = {
    Worse.HIGHER: "higher is worse",
    Worse.LOWER: "lower is worse",
    Worse.NEITHER: "neither more nor less is worse by itself",
}


def explain(name: str | None = None, *, policy: str | Path | None = None) -> Report:
    """One metric, or one rule of the policy by its id; without a name, all metrics by family.

    `policy` is the file to look for rules in, by default the nearest `gocost.yaml`, where there
    is one. Raises UsageError with the nearest name for one that there is not.
    """
    if name is None:
        return _all()
    metrics = all_metrics()
    if name in metrics:
        return _metric(metrics[name])
    below = [metric for identifier, metric in metrics.items() if identifier.startswith(f"{name}.")]
    if below:
        return _list(below, f"Metrics of {name}")
    return _rule(name, policy)


def example_rule(metric: Metric) -> str:
    """A rule over the metric as it would stand in a policy."""
    from gocost.policy.kinds.interface import Bound
    from gocost.policy.kinds.registry import KINDS

    suited = [kind for kind in KINDS.values() if kind.suits(metric)]
    worst = Bound.LOWER if metric.worse is Worse.LOWER else Bound.UPPER
    kind = next((kind for kind in suited if kind.bound is worst), suited[0])
    return f"- {{metric: {metric.id}, {kind.example(metric)}}}"


def _all() -> Report:
    return _list(list(all_metrics().values()), "All metrics; `gocost explain METRIC` says more")


def _list(metrics: list[Metric], title: str) -> Report:
    table = Table(
        title=title,
        columns=(
            Column("metric", Unit.TEXT, "its id, which rules name"),
            Column("unit", Unit.TEXT, "what its number counts"),
            Column("meaning", Unit.TEXT, "what it is"),
        ),
        rows=[[metric.id, metric.unit.value, metric.summary] for metric in metrics],
    )
    return _report({"metrics": table}, title, rows=0)


def _metric(metric: Metric) -> Report:
    rows = [
        ("meaning", metric.summary),
        ("unit", f"{metric.unit}, written like {example(metric.unit)}"),
        ("direction", _DIRECTIONS[metric.worse]),
        ("kind", _kind(metric)),
        ("measured", metric.how),
        ("what to do", metric.advice),
    ]
    if metric.values:
        rows.insert(2, ("values", ", ".join(metric.values)))
    if metric.labels:
        rows.append(("labels", ", ".join(metric.labels)))
    rows.append(("enforced at", ", ".join(metric.where)))
    if metric.prometheus and Enforcer.PROMETHEUS in metric.where:
        rows.append(("in Prometheus", metric.prometheus))
    rows.append(("example", example_rule(metric)))
    return _report({"metric": _aspects(metric.id, rows)}, metric.id)


def _kind(metric: Metric) -> str:
    if metric.exact:
        return "exact: the same input gives the same value"
    return "sampled: it varies, and growth is judged on an interval"


def _rule(name: str, policy: str | Path | None) -> Report:
    from gocost.policy.loading import discover, load

    try:
        loaded = load(Path(policy) if policy is not None else discover(Path.cwd()))
    except UsageError:
        if policy is not None:
            raise
        raise _unknown(name, []) from None
    rules: dict[str, list[tuple[str, Rule]]] = {}
    for governed in loaded.services:
        for rule in governed.rules:
            rules.setdefault(rule.id, []).append((governed.service.name, rule))
    if name not in rules:
        raise _unknown(name, list(rules))
    rows = []
    for service, rule in rules[name]:
        limits = ", ".join(
            f"{kind} {limit.text}{rule.lasting}" for kind, limit in rule.limits.items()
        )
        where = f"{rule.place}" + (f" ({rule.origin})" if rule.origin != rule.place.path else "")
        rows.append((service, f"{limits}, {rule.severity}, from {where}"))
    metric = rules[name][0][1].metric
    report = _metric(metric)
    tables = {"rule": _aspects(f"The rule {name}, by service", rows), **report.tables}
    return _report(tables, f"{name}: {metric.id}")


def _unknown(name: str, rules: list[str]) -> UsageError:
    near = nearest(name, [*all_metrics(), *rules])
    what = "metric or rule" if rules else "metric"
    hint = f"did you mean {near!r}?" if near else "`gocost explain` lists the metrics"
    return UsageError(f"there is no {what} {name!r}", hint=hint)


def _aspects(title: str, rows: list[tuple[str, str]]) -> Table:
    return Table(
        title=title,
        columns=(
            Column("aspect", Unit.TEXT, "what is said of it"),
            Column("text", Unit.TEXT, "in words"),
        ),
        rows=rows,
    )


def _report(tables: dict[str, Table], title: str, rows: int = 0) -> Report:
    return Report(
        command="explain",
        gocost=VERSION,
        tables=tables,
        notes=list[Note](),
        layout=Layout(title=title, rows=rows),
    )
