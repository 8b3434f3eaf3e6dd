"""Build information: what the go command writes into every binary about how it was built.

Layout (`debug/buildinfo` of the Go distribution): 32 bytes that begin with `\\xff Go buildinf:`,
16-aligned, in a section of its own (`.go.buildinfo`, `__go_buildinfo`) or near the start of the
first writable data. Byte 14 is the pointer size, byte 15 flags: 1 big endian, 2 inline. Inline
(since Go 1.18) two strings with varint lengths follow the 32 bytes; before, two pointers to Go
string headers stand at byte 16. The first string is the toolchain's version; the second is the
module information between two sentinels of 16 bytes, in lines `path`, `mod`, `dep`, `=>`, `build`.

`parse` reads and `version_text` writes that text as `runtime/debug` does, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from gocost.formats.executable import Executable
from gocost.formats.executable.fields import ByteOrder
from gocost.formats.goquote import quote, quoted_prefix, unquote
from gocost.model.errors import FormatError

MAGIC = b"\xff Go buildinf:"
_ALIGN = 16
_HEADER = 32
_INLINE, _BIG_ENDIAN = 2, 1
_CHUNK = 1 << 20
_SENTINEL = 16  # bytes of framing on both sides of the module information

NOT_GO = "no Go build information"
_NOT_GO_HINT = "it was not built by Go 1.13 or later, or is packed"


class Module(msgspec.Struct, frozen=True):
    """A module of the build; `replace` is what stood in for it."""

    path: str
    version: str = ""
    sum: str = ""
    replace: Module | None = None


class BuildInfo(msgspec.Struct, frozen=True):
    """What a binary says about its own build."""

    go_version: str
    """`go1.26.8`, with experiments behind it: `go1.26.8 X:nogreenteagc`."""
    path: str
    """The import path of the main package."""
    main: Module | None
    deps: tuple[Module, ...]
    settings: tuple[tuple[str, str], ...]
    """Key and value of every `build` line, in order."""

    def setting(self, key: str) -> str | None:
        """The value of a build setting, or None where it is not recorded."""
        for name, value in self.settings:
            if name == key:
                return value
        return None


def read_buildinfo(image: Executable) -> BuildInfo:
    """The build information of an executable.

    Raises FormatError where there is none (`NOT_GO`) or where it is damaged.
    """
    version, modules = _strings(image)
    return replace(parse(modules), go_version=version)


def version_text(info: BuildInfo, name: str) -> str:
    """What `go version -m NAME` prints for this build information."""
    body = module_text(info)
    text = f"{name}: {info.go_version}\n"
    return text + "\t" + body[:-1].replace("\n", "\n\t") + "\n" if body else text


def module_text(info: BuildInfo) -> str:
    """The module information as `runtime/debug.BuildInfo.String` writes it, version left out."""
    lines = [f"path\t{info.path}\n"] if info.path else []
    if info.main is not None and info.main != Module(""):
        lines.append(_module_line("mod", info.main))
    lines += [_module_line("dep", module) for module in info.deps]
    for key, value in info.settings:
        key = quote(key) if _needs_quotes(key, '= \t\r\n"`') or not key else key
        value = quote(value) if _needs_quotes(value, ' \t\r\n"`') else value
        lines.append(f"build\t{key}={value}\n")
    return "".join(lines)


def parse(text: str) -> BuildInfo:
    """Reads the lines of the module information. Raises FormatError as Go's parser refuses."""
    path, main = "", None
    deps: list[Module] = []
    settings: list[tuple[str, str]] = []
    last: str | None = None  # which module a `=>` line would replace
    for number, line in enumerate(_whole_lines(text), 1):
        word, _, rest = line.partition("\t")
        if not _:
            continue
        if word == "path":
            path = rest
        elif word == "mod":
            main, last = _module(rest, number), "mod"
        elif word == "dep":
            deps.append(_module(rest, number))
            last = "dep"
        elif word == "=>":
            substitute = _module(rest, number, columns=(3,))
            if last is None:
                raise _damaged(number, "a replacement with no module before it")
            if last == "mod" and main is not None:
                main = replace(main, replace=substitute)
            else:
                deps[-1] = replace(deps[-1], replace=substitute)
            last = None
        elif word == "build":
            settings.append(_setting(rest, number))
    return BuildInfo("", path, main, tuple(deps), tuple(settings))


def _whole_lines(text: str) -> Iterator[str]:
    """The lines that end; what follows the last newline is not one."""
    return iter(text.split("\n")[:-1])


def _module(rest: str, number: int, columns: tuple[int, ...] = (2, 3)) -> Module:
    parts = rest.split("\t")
    if len(parts) not in columns:
        raise _damaged(number, f"a module of {len(parts)} columns")
    return Module(parts[0], parts[1], parts[2] if len(parts) == 3 else "")


