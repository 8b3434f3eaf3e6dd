"""What a pattern of `go test -bench` says, so that each benchmark it means can be run by itself."""

from __future__ import annotations


def alternatives(pattern: str) -> list[tuple[str, str]]:
    """What a `-bench` pattern says: (for the top-level name, the rest from its slash on) each.

    As in Go's own matcher, bars part alternatives and slashes part levels, except inside brackets
    and parentheses.
    """
    found: list[tuple[str, str]] = []
    square = round_ = start = 0
    slash = -1
    skip = False
    for at, letter in enumerate(pattern + "|"):
        if skip:
            skip = False
        elif letter == "\\" and at < len(pattern) - 1:
            skip = True
        elif letter == "[":
            square += 1
        elif letter == "]":
            square = max(0, square - 1)
        elif letter in "()" and not square:
            round_ += 1 if letter == "(" else -1
        elif letter == "/" and not square and not round_ and slash < 0:
            slash = at
        elif at == len(pattern) or (letter == "|" and not square and not round_):
            end = at if slash < 0 else slash
            found.append((pattern[start:end], pattern[end:at]))
            start, slash = at + 1, -1
    return found
