"""Writes small pclntabs of every layout, to read back in tests and to mutate in fuzzing.

The writer follows `cmd/link/internal/ld/pcln.go` and knows nothing of the reader.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Literal

MAGICS = {"1.16": 0xFFFFFFFA, "1.18": 0xFFFFFFF0, "1.20": 0xFFFFFFF1}


@dataclass(frozen=True)
class Call:
    """A call that was inlined: `bytes` of code at `at` belong to it."""

    name: str
    at: int
    bytes: int


@dataclass(frozen=True)
class Function:
    """A function of `size` bytes with `padding` behind it."""

    name: str
    size: int
    padding: int = 0
    calls: tuple[Call, ...] = ()
    unit: int = 0


@dataclass(frozen=True)
class Small:
    """A pclntab and where its parts are."""

    data: bytes
    version: str
    width: int
    order: Literal["little", "big"]
    quantum: int
    names: int
    cutab: int
    files: int
    pctab: int
    functab: int
    functab_size: int
    funcdata: int
    functions: tuple[Function, ...]
    text: int

    @property
    def word(self) -> int:
        """Bytes of a functab word."""
        return self.width if self.version == "1.16" else 4

    @property
    def record(self) -> int:
        """Bytes of a _func."""
        return self.word + 32 + (8 if self.version == "1.20" else 4)


FUNCTIONS = (
    Function("main.main", 48, 16, (Call("fmt.Println", 8, 12), Call("main.twice", 24, 8))),
    Function("main.(*T).Close", 32, 0),
    Function("example.com/a/b%2ec.F[go.shape.int]", 60, 4, (Call("main.twice", 4, 20),), 2),
    Function("type:.eq.[2]example.com/a.T", 16, 16, (), 2),
    Function("gosave_systemstack_switch", 24, 8, (), 2),
    Function("runtime.text", 100, 28, (), 4),
)


@dataclass
class _Writer:
    order: Literal["little", "big"]
    pctab: bytearray = field(default_factory=lambda: bytearray(1))
    seen: dict[bytes, int] = field(default_factory=dict)

    def table(self, steps: list[tuple[int, int]], quantum: int) -> int:
        """A value table of (value, bytes) steps; equal tables are stored once."""
        raw = bytearray()
        value = -1
        for new, span in steps:
            delta = new - value
            raw += _varint((delta << 1) ^ (delta >> 63) if delta >= 0 else (-delta << 1) - 1)
            raw += _varint(span // quantum)
            value = new
        raw.append(0)
        key = bytes(raw)
        if key not in self.seen:
            self.seen[key] = len(self.pctab)
            self.pctab += raw
        return self.seen[key]


def small_pclntab(
    version: str = "1.20",
    width: int = 8,
    order: Literal["little", "big"] = "little",
    functions: tuple[Function, ...] = FUNCTIONS,
    text: int = 0x10000,
    funcdata_base: int | None = None,
) -> Small:
    """A pclntab that describes `functions`, the first of them at `text`.

    It is meant to lie 0x1000 bytes before `text`, where references of Go 1.16 to funcdata lead.
    """
    if version == "1.16" and funcdata_base is None:
        # Addresses do not change sizes: a first turn tells where funcdata will be.
        first_turn = small_pclntab(version, width, order, functions, text, 0)
        funcdata_base = text - 0x1000 + first_turn.funcdata
    p = "<" if order == "little" else ">"
    quantum = 1 if order == "little" else 2
    word = width if version == "1.16" else 4
    names: bytearray = bytearray()
    offsets: dict[str, int] = {}
    for function in functions:
        for name in (function.name, *(call.name for call in function.calls)):
            if name not in offsets:
                offsets[name] = len(names)
                names += name.encode() + b"\0"
    files = b"/src/main.go\0/src/b/c.go\0/src/asm.s\0"
    cutab = struct.pack(f"{p}6I", 0, 0xFFFFFFFF, 13, 0, 25, 0xFFFFFFFF)
    writer = _Writer(order)
    header = 8 + width * (8 if version != "1.16" else 7)
    funcs, trees = bytearray(), bytearray()
    pairs: list[tuple[int, int]] = []
    pc = text if version == "1.16" else 0
    first = word * (2 * len(functions) + 1)
    first += -first % width
    for function in functions:
        funcs += bytes(-(first + len(funcs)) % width)
        pairs.append((pc, first + len(funcs)))
        sp = writer.table([(0, 4), (8, function.size - 4)], quantum)
        file = writer.table([(0, function.size)], quantum)
        line = writer.table([(3, 4), (9, function.size - 4)], quantum)
        pcdata = [writer.table([(-1, function.size)], quantum), 0]
        tree = 0xFFFFFFFF
        if function.calls:
            pcdata.append(writer.table(_steps(function), quantum))
            tree = len(trees)
            for call in function.calls:
                trees += _inlined(p, version, offsets[call.name], call.at)
        funcdata = [0xFFFFFFFF] * 3 + [tree] if function.calls else []
        entry = struct.pack(f"{p}{'Q' if word == 8 else 'I'}", pc)
        fixed = [offsets[function.name], 8, 0, sp, file, line, len(pcdata), function.unit]
        fixed += [1] if version == "1.20" else []
        funcs += entry + struct.pack(f"{p}{len(fixed)}I", *fixed)
        funcs += bytes([0, 0, 0, len(funcdata)])
        funcs += struct.pack(f"{p}{len(pcdata)}I", *pcdata)
        if version == "1.16":
            funcs += bytes(-(first + len(funcs)) % width)
            wide = "Q" if width == 8 else "I"
            base = funcdata_base or 0
            values = [0 if value == 0xFFFFFFFF else base + value for value in funcdata]
            funcs += struct.pack(f"{p}{len(values)}{wide}", *values)
        else:
            funcs += struct.pack(f"{p}{len(funcdata)}I", *funcdata)
        pc += function.size + function.padding
    wide = "Q" if word == 8 else "I"
    flat = [number for pair in pairs for number in pair] + [pc]
    functab = struct.pack(f"{p}{len(flat)}{wide}", *flat)
    functab += bytes(first - len(functab)) + bytes(funcs)
    parts = [bytes(names), cutab, files, bytes(writer.pctab), functab]
    places: list[int] = []
    body = bytearray()
    for part in parts:
        body += bytes(-(header + len(body)) % width)
        places.append(header + len(body))
        body += part
    end = header + len(body)
    body += bytes(-(header + len(body)) % 16)
    funcdata_at = header + len(body)
    body += trees
    words = [len(functions), 3, *([0] if version != "1.16" else []), *places]
    head = struct.pack(f"{p}IBBBB", MAGICS[version], 0, 0, quantum, width)
    head += struct.pack(f"{p}{len(words)}{'Q' if width == 8 else 'I'}", *words)
    assert len(head) == header
    return Small(
        data=bytes(head + body),
        version=version,
        width=width,
        order=order,
        quantum=quantum,
        names=places[0],
        cutab=places[1],
        files=places[2],
        pctab=places[3],
        functab=places[4],
        functab_size=end - places[4],
        funcdata=funcdata_at,
        functions=functions,
        text=text,
    )


def _steps(function: Function) -> list[tuple[int, int]]:
    """The index of the inlined call for each stretch of the function; -1 is its own code."""
    steps, at = [], 0
    for index, call in enumerate(function.calls):
        if call.at > at:
            steps.append((-1, call.at - at))
        steps.append((index, call.bytes))
        at = call.at + call.bytes
    return [*steps, (-1, function.size - at)]


def _inlined(p: str, version: str, name: int, at: int) -> bytes:
    if version == "1.20":
        return struct.pack(f"{p}BBBBIII", 0, 0, 0, 0, name, at, 1)
    return struct.pack(f"{p}hBBIIII", -1, 0, 0, 0, 1, name, at)


def _varint(value: int) -> bytes:
    raw = bytearray()
    while value >= 0x80:
        raw.append(value & 0x7F | 0x80)
        value >>= 7
    raw.append(value)
    return bytes(raw)


LAYOUTS: tuple[tuple[str, int, Literal["little", "big"]], ...] = (
    ("1.16", 8, "little"), ("1.16", 4, "little"), ("1.16", 8, "big"), ("1.18", 8, "little"),
    ("1.18", 4, "big"), ("1.20", 8, "little"), ("1.20", 4, "little"), ("1.20", 8, "big"),
)  # fmt: skip
