"""Rules and waivers as they are judged: entries of the file checked against the catalogue.

A limit is read in its metric's unit here, and what contradicts itself (a `max` over text, a word
the metric cannot be, a label it does not have) is refused with its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from gocost.formats.yaml_document import Place
from gocost.model.catalogue import all_metrics
from gocost.model.finding import Limit, Severity
from gocost.model.metric import Enforcer, Metric, Worse
from gocost.model.quantity import Unit, parse
from gocost.policy.reading import Path, Places, at_place, parsed, unknown_word
from gocost.policy.schema import RuleEntry, WaiverEntry

NUMERIC_LIMITS = ("max", "min", "growth")
SUBJECT_LABELS = ("service",)


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit (or several) over one metric, and where it was written."""

    id: str
    metric: Metric
    limits: dict[str, Limit]
    """By kind: max, min, is, one_of, growth."""
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
    limits = {}
    spots = {}
    for kind in ("max", "min", "is", "one_of", "growth"):
        written = getattr(entry, "is_" if kind == "is" else kind)
        if written is not None:
            spots[kind] = places.of(*path, kind)
            limits[kind] = _limit(kind, written, metric, places, path)
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
    return replace(waiver, limit=_limit("max", entry.max, rule.metric, places, path))


def tightened(locked: Rule, by: Rule, *, silently: bool) -> Rule:
    """A locked rule with what `by` (the same id, lower down) tightens of it.

    Raises PolicyError where `by` would loosen it; `silently` keeps the tighter of the two instead
    (a preset knows nothing of the organisation's limits).
    """
    limits, places = dict(locked.limits), dict(locked.places)
    if not silently:
        _check_kept(locked, by)
    for kind, limit in by.limits.items():
        if kind not in limits or _tighter(kind, limit, limits[kind]):
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


def _limit(
    kind: str, written: str | tuple[str, ...], metric: Metric, places: Places, path: Path
) -> Limit:
    place = places.of(*path, kind)
    if isinstance(written, tuple):
        return _one_of(written, metric, places, path)
    number = metric.unit not in (Unit.TEXT, Unit.BOOLEAN)
    if kind in NUMERIC_LIMITS and not number:
        kinds = "is or one_of" if metric.unit is Unit.TEXT else "is: true or is: false"
        raise place.error(
            f"{metric.id} is {'text' if metric.unit is Unit.TEXT else 'a yes or no'} "
            f"and has no {kind}",
            hint=f"limit it with {kinds}",
        )
    if kind == "growth" and written.strip().endswith("%"):
        share = at_place(place, kind, lambda: parse(written, Unit.RATIO))
        return Limit(kind, share, written.strip(), relative=True)
    if number:
        return Limit(kind, _parsed(written, metric, place, kind), written.strip())
    if metric.unit is Unit.BOOLEAN:
        if written.lower() not in ("true", "false"):
            raise place.error(
                f"{metric.id} is a yes or no, and here is {written!r}",
                hint="write is: true or is: false",
            )
        return Limit(kind, written.lower() == "true", written.lower())
    _check_value(written, metric, place)
    return Limit(kind, written, written)


def _parsed(written: str, metric: Metric, place: Place, kind: str) -> float:
    if metric.unit in (Unit.MONEY, Unit.MONEY_PER_MONTH):
        return _money(written, place, kind)
    return parsed(written, metric.unit, place, kind)


def _money(written: str, place: Place, kind: str) -> float:
    from gocost.model.quantity import parse_money

    money = at_place(place, kind, lambda: parse_money(written))
    return float(money.amount)


def _one_of(words: tuple[str, ...], metric: Metric, places: Places, path: Path) -> Limit:
    if metric.unit is not Unit.TEXT:
        raise places.of(*path, "one_of").error(
            f"{metric.id} is not text and has no one_of",
            hint="limit it with is: true" if metric.unit is Unit.BOOLEAN else "use max or min",
        )
    if not words:
        raise places.of(*path, "one_of").error("one_of allows nothing", hint="name a word")
    for at, word in enumerate(words):
        _check_value(word, metric, places.of(*path, "one_of", at))
    return Limit("one_of", list(words), ", ".join(words))


def _check_value(word: str, metric: Metric, place: Place) -> None:
    if metric.values and word not in metric.values:
        raise unknown_word(place, f"{metric.id} cannot be", word, metric.values)


def _check_together(limits: dict[str, Limit], metric: Metric, place: Place) -> None:
    if not limits:
        example = "is: true" if metric.unit is Unit.BOOLEAN else "max:"
        example = "one_of:" if metric.unit is Unit.TEXT else example
        raise place.error(f"the rule over {metric.id} limits nothing", hint=f"add `{example}`")
    fixed = [kind for kind in ("is", "one_of") if kind in limits]
    if fixed and len(limits) > 1:
        other = next(kind for kind in limits if kind != fixed[0])
        raise place.error(f"{fixed[0]} and {other} contradict each other", hint="keep one of them")
    if "max" in limits and "min" in limits and _number(limits["max"]) < _number(limits["min"]):
        raise place.error(
            f"max {limits['max'].text} is below min {limits['min'].text}", hint="swap them"
        )


def _number(limit: Limit) -> float:
    assert isinstance(limit.value, int | float)
    return float(limit.value)


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


def _tighter(kind: str, new: Limit, old: Limit) -> bool:
    if kind == "is":
        return new.value == old.value
    if kind == "one_of":
        assert isinstance(new.value, list)
        assert isinstance(old.value, list)
        return set(new.value) <= set(old.value)
    if kind == "growth" and new.relative != old.relative:
        return False
    if kind == "min":
        return _number(new) >= _number(old)
    return _number(new) <= _number(old)


def worse_sign(metric: Metric) -> int:
    """+1 where more is worse (also where neither is: growth means more), -1 where less is."""
    return -1 if metric.worse is Worse.LOWER else 1
