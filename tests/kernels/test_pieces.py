"""How kernels are put together from pieces before they are compiled."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from build_support import kernels
from Cython.Build import cythonize


def test_a_piece_stands_once_in_place_of_its_imports() -> None:
    text = (kernels.KERNELS / "trace_run.py").read_text(encoding="utf-8")
    made = kernels.composed(text)
    found = [node.name for node in ast.walk(ast.parse(made)) if isinstance(node, ast.FunctionDef)]
    assert len(found) == len(set(found))
    assert {"_run", "_find", "_leave", "_proc_event", "_varint"} <= set(found)
    assert "gocost.kernels" not in "".join(
        line for line in made.splitlines() if line.startswith(("from", "import"))
    )


def test_constants_are_numbers_where_they_are_used() -> None:
    made = kernels.composed(
        "from gocost.kernels.trace_fields import G_LEFT, NOT_YET\n\nOWN = 7\nMOST = 1 << 15\n"
        'def f(row):\n    """OWN stays."""\n    return row[G_LEFT] == NOT_YET + OWN, MOST\n'
    )
    assert "return row[5] == (-1) + 7, MOST\n" in made  # what has to be worked out is no number
    assert '"""OWN stays."""' in made
    assert "\nG_LEFT = 5 " in made
    assert "\nOWN = 7\n" in made


def test_a_kernel_without_pieces_is_compiled_as_it_is() -> None:
    path = kernels.KERNELS / "varint.py"
    assert kernels.composed(path.read_text(encoding="utf-8")) == path.read_text(encoding="utf-8")


def test_with_checks_nothing_is_a_pointer() -> None:
    text = (kernels.KERNELS / "trace_run.py").read_text(encoding="utf-8")
    checked = kernels.with_checks(kernels.composed(text))
    for trusting in ("cython.p_", "cython.pointer", "boundscheck(False)", "if cython.compiled:"):
        assert trusting in kernels.composed(text)
        assert trusting not in checked
    assert "goroutines: cython.longlong[::1]" in checked


def test_every_kernel_is_one_with_checks_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOCOST_CHECKED_KERNELS", "1")
    monkeypatch.setattr(kernels, "CHECKED", tmp_path / "checked")
    made = [kernels.source(name) for name in kernels.names()]
    assert len(made) > 10
    cythonize(  # type: ignore[no-untyped-call]  # raises for what it refuses
        [str(path) for path in made],
        build_dir=str(tmp_path / "cython"),
        quiet=True,
        compiler_directives={"language_level": 3, "show_performance_hints": False},
    )
    found = {path.stem for path in (tmp_path / "cython").rglob("*.c")}
    assert found == {path.stem for path in made}
