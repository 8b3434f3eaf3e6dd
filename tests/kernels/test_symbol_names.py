"""Packages of symbol names, compiled and interpreted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernels.conftest import LoadKernel

NAMES = (
    ("main.main", "main"),
    ("net/http.(*Server).Serve", "net/http"),
    ("github.com/a/b%2ec.F", "github.com/a/b%2ec"),
    ("go.uber.org/zap.New", "go.uber.org/zap"),
    ("gopkg.in/yaml%2ev3.(*Node).Decode.func1", "gopkg.in/yaml%2ev3"),
    ("slices.SortFunc[go.shape.[]example.com/x/y.T]", "slices"),
    ("example.com/p.(*List[go.shape.struct { a/b.X }]).Push", "example.com/p"),
    ("type:.eq.example.com/p.T", "example.com/p"),
    ("type..eq.[2]example.com/p.T", "example.com/p"),
    ("type:.hash.[4]interface {}", None),
    ("type:.eq.struct { F uintptr; X a/b.T }", None),
    ("go:itab.*os.File,io.Reader", "os"),
    ("go.itab.*example.com/p.T,io.Reader", "example.com/p"),
    ("go:string.*", None),
    ("go:buildid", None),
    ("go.(*struct { sync.Mutex }).Lock", None),
    ("gosave_systemstack_switch", None),
    ("_cgo_topofstack", None),
    ("vendor/golang.org/x/net/idna.ToASCII", "vendor/golang.org/x/net/idna"),
    ("", None),
    (".dot", None),
    ("x", None),
)  # fmt: skip


def packages(kernel: LoadKernel, names: Sequence[bytes]) -> list[bytes | None]:
    data = np.frombuffer(b"\0".join(names) + b"\0", np.uint8)
    starts = np.cumsum([0, *(len(name) + 1 for name in names[:-1])]).astype(np.int64)
    limits = np.full(len(names), len(data), np.int64)
    ids, lengths, at, size = kernel("symbol_names").intern_packages(data, starts, limits, seed=5)
    assert lengths.tolist() == [len(name) for name in names]
    found = [data[a : a + n].tobytes() for a, n in zip(at.tolist(), size.tolist(), strict=True)]
    assert len(set(found)) == len(found), "a package has one number"
    return [found[number] if number >= 0 else None for number in ids.tolist()]


@pytest.mark.parametrize(("name", "package"), NAMES)
def test_package_of_a_name(kernel: LoadKernel, name: str, package: str | None) -> None:
    wanted = package.encode() if package is not None else None
    assert packages(kernel, [name.encode()]) == [wanted]


def test_many_at_once_and_known_ends(kernel: LoadKernel) -> None:
    names = [name.encode() for name, _ in NAMES] * 3
    wanted = [package.encode() if package else None for _, package in NAMES] * 3
    assert packages(kernel, names) == wanted


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    names=st.lists(st.binary(max_size=24).filter(lambda name: b"\0" not in name), min_size=1),
    seed=st.integers(0, 2**32),
)
def test_any_bytes_do(kernel: LoadKernel, names: list[bytes], seed: int) -> None:
    first = packages(kernel, names)
    assert first == packages(kernel, names)
    for name, package in zip(names, first, strict=True):
        assert package is None or package in name
