"""What a binary weighs, and whose the bytes are: facts for the gate and for `gocost size`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from gocost.analyses.size.account import Account, account
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.stripping import Savings, savings
from gocost.analyses.size.tables import module_sizes
from gocost.formats.go_binary import GoBinary
from gocost.measures.executables import opened as opened
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.subject import Subject

if TYPE_CHECKING:
    from gocost.measures.interface import Context, Measured, Target


_ACCOUNTED: Final = ("binary.size.*", "binary.kind.*", "binary.module.*", "binary.package.*")
"""What takes more than a look at the file: where every byte of it is."""


def account_of(binary: GoBinary) -> Account:
    """Where every byte of an opened binary is."""
    seed = int.from_bytes(os.urandom(4), "little")
    return account(binary.image, binary.info, seed=seed)


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """The measure `binary`: the file, its modules and packages, and what stripping saves."""
    from gocost.measures.interface import Measured  # the command line does without its imports

    if target.binary is None:
        return Measured(skipped={"binary.size": "there is no binary"})
    with opened(target.binary) as binary:
        if not context.wants(*_ACCOUNTED):
            return Measured(facts=[_fact("binary.size", binary.image.size, target.subject)])
        found = account_of(binary)
        return Measured(
            facts=[
                *facts(found, target.subject),
                *package_facts(found, target.subject),
                *strip_facts(savings(binary.image, binary.info), target.subject),
            ]
        )


def facts(found: Account, subject: Subject) -> list[Fact]:
    """The file's own facts and one for each kind and module."""

    def fact(metric: str, value: int, **labels: str) -> Fact:
        return _fact(metric, value, subject, **labels)

    sums = found.ledger.by_kind()
    attributed = found.ledger.by_package(len(found.packages.names))[:-1].sum()
    return [
        fact("binary.size", found.size),
        fact("binary.size.loaded", found.loaded),
        fact("binary.size.attributed", int(attributed)),
        fact("binary.size.unknown", int(sums[Kind.UNKNOWN])),
        *(
            fact("binary.kind.size", int(sums[kind]), kind=kind.label)
            for kind in Kind
            if sums[kind]
        ),
        *(
            fact("binary.module.size", size, module=module.path)
            for module, size in module_sizes(found)
            if size
        ),
    ]


def _fact(metric: str, value: int, subject: Subject, **labels: str) -> Fact:
    return Fact(metric, value, Unit.BYTES, subject, labels, "the file's own tables")


def package_facts(found: Account, subject: Subject) -> list[Fact]:
    """One fact for each package, which is many: for the gate, not for reports."""
    sums = found.ledger.by_package(len(found.packages.names))[:-1].sum(axis=1).tolist()
    return [
        Fact(
            "binary.package.size",
            size,
            Unit.BYTES,
            subject,
            {"package": name, "module": found.packages.module_name(k).path},
            "the file's own tables",
        )
        for k, (name, size) in enumerate(zip(found.packages.names, sums, strict=True))
        if size
    ]


def strip_facts(found: Savings, subject: Subject) -> list[Fact]:
    """What `-s -w` would save; 0 where the file is stripped."""
    return [
        Fact(
            "binary.size.strippable",
            found.both,
            Unit.BYTES,
            subject,
            {},
            "the sections that `-ldflags=-s -w` leaves out",
        )
    ]
