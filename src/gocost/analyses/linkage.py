"""How an executable is linked, and what it needs before it can start.

Decided by the file alone: the interpreter that the kernel has to load (PT_INTERP), the libraries
that the interpreter has to find (DT_NEEDED) and the versions that those must offer. A Go program
that is a PIE without C code needs no library, yet names an interpreter: where that file is missing
the kernel refuses to start it, so it is dynamic too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gocost.analyses.distributions import Version, version
from gocost.analyses.source_names import names_any
from gocost.formats.executable import Executable

# What the C libraries bring along; everything else has to be installed.
GLIBC_LIBRARIES = frozenset(
    f"lib{name}"
    for name in (
        "c.so.6", "pthread.so.0", "dl.so.2", "m.so.6", "rt.so.1", "resolv.so.2", "util.so.1",
        "nsl.so.1", "anl.so.1", "crypt.so.1", "mvec.so.1", "BrokenLocale.so.1",
    )
)  # fmt: skip
COMPILER_LIBRARIES = frozenset(
    {"libgcc_s.so.1", "libstdc++.so.6", "libgomp.so.1", "libatomic.so.1"}
)
_WINDOWS_LIBRARIES = frozenset(
    f"{name}.dll"
    for name in (
        "kernel32", "ntdll", "advapi32", "ws2_32", "bcrypt", "bcryptprimitives", "crypt32",
        "user32", "gdi32", "shell32", "ole32", "oleaut32", "iphlpapi", "dnsapi", "mswsock",
        "netapi32", "psapi", "secur32", "userenv", "winmm", "powrprof", "msvcrt", "ucrtbase",
        "rpcrt4", "version", "setupapi", "shlwapi", "comctl32", "comdlg32", "cfgmgr32", "wintrust",
        "dbghelp", "pdh", "wtsapi32", "kernelbase",
    )
)  # fmt: skip

# What the base systems of the BSDs and Solaris bring, without `.so` and version.
_UNIX_LIBRARIES = frozenset(
    f"lib{name}"
    for name in ("c", "pthread", "thr", "m", "util", "rt", "socket", "nsl", "resolv", "sendfile")
)
# What glibc answers from libraries that it loads when asked (NSS), also in a static file.
_NAME_SERVICE = frozenset({"getaddrinfo", "getnameinfo", "getpwuid_r", "getpwnam_r", "getgrgid_r"})


class Linked(StrEnum):
    """The values of the metric binary.linkage."""

    STATIC = "static"
    STATIC_PIE = "static-pie"
    DYNAMIC = "dynamic"


class Libc(StrEnum):
    """Which C library the file asks for."""

    NONE = ""
    GLIBC = "glibc"
    MUSL = "musl"
    BIONIC = "bionic"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library that the file names. `version` is the highest that it asks of it."""

    name: str
    version: str
    provider: str
    """`glibc`, `musl`, `gcc`, `Windows`, `macOS`, another GOOS, or empty: to be installed."""


@dataclass(frozen=True, slots=True)
class Linkage:
    """What the loader has to do before the program starts."""

    linked: Linked
    interpreter: str
    libraries: tuple[Library, ...]
    libc: Libc
    glibc: str
    """`2.34`, or empty where no version of GLIBC is asked for."""
    cgo: bool | None
    """None where the file does not say."""
    static_glibc: bool
    """A static file that looks up names through glibc still loads its libraries when it does."""

    @property
    def needed(self) -> tuple[Library, ...]:
        """The libraries that are not part of the operating system itself."""
        return tuple(part for part in self.libraries if part.provider not in ("Windows", "macOS"))

    @property
    def foreign(self) -> tuple[Library, ...]:
        """The libraries that a bare system with this C library does not have."""
        return tuple(part for part in self.libraries if not part.provider)

    @property
    def glibc_version(self) -> Version:
        """The highest GLIBC version, comparable; empty for none."""
        return version(self.glibc)


