"""What the service's owners say may grow: expressions over function names, of an option or policy.

They excuse only what is probable; what the runtime itself calls leaked stays certain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gocost.analyses.expressions import compiled

Allow = Callable[[str], str]
"""Of a function's name: what allows that it grows, in words; empty where nothing does."""


def nothing(function: str) -> str:
    """Allows nothing."""
    return ""


def allowing(expressions: Sequence[str], told: str) -> Allow:
    """`told` is where they stand, such as `--allow`. Raises UsageError for one that is none.

    The service's functions are as Go's tools name them: `example.com/pubsub.(*Hub).serve`.
    """
    if not expressions:
        return nothing
    found = [(text, compiled(told, text)) for text in expressions]

    def allow(function: str) -> str:
        return next((f"{told} {text}" for text, each in found if each.search(function)), "")

    return allow
