"""A service's facts and its deployment, as money. Pure, in Decimal; each part has its formula.

By allocation is what a cluster bills: the larger of what a replica requests and what it uses (as
OpenCost has it). By use is what the work itself would cost. The difference is a row of its own,
`idle`, so that the parts always add up to the whole.

The money of an amount of a metric (`of`) is by use, and linear: that of a change is that of its
head less that of its base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gocost.cost.price_book import Price, PriceBook
from gocost.model.catalogue import all_metrics
from gocost.model.fact import Fact
from gocost.model.quantity import HOURS_PER_MONTH, Money, Unit, format_money, format_quantity
from gocost.model.report import Column, SumsTo, Table
from gocost.model.service import Deployment
from gocost.model.subject import Subject

HOURS: Final = Decimal(HOURS_PER_MONTH)
GIB: Final = Decimal(2**30)
GB: Final = Decimal(10**9)
MILLION: Final = Decimal(10**6)
GRAIN: Final = Decimal("1E-12")
"""Amounts are kept to this much: a byte costs more, and the parts add up to the last digit."""

MEMORY: Final = ("memory.rss.steady", "memory.rss.peak", "attribution.memory")
CPU: Final = ("process.cpu.per_request", "process.cpu.cores", "attribution.cores")
SIZE: Final = "binary.size"

_BYTES_OF_MEMORY: Final = (
    "memory.rss.peak",
    "memory.rss.steady",
    "memory.rss.anonymous",
    "memory.rss.file",
    "memory.heap.live",
)

NO_DEPLOYMENT: Final = "the policy has no `deployment:` for this service"


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the bill."""

    name: str
    amount: Decimal
    formula: str


@dataclass(frozen=True, slots=True)
class Bill:
    """What a service costs in a month, and how that was worked out."""

    facts: tuple[Fact, ...] = ()
    table: Table | None = None
    skipped: Mapping[str, str] | None = None
    assumptions: tuple[str, ...] = ()


def inputs(metric: str) -> tuple[str, ...]:
    """The measured metrics that a cost metric rests on."""
    memory = metric.startswith(("cost.memory.", "cost.idle", "cost.month", "cost.per_million"))
    cpu = metric.startswith(("cost.cpu.", "cost.idle", "cost.month", "cost.per_million"))
    size = metric.startswith(
        ("cost.registry", "cost.transfer", "cost.deploy", "cost.month", "cost.per_million")
    )
    return (
        (MEMORY if memory else ()) + (CPU if cpu else ()) + ((SIZE,) if size else ())
        if metric.startswith("cost.")
        else ()
    )


