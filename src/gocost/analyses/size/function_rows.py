"""The rows of the table `functions`: made when they are looked at, because there may be 150,000.

A reader of text looks at twenty, and the JSON reporter needs no Python rows at all: `encoded`
writes them from the name table's own bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from gocost.analyses.size.functions import Functions
from gocost.kernels.json_rows import encode_rows
from gocost.model.report import Cell

Row = Sequence[Cell]


class FunctionRows(Sequence[Row]):
    """module, package, function, bytes, code, pclntab; largest first."""

    def __init__(
        self,
        owners: Sequence[tuple[str, str]],
        labels: Sequence[str],
        functions: Functions | None,
        owner: NDArray[np.int32],
        name: NDArray[np.int64],
        numbers: NDArray[np.int64],
    ) -> None:
        """`owners` are modules and packages by number; `name` is a function's number or, below 0,
        -1 - the number of a label. `numbers` are bytes, code and pclntab, a row each.
        """
        self._owners = owners
        self._labels = labels
        self._functions = functions
        self._owner = owner
        self._name = name
        self._numbers = numbers
        self._made: list[Row] | None = None

    def __len__(self) -> int:
        return len(self._owner)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> FunctionRows: ...

    def __getitem__(self, index: int | slice) -> Row | FunctionRows:
        if isinstance(index, slice):
            return FunctionRows(
                self._owners,
                self._labels,
                self._functions,
                self._owner[index],
                self._name[index],
                self._numbers[:, index],
            )
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._rows()[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows())

    def _rows(self) -> list[Row]:
        if self._made is None:
            owners = list(map(self._owners.__getitem__, self._owner.tolist()))
            self._made = [
                (module, package, name, size, code, described)
                for (module, package), name, size, code, described in zip(
                    owners, self._names(), *self._numbers.tolist(), strict=True
                )
            ]
        return self._made

    def _names(self) -> list[str]:
        texts: list[Any] = [None] * len(self)
        own = np.flatnonzero(self._name >= 0)
        if len(own) and self._functions is not None:
            found = self._functions.names(self._name[own])
            if len(own) == len(self):
                return found
            for k, text in zip(own.tolist(), found, strict=True):
                texts[k] = text
        for k in np.flatnonzero(self._name < 0).tolist():
            texts[k] = self._labels[-1 - int(self._name[k])]
        return texts

    def encoded(self) -> memoryview | None:
        """The rows as JSON, the inside of an array; None where names cannot be copied so."""
        functions = self._functions
        if functions is None:
            return None
        where = functions.places(self._name, self._labels)
        if where is None:
            return None
        table, more, start, length = where
        prefixes = [_encoded(module) + b"," + _encoded(package) for module, package in self._owners]
        ends = np.cumsum([0, *(len(prefix) + 1 for prefix in prefixes)])
        text = encode_rows(
            table,
            more,
            np.frombuffer(b",".join([*prefixes, b""]), np.uint8),
            ends,
            self._owner,
            start,
            length,
            self._numbers,
        )
        return text.data if text is not None else None


def _encoded(text: str) -> bytes:
    return msgspec.json.encode(text.encode("utf-8", "replace").decode())
