"""A profile's samples one by one, and what their labels say."""

from __future__ import annotations

import numpy as np

from gocost.analyses.profile.nodes import Nodes
from gocost.analyses.profile.stacks import frames_of
from gocost.analyses.profile.texts import check_labels, check_stacks
from gocost.analyses.profile.units import label, reported
from gocost.analyses.profile.view import View
from gocost.formats.pprof.profile import starts_of
from gocost.model.quantity import Unit
from gocost.model.report import Column, Table


def labels_table(seen: View) -> Table:
    """What was spent under each label, by key; samples without the key are no row of it."""
    labels, strings = seen.profile.labels, seen.profile.strings
    values = seen.values()[seen.profile.label_sample()]
    sums: dict[tuple[str, str], list[int]] = {}
    columns = (labels.key, labels.text, labels.number, labels.unit, values)
    for key, text, number, unit, value in zip(*(c.tolist() for c in columns), strict=True):
        name = strings[key]
        said = strings[text] if text else label(number, strings[unit] or seen.units.get(name, ""))
        row = sums.setdefault((name, said), [0, 0])
        row[0] += value
        row[1] += 1
    of_key: dict[str, int] = {}
    for (name, _), (value, _) in sums.items():
        of_key[name] = of_key.get(name, 0) + value
    ordered = sorted(
        sums.items(), key=lambda item: (-abs(of_key[item[0][0]]), item[0][0], -abs(item[1][0]),
                                        item[0][1])
    )  # fmt: skip
    return Table(
        title=f"{seen.type.type} by label",
        columns=(
            Column("key", Unit.TEXT, "the label's key"),
            Column("label", Unit.TEXT, "its text, or its number with the unit"),
            Column("value", reported(seen.type.unit), f"{seen.type.type} of its samples"),
            Column("share", Unit.RATIO, "value of the profile's total"),
            Column("samples", Unit.COUNT, "how many samples have it"),
        ),
        rows=[
            (name, said, value, value / seen.total if seen.total else None, count)
            for (name, said), (value, count) in ordered
        ],
    )


def samples_table(seen: View, nodes: Nodes) -> Table:
    """Every sample with its value, its labels and its stack, the most expensive first."""
    profile = seen.profile
    values = seen.values()
    names = nodes.labels()
    order = np.argsort(-np.abs(values), kind="stable")
    frames, ends = frames_of(seen, nodes)
    check_stacks(names, frames)
    check_labels(profile)
    starts, label_starts = starts_of(ends), starts_of(profile.label_end)
    rows = []
    for sample in order.tolist():
        stack = [names[node] for node in frames[starts[sample] : ends[sample]].tolist()]
        said = _labels(seen, int(label_starts[sample]), int(profile.label_end[sample]))
        rows.append((int(values[sample]), said, ";".join(stack)))
    return Table(
        title=f"Samples of {seen.type.type}",
        columns=(
            Column("value", reported(seen.type.unit), f"{seen.type.type} of the sample",
                   additive=True),
            Column("labels", Unit.TEXT, "key:text, joined by spaces"),
            Column("stack", Unit.TEXT, "functions from the leaf to the root, joined by ;"),
        ),
        rows=rows,
    )  # fmt: skip


def _labels(seen: View, first: int, end: int) -> str:
    labels, strings = seen.profile.labels, seen.profile.strings
    told = []
    for row in range(first, end):
        key = strings[int(labels.key[row])]
        if labels.text[row]:
            told.append(f"{key}:{strings[int(labels.text[row])]}")
        else:
            unit = strings[int(labels.unit[row])] or seen.units.get(key, "")
            told.append(f"{key}:{label(int(labels.number[row]), unit)}")
    return " ".join(sorted(told))
