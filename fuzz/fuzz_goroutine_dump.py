"""Goroutine dumps in all forms, whole and in pieces, and what is told of them."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.runner import Harness, corpus, main
from gocost.analyses.goroutines.groups import Dumps, group
from gocost.analyses.goroutines.tables import facts, group_table, leak_table
from gocost.analyses.goroutines.verdicts import judge
from gocost.formats.goroutine_dump.decoding import decode, decode_all
from gocost.formats.goroutine_dump.dump import Form
from gocost.model.subject import Subject

MAX_BYTES = 1 << 20


def take(data: bytes) -> None:
    """A dump by itself, then as the last of three; where it is cut does not matter."""
    dump = decode([data], max_bytes=MAX_BYTES)
    assert len(dump.count) == len(dump.id) == len(dump.stack)
    assert dump.total >= 0
    parts = decode_all([data], max_bytes=MAX_BYTES)
    assert dump.form is not Form.STACKS or sum(part.total for part in parts) <= dump.total
    judge(Dumps(parts[-3:], 5.0), group(Dumps(parts[-3:], 5.0), older_than=5.0))
    places = [0, len(data) // 3, len(data) // 2, len(data)]
    pieces = [data[a:b] for a, b in pairwise(places)]
    again = decode(pieces, max_bytes=MAX_BYTES, seed=11)
    assert again.id.tolist() == dump.id.tolist()
    assert again.lost == dump.lost
    for found in (Dumps([dump]), Dumps([again, dump, dump], 5.0)):
        groups = group(found, older_than=5.0)
        assert sum(each.count for each in groups) == dump.total
        judged = judge(found, groups)
        table, _, _ = group_table(judged, older_than=5.0)
        leak_table(judged)
        facts(found, judged, Subject(), "fuzz")
        assert len(table.rows) <= len(groups)


HARNESS = Harness("goroutine_dump", take, corpus("goroutine_dump"))

if __name__ == "__main__":
    main(HARNESS)
