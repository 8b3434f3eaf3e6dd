"""Small dumps to judge, written as the runtime writes them."""

from __future__ import annotations

from collections.abc import Iterable

from gocost.formats.goroutine_dump.decoding import decode
from gocost.formats.goroutine_dump.dump import Dump

MAIN = """goroutine 1 [IO wait]:
net.(*TCPListener).Accept(0x1)
\t/go/net.go:1 +0x1
main.main()
\t/m.go:1 +0x1
"""


def written(
    ids: Iterable[int],
    *,
    state: str = "chan send",
    function: str = "main.leak.func1",
    creator: str = "main.leak",
) -> str:
    """Goroutines of one group."""
    return "".join(
        f"goroutine {number} [{state}]:\n{function}()\n\t/src/main.go:12 +0x1d\n"
        f"created by {creator} in goroutine 1\n\t/src/main.go:7 +0x3\n\n"
        for number in ids
    )


def dump(*parts: str) -> Dump:
    """A dump of main and these."""
    return decode([f"{MAIN}\n{''.join(parts)}".encode()])