@dataclass(frozen=True, slots=True)
class Pricing:
    """One service's deployment under one price book."""

    book: PriceBook
    deployment: Deployment | None

    def of(self, metric: str, amount: float) -> Money | None:
        """What `amount` of a metric costs a month by use, or None where it has no price."""
        rate = self._rate(metric)
        return None if rate is None else self._money(_decimal(amount) * rate)

    def _rate(self, metric: str) -> Decimal | None:
        """The price of one base unit of the metric for a month, all replicas."""
        deployment, book = self.deployment, self.book
        if metric.startswith("cost."):
            if metric == "cost.per_million_requests":
                requests = deployment.requests_per_month if deployment else None
                return None if not requests else _decimal(requests) / MILLION
            return Decimal(1) if metric.endswith(".month") else None
        if deployment is None:
            return None
        replicas = Decimal(deployment.replicas)
        if metric in _BYTES_OF_MEMORY:
            return book.prices["memory"].amount * HOURS * replicas / GIB
        if metric == "process.cpu.cores":
            return book.prices["cpu"].amount * HOURS * replicas
        if metric == "process.cpu.per_request" and deployment.requests_per_month:
            times = _decimal(deployment.requests_per_month)
            return book.prices["cpu"].amount * times / 3600
        sized = metric == SIZE or metric.startswith(("binary.module.", "binary.package."))
        if sized and all_metrics()[metric].unit is Unit.BYTES and deployment.deploys_per_month:
            rates = [rate for rate in (self._registry_rate(), self._transfer_rate()) if rate]
            return sum(rates, Decimal(0)) if rates else None
        return None

    def bill(self, facts: Sequence[Fact], subject: Subject) -> Bill:
        """The cost facts that follow from `facts`, the table that adds up to cost.month."""
        if self.deployment is None:
            return Bill(skipped={"cost.*": NO_DEPLOYMENT})
        memory, memory_facts, memory_skipped = self._memory(facts)
        cpu, cpu_facts, cpu_skipped = self._cpu(facts)
        image, image_facts, image_skipped = self._image(facts)
        skipped = {**memory_skipped, **cpu_skipped, **image_skipped}
        amounts = {**memory_facts, **cpu_facts, **image_facts}
        parts = [*memory, *cpu, *image]
        idle = [part.amount for part in parts if part.name.endswith("idle")]
        if idle:
            amounts["cost.idle.month"] = sum(idle, Decimal(0))
        if memory or cpu:
            amounts["cost.month"] = total = sum((part.amount for part in parts), Decimal(0))
            requests = self.deployment.requests_per_month
            if requests:
                amounts["cost.per_million_requests"] = total * MILLION / _decimal(requests)
            else:
                skipped["cost.per_million_requests"] = "deployment has no requests_per_month"
        else:
            skipped["cost.month"] = skipped["cost.per_million_requests"] = (
                "neither requests nor use of memory and CPU are known"
            )
        skipped.setdefault("cost.*", "what it rests on was not measured")
        assumptions = self._assumptions(parts)
        return Bill(
            facts=tuple(self._fact(name, amount, subject) for name, amount in amounts.items()),
            table=self._table(parts, amounts) if "cost.month" in amounts else None,
            skipped={k: v for k, v in skipped.items() if k not in amounts},
            assumptions=assumptions,
        )

    def _memory(
        self, facts: Sequence[Fact]
    ) -> tuple[list[Part], dict[str, Decimal], dict[str, str]]:
        assert self.deployment is not None
        used = _first(facts, MEMORY)
        asked = self.deployment.memory
        replicas = self.deployment.replicas
        price = self.book.prices["memory"]
        if used is None and asked is None:
            why = "neither deployment.memory nor resident memory of a run is known"
            return [], {}, dict.fromkeys(("cost.memory.month", "cost.memory.used.month"), why)

        def monthly(size: Decimal) -> Decimal:
            return grained(size / GIB * replicas * HOURS * price.amount)

        def formula(size: Decimal, what: str) -> str:
            shown = format_quantity(size, Unit.BYTES)
            return f"{shown} {what} x {replicas} x {HOURS} h x {price.shown(self.book.currency)}"

        if used is None:
            assert asked is not None
            whole = monthly(_decimal(asked))
            part = Part("memory requested", whole, formula(_decimal(asked), "requested"))
            return [part], {"cost.memory.month": whole}, {"cost.memory.used.month": _UNMEASURED}
        use = _decimal(used.value)
        allocated = max(use, _decimal(asked or 0))
        whole, part_used = monthly(allocated), monthly(use)
        parts = [Part("memory used", part_used, formula(use, used.metric))]
        if asked is not None:
            idle = formula(allocated - use, "requested and not used")
            parts.append(Part("memory idle", whole - part_used, idle))
        return parts, {"cost.memory.month": whole, "cost.memory.used.month": part_used}, {}

    def _cpu(self, facts: Sequence[Fact]) -> tuple[list[Part], dict[str, Decimal], dict[str, str]]:
        assert self.deployment is not None
        replicas = Decimal(self.deployment.replicas)
        price = self.book.prices["cpu"]
        asked = self.deployment.cpu
        used = self._cores(facts)
        if used is None and asked is None:
            why = "neither deployment.cpu nor CPU time of a run is known"
            return [], {}, dict.fromkeys(("cost.cpu.month", "cost.cpu.used.month"), why)

        def monthly(cores: Decimal) -> Decimal:
            return grained(cores * HOURS * price.amount)

        def formula(cores: Decimal, what: str) -> str:
            shown = format_quantity(cores, Unit.CORES)
            return f"{shown} cores {what} x {HOURS} h x {price.shown(self.book.currency)}"

        if used is None:
            assert asked is not None
            cores = _decimal(asked) * replicas
            whole = monthly(cores)
            part = Part("CPU requested", whole, formula(cores, "requested"))
            return [part], {"cost.cpu.month": whole}, {"cost.cpu.used.month": _UNMEASURED}
        use, how = used
        allocated = max(use, _decimal(asked or 0) * replicas)
        whole, part_used = monthly(allocated), monthly(use)
        parts = [Part("CPU used", part_used, formula(use, how))]
        if asked is not None:
            idle = formula(allocated - use, "requested and not used")
            parts.append(Part("CPU idle", whole - part_used, idle))
        return parts, {"cost.cpu.month": whole, "cost.cpu.used.month": part_used}, {}

    def _cores(self, facts: Sequence[Fact]) -> tuple[Decimal, str] | None:
        """Cores that all replicas together use on average, and how that is known."""
        assert self.deployment is not None
        requests = self.deployment.requests_per_month
        each = _first(facts, CPU[:1])
        if each is not None and requests:
            seconds = _decimal(each.value) * _decimal(requests)
            shown = format_quantity(_number(each), Unit.SECONDS)
            return seconds / (HOURS * 3600), f"({shown} x {requests:,.0f} requests)"
        busy = _first(facts, CPU[1:])
        if busy is None:
            return None
        cores = _decimal(busy.value) * self.deployment.replicas
        load = "the recorded load" if busy.metric == CPU[2] else "the policy's load"
        return cores, f"({busy.metric} x {self.deployment.replicas}, as under {load})"

    def _image(
        self, facts: Sequence[Fact]
    ) -> tuple[list[Part], dict[str, Decimal], dict[str, str]]:
        assert self.deployment is not None
        names = ("cost.registry.month", "cost.transfer.month", "cost.deploy")
        size, deploys = _first(facts, (SIZE,)), self.deployment.deploys_per_month
        if size is None:
            return [], {}, dict.fromkeys(names, "binary.size was not measured")
        if not deploys:
            return [], {}, dict.fromkeys(names, "deployment has no deploys_per_month")
        parts, amounts = [], {}
        shown = format_quantity(_number(size), Unit.BYTES)
        times = _decimal(deploys)
        currency = self.book.currency
        registry, transfer = self._registry_rate(), self._transfer_rate()
        if registry is not None:
            price = self.book.prices["registry"].shown(currency)
            amount = grained(_decimal(size.value) * registry)
            amounts["cost.registry.month"] = amount
            parts.append(Part("registry", amount, f"{shown} x {times:f} deploys x {price}"))
        if transfer is not None:
            price = self.book.prices["transfer.zone"].shown(currency)
            amount = grained(_decimal(size.value) * transfer)
            amounts["cost.transfer.month"] = amount
            replicas = self.deployment.replicas
            formula = f"{shown} x {replicas} x {times:f} deploys x {price}"
            parts.append(Part("transfer", amount, formula))
        if parts:
            amounts["cost.deploy"] = sum((part.amount for part in parts), Decimal(0)) / times
        skipped = dict.fromkeys(names, "the price book has no price of it")
        return parts, amounts, {k: v for k, v in skipped.items() if k not in amounts}

    def _registry_rate(self) -> Decimal | None:
        return self._size_rate("registry", GB, Decimal(1))

    def _transfer_rate(self) -> Decimal | None:
        assert self.deployment is not None
        return self._size_rate("transfer.zone", GIB, Decimal(self.deployment.replicas))

    def _size_rate(self, name: str, unit: Decimal, times: Decimal) -> Decimal | None:
        assert self.deployment is not None
        price: Price | None = self.book.price(name)
        if price is None or not self.deployment.deploys_per_month:
            return None
        return price.amount * _decimal(self.deployment.deploys_per_month) * times / unit

    def _fact(self, metric: str, amount: Decimal, subject: Subject) -> Fact:
        origin = f"price book {self.book.name}, {self.book.currency}"
        return Fact(metric, float(amount), all_metrics()[metric].unit, subject, origin=origin)

    def _table(self, parts: Sequence[Part], amounts: Mapping[str, Decimal]) -> Table:
        money = Unit.MONEY_PER_MONTH
        title = f"Cost by allocation: {format_money(self._money(amounts['cost.month']))} a month"
        if (each := amounts.get("cost.per_million_requests")) is not None:
            title += f", {format_money(self._money(each))} per million requests"
        return Table(
            title=title,
            columns=(
                Column("part", Unit.TEXT, "what is paid for"),
                Column("amount", money, "list price of all replicas for a month", additive=True),
                Column("formula", Unit.TEXT, "how the amount was worked out"),
            ),
            rows=[[part.name, self._money(part.amount), part.formula] for part in parts],
            sums_to=SumsTo("amount", "cost.month"),
        )

    def _assumptions(self, parts: Sequence[Part]) -> tuple[str, ...]:
        if not parts:
            return ()  # no price was used
        names = {part.name for part in parts}
        said = [
            f"prices: {self.book.name}, list price; {self._sources(names)}",
            f"a month is {HOURS_PER_MONTH} h; money of a finding or a change is by use, a month",
        ]
        if any("memory used" in name for name in names):
            said.append("each replica is taken to use as much memory as the one that was measured")
        if "registry" in names:
            said.append(
                "the image is the executable alone, uncompressed; each deploy's is kept a month "
                "and pulled once by each replica across zones"
            )
        return tuple(said)

    def _sources(self, parts: set[str]) -> str:
        wanted = [
            name
            for name, words in (
                ("memory", ("memory",)),
                ("cpu", ("CPU",)),
                ("registry", ("registry",)),
                ("transfer.zone", ("transfer",)),
            )
            if any(part.startswith(words) for part in parts)
        ]
        sources: dict[tuple[str, str], list[str]] = {}
        for name in wanted:
            price = self.book.prices[name]
            shown = f"{name} {price.shown(self.book.currency)}"
            sources.setdefault((price.source, price.date.isoformat()), []).append(shown)
        return "; ".join(
            f"{', '.join(shown)} ({source}, {day})" for (source, day), shown in sources.items()
        )

    def _money(self, amount: Decimal) -> Money:
        return Money(grained(amount), self.book.currency, self.book.name)


_UNMEASURED: Final = "its use was not measured: that needs the policy's `run:`"


def _first(facts: Sequence[Fact], metrics: Sequence[str]) -> Fact | None:
    for metric in metrics:
        for fact in facts:
            if fact.metric == metric and not fact.labels:
                return fact
    return None


def _number(fact: Fact) -> float:
    assert isinstance(fact.value, int | float)
    return fact.value


def _decimal(value: object) -> Decimal:
    """The number as its shortest text says it: 0.1 is a tenth here."""
    return Decimal(str(value))


def grained(amount: Decimal) -> Decimal:
    """To the grain, without trailing zeros."""
    found = amount.quantize(GRAIN).normalize()
    return found if found.as_tuple().exponent <= 0 else found.quantize(Decimal(1))  # type: ignore[operator]
