"""Groups of one dump, and what comes and goes between dumps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gocost.analyses.goroutines.groups import MAX_GROUPS, Dumps, Group, Interval, group
from gocost.formats.goroutine_dump.decoding import decode
from gocost.formats.goroutine_dump.dump import Form
from gocost.model.errors import FormatError
from tests.analyses.goroutines.dumps import dump, written


def leak(groups: list[Group], function: str = "main.leak.func1") -> Group:
    (found,) = [each for each in groups if each.stack and each.stack[0].function == function]
    return found


def test_groups_are_by_creator_stack_and_state() -> None:
    one = written([10, 11], state="chan send, 3 minutes")
    other = written([12], creator="main.other")
    third = written([13], state="select")
    groups = group(Dumps([dump(one, other, third, written([14], state="chan send, 9 minutes"))]))
    assert [(each.count, each.state, each.oldest_minutes) for each in groups] == [
        (3, "chan send", 9),
        (1, "IO wait", 0),
        (1, "select", 0),
        (1, "chan send", 0),
    ]
    assert groups[0].creator[0].function == "main.leak"
    assert groups[0].growth is None


def test_certain_ones_stand_apart() -> None:
    text = written([10], state="select (leaked)") + written([11, 12], state="select")
    groups = group(Dumps([dump(text)]))
    assert [(each.count, each.certain, each.leaked) for each in groups[:3]] == [
        (2, False, 0),
        (1, True, 1),
        (1, False, 0),
    ]


@pytest.mark.parametrize(
    ("state", "certain"),
    [
        ("chan send (nil chan)", True),
        ("chan receive (nil chan)", True),
        ("select (no cases)", True),
        ("select", False),
        ("chan receive, 1440 minutes", False),
        ("sleep (leaked)", True),
    ],
)
def test_what_is_certain(state: str, certain: bool) -> None:
    assert leak(group(Dumps([dump(written([10], state=state))]))).certain is certain


def test_an_empty_select_in_main_is_none() -> None:
    text = "goroutine 1 [select (no cases)]:\nmain.main()\n\t/src/main.go:1 +0x1\n"
    (only,) = group(Dumps([decode([text.encode()])]))
    assert not only.certain


def test_arrivals_and_departures() -> None:
    """Given 10 to 14; then 12 to 17; then 14 and 17 to 19: ids tell who came and who left."""
    found = Dumps([dump(written(range(10, 15))), dump(written(range(12, 18))),
                   dump(written([14, 17, 18, 19]))], every=5.0)  # fmt: skip
    seen = leak(group(found))
    assert seen.counts == (5, 6, 4)
    assert seen.growth == -1
    assert seen.intervals == (Interval(3, 2), Interval(2, 4))
    assert seen.gone == 2  # 15 and 16 came in the first interval and are not in the third dump


def test_a_goroutine_that_waits_elsewhere_has_left() -> None:
    moved = written([10], function="main.leak.func2")
    seen = leak(group(Dumps([dump(written([10])), dump(moved)])), "main.leak.func2")
    assert seen.intervals == (Interval(1, 0),)


def test_who_stands_at_the_same_place_in_dumps_apart_seems_to_have_waited() -> None:
    found = [dump(written([10, 11])), dump(written([10, 11, 12])), dump(written([10, 12, 13]))]
    groups = {limit: leak(group(Dumps(found, 5.0), older_than=limit)) for limit in (4, 6, 11)}
    assert {limit: each.waited for limit, each in groups.items()} == {4: 2, 6: 1, 11: 0}
    assert {limit: each.seeming for limit, each in groups.items()} == {4: 2, 6: 1, 11: 0}
    assert {(each.seen, each.longest) for each in groups.values()} == {(10.0, 0.0)}
    assert leak(group(Dumps(found), older_than=4)).waited == 0, "the time between is not known"


@pytest.mark.parametrize("state", ["sleep", "running", "runnable"])
def test_who_sleeps_or_runs_in_every_dump_has_not_waited(state: str) -> None:
    found = Dumps([dump(written([10], state=state)), dump(written([10], state=state))], 60.0)
    seen = leak(group(found, older_than=5.0))
    assert (seen.waited, seen.seen) == (0, None)


def test_who_waited_longer_in_an_earlier_dump_has_begun_anew() -> None:
    states = ("select, 4 minutes", "select", "select, 1 minutes")
    worker = [dump(written([10], state=state)) for state in states]
    assert leak(group(Dumps(worker[:2], 5.0), older_than=5.0)).waited == 0
    assert leak(group(Dumps(worker[1:], 60.0), older_than=5.0)).waited == 1
    assert leak(group(Dumps(worker, 30.0), older_than=5.0)).seen == 30.0


def test_what_the_runtime_timed_is_known_whatever_stood_where() -> None:
    found = Dumps([dump(written([10], state="sleep, 2 minutes"))] * 2, 5.0)
    seen = leak(group(found, older_than=5.0))
    assert (seen.waited, seen.seeming, seen.longest) == (1, 0, 120.0)


def test_waiting_is_known_in_minutes_from_one_dump() -> None:
    text = written([10], state="select, 2 minutes") + written([11], state="select")
    seen = {
        limit: leak(group(Dumps([dump(text)]), older_than=limit)).waited for limit in (5, 120, 121)
    }
    assert seen == {5: 1, 120: 1, 121: 0}


def test_dumps_without_ids_tell_only_how_many() -> None:
    one, two = (
        decode(
            [f"goroutine profile: total {n}\n{n} @ 0x1\n#\t0x1\tmain.f+0x1\t/m.go:3\n\n".encode()]
        )
        for n in (3, 12)
    )
    (seen,) = group(Dumps([one, two], 5.0))
    assert (seen.counts, seen.growth, seen.intervals) == ((3, 12), 9, ())
    assert (seen.state, seen.oldest_minutes) == (None, None)


def test_without_ids_what_grew_is_counted_once() -> None:
    one = dump(written(range(10, 13)))
    two = dump(written(range(10, 15), state="chan send (leaked)") + written([15, 16]))
    certain, others = group(Dumps([dump(), one, replace(two, form=Form.GROUPED)]))[:2]
    assert (certain.counts, certain.growth, certain.certain) == ((0, 3, 7), 7, True)
    assert (others.counts, others.growth, others.count) == ((), None, 2)


def test_the_largest_first_and_the_sum_is_all() -> None:
    text = "".join(written(range(k * 100, k * 100 + k), creator=f"main.c{k}") for k in range(1, 9))
    one = dump(text)
    groups = group(Dumps([one]))
    assert [each.count for each in groups][:3] == [8, 7, 6]
    assert sum(each.count for each in groups) == one.total == 37


def test_more_groups_than_any_service_has() -> None:
    text = "".join(
        f"goroutine {n} [select]:\nmain.f{n}()\n\t/m.go:1 +0x1\n\n" for n in range(MAX_GROUPS + 1)
    )
    with pytest.raises(FormatError, match=r"more than 100,000 groups of goroutines differ; cut"):
        group(Dumps([decode([text.encode()])]))
