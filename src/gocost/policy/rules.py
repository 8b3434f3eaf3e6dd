"""Rules and waivers as they are judged: entries of the file checked against the catalogue.

A limit is read in its metric's unit here, and what contradicts itself (a `max` over text, a word
the metric cannot be, a label it does not have) is refused with its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from gocost.formats.yaml_document import Place
from gocost.model.catalogue import all_metrics
from gocost.model.finding import Limit, Severity
from gocost.model.metric import Enforcer, Metric
from gocost.model.quantity import Unit, format_quantity
from gocost.policy.kinds.interface import Kind, Spot, Written
from gocost.policy.kinds.registry import KINDS
from gocost.policy.places import Path, Places, unknown_word
from gocost.policy.schema import RuleEntry, WaiverEntry

SUBJECT_LABELS = ("service",)


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit (or several) over one metric, and where it was written."""

    id: str
    metric: Metric
    limits: dict[str, Limit]
    """By the key of their kind."""
    places: dict[str, Place]
    """Where each limit stands; the same keys."""
    place: Place
    """Where the rule stands."""
    anchor: Place
    """The place in the policy that was asked for: the rule itself, or what brought it in."""
    origin: str
    """`gocost.yaml`, `preset standard`, `../org/gocost.yaml`."""
    select: dict[str, str] = field(default_factory=dict)
    hold: float = 0.0
    """`for`, in seconds."""
    severity: Severity = Severity.ERROR
    where: tuple[Enforcer, ...] = (Enforcer.CHECK,)
    locked: bool = False
    locked_in: str = ""
    """The file that locked it."""

    @property
    def lasting(self) -> str:
        """How long it must be broken, as ` for 30 s`, or nothing."""
        return f" for {format_quantity(self.hold, Unit.SECONDS)}" if self.hold else ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An exception to a rule."""

    rule: str
    owner: str
    reason: str
    expires: date
    place: Place
    select: dict[str, str] = field(default_factory=dict)
    limit: Limit | None = None
    """It acts only up to this much."""

    def expired(self, today: date) -> bool:
        """True from the day after `expires` on."""
        return today > self.expires


def rule_of(
    entry: RuleEntry, places: Places, path: Path, *, origin: str, anchor: Place | None = None
) -> Rule:
    """The rule that `entry` at `path` of its file stands for. Raises PolicyError."""
    place = places.of(*path)
    metric = _metric(entry.metric, places.of(*path, "metric"))
    _check_selector(entry.select, metric, places, path)
    limits = {
        key: _limit(KINDS[key], written, metric, Spot(places, (*path, key)))
        for key, written in entry.written().items()
    }
    spots = {key: places.of(*path, key) for key in limits}
    _check_together(limits, metric, place)
    where = entry.where
    if where is not None:
        for at, enforcer in enumerate(where):
            if enforcer not in metric.where:
                raise places.of(*path, "where", at).error(
                    f"{metric.id} cannot be measured at {enforcer.value!r}",
                    hint=f"it can at: {', '.join(metric.where)}",
                )
        if not where:
            raise places.of(*path, "where").error("a rule that acts nowhere", hint="remove it")
    identifier = entry.id or entry.metric
    return Rule(
        id=identifier,
        metric=metric,
        limits=limits,
        places=spots,
        place=place,
        anchor=anchor or place,
        origin=origin,
        select=dict(entry.select),
        hold=entry.for_ or 0.0,
        severity=entry.severity,
        where=where if where is not None else metric.where,
        locked=entry.locked,
        locked_in=place.path if entry.locked else "",
    )


def waiver_of(entry: WaiverEntry, places: Places, path: Path) -> Waiver:
    """The waiver that `entry` stands for; its `rule` is looked up once all rules are known."""
    place = places.of(*path, "expires")
    try:
        expires = date.fromisoformat(entry.expires.strip())
    except ValueError as error:
        raise place.error(
            f"expires is a day, and here is {entry.expires!r}", hint="write it like 2027-03-31"
        ) from error
    for key in ("owner", "reason"):
        if not getattr(entry, key).strip():
            raise places.of(*path, key).error(
                f"a waiver needs its {key}", hint="say who answers for it and why"
            )
    return Waiver(
        rule=entry.rule,
        owner=entry.owner,
        reason=entry.reason,
        expires=expires,
        place=places.of(*path),
        select=dict(entry.select),
    )


def fitted(waiver: Waiver, entry: WaiverEntry, rule: Rule, places: Places, path: Path) -> Waiver:
    """The waiver with its own `max` read in the unit of the rule that it waives."""
    _check_selector(entry.select, rule.metric, places, path)
    if entry.max is None:
        return waiver
    spot = Spot(places, (*path, "max"))
    return replace(waiver, limit=_limit(KINDS["max"], entry.max, rule.metric, spot))


def tightened(locked: Rule, by: Rule, *, silently: bool) -> Rule:
    """A locked rule with what `by` (the same id, lower down) tightens of it.

    Raises PolicyError where `by` would loosen it; `silently` keeps the tighter of the two instead
    (a preset knows nothing of the organisation's limits).
    """
    limits, places = dict(locked.limits), dict(locked.places)
    if not silently:
        _check_kept(locked, by)
    for kind, limit in by.limits.items():
        if kind not in limits or KINDS[kind].tighter(limit, limits[kind]):
            limits[kind], places[kind] = limit, by.places[kind]
        elif not silently and limit != limits[kind]:
            raise by.places[kind].error(
                f"{locked.id} is locked at {kind} {limits[kind].text} by {locked.places[kind]}, "
                f"and {limit.text} is looser",
                hint="write a tighter limit, or ask the owners of that file",
            )
    own = by if not silently else locked
    return replace(
        own,
        limits=limits,
        places=places,
        locked=True,
        locked_in=locked.locked_in,
        severity=max(locked.severity, own.severity, key=list(Severity).index),
    )


def selected(select: dict[str, str], service: str, labels: dict[str, str]) -> bool:
    """Whether a selector takes a fact of `service` with `labels`; `*` stands for any text."""
    from fnmatch import fnmatchcase

    known = {**labels, "service": service}
    return all(key in known and fnmatchcase(known[key], glob) for key, glob in select.items())


def _metric(name: str, place: Place) -> Metric:
    metrics = all_metrics()
    if name not in metrics:
        below = [each for each in metrics if each.startswith(f"{name}.")]
        if below:
            raise place.error(
                f"{name} is a family of metrics", hint=f"name one: {', '.join(below[:6])}"
            )
        hint = "`gocost explain` lists them all"
        raise unknown_word(place, "there is no metric", name, metrics, hint=hint)
    return metrics[name]


def _check_selector(select: dict[str, str], metric: Metric, places: Places, path: Path) -> None:
    for label in select:
        if label not in (*SUBJECT_LABELS, *metric.labels):
            place = places.keys.get((*path, "select", label), places.of(*path, "select"))
            raise unknown_word(
                place, f"{metric.id} has no label", label, (*SUBJECT_LABELS, *metric.labels)
            )


def _limit(kind: Kind, written: Written, metric: Metric, spot: Spot) -> Limit:
    if kind.suits(metric):
        return kind.read(written, metric, spot)
    what = {Unit.TEXT: "text", Unit.BOOLEAN: "a yes or no"}.get(metric.unit, "a number")
    suited = [each for each in KINDS.values() if each.suits(metric)]
    keys = [each.key for each in suited]
    several = f"{', '.join(keys[:-1])} or {keys[-1]}"
    raise spot.place.error(
        f"{metric.id} is {what} and has no {kind.key}",
        hint=f"limit it with {suited[0].example(metric) if len(suited) == 1 else several}",
    )


def _check_together(limits: Mapping[str, Limit], metric: Metric, place: Place) -> None:
    if not limits:
        first = next(kind for kind in KINDS.values() if kind.suits(metric))
        raise place.error(
            f"the rule over {metric.id} limits nothing", hint=f"add `{first.example(metric)}`"
        )
    for key, limit in limits.items():
        others = {each: other for each, other in limits.items() if each != key}
        if KINDS[key].alone and others:
            raise place.error(
                f"{key} and {next(iter(others))} contradict each other", hint="keep one of them"
            )
        if found := KINDS[key].contradiction(limit, others):
            what, remedy = found
            raise place.error(what, hint=remedy)


def _check_kept(locked: Rule, by: Rule) -> None:
    """Everything but the limits: nothing of a locked rule may be narrowed."""

    def refuse(what: str) -> None:
        raise by.place.error(
            f"{locked.id} is locked by {locked.place}, and here {what}",
            hint="write a tighter limit only, or give the rule an id of its own",
        )

    if by.metric.id != locked.metric.id:
        refuse(f"it is over another metric, {by.metric.id}")
    if by.select != locked.select:
        refuse("it selects other facts")
    if list(Severity).index(by.severity) < list(Severity).index(locked.severity):
        refuse(f"its severity is lowered to {by.severity}")
    if not set(locked.where) <= set(by.where):
        refuse("it acts in fewer places")
