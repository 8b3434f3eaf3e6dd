"""What a running service uses: started for it, or watched where it runs already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from gocost._version import VERSION
from gocost.analyses.portrait.rounds import ROUNDS
from gocost.gate.base import base_side
from gocost.gate.build import build_service
from gocost.measures.interface import Context, Measured, Target
from gocost.measures.portrait import WATCH, Watched, measure_rounds, watch
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit
from gocost.model.report import Column, Layout, Note, Report, Table
from gocost.model.service import Run, Service
from gocost.model.subject import Subject
from gocost.policy.loading import discover, load
from gocost.sources.cache import cache_directory
from gocost.sources.naming import shown_url
from gocost.sources.proc import PROC, find_process, unsupported
from gocost.sources.scratch import scratch

Progress = Callable[[str], None]


def portrait(
    *,
    policy: str | Path | None = None,
    service: str | None = None,
    run: Run | None = None,
    binary: str | Path | None = None,
    pid: int | None = None,
    urls: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    base: str | None = None,
    rounds: int = ROUNDS,
    seconds: float = WATCH,
    progress: Progress = lambda _: None,
    announce: Progress = lambda _: None,
) -> Report:
    """The portrait of one service.

    With `pid`, `urls` or both, a service that runs already is watched for `seconds`. Otherwise one
    is started: by `run` (with `{binary}` standing for `binary`), or as the service `service` of
    `policy` says (by default the `gocost.yaml` of the current folder or above it), built first;
    with `base`, a git ref, that is built too and the two run in turn, `rounds` times each.
    `headers` go to the service's pages; `announce` is told of what takes long.

    Raises UsageError for what cannot be carried out as asked, PolicyError for a wrong policy,
    BuildError where it does not build, SourceError where it cannot be run or watched.
    """
    if pid is not None or urls:
        if base is not None:
            raise UsageError(
                "a process that runs already has no base",
                hint="use --run, which starts base and head in turn",
            )
        # Watching keeps nothing, so it needs no folder that its user may write to.
        return _watched(pid, urls, headers, seconds, Context(cache=Path(), progress=progress))
    context = Context(cache=cache_directory(), progress=progress, announce=announce)
    if run is not None:
        if base is not None:
            raise UsageError(
                "--base builds the service of a policy, and --command names a command",
                hint="describe the service in gocost.yaml and use --run",
            )
        target = Target(Service(name="", run=run), Path.cwd(), _existing(binary))
        measured = measure_rounds(target, context, headers=headers)
        return _report(measured, Subject(), " ".join(run.command))
    return _from_policy(policy, service, base, rounds, headers, context)


def _watched(
    pid: int | None,
    urls: Sequence[str],
    headers: Mapping[str, str] | None,
    seconds: float,
    context: Context,
) -> Report:
    process = None if pid is None or unsupported(root=PROC) else find_process(pid)
    if pid is not None and process is None:
        reason = unsupported(root=PROC)
        return _report(
            Measured(notes=[Note("info", f"skipped: {reason}")]), Subject(), f"pid {pid}"
        )
    shown = [*map(shown_url, urls)]
    instance = ", ".join([*([f"pid {pid}"] if pid is not None else []), *shown])
    subject = Subject(instance=instance)
    watched = Watched(process, tuple(urls), headers, seconds)
    named = ", ".join(shown)
    if process is not None:
        named = f"{process.command} (process {pid})"
    return _report(watch(watched, context, subject), subject, named)


def _from_policy(
    path: str | Path | None,
    name: str | None,
    base: str | None,
    rounds: int,
    headers: Mapping[str, str] | None,
    context: Context,
) -> Report:
    policy = load(Path(path) if path is not None else discover(Path.cwd()))
    service = _chosen([g.service for g in policy.only([name] if name else []).services])
    subject = Subject(service=service.name)
    with ExitStack() as stack:
        folder = stack.enter_context(scratch("run"))
        directory = Path(service.directory)
        built = build_service(
            service,
            directory,
            folder,
            comparable=base is not None and not service.build.binary,
            progress=context.progress,
        )
        target = Target(service, directory, built.path, subject, built.seconds)
        against = None
        if base is not None:
            side = base_side(base, policy.directory, stack, context)
            against = side.target(service, built=True)
        measured = measure_rounds(target, context, against, rounds=rounds, headers=headers)
    return _report(measured, subject, service.name)


def _chosen(services: Sequence[Service]) -> Service:
    runnable = [service for service in services if service.run is not None]
    if not runnable:
        raise UsageError(
            "no service of the policy has a `run:`",
            hint="say there how to start it (command, ready, load)",
        )
    if len(runnable) > 1:
        raise UsageError(
            f"the policy has {len(runnable)} services that can be run",
            hint=f"choose with --service {'|'.join(s.name for s in runnable)}",
        )
    return runnable[0]


def _existing(binary: str | Path | None) -> Path | None:
    path = None if binary is None else Path(binary)
    if path is not None and not path.is_file():
        raise UsageError(f"there is no file {path}", hint="check --binary")
    return path


def _report(measured: Measured, subject: Subject, named: str) -> Report:
    unmeasured = [
        *((metric, "unknown", why) for metric, why in sorted(measured.unknown.items())),
        *((metric, "skipped", why) for metric, why in sorted(measured.skipped.items())),
    ]
    columns = (
        Column("metric", Unit.TEXT, "of the catalogue"),
        Column("outcome", Unit.TEXT, "unknown: tried, not measurable; skipped: nothing to try"),
        Column("reason", Unit.TEXT, "why there is no figure"),
    )
    shown = tuple(measured.tables)
    return Report(
        command="portrait",
        gocost=VERSION,
        subject=subject,
        facts=measured.facts,
        tables={**measured.tables, "unmeasured": Table("Not measured", columns, unmeasured)},
        series=measured.series,
        changes=measured.changes,
        notes=[*measured.notes, *_reasons(unmeasured)],
        assumptions=measured.assumptions,
        layout=Layout(title=f"Portrait of {named}", tables=shown, rows=12),
    )


def _reasons(unmeasured: Sequence[tuple[str, str, str]]) -> list[Note]:
    """One note a reason, with the metrics that it keeps from being measured."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for metric, outcome, reason in unmeasured:
        grouped.setdefault((outcome, reason), []).append(metric)
    return [
        Note(
            "warning" if outcome == "unknown" else "info", f"{outcome}: {', '.join(metrics)}: {why}"
        )
        for (outcome, why), metrics in grouped.items()
    ]
