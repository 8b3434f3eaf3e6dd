"""`gocost.init()`: a first policy for a module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gocost.gate.initial import draft
from gocost.model.errors import SourceError, UsageError
from gocost.model.finding import Outcome
from gocost.model.report import Layout, Note, Report
from gocost.sources.cache import write_atomically


def init(
    directory: str | Path = ".",
    *,
    force: bool = False,
    headroom: float = 0.1,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Find the main packages of a module, measure them, write `gocost.yaml` with limits.

    The limits are what was measured plus `headroom` (a share). An existing file is kept unless
    `force`. Raises UsageError for that, for no module and for no main package.
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="name the folder of your module")
    path = folder / "gocost.yaml"
    if path.exists() and not force:
        raise UsageError(
            f"{path} exists already", hint="`gocost policy tighten` updates it, --force writes anew"
        )
    made = draft(folder, headroom=headroom, progress=progress)
    try:
        write_atomically(path, made.text.encode())
        path.chmod(0o644)
    except OSError as error:
        raise SourceError(
            f"{path} cannot be written: {error.strerror}", hint="check the folder's mode"
        ) from error
    names = ", ".join(main.name for main in made.services)
    report = made.report
    text = f"wrote {path} for {names}; `gocost check` holds them to it"
    if report.subject.commit:
        text += "; commit it: in CI a modified tree blocks"
    # What could not be measured is told by findings, of which a first policy has none to show.
    why = [each.reason for each in report.findings if each.outcome is Outcome.UNKNOWN]
    failed = [Note("error", reason) for reason in dict.fromkeys(why)]
    softened = [
        Note("warning", f"{rule} is not kept today and only warns; {path} says what to do")
        for rule in made.softened
    ]
    return Report(
        command="init",
        gocost=report.gocost,
        subject=report.subject,
        facts=[fact for fact in report.facts if not fact.labels],
        notes=[*failed, *report.notes, *softened, Note("info", text)],
        layout=Layout(title=f"gocost init: {names}", tables=()),
    )
