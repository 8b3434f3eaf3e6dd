"""Pages of a service that are larger than the cap: what to do next is what that page can do."""

from __future__ import annotations

import pytest

from gocost.sources.endpoints import TooLargeError
from gocost.sources.recordings import read_recording
from tests.fixtures.breaking import TOKEN, breaking_off


@pytest.mark.parametrize(
    ("page", "hint"),
    [
        ("goroutine?debug=2", "raise --max-bytes"),
        ("heap", "raise --max-bytes"),
        ("heap?seconds=2", "record for a shorter time (?seconds=N), or raise --max-bytes"),
        ("profile", "record for a shorter time (?seconds=N), or raise --max-bytes"),
    ],
)
def test_only_what_lasts_can_be_recorded_for_a_shorter_time(page: str, hint: str) -> None:
    with breaking_off(b"\1" * 2_000, 2_000) as url, pytest.raises(TooLargeError) as caught:
        read_recording(
            url, page=page, headers={"Authorization": f"Bearer {TOKEN}"}, max_bytes=1_000
        )
    assert caught.value.hint == hint
    assert "more than 1,000 bytes" in str(caught.value)
