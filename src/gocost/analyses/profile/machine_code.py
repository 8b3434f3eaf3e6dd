"""Costs by machine instruction: what pprof's `disasm` annotates a function with.

As `PrintAssembly` in pprof's `internal/report/report.go`: an instruction has the costs of the
addresses from its own up to the next one's, and a function's costs are the sums over its addresses.
Which functions there are, where they end and which line an instruction is of comes from pclntab,
so that a stripped executable reads like another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gocost.analyses.expressions import Expression
from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.units import reported
from gocost.analyses.profile.view import Costs, View
from gocost.formats.executable.interface import Executable
from gocost.formats.pclntab_frames import Symbolizer
from gocost.model.errors import FormatError, UsageError
from gocost.model.quantity import Unit
from gocost.model.report import Column, Table

MAX_CODE: Final = 4 << 20
"""Bytes of one function; the largest that Go programs have are some hundred thousand."""
MACHINES: Final = ("amd64", "386", "arm64")
_TRANSFERS: Final = frozenset({"call", "jmp", "bl", "b"})


@dataclass(slots=True)
class Code:
    """A function's machine code with what its addresses cost."""

    name: str
    start: int
    end: int
    flat: int = 0
    cumulative: int = 0
    costs: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Address as linked to flat and cumulative."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction with its costs."""

    address: int
    text: str
    flat: int
    cumulative: int
    file: str
    line: int
    calls: str
    """The function that it calls or jumps to, where that is another and known."""


def codes(
    nodes: Nodes,
    found: Costs,
    expression: Expression,
    symbolizer: Symbolizer,
    linked: Callable[[int], int],
) -> list[Code]:
    """The functions that match and cost something, by name; nodes are those of addresses.

    `linked` is the address in the file of one in the process.
    """
    parts: dict[int, Code | None] = {}
    for flat, whole, node in zip(
        found.flat_sum.tolist(), found.cumulative_sum.tolist(), nodes.nodes, strict=True
    ):
        if not (flat or whole) or not node.address:
            continue
        address = linked(node.address)
        extent = symbolizer.extent(address)
        if extent is None:
            continue
        if extent.entry not in parts:
            known = expression.search(extent.name) is not None
            new = Code(extent.name, extent.entry, extent.end) if known else None
            parts[extent.entry] = new
        code = parts[extent.entry]
        if code is not None:
            own, called = code.costs.get(address, (0, 0))
            code.costs[address] = own + flat, called + whole
            code.flat += flat
            code.cumulative += whole
    some = [code for code in parts.values() if code is not None]
    return sorted(some, key=lambda code: (code.name, code.start))


def instructions(code: Code, image: Executable, symbolizer: Symbolizer) -> Iterator[Instruction]:
    """The function's instructions in order. Raises FormatError and UsageError."""
    size = code.end - code.start
    if not 0 < size <= MAX_CODE:
        raise FormatError(
            f"{code.name} is said to have {size:,} bytes of code",
            hint="name functions by a narrower expression, or the program's own build by --binary",
        )
    raw = image.read(code.start, size).tobytes()
    decoded = list(_disassembled(image.machine, raw, code.start))
    costly = sorted(code.costs)
    at = 0
    for number, (address, mnemonic, operands) in enumerate(decoded):
        end = decoded[number + 1][0] if number + 1 < len(decoded) else code.end
        flat = whole = 0
        while at < len(costly) and costly[at] < end:
            own, called = code.costs[costly[at]]
            flat, whole, at = flat + own, whole + called, at + 1
        frames = symbolizer.frames(address)
        calls = _target(mnemonic, operands, code, symbolizer)
        yield Instruction(
            address=address,
            text=f"{mnemonic} {operands}".rstrip() + (f" <{calls}>" if calls else ""),
            flat=flat,
            cumulative=whole,
            file=frames[0].file if frames else "",
            line=frames[0].line if frames else 0,
            calls=calls,
        )


def _disassembled(machine: str, raw: bytes, address: int) -> Iterator[tuple[int, str, str]]:
    import capstone  # 40 ms that only those who read machine code pay

    modes: dict[str, tuple[Any, Any]] = {
        "amd64": (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
        "386": (capstone.CS_ARCH_X86, capstone.CS_MODE_32),
        "arm64": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
    }
    if machine not in modes:
        raise UsageError(
            f"machine code of {machine} is not read here",
            hint=f"profile a build for {', '.join(MACHINES)}, or use `gocost profile list`",
        )
    decoder = capstone.Cs(*modes[machine])
    decoder.skipdata = True  # what is no instruction is shown as bytes
    for found, _, mnemonic, operands in decoder.disasm_lite(raw, address):
        yield found, mnemonic, operands


def _target(mnemonic: str, operands: str, code: Code, symbolizer: Symbolizer) -> str:
    if mnemonic not in _TRANSFERS:
        return ""
    text = operands.removeprefix("#")
    if not text.startswith("0x"):
        return ""
    try:
        address = int(text, 16)
    except ValueError:
        return ""
    if code.start <= address < code.end:
        return ""
    found = symbolizer.extent(address)
    return found.name if found is not None else ""


def codes_table(seen: View, found: Sequence[Code]) -> Table:
    """One row a function."""
    return routines_table(
        seen,
        "its name",
        Column("address", Unit.TEXT, "where it begins, as linked"),
        "addresses",
        [(each.name, f"{each.start:#x}", each.flat, each.cumulative) for each in found],
    )


def routines_table(
    seen: View, name: str, place: Column, parts: str, found: Iterable[tuple[str, str, int, int]]
) -> Table:
    """One row a function, of its name, place, and costs that are sums over its `parts`."""
    unit = reported(seen.type.unit)
    return Table(
        title=f"{seen.type.type} by function",
        columns=(
            Column("function", Unit.TEXT, name),
            place,
            Column("flat", unit, f"in itself, over its {parts}", additive=True),
            Column("cumulative", unit, f"with what it called, summed over its {parts}"),
            Column("cumulative_share", Unit.RATIO, "cumulative of the profile's total"),
        ),
        rows=[(*each, each[-1] / seen.total if seen.total else None) for each in found],
    )


def instructions_table(seen: View, found: Iterable[tuple[Code, Sequence[Instruction]]]) -> Table:
    """Every instruction of the functions."""
    unit = reported(seen.type.unit)
    return Table(
        title=f"{seen.type.type} by instruction",
        columns=(
            Column("function", Unit.TEXT, "its name"),
            Column("address", Unit.TEXT, "the instruction's, as linked"),
            Column("flat", unit, "the instruction itself; nothing where that is 0", additive=True),
            Column("cumulative", unit, "with what it called; nothing where that is 0"),
            Column("instruction", Unit.CODE, "in Intel's syntax, or Arm's"),
            Column("calls", Unit.TEXT, "the function that it calls or jumps to"),
            Column("line", Unit.TEXT, "the line of source that it is of, where that changes"),
            Column("file", Unit.TEXT, "the file of that line, as the build had it"),
        ),
        rows=[row for code, parts in found for row in _rows(code, parts)],
    )


def _rows(code: Code, parts: Sequence[Instruction]) -> Iterator[tuple[Any, ...]]:
    place = ("", 0)
    for each in parts:
        new = (each.file, each.line) != place
        place = (each.file, each.line)
        name = each.file.rpartition("/")[2]
        line = f"{name}:{each.line}" if new and each.line else None
        yield (
            code.name, f"{each.address:#x}", each.flat or None, each.cumulative or None, each.text,
            each.calls or None, line, each.file or None,
        )  # fmt: skip
