"""go.mod: which module a folder is, and which it requires.

    module example.com/m     // also in ( ) over several lines, and with paths in quotes
    require (
        golang.org/x/net v0.30.0 // indirect
    )

Specified in "Go Modules Reference", go.mod files. The go command is the judge of what else stands
there; this reads what is needed where it is not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from gocost.model.errors import FormatError


@dataclass(frozen=True, slots=True)
class GoMod:
    """What a go.mod says."""

    module: str
    requires: tuple[tuple[str, str], ...]
    """Path and version of each module, in the file's order."""


def decode(data: bytes) -> GoMod:
    """The module of a go.mod. Raises FormatError where it names none."""
    module, requires, block = "", list[tuple[str, str]](), ""
    for line in data.decode("utf-8", "replace").splitlines():
        words = [_unquoted(word) for word in line.partition("//")[0].split()]
        if words == [")"]:
            block = ""
        elif len(words) == 2 and words[1] == "(":
            block = words[0]
        elif words:
            verb, *rest = [block, *words] if block else words
            if verb == "module" and rest and not module:
                module = rest[0]
            if verb == "require" and len(rest) == 2:
                requires.append((rest[0], rest[1]))
    if not module:
        raise FormatError("this go.mod names no module", hint="run `go mod init` in its folder")
    return GoMod(module, tuple(requires))


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] == '"' else word
