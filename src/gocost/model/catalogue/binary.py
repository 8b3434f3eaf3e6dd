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
        id="binary.size.loaded",
        summary="memory that the loader maps for the executable",
        unit=Unit.BYTES,
        exact=True,
        how="the sizes in memory of the file's loaded segments, zeroed variables included",
        advice="large zeroed variables cost here and not in the file; allocate them when needed",
    ),
    Metric(
        id="binary.size.attributed",
        summary="bytes of the executable that are known to be a package's",
        unit=Unit.BYTES,
        worse=Worse.NEITHER,
        exact=True,
        how="functions, their descriptions, type data and variables, by the names in the file",
        advice="DWARF and symbol tables belong to no package; a symbol table tells whose data is",
    ),
    Metric(
        id="binary.size.unknown",
        summary="bytes of the executable that nothing in it explains",
        unit=Unit.BYTES,
        exact=True,
        how="what no header, section or table of the file claims and is not zero",
        advice="data appended to the file, or a container that gocost does not know",
    ),
    Metric(
        id="binary.size.strippable",
        summary="what stripping would save",
        unit=Unit.BYTES,
        exact=True,
        how="DWARF and symbol table with what comes with them, from the file itself",
        advice='build with `-ldflags="-s -w"` where nobody attaches a debugger',
    ),
    Metric(
        id="binary.kind.size",
        summary="bytes of one kind: code, pclntab, type data, DWARF and others",
        unit=Unit.BYTES,
        exact=True,
        labels=("kind",),
        how="every byte of the file has one kind; they add up to binary.size",
        advice="`gocost size --by kind` lists them with what each is",
    ),
    Metric(
        id="binary.module.size",
        summary="bytes of the executable that are a module's",
        unit=Unit.BYTES,
        exact=True,
        labels=("module",),
        how="functions, their descriptions, type data and variables of the module's packages",
        advice="`gocost size --why MODULE` shows what imports it",
    ),
    Metric(
        id="binary.package.size",
        summary="bytes of the executable that are a package's",
        unit=Unit.BYTES,
        exact=True,
        labels=("package", "module"),
        how="functions, their descriptions, type data and variables of the package",
        advice="`gocost size --by function --filter PACKAGE` shows its functions",
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
