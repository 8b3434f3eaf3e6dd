"""How an executable is linked and where it runs: facts, and the tables that say why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gocost.analyses import distributions
from gocost.analyses.linkage import Libc, Linkage, Linked, linkage_of
from gocost.analyses.portability import Family, Platform, Program, commands, families, platforms
from gocost.analyses.source_names import names_any
from gocost.formats.go_binary import GoBinary
from gocost.measures.executables import opened
from gocost.measures.interface import Context, Measured, Target
from gocost.model.errors import NotMeasurableError
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Column, Note, Table
from gocost.model.subject import Subject

ORIGIN = "PT_INTERP, DT_NEEDED and version needs of the file"
NO_GLIBC = "none"
_CPU = {
    "v2": "x86-64-v2 (2009)",
    "v3": "x86-64-v3 (AVX2: Intel Haswell, 2013, AMD Excavator, 2015)",
    "v4": "x86-64-v4 (AVX-512: Intel Skylake-X, 2017, AMD Zen 4, 2022)",
}


@dataclass(frozen=True, slots=True)
class Examined:
    """One file's linkage, where it runs, and how large it is."""

    program: Program
    size: int
    goarch: str
    cpu: str

    @property
    def linkage(self) -> Linkage:
        """How it is linked."""
        return self.program.linkage


def measure(target: Target, _context: Context, _base: Target | None = None) -> Measured:
    """The linkage of the target's executable. Raises GocostError where it cannot be read.

    Facts and warnings only: where it runs is what `gocost linkage` is asked for.
    """
    if target.binary is None:
        raise NotMeasurableError("no executable was built", hint="see why the build failed")
    found = measured(examine(target.binary), target.subject)
    warnings = [note for note in found.notes if note.level == "warning"]
    return Measured(facts=found.facts, notes=warnings, unknown=found.unknown)


def examine(path: Path, machine: str | None = None) -> Examined:
    """Reads a file. Raises SourceError, or FormatError that names what it is instead."""
    with opened(path, machine) as binary:
        return examined(binary)


def examined(binary: GoBinary) -> Examined:
    """The same, of a binary that is already open."""
    image, info = binary.image, binary.info
    goos = (info.setting("GOOS") if info else None) or image.goos
    minor = re.match(r"go1\.(\d+)", info.go_version) if info else None
    return Examined(
        program=Program(
            linkage=linkage_of(image),
            goos=goos,
            go_minor=int(minor[1]) if minor else None,
            library=image.kind == "shared",
            minimum_os=image.dynamic.minimum_os,
            verifies_tls=bool(names_any(image, b"crypto/x509/verify.go")),
        ),
        size=image.size,
        goarch=image.machine,
        cpu=(info.setting("GOAMD64") if info else None) or "",
    )


def measured(found: Examined, subject: Subject) -> Measured:
    """Facts, tables and notes of what was read."""
    linkage = found.linkage
    facts = [
        Fact("binary.linkage", str(linkage.linked), Unit.TEXT, subject, origin=ORIGIN),
        Fact("binary.needed_libraries", len(linkage.needed), Unit.COUNT, subject, origin=ORIGIN),
        Fact("binary.glibc", linkage.glibc or NO_GLIBC, Unit.TEXT, subject, origin=ORIGIN),
    ]
    unknown = {}
    if linkage.cgo is None:
        unknown["binary.cgo"] = "the file has no pclntab that could name runtime/cgo"
    else:
        origin = "source files named in pclntab"
        facts.append(Fact("binary.cgo", linkage.cgo, Unit.BOOLEAN, subject, origin=origin))
    return Measured(
        facts=facts,
        tables={
            "libraries": _library_table(linkage),
            "platforms": platform_table(platforms(found.program)),
            "distributions": _family_table(families(found.program)),
        },
        notes=_notes(found),
        assumptions=_assumptions(found),
        unknown=unknown,
    )


def runs(program: Program) -> dict[str, str]:
    """By platform whether it runs there; of a distribution the oldest release that will do."""
    return {row.name: str(row.runs) for row in platforms(program)} | {
        row.name: f"from {row.oldest.release}" if row.oldest else "no" for row in families(program)
    }


def _library_table(linkage: Linkage) -> Table:
    return Table(
        title="Libraries it loads",
        columns=(
            Column("library", description="as the file names it"),
            Column("version", description="the highest symbol version that is asked of it"),
            Column("provider", description="what brings it; empty: it has to be installed"),
        ),
        rows=[(part.name, part.version, part.provider) for part in linkage.libraries],
    )


def platform_table(rows: list[Platform]) -> Table:
    """Where it runs, why not, and what to change."""
    return Table(
        title="Where it runs",
        columns=(
            Column("platform", description="the barest first"),
            Column("runs", description="yes, no, or with libraries that are to be installed"),
            Column("why"),
            Column("change", description="what to do where it does not run, or not fully"),
        ),
        rows=[(row.name, str(row.runs), row.why, row.change) for row in rows],
    )


def _family_table(rows: list[Family]) -> Table:
    return Table(
        title="The oldest distributions it runs on",
        columns=(
            Column("distribution"),
            Column("oldest", description="the oldest release of the list that it runs on"),
            Column("released", description="when that came out"),
            Column("glibc", description="the C library of that release"),
            Column("kernel", description="the kernel that release came out with"),
            Column("too_old", description="the newest release that it does not run on"),
        ),
        rows=[
            (
                row.name,
                row.oldest.release if row.oldest else "none",
                row.oldest.released if row.oldest else None,
                ".".join(map(str, row.oldest.glibc)) if row.oldest else None,
                ".".join(map(str, row.oldest.kernel)) if row.oldest else None,
                row.too_old.release if row.too_old else None,
            )
            for row in rows
        ],
    )


def _notes(found: Examined) -> list[Note]:
    linkage, notes = found.linkage, []
    if linkage.linked is Linked.DYNAMIC and linkage.interpreter and not linkage.libraries:
        notes.append(
            Note(
                "info",
                f"it needs no library, but names the interpreter {linkage.interpreter}: "
                "without that file the kernel does not start it",
            )
        )
    if linkage.foreign:
        names = ", ".join(part.name for part in linkage.foreign)
        notes.append(Note("warning", f"has to be installed where it runs: {names}"))
    if linkage.static_glibc:
        notes.append(
            Note(
                "warning",
                "glibc is linked in, but looks up names and users through libraries of the same "
                "glibc version when it runs: build with -tags=netgo,osusergo to do without",
            )
        )
    if commands(found.program):
        notes.append(Note("info", commands(found.program)))
    if found.program.library:
        notes.append(Note("info", "it is a shared library: a program has to load it"))
    if found.cpu in _CPU:
        notes.append(Note("info", f"GOAMD64={found.cpu}: it needs a CPU of {_CPU[found.cpu]}"))
    return notes


def _assumptions(found: Examined) -> list[str]:
    if found.program.goos != "linux":
        return []
    told = [f"distributions as of {distributions.AS_OF}, from {distributions.SOURCE}"]
    if found.linkage.libc in (Libc.GLIBC, Libc.MUSL):
        told.append("a platform has the libraries of its base image and no others")
    return told
