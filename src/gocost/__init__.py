"""Cost governance for Go services, as code.

Every command is also a function here that returns a `Report`: `gocost.size("./payments")`. Its
tables are Arrow tables by their names: `gocost.size("./payments").functions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gocost.api.size import size as size

_FUNCTIONS = {"size": "gocost.api.size"}

__all__ = ["size"]


def __getattr__(name: str) -> Any:
    """Import a command's function when it is first asked for."""
    if name not in _FUNCTIONS:
        raise AttributeError(f"gocost has no {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(_FUNCTIONS[name]), name)
