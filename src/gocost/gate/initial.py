"""`gocost init`: a first policy, with limits at what is measured now and some headroom.

Every main package of the module (or of all modules of a workspace) becomes a service. What the
standard preset asks for is tried first: where a service does not keep a rule of it today, that rule
only warns there, with what to do about it, so that the first `gocost check` is clean. Only what
cannot be measured at all keeps the preset out.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gocost.gate.check import Request, check
from gocost.model.errors import NotMeasurableError, SourceError, UsageError
from gocost.model.fact import Fact
from gocost.model.finding import Finding, Outcome, Severity
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Report
from gocost.policy.kinds.interface import Form
from gocost.policy.kinds.registry import KINDS
from gocost.policy.loading import load_text
from gocost.policy.writing import rounded_limit, with_headroom
from gocost.sources.go_command import Go, first_complaint, go_in

MAX_SERVICES: Final = 100
FLAGS: Final = ("-trimpath", "-ldflags=-s -w")


@dataclass(frozen=True, slots=True)
class Main:
    """One main package, as the policy names it."""

    name: str
    package: str
    cgo: bool
    """It or something it imports holds C."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The policy's text, and the report of the measurement that its limits rest on."""

    text: str
    services: tuple[Main, ...]
    report: Report
    softened: tuple[str, ...] = ()
    """`app: build.trimpath`, each rule of the preset that only warns for now."""


def draft(
    directory: Path,
    *,
    headroom: float = 0.1,
    progress: Callable[[str], None] = lambda _: None,
) -> Draft:
    """A policy for the main packages in or below `directory`.

    Raises UsageError where there is no module or no main package, SourceError without Go,
    NotMeasurableError where none of them builds.
    """
    progress("looking for main packages")
    mains = main_packages(directory)
    path = directory / "gocost.yaml"
    trial = _text(mains, {}, headroom, {}, trial=True)
    report = check(Request(load_text(trial, path), progress=progress))
    facts = {
        main.name: [fact for fact in report.facts if fact.subject.service == main.name]
        for main in mains
    }
    if not report.facts:
        raise _unmeasured(report)
    broken = {main.name: _broken(report, main.name) for main in mains}
    missing = _missing(report)
    text = _text(mains, facts, headroom, broken, missing=missing)
    load_text(text, path)
    softened = [
        f"{name}: {finding.rule}"
        for name, findings in ({} if missing else broken).items()
        for finding in findings
    ]
    return Draft(text, tuple(mains), report, tuple(softened))


def main_packages(directory: Path) -> list[Main]:
    """The main packages in or below `directory`, each under a name of its own."""
    go = go_in(directory)
    roots = _modules(go, directory)
    patterns = [_relative(root, directory) + "/..." for root in roots]
    found = [
        package
        for package in go.packages(*patterns, fields="Name,ImportPath,Dir,CgoFiles,Deps")
        if package.get("Name") == "main" and package.get("Dir")
    ]
    if not found:
        raise UsageError(
            f"there is no main package in or below {directory}",
            hint="gocost measures programs; run it where one of your modules has `package main`",
        )
    if len(found) > MAX_SERVICES:
        raise UsageError(
            f"{len(found)} main packages are in or below {directory}, more than {MAX_SERVICES}",
            hint="run `gocost init` in the folder of those that are deployed",
        )
    taken: set[str] = set()
    return [
        Main(
            _name(Path(package["Dir"]), package["ImportPath"], taken),
            _relative(Path(package["Dir"]), directory),
            bool(package.get("CgoFiles")) or "runtime/cgo" in (package.get("Deps") or ()),
        )
        for package in found
    ]


def _unmeasured(report: Report) -> NotMeasurableError:
    """Why there is nothing to write limits from: what the compiler said."""
    reasons = [each.reason for each in report.findings if each.outcome is Outcome.UNKNOWN]
    why = reasons[0] if reasons else "none of the main packages could be measured"
    said = [note.text.partition("\n")[2] for note in report.notes if note.level == "error"]
    return NotMeasurableError(why, output="\n".join(said), hint="then `gocost init` again")


def _modules(go: Go, directory: Path) -> list[Path]:
    """The folders of the main modules (several in a workspace) that lie in or around it."""
    done = go.run("list", "-m", "-f", "{{.Dir}}")
    folder = directory.resolve()
    roots = [Path(line) for line in done.stdout.splitlines() if line.strip()]
    # Outside of a module it lists one that has no folder, or complains of the missing go.mod.
    if (done.ok and not roots) or "go.mod file not found" in done.stderr:
        raise UsageError(
            f"{directory} is not in a Go module", hint="run it in one, or `go mod init` first"
        )
    if not done.ok:
        raise SourceError(
            f"`go list -m` failed: {first_complaint(done.stderr)}", hint=f"run it in {directory}"
        )
    inside = [root for root in roots if root.resolve().is_relative_to(folder)]
    # Below a module's root, the patterns start here; a workspace's modules lie below this folder.
    return inside or [folder]


def _relative(path: Path, directory: Path) -> str:
    relative = path.resolve().relative_to(directory.resolve()).as_posix()
    return "." if relative == "." else f"./{relative}"


def _name(folder: Path, import_path: str, taken: set[str]) -> str:
    """The folder's name; where that is taken or says nothing, with the folders before it."""
    words = [re.sub(r"[^A-Za-z0-9._-]", "-", word) for word in import_path.split("/")]
    # A major version is no name: example.com/pay/v2 is `pay`.
    words = [word for word in words if not re.fullmatch(r"v[0-9]+", word)] or [folder.name]
    for count in range(1, len(words) + 1):
        name = "-".join(words[-count:]).strip("._-")[-63:] or "service"
        if name not in taken:
            break
    else:
        name = next(f"{name}-{n}" for n in range(2, 1000) if f"{name}-{n}" not in taken)
    taken.add(name)
    return name


