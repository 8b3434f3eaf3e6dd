"""What a Go executable weighs, and what it needs where it runs."""

from __future__ import annotations

from gocost.model.metric import Metric, Worse
from gocost.model.quantity import Unit

METRICS = (
    Metric(
        id="binary.size",
        summary="size of the executable file",
        unit=Unit.BYTES,
        exact=True,
        how="the length of the file that the build wrote",
        advice=(
            "`gocost size --by module` shows where the bytes are; strip with "
            '`-ldflags="-s -w"`, drop modules that are not worth their weight'
        ),
    ),
    Metric(
        id="binary.linkage",
        summary="how the executable is linked",
        unit=Unit.TEXT,
        worse=Worse.NEITHER,
        exact=True,
        values=("static", "static-pie", "dynamic"),
        how="PT_INTERP, DT_NEEDED and version needs in the file, never an environment variable",
        advice="`gocost linkage` says what it needs; build with CGO_ENABLED=0 for a static file",
    ),
    Metric(
        id="binary.needed_libraries",
        summary="shared libraries that have to be there before it starts",
        unit=Unit.COUNT,
        exact=True,
        how=(
            "DT_NEEDED entries (ELF), imported DLLs (PE), loaded dylibs (Mach-O); libraries that "
            "are part of Windows or macOS itself are not counted"
        ),
        advice="`gocost linkage` names them; CGO_ENABLED=0 or a static C library does without",
    ),
    Metric(
        id="binary.glibc",
        summary="the highest GLIBC version it asks for, `none` where it asks for none",
        unit=Unit.TEXT,
        worse=Worse.NEITHER,
        exact=True,
        how="the highest GLIBC_x.y among the file's version needs",
        advice=(
            "link on an older distribution, or statically, to run where an older C library is; "
            "`gocost linkage` lists which distributions that leaves out"
        ),
    ),
    Metric(
        id="binary.cgo",
        summary="whether C code is linked in",
        unit=Unit.BOOLEAN,
        worse=Worse.NEITHER,
        exact=True,
        how="the package runtime/cgo among the source files that the file's pclntab names",
        advice="build with CGO_ENABLED=0 where no dependency needs C",
    ),
)
