"""Values are shown in any unit as `pprof -unit` shows them."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from gocost.analyses.profile.units import label
from tests.fixtures.profiles import field, message, run_pprof, small

Fields = dict[str, list[bytes]]
GIVEN = ("nanoseconds", "us", "milliseconds", "seconds", "hour", "bytes", "kilobytes", "MB",
         "count", "gcu", "millisecondss", "apples", "")  # fmt: skip
WANTED = ("ns", "us", "ms", "s", "sec", "hrs", "hour", "B", "bytes", "kB", "KB", "mb", "GB", "tb",
          "count", "gcu", "k*GCU", "apples")  # fmt: skip
_ROW = re.compile(r"\s*(\S+)\s+\S+%\s+\S+%\s+\S+\s+\S+%  (f\d+)")


@pytest.mark.parametrize("given", GIVEN)
def test_values_in_any_unit(given: str, tmp_path: Path) -> None:
    rng = random.Random(given)
    values = [rng.randrange(-(1 << bits), 1 << bits) or 1 for bits in range(1, 50)]
    values = [value for at, value in enumerate(values) if value not in values[:at]]

    def change(fields: Fields) -> None:
        fields["strings"] += [field(6, given), *(field(6, f"f{i}") for i in range(len(values)))]
        fields["types"] = [field(1, message((1, 1), (2, 10)))]
        fields["functions"] = [
            field(5, message((1, i + 1), (2, 11 + i))) for i in range(len(values))
        ]
        fields["locations"] = [
            field(4, message((1, i + 1), (4, message((1, i + 1))))) for i in range(len(values))
        ]
        fields["samples"] = [
            field(2, message((1, i + 1), (2, value))) for i, value in enumerate(values)
        ]

    path = tmp_path / "a"
    path.write_bytes(small(change))
    for wanted in WANTED:
        printed = run_pprof("-top", "-nodefraction=0", f"-unit={wanted}", path).stdout
        shown = {name: text for text, name in _ROW.findall(printed)}
        assert shown == {f"f{i}": label(value, given, wanted) for i, value in enumerate(values)}, (
            given,
            wanted,
        )