def _setting(text: str, number: int) -> tuple[str, str]:
    if text[:1] in ('"', "`"):
        raw = quoted_prefix(text)
        if raw is None or text[len(raw) : len(raw) + 1] != "=":
            raise _damaged(number, "a quoted key that does not end in =")
        key, value = unquote(raw), text[len(raw) + 1 :]
    else:
        key, equals, value = text.partition("=")
        if not key or not equals or _needs_quotes(key, '= \t\r\n"`'):
            raise _damaged(number, "a build setting without key or =")
    if value[:1] in ('"', "`"):
        if quoted_prefix(value) != value:
            raise _damaged(number, "a value whose quotes do not match")
        return key, unquote(value)
    if _needs_quotes(value, ' \t\r\n"`'):
        raise _damaged(number, "a value that lacks its quotes")
    return key, value


def _needs_quotes(text: str, special: str) -> bool:
    return any(one in text for one in special)


def _module_line(word: str, module: Module) -> str:
    start = f"{word}\t{module.path}\t{module.version}"
    if module.replace is None:
        return f"{start}\t{module.sum}\n"
    return f"{start}\n{_module_line('=>', module.replace)}\n"


def _damaged(line: int, why: str) -> FormatError:
    return FormatError(f"the Go build information is damaged: line {line}: {why}")


def _not_go(offset: int | None = None) -> FormatError:
    return FormatError(NOT_GO, offset=offset, hint=_NOT_GO_HINT)


def _strings(image: Executable) -> tuple[str, str]:
    """The toolchain's version and the module information without its sentinels."""
    address = _find(image)
    header = bytes(_up_to(image, address, _HEADER))
    if len(header) < _HEADER:
        raise _not_go()
    if header[15] & _INLINE:
        version, address = _inline(image, address + _HEADER)
        modules, _ = _inline(image, address)
    else:
        width = header[14]
        order: ByteOrder = "big" if header[15] & _BIG_ENDIAN else "little"
        if width not in (4, 8):
            raise _not_go()
        version, modules = (
            _pointed(image, address + 16 + at * width, width, order) for at in (0, 1)
        )
    if not version:
        raise _not_go()
    if len(modules) >= 2 * _SENTINEL + 1 and modules[-_SENTINEL - 1 : -_SENTINEL] == b"\n":
        modules = modules[_SENTINEL:-_SENTINEL]
    else:
        modules = b""
    # Bytes that are no UTF-8 survive, so that the text can be written again as it was.
    return version.decode("utf-8", "surrogateescape"), modules.decode("utf-8", "surrogateescape")


def _find(image: Executable) -> int:
    """The address of the first aligned magic where the linker puts it."""
    start, size = _data_start(image)
    end = start + size
    at = -(-start // _ALIGN) * _ALIGN
    while at < end:
        chunk = bytes(_up_to(image, at, min(_CHUNK, end - at)))
        if not chunk:
            break
        found = chunk.find(MAGIC)
        while found >= 0 and found % _ALIGN:
            found = chunk.find(MAGIC, found + 1)
        if found >= 0:
            return at + found
        at += _CHUNK
    raise _not_go()


def _data_start(image: Executable) -> tuple[int, int]:
    """Address and size of the section or segment that should hold it, as `debug/buildinfo` does."""
    section = image.section(".go.buildinfo", "__go_buildinfo")
    if section is not None:
        return section.address, section.size_in_memory or section.size_in_file
    for part in image.segments:
        if part.kind == "load" and part.writable and not part.executable and part.size_in_file:
            return part.address, part.size_in_memory
    raise _not_go()


def _up_to(image: Executable, address: int, size: int) -> bytes:
    """At most `size` bytes at `address`: fewer where their segment ends, none outside the file."""
    for part in image.segments:
        inside = address - part.address
        if part.kind == "load" and 0 <= inside < part.size_in_file:
            start = part.offset + inside
            return image.data[start : start + min(size, part.size_in_file - inside)].tobytes()
    return b""


def _inline(image: Executable, address: int) -> tuple[bytes, int]:
    """A string with a varint length, and the address after it."""
    length = shift = used = 0
    for byte in _up_to(image, address, 10):
        length |= (byte & 0x7F) << shift
        shift += 7
        used += 1
        if byte < 0x80:
            break
    else:
        raise _not_go()
    data = _up_to(image, address + used, length) if length else b""
    if len(data) < length:
        raise _not_go()
    return data, address + used + length


def _pointed(image: Executable, address: int, width: int, order: ByteOrder) -> bytes:
    """The Go string whose header's address stands at `address`; empty where it is not there."""
    header = _words(image, address, 1, width, order)
    parts = _words(image, header[0], 2, width, order) if header else []
    if not parts:
        return b""
    data = _up_to(image, parts[0], parts[1])
    return data if len(data) == parts[1] else b""


def _words(image: Executable, address: int, count: int, width: int, order: ByteOrder) -> list[int]:
    """Pointer-sized words as the loader leaves them: a PIE file may hold zeros for them."""
    raw = _up_to(image, address, count * width)
    if len(raw) < count * width:
        return []
    if width == image.pointer_size and order == image.byte_order:
        return [int(word) for word in image.pointers(address, count)]
    return [int.from_bytes(raw[at : at + width], order) for at in range(0, len(raw), width)]
