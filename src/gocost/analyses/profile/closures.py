"""Names of functions that stay the same from one toolchain to the next, to compare their profiles.

The compiler names closures itself, and numbers them anew with every version and every change:

    F.func1, F.func1.2, F.func2.func1    closures, and closures in closures
    F.gowrap1, F.deferwrap2              around a go or defer statement (from 1.22; before, F.func3)
    F·dwrap·1                            the same in 1.17 to 1.20
    F-range1                             the body of a loop over a function (from 1.23)
    F-fm                                 a method as a value
    glob..func1, init.func1              closures of package variables (before and from 1.21)
    Outer.Inlined.func5                  a closure of Inlined, where that was inlined into Outer
                                         (1.21 to 1.26; Inlined.func1 before and after)
    F[go.shape.int], F[...]              instances of a generic function

All closures of F are `F.func` here, loop bodies and method values are F, instances are `F[...]`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_INSTANCE: Final = re.compile(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]")
_WRAPPED: Final = re.compile(r"·dwrap·\d+")
_OWN: Final = re.compile(r"(?:-fm|-range\d+)+(?=\.|$)")
_MADE: Final = re.compile(r"(?:func|gowrap|deferwrap)?\d+|func\d+[-.\d]*")


def stable(names: Sequence[str]) -> list[str]:
    """Each name without what a toolchain chose. The names tell together what was inlined."""
    known = set(names)
    done: dict[str, str] = {}
    found = []
    for name in names:
        if name not in done:
            done[name] = _stable(name, known)
        found.append(done[name])
    return found


def _stable(name: str, known: set[str]) -> str:
    text = _OWN.sub("", _WRAPPED.sub(".func1", _INSTANCE.sub("[...]", name)))
    path, slash, last = text.rpartition("/")
    package, dot, rest = last.partition(".")
    if not dot:
        return text
    head = f"{path}{slash}{package}."
    parts = _parts(rest.replace("glob..", "init."))
    kept = len(parts)
    while kept > 1 and _MADE.fullmatch(parts[kept - 1]):
        kept -= 1
    if kept == len(parts):
        return head + ".".join(parts)
    owner = parts[:kept]
    while outer := _outer(head, owner, known):
        owner = owner[outer:]
    # A closure inlined within another's: Outer.func1.Inlined.func2.
    made = [at for at, part in enumerate(owner) if at and _MADE.fullmatch(part)]
    if made:
        owner = owner[made[-1] + 1 :]
    return f"{head}{'.'.join(owner)}.func"


def _outer(head: str, owner: Sequence[str], known: set[str]) -> int:
    """How many parts name a function that the rest was inlined into; 0 where it is all one name."""
    size = 2 if owner[0].startswith("(") else 1
    if len(owner) <= size or head + ".".join(owner) in known:
        return 0
    return size if head + ".".join(owner[:size]) in known else 0


def _parts(text: str) -> list[str]:
    """The parts between dots; those within brackets belong to their part."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "." and not depth:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]
