"""Equal texts get one number, compiled and interpreted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.conftest import LoadKernel
from tests.kernels.test_pprof import BOTH_FORMS


@BOTH_FORMS
@given(st.lists(st.binary(max_size=3), max_size=30), st.integers(0, (1 << 64) - 1))
def test_groups(kernel: LoadKernel, texts: list[bytes], seed: int) -> None:
    sizes = np.array([len(text) for text in texts], np.int64)
    groups, leaders = kernel("grouping").group_texts(
        np.frombuffer(b"".join(texts) + b"\0", np.uint8), np.cumsum(sizes) - sizes, sizes, seed
    )

    first: dict[bytes, int] = {}
    assert groups.tolist() == [first.setdefault(text, len(first)) for text in texts]
    assert [texts[at] for at in leaders.tolist()] == list(first)
