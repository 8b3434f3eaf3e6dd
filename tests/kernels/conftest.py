"""Runs every kernel test twice: over the compiled module and over its source, interpreted."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import gocost.kernels

LoadKernel = Callable[[str], ModuleType]


def interpreted(name: str) -> ModuleType:
    """The kernel's source, run by the interpreter although a compiled twin lies beside it."""
    source = Path(gocost.kernels.__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"interpreted_{name}", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiled(name: str) -> ModuleType:
    """The compiled kernel; fails rather than silently testing the source twice."""
    module = importlib.import_module(f"gocost.kernels.{name}")
    assert module.__file__ is not None
    assert not module.__file__.endswith(".py"), f"{name} is not compiled: run `make kernels`"
    return module


@pytest.fixture(params=["compiled", "interpreted"])
def kernel(request: pytest.FixtureRequest) -> LoadKernel:
    """Given a kernel's name, the module in one of its two forms."""
    return compiled if request.param == "compiled" else interpreted
