"""How an executable was built, and whether that keeps the build standard."""

from __future__ import annotations

from gocost.model.metric import Metric, Worse
from gocost.model.quantity import Unit

_BUILD_INFO = "the build info in the file (what `go version -m` prints)"


def _yes_or_no(identifier: str, summary: str, *, how: str = _BUILD_INFO, advice: str) -> Metric:
    return Metric(
        id=identifier,
        summary=summary,
        unit=Unit.BOOLEAN,
        worse=Worse.NEITHER,
        exact=True,
        how=how,
        advice=advice,
    )


METRICS = (
    _yes_or_no(
        "build.trimpath",
        "built with -trimpath: no paths of the building machine in it",
        how=f"-trimpath in {_BUILD_INFO}; before Go 1.18: how source files are named in the file",
        advice="build with -trimpath; two machines can then write the same bytes",
    ),
    _yes_or_no(
        "build.stripped",
        "neither symbol table nor DWARF in it",
        how="the file's sections (build info hides -ldflags where -trimpath was given)",
        advice='build with -ldflags="-s -w"; stack traces keep their function names and lines',
    ),
    _yes_or_no(
        "build.vcs.stamped",
        "says which commit it was built from",
        how=f"vcs.revision in {_BUILD_INFO}",
        advice="build in the repository, with -buildvcs=auto and git on PATH",
    ),
    _yes_or_no(
        "build.vcs.clean",
        "built from a tree without local changes",
        how=f"vcs.modified in {_BUILD_INFO}",
        advice="commit or remove what `git status` lists, then build again",
    ),
    Metric(
        id="build.toolchain",
        summary="the Go version that built it",
        unit=Unit.TEXT,
        worse=Worse.NEITHER,
        exact=True,
        how=_BUILD_INFO,
        advice="set `toolchain` in go.mod, or GOTOOLCHAIN, to the version that is meant",
    ),
    _yes_or_no(
        "build.toolchain.supported",
        "built by one of the two newest Go releases, which get security fixes",
        how=(
            "the version in the file against a dated table of Go's releases; unknown for versions "
            "that are newer than the table and for development versions"
        ),
        advice="build with a supported Go: `go get toolchain@latest`",
    ),
    Metric(
        id="build.goflags",
        summary="GOFLAGS of the environment that gocost builds in",
        unit=Unit.TEXT,
        worse=Worse.NEITHER,
        exact=True,
        how="`go env GOFLAGS` (build info does not record it)",
        advice="write flags in gocost.yaml's `build.flags`, so that every machine builds the same",
    ),
    Metric(
        id="build.mode",
        summary="the -buildmode: exe, pie, c-shared, ...",
        unit=Unit.TEXT,
        worse=Worse.NEITHER,
        exact=True,
        how=f"-buildmode in {_BUILD_INFO}, else what the file's headers say",
        advice="build with -buildmode",
    ),
    _yes_or_no(
        "build.race",
        "the race detector is in it",
        advice="leave out -race: it costs 2 to 20 times the CPU and 5 to 10 times the memory",
    ),
    _yes_or_no(
        "build.cover",
        "coverage counters are in it",
        advice="leave out -cover in what is shipped",
    ),
    _yes_or_no(
        "build.debug",
        "built without optimisation or inlining (-gcflags -N or -l)",
        how=f"-gcflags in {_BUILD_INFO}",
        advice="leave out -gcflags=-N -l in what is shipped",
    ),
    _yes_or_no(
        "build.pgo",
        "a CPU profile guided the compiler",
        how=f"-pgo in {_BUILD_INFO}",
        advice="put a CPU profile of production at default.pgo in the main package",
    ),
    _yes_or_no(
        "build.reproducible",
        "two builds in different folders wrote the same bytes",
        how="with --rebuild: a build of a copy of the module, compared byte by byte",
        advice="build with -trimpath; the note names the first section that differs",
    ),
    Metric(
        id="build.time",
        summary="wall time of the build",
        unit=Unit.SECONDS,
        exact=False,
        how="the time of the build that gocost ran, with the Go build cache as it was",
        advice="keep the Go build cache between CI runs",
    ),
)
