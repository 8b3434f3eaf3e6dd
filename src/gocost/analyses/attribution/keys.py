"""What a row of the bill is: a function, package, module, owner, or the value of a label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gocost.analyses.attribution.roles import Role
from gocost.analyses.attribution.stacks import NOBODY, Functions, Stacks
from gocost.analyses.ownership import Repository, owners_of
from gocost.analyses.profile.groups import modules_of, packages_of
from gocost.formats.buildinfo import BuildInfo
from gocost.formats.pprof.profile import Bools, Int32s, Profile
from gocost.model.errors import UsageError

BY: Final = ("function", "package", "module", "owner", "task")
LABEL: Final = "label:"
OBSERVER: Final = "observer"
"""The row of what recording itself costs."""


@dataclass(frozen=True, slots=True)
class Keying:
    """How stacks become rows."""

    by: str = "function"
    info: BuildInfo | None = None
    """Of the executable: its main package's path, its modules and their versions."""
    repository: Repository | None = None
    """Whose code is owned, for rows that are owners."""

    def __post_init__(self) -> None:
        """Raises UsageError for a word that is none of BY and no label."""
        if self.by not in BY and not (self.by.startswith(LABEL) and len(self.by) > len(LABEL)):
            raise UsageError(
                f"a bill is not sorted by {self.by!r}",
                hint=f"choose of {', '.join(BY)}, or {LABEL}KEY for a label of the CPU profile",
            )

    @property
    def label(self) -> str:
        """The label's key; empty where rows are not labels."""
        return self.by.removeprefix(LABEL) if self.by.startswith(LABEL) else ""

    @property
    def task(self) -> bool:
        """Whether rows are the tasks of a trace."""
        return self.by == "task"

    @property
    def by_stack(self) -> bool:
        """Whether a stack alone says which row it is of."""
        return not self.label and not self.task

    def rows(self, functions: Functions) -> tuple[list[str], Bools | None]:
        """The row of each function, and which functions pay before others, if any do."""
        if self.by == "package":
            return packages_of(functions.names, self.info, functions.files), None
        if self.by == "module":
            return modules_of(functions.names, self.info, functions.files), None
        if self.by == "owner":
            assert self.repository is not None
            owners = owners_of(functions.packages, functions.files, self.repository)
            # The repository's own code pays for what it calls in other modules and Go itself.
            own = np.array([not owner.startswith("(") for owner in owners], np.bool_)
            return owners, own
        return functions.names, None


@dataclass(slots=True)
class Rows:
    """The rows of a bill, numbered as they are met."""

    names: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """The number of a row."""
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self.names)
            self.names.append(name)
        return found

    def numbers(self, names: Sequence[str], which: Int32s) -> Int32s:
        """The rows of several stacks, each by its place in `names`, NOBODY as it is."""
        used = np.unique(which[which >= 0]).tolist()
        table = np.full(len(names) + 1, NOBODY, np.int32)
        for place in used:
            table[place] = self.number(names[place])
        found: Int32s = table[which]  # NOBODY is -1: the last entry, which stays NOBODY
        return found


def stack_rows(
    keying: Keying, rows: Rows, stacks: Stacks, ways: Callable[[Functions], Bools] | None = None
) -> Int32s:
    """The row that each stack is charged to; NOBODY where all frames are the runtime's.

    `ways` marks functions that only stand between: waiting is not the doing of sync.Mutex.
    """
    functions = stacks.functions
    names, first = keying.rows(functions)
    payers = stacks.payers(first)
    if ways is not None:
        beyond = stacks.innermost(stacks.users() & ~ways(functions))
        if first is not None:
            preferred = stacks.innermost(first)
            beyond = np.where(preferred >= 0, preferred, beyond)
        payers = np.where(beyond >= 0, beyond, payers)
    charged = rows.numbers(names, payers.astype(np.int32))
    recorded = stacks.roles() & Role.OBSERVER != 0
    if recorded.any():
        # Recording costs CPU, memory and goroutines too: nobody's but whoever records.
        charged[recorded] = rows.number(OBSERVER)
    return charged


def no_label(key: str) -> str:
    """The row of samples without the label."""
    return f"(no {key})"


def label_rows(key: str, rows: Rows, profile: Profile) -> Int32s:
    """The row of each sample by the value of its label; without it, `(no KEY)`."""
    labels, strings = profile.labels, profile.strings
    keys = np.unique(labels.key)
    wanted = [number for number in keys.tolist() if strings[number] == key]
    none = rows.number(no_label(key))
    found = np.full(profile.samples, none, np.int32)
    at = np.flatnonzero(np.isin(labels.key, wanted))
    samples = profile.label_sample()[at]
    for sample, text, number in zip(
        samples.tolist(), labels.text[at].tolist(), labels.number[at].tolist(), strict=True
    ):
        found[sample] = rows.number(strings[text] if text else str(number))
    return found
