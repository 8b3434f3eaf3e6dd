"""The worked example of CONTRIBUTING.md: a kind of limit is one file, one line and its cases."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[3]


def block(language: str) -> str:
    """The block of that language in the section about a rule kind."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition("### A rule kind: `between`")[2].partition("\n### ")[0]
    (found,) = re.findall(rf"( +)```{language}\n(.*?)\n +```", section, re.DOTALL)
    return dedent(found[1]) + "\n"


def test_a_kind_of_limit_is_one_file_one_line_and_its_cases(tmp_path: Path) -> None:
    # given a copy of gocost and of the tests of its kinds
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.c", "assets")
    shutil.copytree(ROOT / "src/gocost", tmp_path / "src/gocost", ignore=ignored)
    shutil.copytree(ROOT / "tests/policy", tmp_path / "tests/policy", ignore=ignored)
    (tmp_path / "tests/__init__.py").touch()
    kinds = tmp_path / "src/gocost/policy/kinds"

    # when the file, the line and the cases of the page are added
    (kinds / "between.py").write_text(block("python"))
    registry = (kinds / "registry.py").read_text()
    assert registry.count("        Growth(),\n") == 1
    registry = registry.replace("        Growth(),\n", "        Growth(),\n        Between(),\n")
    line = "from gocost.policy.kinds.between import Between\n"
    at = registry.index("from gocost.policy")
    (kinds / "registry.py").write_text(registry[:at] + line + registry[at:])
    (tmp_path / "tests/policy/kinds/between.yaml").write_text(block("yaml"))

    # then the new kind's cases hold, as do those of all others
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/policy/kinds/test_kinds.py",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    checked = subprocess.run(
        [sys.executable, "-m", "gocost", "policy", "schema"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
    )
    assert '"between": {' in checked.stdout