def linkage_of(image: Executable) -> Linkage:
    """Reads off how an executable is linked."""
    libraries = tuple(_library(image, name) for name in image.dynamic.needed)
    linked = _linked(image, libraries)
    cgo = names_any(image, b"runtime/cgo/")
    return Linkage(
        linked=linked,
        interpreter=image.dynamic.interpreter if image.container == "elf" else "",
        libraries=libraries,
        libc=_libc(image),
        glibc=_highest_glibc(image),
        cgo=cgo,
        static_glibc=bool(cgo) and linked is not Linked.DYNAMIC and _resolves_through_glibc(image),
    )


def _linked(image: Executable, libraries: tuple[Library, ...]) -> Linked:
    if image.container != "elf":
        # Windows and macOS have no other door than their own libraries: those do not count.
        own = all(part.provider in ("Windows", "macOS") for part in libraries)
        return Linked.STATIC if own and image.kind != "shared" else Linked.DYNAMIC
    dynamic = image.dynamic
    if dynamic.interpreter or dynamic.needed or dynamic.version_needs or image.kind == "shared":
        return Linked.DYNAMIC
    return Linked.STATIC_PIE if image.kind == "pie" else Linked.STATIC


def _library(image: Executable, name: str) -> Library:
    asked = [need.version for need in image.dynamic.version_needs if need.library == name]
    highest = max(asked, key=lambda text: (_number(text), text), default="")
    return Library(name, highest, _provider(image, name))


def _provider(image: Executable, name: str) -> str:
    if image.container == "pe":
        known = name.lower()
        system = known in _WINDOWS_LIBRARIES or known.startswith(("api-ms-win-", "ext-ms-"))
        return "Windows" if system else ""
    if image.container == "macho":
        return "macOS" if name.startswith(("/usr/lib/", "/System/Library/")) else ""
    if name in COMPILER_LIBRARIES:
        return "gcc"
    if image.goos not in ("linux", "android"):
        return image.goos if name.partition(".so")[0] in _UNIX_LIBRARIES else ""
    if name.startswith(("libc.musl-", "ld-musl-")) or (name == "libc.so" and _is_musl(image)):
        return "musl"
    glibc = name in GLIBC_LIBRARIES or name.startswith(("ld-linux", "ld64.so", "ld.so."))
    return "glibc" if glibc and not _is_musl(image) else ""


def _libc(image: Executable) -> Libc:
    interpreter, needed = image.dynamic.interpreter, image.dynamic.needed
    if image.container != "elf" or not (interpreter or needed):
        return Libc.NONE
    if _is_musl(image):
        return Libc.MUSL
    if "/system/bin/linker" in interpreter:
        return Libc.BIONIC
    if image.goos != "linux":
        return Libc.OTHER
    named = any(name in GLIBC_LIBRARIES for name in needed)
    return (
        Libc.GLIBC if named or "/ld-linux" in interpreter or "/ld64" in interpreter else Libc.OTHER
    )


def _is_musl(image: Executable) -> bool:
    dynamic = image.dynamic
    if image.goos != "linux":
        return False
    if "/ld-musl-" in dynamic.interpreter:
        return True
    # musl's symbols have no versions; Android's C library, of the same name, has them.
    return any(
        name.startswith("libc.musl-") or (name == "libc.so" and not dynamic.version_needs)
        for name in dynamic.needed
    )


def _highest_glibc(image: Executable) -> str:
    """`2.34` for needs of GLIBC_2.17 and GLIBC_2.34."""
    numbers = [
        _number(need.version)
        for need in image.dynamic.version_needs
        if need.version.startswith("GLIBC_")
    ]
    return ".".join(map(str, max(numbers, default=())))


def _number(symbol_version: str) -> Version:
    # This one is no number: it stands for relative relocations, which came with glibc 2.36.
    if symbol_version == "GLIBC_ABI_DT_RELR":
        return version("2.36")
    return version(symbol_version.rpartition("_")[2])


def _resolves_through_glibc(image: Executable) -> bool:
    """Whether a static file holds glibc's name service, which loads libraries at run time."""
    return not _NAME_SERVICE.isdisjoint(image.symbols().names())
