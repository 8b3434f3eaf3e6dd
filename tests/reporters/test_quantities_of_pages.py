"""The words of a page's pictures for times and bytes are those of the rest of the report."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest
from build_support import assets

from gocost.model.quantity import Unit, format_quantity

MODULE = Path(__file__).parents[2] / "web" / "src" / "quantity.js"
EDGES = (0, 0.9994, 0.9996, 9.996e-7, 119.4, 119.6, 1023, 1023.99 * 2**10, 1023.99 * 2**20, 2**40)
_WORDS = """
import {{ bytes, seconds }} from "{module}";
import {{ readFileSync }} from "node:fs";
const values = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify([values.map(seconds), values.map(bytes)]));
"""


def test_pages_say_times_and_bytes_as_python_does() -> None:
    if (node := assets.node()) is None:
        pytest.skip("no node, on PATH or beside Python: `python -m build_support.assets` brings it")
    chance = random.Random(1)
    values = [*EDGES, *(10 ** chance.uniform(-9, 12) for _ in range(2000))]

    done = subprocess.run(
        [node, "--input-type=module", "-e", _WORDS.format(module=MODULE.as_uri())],
        input=json.dumps(values), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    times, sizes = json.loads(done.stdout)
    assert times == [format_quantity(value, Unit.SECONDS) for value in values]
    assert sizes == [format_quantity(value, Unit.BYTES) for value in values]
