"""Where the values of a policy stand, and errors that say it: place, wrong word, right word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gocost.formats.yaml_document import Node, Place
from gocost.model.catalogue import nearest
from gocost.model.errors import PolicyError, UsageError
from gocost.model.quantity import Unit, parse

T = TypeVar("T")
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where each value of a file stands, by its path."""

    nodes: Mapping[Path, Node]
    keys: Mapping[Path, Place]

    def of(self, *path: str | int) -> Place:
        """The place of the value at `path`, else of the nearest value around it."""
        for end in range(len(path), -1, -1):
            found = self.nodes.get(path[:end])
            if found is not None:
                return found.place
        raise KeyError(path)

    def written(self, *path: str | int) -> bool:
        """True where the file says it, False for a default."""
        return path in self.nodes


def parsed(text: str, unit: Unit, place: Place, name: str) -> float:
    """`text` as a quantity of `unit`; 0 needs no unit. Raises PolicyError at `place`."""
    if text.strip() in ("0", "0.0"):
        return 0
    return at_place(place, name, lambda: parse(text, unit))


def at_place(place: Place, name: str, action: Callable[[], T]) -> T:
    """What `action` gives; its UsageError becomes a PolicyError at `place`."""
    try:
        return action()
    except UsageError as error:
        raise place.error(f"{name}: {error.message}", hint=error.hint) from error


def unknown_word(
    place: Place, what: str, word: str, known: Iterable[object], *, hint: str = ""
) -> PolicyError:
    """The error for a word that is not one of `known`, with the nearest right one."""
    words = [str(each) for each in known]
    near = nearest(word, words)
    if near:
        hint = f"did you mean {near!r}?"
    elif words and not hint:
        hint = "known: " + ", ".join(words[:12]) + (" ..." if len(words) > 12 else "")
    return place.error(f"{what} {quoted(word)}", hint=hint)


def quoted(text: str) -> str:
    """In quotation marks, and not longer than a line."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
