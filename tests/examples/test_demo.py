"""`make demo`, end to end: real repositories, builds and loads, the gate and its page.

The test runs it with --quick, which checks payments without a base: one load a check and not ten.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.services import EXAMPLES
from tests.gate.modules import needs_go

pytestmark = needs_go


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def done(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLES / "demo.py", "--quick", "--folder", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=540,
    )


def section(output: str, title: str) -> str:
    """What was printed from a heading to the next one."""
    found = re.search(rf"^== {re.escape(title)}.*?(?=^== |\Z)", output, re.MULTILINE | re.DOTALL)
    assert found is not None, output
    return found[0]


def part_of(output: str, title: str) -> str:
    """The section whose heading holds this."""
    (found,) = [part for part in output.split("\n== ") if title in part.partition("\n")[0]]
    return found


def test_the_gate_passes_and_blocks_what_it_should(
    done: subprocess.CompletedProcess[str],
) -> None:
    said = section(done.stdout, "What happened")
    codes = re.findall(r"^(\w+), .*exit (\d)", said, re.MULTILINE)
    for service, title in (("payments", "changes a comment"), ("orders", "as it is")):
        # A machine that is too busy for one load lets it pile up, and the heap grows with it.
        piled = set(re.findall(r"✗ (\S+)", part_of(done.stdout, title)))
        assert piled <= {"memory.heap.growth"}, done.stdout + done.stderr
        assert (service, "1" if piled else "0") in codes
    assert codes[1::2] == [("payments", "1"), ("orders", "1")]
    assert len(codes) == 4


def test_it_blocks_the_leak_for_what_it_leaks(done: subprocess.CompletedProcess[str]) -> None:
    leaking = section(done.stdout, "payments: a pull request that leaks")
    violated = leaking.partition("Violated")[2].partition("Passed")[0]
    assert "✗ goroutines.leaked" in violated
    assert "✗ memory.heap.growth" in violated


def test_it_says_whose_bytes_an_export_adds(done: subprocess.CompletedProcess[str]) -> None:
    growing = section(done.stdout, "orders: a pull request that uses more")
    assert "✗ binary.size (growth)" in growing
    (delta,) = re.findall(
        r"google\.golang\.org/protobuf .*\n.*binary\.module\.size\n *\+([0-9.]+) KiB", growing
    )
    assert float(delta) > 100
    # Rules about the file alone start nothing.
    assert "memory.rss" not in growing


def test_the_page_tells_of_the_leak(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "goroutines.leaked" in page
    assert "violated" in page


def test_a_demo_that_no_longer_fits_its_examples_says_so(tmp_path: Path) -> None:
    # given a copy of the examples whose policy was changed under the demo
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    policy = tmp_path / "examples/payments/gocost.yaml"
    policy.write_text(policy.read_text().replace("duration: 10 s", "duration: 11 s"))

    # when it runs
    told = subprocess.run(
        [sys.executable, tmp_path / "examples/demo.py", "--quick"],
        capture_output=True,
        text=True,
        check=False,
    )

    # then it stops there, and says what to correct
    assert told.returncode == 1
    assert "gocost.yaml no longer says 'duration: 10 s}': correct examples/demo.py" in told.stderr
