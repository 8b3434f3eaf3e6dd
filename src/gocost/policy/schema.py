"""The policy file's types: what `gocost.yaml` may say. The reader and the JSON Schema follow them.

`services.*.build`, `run`, `bench` and `deployment` are the model's own types, so that a field added
there is a field of the policy, and a kind of limit (kinds/) is a key of a rule. A limit stays text
here: its unit is its metric's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from gocost.model.finding import Severity
from gocost.model.metric import Enforcer
from gocost.model.quantity import Unit
from gocost.model.service import Bench, Build, Deployment, Goroutines, Run
from gocost.policy.kinds.interface import Form, Kind, Written
from gocost.policy.kinds.registry import KINDS

PRESETS: Final = ("standard", "low-latency", "million-connections", "lambda")

Raw = Annotated[str, Meta(extra={"raw": True})]
"""A scalar kept as it was written; its meaning depends on the metric."""


class RuleEntry(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename={"for_": "for"},
):
    """One limit, or several, over one metric."""

    # Beside these it has a key for each kind of limit (kinds/), which are added below.

    metric: Annotated[str, Meta(description="What is limited; `gocost explain` lists them all.")]
    id: Annotated[
        str, Meta(description="The rule's name, by default its metric. One name, one rule.")
    ] = ""
    select: Annotated[
        dict[str, str],
        Meta(description="Only facts with these labels (`*` stands for any text), or a service."),
    ] = {}
    for_: Annotated[
        float | None,
        Meta(
            description="How long the limit must be broken before an alert (live, Prometheus).",
            extra={"unit": Unit.SECONDS},
        ),
    ] = None
    severity: Annotated[
        Severity, Meta(description="How much it matters; only an error blocks by default.")
    ] = Severity.ERROR
    where: Annotated[
        tuple[Enforcer, ...] | None,
        Meta(description="Where it acts; by default wherever the metric can be measured."),
    ] = None
    locked: Annotated[
        bool,
        Meta(description="Files that extend this one may tighten it, not loosen or waive it."),
    ] = False

    def written(self) -> dict[str, Written]:
        """What stands there of each kind of limit, by its key."""
        limits = {key: getattr(self, key) for key in KINDS}
        return {key: value for key, value in limits.items() if value is not None}


def _limit_field(kind: Kind) -> tuple[str, Any, None]:
    form: Any = Raw if kind.form is Form.VALUE else tuple[str, ...]
    return kind.key, Annotated[form | None, Meta(description=kind.description)], None


if not TYPE_CHECKING:
    RuleEntry = msgspec.defstruct(
        "RuleEntry",
        [_limit_field(kind) for kind in KINDS.values()],
        bases=(RuleEntry,),
        frozen=True,
        omit_defaults=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": RuleEntry.__doc__},
    )


class WaiverEntry(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An exception to a rule, with an owner, a reason and an end."""

    rule: Annotated[str, Meta(description="The id of the rule that is waived.")]
    owner: Annotated[str, Meta(description="Who answers for it.")]
    reason: Annotated[str, Meta(description="Why it is right to break the rule for now.")]
    expires: Annotated[
        str,
        Meta(
            description="The last day it acts, such as 2027-03-31.",
            extra={"raw": True},
            extra_json_schema={"format": "date"},
        ),
    ]
    select: Annotated[
        dict[str, str], Meta(description="Only for this service, or facts with these labels.")
    ] = {}
    max: Annotated[Raw | None, Meta(description="The waiver acts only up to this much.")] = None


