"""callgrind's format, for KCachegrind: https://valgrind.org/docs/manual/cl-format.html.

    positions: instr line
    events: cpu(nanoseconds)

    ob=(1) /bin/service
    fl=(1) /src/main.go
    fn=(1) main.work
    0x4a3 42 1000              address, line, cost
    cfl=(1)
    cfn=(2) main.helper
    calls=0 +16 50
    * * 500                    cost of the call

Names are written once and referred to by number; an address may be relative to the one before.
"""

from __future__ import annotations

from collections.abc import Iterator

from gocost.analyses.profile.nodes import Node, Nodes
from gocost.analyses.profile.view import Calls, Costs, View, order


def lines(seen: View, nodes: Nodes, found: Costs, calls: Calls) -> Iterator[str]:
    """The file. Nodes are those of addresses, in the order of their cost."""
    callees: dict[int, list[tuple[int, int]]] = {}
    for source, target, weight in zip(
        calls.caller.tolist(), calls.callee.tolist(), calls.weight.tolist(), strict=True
    ):
        callees.setdefault(source, []).append((weight, target))
    yield "positions: instr line"
    yield f"events: {seen.type.type}({seen.type.unit})"
    objects, files, names = _Names(), _Names(), _Names()
    before: Node | None = None
    flat = found.flat.tolist()
    for number in order(nodes, found):
        node = nodes.nodes[number]
        if before is None or (node.object, node.file, node.name) != (
            before.object,
            before.file,
            before.name,
        ):
            yield ""
            yield f"ob={objects.of(node.object)}"
            yield f"fl={files.of(node.file)}"
            yield f"fn={names.of(node.name)}"
        yield f"{_address(node.address, before)} {node.line} {flat[number]}"
        for weight, target in sorted(
            callees.get(number, []), key=lambda call: (-abs(call[0]), nodes.nodes[call[1]].label)
        ):
            other = nodes.nodes[target]
            yield f"cfl={files.of(other.file)}"
            yield f"cfn={names.of(other.name)}"
            yield f"calls=0 {_address(other.address, before)} {other.line}"
            yield f"* * {weight}"
        before = node


class _Names:
    """Numbers names: `(1) name` where one is met first, `(1)` from then on."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, name: str) -> str:
        """How the name is written now."""
        if not name:
            return ""
        if name in self._numbers:
            return f"({self._numbers[name]})"
        self._numbers[name] = len(self._numbers) + 1
        return f"({self._numbers[name]}) {name}".replace("\n", " ")


def _address(address: int, before: Node | None) -> str:
    """The address, relative to the one before where that is shorter."""
    absolute = f"{address:#x}" if address else "0x0"
    if before is None:
        return absolute
    if before.address == address:
        return "*"
    relative = f"{address - before.address:+d}"
    return relative if len(relative) < len(absolute) else absolute
