"""What was recorded of a service as facts, for rules over who spends what."""

from __future__ import annotations

from gocost.analyses.attribution.bill import bill
from gocost.analyses.attribution.keys import Keying
from gocost.analyses.attribution.tables import facts
from gocost.formats.pprof.deflate import MAX_BYTES
from gocost.measures.attribution import Files, gather
from gocost.measures.interface import Context, Measured, Target
from gocost.measures.profiles import Reading
from gocost.measures.recorded_goroutines import recorded_dumps
from gocost.measures.recorded_metrics import recorded_pages
from gocost.measures.recorded_trace import traced
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Note
from gocost.sources.naming import shown

SHARE = "cpu.share"
TOTAL = "profile.total"


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """Each package's share of the CPU, and what the accounts add up to.

    Raises SourceError and FormatError.
    """
    context.progress("reading what was recorded")
    files = Files(
        profiles=context.profiles,
        trace=context.trace if context.wants("attribution.waiting") else None,
    )
    reading = Reading(headers=context.headers, max_bytes=context.max_bytes or MAX_BYTES)
    # A service's dumps take their time, and the CPU's shares do without.
    wants_dump = context.wants("attribution.goroutines", "attribution.memory")
    gathered = gather(
        files,
        reading,
        dump=recorded_dumps(context).dumps.dumps[-1] if context.dumps and wants_dump else None,
        pages=recorded_pages(context) if context.pages else None,
        traced=traced(context) if files.trace is not None else None,
    )
    found = bill(gathered.evidence, Keying("package"))
    origin = f"profiles {', '.join(map(shown, context.profiles))}"
    made = facts(found, gathered.seconds, target.subject, origin)
    given = {fact.metric for fact in made}
    missing = {
        "attribution.cpu": "no CPU profile was given (--profile)",
        "attribution.cores": "no CPU profile that says how long it was recorded was given",
        "attribution.memory": "no heap profile was given (--profile)",
        "attribution.waiting": "no execution trace was given (--trace)",
        "attribution.goroutines": "no goroutine dump was given (--goroutines)",
    }
    skipped = {metric: why for metric, why in missing.items() if metric not in given}
    unknown: dict[str, str] = {}
    if found.cpu is None:
        skipped[SHARE] = skipped[TOTAL] = missing["attribution.cpu"]
    elif not found.cpu.total:
        unknown[SHARE] = unknown[TOTAL] = (
            "the operating system counted no CPU time between the pages: are the pages of this "
            "process?"
            if gathered.recorded_ns
            else "the profile has no samples"
        )
    else:
        hits = gathered.samples
        kind = {"type": "cpu", "unit": "nanoseconds"}
        made.append(
            Fact(TOTAL, gathered.recorded_ns, Unit.COUNT, target.subject, kind, origin=origin)
        )
        cpu = found.cpu
        bounds: list[tuple[int, int] | None] = [cpu.interval(at) for at in range(len(found.names))]
        charged = [*zip(found.names, cpu.whole().tolist(), bounds, strict=True),
                   *((name, spent, None) for name, spent in cpu.others.items())]  # fmt: skip
        for name, spent, each in charged:
            # A value at a bound would read as one of which only bounds are known.
            low, high = each if each is not None and each[0] < spent < each[1] else (None, None)
            if spent:
                made.append(
                    Fact(SHARE, spent / cpu.total, Unit.RATIO, target.subject,
                         labels={"package": name}, origin=origin, n=hits,
                         low=low / cpu.total if low is not None else None,
                         high=high / cpu.total if high is not None else None)
                )  # fmt: skip
    return Measured(
        facts=made,
        notes=[Note("warning", text) for text in gathered.notes],
        assumptions=list(gathered.assumptions),
        unknown=unknown,
        skipped=skipped,
    )