class ServiceEntry(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One deployable main package."""

    package: Annotated[
        str, Meta(description="The main package, relative to this file: ./cmd/payments.")
    ] = "."
    team: Annotated[str, Meta(description="Who owns it, where not the file's team.")] = ""
    build: Annotated[Build, Meta(description="How the executable is built.")] = Build()
    run: Annotated[
        Run | None, Meta(description="How to start it, for the metrics of a running service.")
    ] = None
    bench: Annotated[
        Bench | None, Meta(description="Which Go benchmarks to run, and what is a change of one.")
    ] = None
    deployment: Annotated[
        Deployment | None, Meta(description="What production asks for, from which money follows.")
    ] = None
    goroutines: Annotated[Goroutines, Meta(description="Which of its goroutines may grow.")] = (
        Goroutines()
    )
    rules: Annotated[
        tuple[RuleEntry, ...],
        Meta(description="Limits of this service; the same id overrides the file's rule."),
    ] = ()


class PolicyFile(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A `gocost.yaml`, an organisation's file that others extend, or a preset."""

    version: Annotated[Literal[1], Meta(description="The form of this file: 1.")]
    team: Annotated[str, Meta(description="Who owns the services.")] = ""
    prices: Annotated[
        str, Meta(description="The price book: `default`, or a file relative to this one.")
    ] = ""
    extends: Annotated[
        tuple[str, ...],
        Meta(description="Files whose rules, waivers, goroutines, team and prices hold here too."),
    ] = ()
    presets: Annotated[
        tuple[str, ...], Meta(description="Sets of rules that come with gocost.")
    ] = ()
    services: Annotated[dict[str, ServiceEntry], Meta(description="The services, by name.")] = {}
    rules: Annotated[
        tuple[RuleEntry, ...], Meta(description="Limits for every service of the file.")
    ] = ()
    waivers: Annotated[tuple[WaiverEntry, ...], Meta(description="Exceptions to rules.")] = ()
    goroutines: Annotated[
        Goroutines, Meta(description="Which goroutines may grow in every service of the file.")
    ] = Goroutines()


UNITS: Final[dict[tuple[str, str], Unit]] = {
    ("Load", "rate"): Unit.COUNT_PER_SECOND,
    ("Load", "duration"): Unit.SECONDS,
    ("Run", "ready_within"): Unit.SECONDS,
    ("Run", "settle"): Unit.SECONDS,
    ("Bench", "min_effect"): Unit.RATIO,
    ("Bench", "fdr"): Unit.RATIO,
    ("Deployment", "cpu"): Unit.CORES,
    ("Deployment", "memory"): Unit.BYTES,
    ("Deployment", "deploys_per_month"): Unit.COUNT,
    ("Deployment", "requests_per_month"): Unit.COUNT,
}
"""The quantities among the model's fields, which a policy writes with their unit."""

DESCRIPTIONS: Final[dict[tuple[str, str], str]] = {
    ("Build", "flags"): 'Flags of `go build`: [-trimpath, "-ldflags=-s -w"].',
    ("Build", "env"): "Environment of the build, such as CGO_ENABLED.",
    ("Build", "platform"): "GOOS/GOARCH, such as linux/amd64; by default this machine's.",
    ("Build", "prepare"): "Commands to run before it, each a list of words.",
    ("Build", "command"): "A command that builds instead of `go build`; it writes {output}.",
    ("Build", "binary"): "A file built elsewhere, relative to this one; nothing is built then.",
    ("Run", "command"): "The command; {binary} is the file just built, {port} a free port.",
    ("Run", "env"): "Environment of the service.",
    ("Run", "ready"): "A URL that answers 2xx when the service is ready.",
    ("Run", "ready_within"): "How long it may take to get ready, such as 30 s.",
    ("Run", "endpoints"): "URLs below which /metrics, /debug/vars and /debug/pprof may be.",
    ("Run", "load"): "What to put on the service while it is watched.",
    ("Run", "settle"): "How long after the load to look what did not go away, such as 5 s.",
    ("Load", "vegeta"): "A vegeta targets file, relative to this one.",
    ("Load", "rate"): "Requests a second, such as 500/s.",
    ("Load", "duration"): "How long, such as 10 s.",
    ("Load", "command"): "A command that puts load on the service instead of vegeta.",
    ("Bench", "packages"): "Packages as for `go test`, in the service's module: ./internal/...",
    ("Bench", "bench"): "Which benchmarks, as for `go test -bench`; all of them by default.",
    ("Bench", "count"): "Runs of each benchmark on each side.",
    ("Bench", "benchtime"): "Time of a run, such as 100ms, or 100x; 200ms in a check by default.",
    ("Bench", "min_effect"): "The smallest change that is called one, such as 5%.",
    ("Bench", "fdr"): "How many of all called changes may be false, such as 5%.",
    ("Bench", "flags"): "Flags of `go test -c` beside those of `build:`.",
    ("Goroutines", "allow"): "Expressions (RE2) over functions that are no probable leak.",
    ("Deployment", "replicas"): "How many run.",
    ("Deployment", "cpu"): "Cores requested by one, such as 500m.",
    ("Deployment", "memory"): "Memory requested by one, such as 256 MiB.",
    ("Deployment", "deploys_per_month"): "How often a new image is rolled out.",
    ("Deployment", "requests_per_month"): "How many requests all of them answer, such as 90 M.",
}