def _missing(report: Report) -> list[str]:
    """What of the standard preset cannot be measured here, one line each."""
    return list(
        dict.fromkeys(
            f"{finding.subject.service}: {finding.message}"
            for finding in report.findings
            if finding.outcome is Outcome.UNKNOWN
        )
    )


def _broken(report: Report, name: str) -> list[Finding]:
    """The rules of the standard preset that a service does not keep today."""
    return [
        finding
        for finding in report.findings
        # A dirty tree is where one starts (and an error only in CI), and a broken warning does
        # not speak against the preset.
        if finding.subject.service == name
        and finding.metric != "build.vcs.clean"
        and finding.outcome is Outcome.VIOLATED
        and finding.severity is Severity.ERROR
    ]


def _text(
    mains: Sequence[Main],
    facts: dict[str, list[Fact]],
    headroom: float,
    broken: Mapping[str, Sequence[Finding]],
    *,
    trial: bool = False,
    missing: Sequence[str] = (),
) -> str:
    lines = [
        "# What these services may cost. `gocost check` builds and measures them and holds them to",
        "# it; `gocost explain METRIC` says what a metric means, `gocost policy lint` checks this",
        "# file.",
        "version: 1",
        "",
        "# Who owns the services; it stands in reports.",
        "# team: my-team",
        "",
        *_preset(missing),
        "",
        "services:",
    ]
    for main in mains:
        rules = _rules(facts.get(main.name, []), headroom)
        if not missing:
            rules += _softer(broken.get(main.name, []))
        lines += _service(main, rules, trial=trial)
    lines += [
        "",
        "# Limits of every service of this file. A service's own rule of the same id goes first.",
        "rules:",
        "  # `growth` is against the base: `gocost check --base origin/main`.",
        "  - {id: size-growth, metric: binary.size, growth: 5%}",
    ]
    return "\n".join(lines) + "\n"


def _preset(missing: Sequence[str]) -> list[str]:
    about = [
        "# Limits that come with gocost: stripped, static, trimpath, a clean VCS stamp, short GC",
        "# pauses, a heap that does not grow, no goroutines left behind.",
    ]
    if not missing:
        return [*about, "presets: [standard]"]
    return [
        *about,
        "# It is off because today some of it cannot be measured:",
        *(f"#   {_one_line(reason)}" for reason in missing[:20]),
        "# presets: [standard]",
    ]


def _service(main: Main, rules: Sequence[str], *, trial: bool) -> list[str]:
    cgo = "" if main.cgo else ', env: {CGO_ENABLED: "0"}'
    flags = '-trimpath, "-ldflags=-s -w"'
    lines = [
        f"  {main.name}:",
        f"    package: {main.package}",
        f"    build: {{flags: [{flags}]{cgo}}}",
    ]
    if trial:
        return [*lines, "    rules:", "      - {metric: binary.size, min: 0}"]
    lines += [
        "    # How to start it, so that memory, GC pauses, goroutines and latency are measured",
        "    # too. {binary} is the file just built and {port} a free port. `load:` needs a",
        "    # vegeta targets file with lines like `GET http://127.0.0.1:{port}/`.",
        "    # run:",
        '    #   command: ["{binary}", "--listen=127.0.0.1:{port}"]',
        '    #   ready: "http://127.0.0.1:{port}/healthz"',
        "    #   load: {vegeta: load.targets, rate: 100/s, duration: 10 s}",
        "    # Which Go benchmarks to run for base and head, for rules over bench.time,",
        "    # bench.bytes and bench.allocations, and what `gocost bench` does by itself.",
        "    # bench: {packages: [./...], count: 10, benchtime: 200ms, min_effect: 5%}",
        "    # Functions whose goroutines may grow in number without being a probable leak.",
        "    # goroutines: {allow: ['^example\\.com/pubsub\\.']}",
        "    # What production asks for; money is worked out from it.",
        "    # deployment: {replicas: 3, cpu: 500m, memory: 256 MiB, deploys_per_month: 20}",
    ]
    return [*lines, *(["    rules:", *rules] if rules else ["    rules: []"])]


def _rules(facts: Sequence[Fact], headroom: float) -> list[str]:
    values = {fact.metric: fact.value for fact in facts if not fact.labels}
    rules = []
    size = values.get("binary.size")
    if isinstance(size, int):
        limit = rounded_limit(with_headroom(size, headroom), Unit.BYTES)
        measured = format_quantity(size, Unit.BYTES)
        rules += [
            f"      # Measured {measured}; with {headroom:.0%} of headroom.",
            f"      - {{metric: binary.size, max: {limit}}}",
        ]
    # A dynamic one is not held to that: who links it statically would be blocked for it.
    if values.get("binary.linkage") in ("static", "static-pie"):
        rules.append("      - {metric: binary.linkage, one_of: [static, static-pie]}")
    return rules


def _softer(broken: Sequence[Finding]) -> list[str]:
    """Rules of the preset that warn for now, each with why and what to do."""
    lines = []
    for finding in broken:
        assert finding.limit is not None
        why = f"{finding.message}. {finding.reason or finding.advice}"
        said = (
            f"Not kept today, so it only warns: {why}. Then remove this: the preset's is an error."
        )
        lines += [f"      # {line}" for line in textwrap.wrap(_one_line(said), 88)]
        limit = finding.limit.text
        written = f"[{limit}]" if KINDS[finding.limit.kind].form is Form.WORDS else limit
        rule = f"metric: {finding.metric}, {finding.limit.kind}: {written}, severity: warning"
        lines.append(f"      - {{{rule}}}")
    return lines


def _one_line(text: str) -> str:
    return " ".join(text.split())[:400]
