"""A Go executable, or the name of what the file is instead.

Every command that takes a binary opens it here, so that a script, an archive, a packed file or
another language's program gets one line that says so and what to do next.
"""

from __future__ import annotations

import mmap

import msgspec

from gocost.formats.buildinfo import NOT_GO, BuildInfo, read_buildinfo
from gocost.formats.executable import Executable, as_array, open_executable
from gocost.formats.executable.fields import Bytes
from gocost.formats.executable.macho import FAT_MAGICS, MAX_SLICES
from gocost.formats.recognition import GZIP, Recognised, archive
from gocost.model.errors import FormatError

_HEAD = 1024  # bytes that are looked at to name a file
_UPX = b"UPX!"
_UPX_HEADER = 36  # bytes from the pack header to the end of the file, except in PE
_GO_SECTIONS = (
    ".gopclntab",
    "__gopclntab",
    ".data.rel.ro.gopclntab",
    ".go.buildinfo",
    "__go_buildinfo",
    ".note.go.buildid",
)

_UNPACK = "unpack it and name the executable inside"
_NAME_BINARY = "name the executable that `go build` wrote"
_ELSEWHERE = "gocost reads ELF, PE and Mach-O executables"
# (magic, what it is, what to do); the first that matches names the file, if `archive` does not.
_KINDS = (
    (
        b'{"schema":"gocost.report/',
        "a report of gocost",
        "name the binary; --base takes a report",
    ),
    (b"#!", "a script", "name the executable that it starts"),
    (GZIP, "a gzip archive", _UNPACK),
    (b"!<arch>\n", "an archive of object files or a Debian package", _UNPACK),
    (b"!<thin>\n", "an archive of object files", _NAME_BINARY),
    (b"go object ", "a Go object file", _NAME_BINARY),
    (b"\xca\xfe\xba\xbe", "a Java class", _NAME_BINARY),
    (b"\0asm", "a WebAssembly module", f"{_ELSEWHERE}; build for another GOARCH"),
    (b"BC\xc0\xde", "LLVM bitcode", _NAME_BINARY),
    (b"\x01\xdf", "an AIX executable", f"{_ELSEWHERE}; build for another GOOS"),
    (b"\x01\xf7", "an AIX executable", f"{_ELSEWHERE}; build for another GOOS"),
    (b"\0\0\x01\xeb", "a Plan 9 executable", f"{_ELSEWHERE}; build for another GOOS"),
    (b"\0\0\x8a\x97", "a Plan 9 executable", f"{_ELSEWHERE}; build for another GOOS"),
    (b"\0\0\x06\x47", "a Plan 9 executable", f"{_ELSEWHERE}; build for another GOOS"),
)


class GoBinary(msgspec.Struct, frozen=True):
    """An executable with Go in it, and what it says about its build."""

    image: Executable
    info: BuildInfo | None
    """None where the build information was removed or cannot be read (`reason` says which)."""
    reason: str = ""


def open_go_binary(
    data: bytes | bytearray | memoryview | mmap.mmap | Bytes, machine: str | None = None
) -> GoBinary:
    """Opens a Go executable. Raises FormatError that names what the file is instead.

    `machine` (GOARCH) chooses the slice of a fat Mach-O file.
    """
    array = as_array(data)
    head = array[:_HEAD].tobytes()
    refusal = _refusal(head, array[-_UPX_HEADER:].tobytes())
    if refusal is not None:
        raise FormatError(f"this is {refusal[0]}, not a Go executable", hint=refusal[1])
    image = open_executable(array, machine)
    if image.kind in ("object", "core"):
        what = "an object file" if image.kind == "object" else "a core dump"
        raise FormatError(f"this is {what}, not an executable", hint=_NAME_BINARY)
    try:
        return GoBinary(image, read_buildinfo(image))
    except FormatError as error:
        if image.section(*_GO_SECTIONS) is not None:
            return GoBinary(image, None, error.message)
        if not error.message.startswith(NOT_GO):
            raise
    names = {"elf": "an ELF", "pe": "a PE", "macho": "a Mach-O"}
    raise FormatError(
        f"this is {names[image.container]} executable without Go in it",
        hint=_NAME_BINARY,
    )


def _refusal(head: bytes, tail: bytes) -> tuple[str, str] | None:
    """What a file that is no plain executable is, and what to do, from its first and last bytes."""
    if not head:
        return "an empty file (0 bytes)", "build or copy it again"
    # A library's headers stay as they were, so that the mark at the start may come late.
    packed = _UPX in head or tail.startswith(_UPX)
    if packed and head[:2] in (b"\x7fE", b"MZ", b"\xcf\xfa", b"\xce\xfa"):
        return (
            "a UPX-packed file, which hides functions and build info",
            "unpack it with `upx -d FILE`, then measure that",
        )
    if head[:4] in FAT_MAGICS and 0 < int.from_bytes(head[4:8], "big") <= MAX_SLICES:
        return None
    if (kind := archive(head)) is not None:
        return str(kind), f"{Recognised(kind).hint}, and name the executable inside"
    for magic, what, hint in _KINDS:
        if head.startswith(magic):
            return what, hint
    if head[:4] == b"\x7fELF" or head[:2] == b"MZ" or head[:3] in (b"\xfe\xed\xfa",):
        return None
    if head[1:4] == b"\xfa\xed\xfe":
        return None
    if head.isascii() or _is_text(head):
        return "a text file", _NAME_BINARY
    return "no executable that gocost knows", _ELSEWHERE


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and "\ufffd" not in head[:-4].decode("utf-8", "replace")
