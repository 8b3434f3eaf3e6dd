"""A relation: its columns by name and type, with what they mean, and how one file fills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gocost.formats.recognition import Kind

FILE: Final = "file"
"""The column that every relation has before its own: the name of the file as it was given."""


class Type(StrEnum):
    """A column's type, by its name in SQL."""

    TEXT = "VARCHAR"
    WHOLE = "BIGINT"
    REAL = "DOUBLE"
    YES = "BOOLEAN"
    TEXTS = "VARCHAR[]"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One column. Names of amounts end in their unit: `running_ns`, `size_bytes`."""

    name: str
    type: Type
    about: str


@dataclass(frozen=True, slots=True)
class Relation:
    """One table. Each has the column `file` before its own."""

    name: str
    about: str
    kinds: tuple[Kind, ...]
    """The kinds of files that fill it."""
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of text as numbers of `texts`; -1 is NULL."""

    texts: Sequence[str]
    numbers: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Lists:
    """A column of lists of texts: row i has `items` from `ends[i - 1]` up to `ends[i]`."""

    items: Coded
    ends: npt.NDArray[Any]


Values = npt.NDArray[Any] | Coded | Lists | Sequence[Any]
Filled = Mapping[str, Values]
"""The columns of a relation by name, of equal length."""


def text(name: str, about: str) -> Attribute:
    """A column of text."""
    return Attribute(name, Type.TEXT, about)


def whole(name: str, about: str) -> Attribute:
    """A column of whole numbers."""
    return Attribute(name, Type.WHOLE, about)


def real(name: str, about: str) -> Attribute:
    """A column of numbers."""
    return Attribute(name, Type.REAL, about)


def yes(name: str, about: str) -> Attribute:
    """A column of yes and no."""
    return Attribute(name, Type.YES, about)


def texts(name: str, about: str) -> Attribute:
    """A column of lists of text."""
    return Attribute(name, Type.TEXTS, about)


def coded(values: Sequence[str | None]) -> Coded:
    """Texts that repeat, by number."""
    numbers: dict[str, int] = {}
    places = [-1 if value is None else numbers.setdefault(value, len(numbers)) for value in values]
    return Coded(list(numbers), np.array(places, np.int64))
