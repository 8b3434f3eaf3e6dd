"""Cost governance for Go services, as code.

Every command is also a function here that returns a `Report`: `gocost.size("./payments")`. Its
tables are Arrow tables by their names: `gocost.size("./payments").functions`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own is true for checkers only, but importing typing costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    from gocost.model.report import Report


def __getattr__(name: str) -> Callable[..., Report]:
    """The function NAME of `gocost.api.NAME`, imported when it is first asked for."""
    from importlib import import_module

    module = f"{__name__}.api.{name}"
    if not name.startswith("_"):
        try:
            found: Callable[..., Report] = getattr(import_module(module), name)
            return found
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    raise AttributeError(f"gocost has no function {name!r}; it has {', '.join(__dir__())}")


def __dir__() -> list[str]:
    """The functions there are, for completion."""
    from pkgutil import iter_modules

    import gocost.api

    found = iter_modules(gocost.api.__path__)
    return [info.name for info in found if not info.name.startswith("_")]
