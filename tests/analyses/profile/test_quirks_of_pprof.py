"""Corners of pprof that real profiles seldom show: each was found by comparing random ones."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from gocost.api.profile import profile
from tests.analyses.profile.peer import compared
from tests.fixtures.profiles import field, message, recorded, small, varint
from tests.fixtures.random_profiles import random_options, random_profile

Fields = dict[str, list[bytes]]
RANDOM = 250


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_row_without_a_name_is_unknown(tmp_path: Path) -> None:
    def nameless(fields: Fields) -> None:
        fields["functions"] = [field(5, message((1, 1)))]

    assert compared([written(tmp_path, "a", small(nameless))]) == 1


def test_columns_are_told_apart_by_address(tmp_path: Path) -> None:
    def columned(fields: Fields) -> None:
        lines = [(4, message((1, 1), (2, 7), (3, column))) for column in (3, 5)]
        fields["locations"][1] = field(4, message((1, 2), (2, 1), (3, 0x400020), *lines))

    path = written(tmp_path, "a", small(columned))
    for noinlines in ({}, {"noinlines": True}):
        for showcolumns in ({}, {"showcolumns": True}):
            for granularity in ("addresses", "lines"):
                compared([path], {"granularity": granularity, **noinlines, **showcolumns})


def test_means_are_sorted_by_what_they_are_means_of(tmp_path: Path) -> None:
    def two_types(fields: Fields) -> None:
        fields["types"] = [field(1, message((1, 7), (2, 7))), *fields["types"]]
        fields["functions"].append(field(5, message((1, 2), (2, 4))))
        fields["locations"][1] = field(4, message((1, 2), (4, message((1, 2)))))
        fields["samples"] = [
            field(2, message((1, at), (2, varint(count) + varint(sum_))))
            for at, count, sum_ in ((1, 100, 1000), (2, 1, 20))
        ]

    assert compared([written(tmp_path, "a", small(two_types))], {"mean": True}) == 2


def test_numbers_of_a_key_have_a_unit_where_any_of_a_sample_has(tmp_path: Path) -> None:
    def numbers(fields: Fields) -> None:
        tags = [(3, message((1, 7), (3, 4096), (4, 7))), (3, message((1, 7), (3, -5)))]
        fields["samples"] = [field(2, message((1, 1), (2, 1), *tags)),
                             field(2, message((1, 1), (2, 1), tags[1]))]  # fmt: skip

    assert compared([written(tmp_path, "a", small(numbers))], {"tagroot": "bytes"}) == 3


@pytest.mark.parametrize("options", [{"hide": ".*"}, {"ignore": "^$"}, {"focus": "x|"}])
def test_code_without_any_mappings_is_in_one_without_a_name(
    options: dict[str, Any], tmp_path: Path
) -> None:
    def unmapped(fields: Fields) -> None:
        fields["mappings"] = []
        fields["locations"] = [field(4, message((1, 1), (3, 16))), field(4, message((1, 2)))]

    bare, plain = written(tmp_path, "a", small(unmapped)), written(tmp_path, "b", small())
    compared([bare], options)
    compared([bare, plain], options)
    compared([plain], options, base=bare)


def test_of_equal_mappings_the_one_that_is_met_first_is_shown(tmp_path: Path) -> None:
    def moved(fields: Fields) -> None:
        fields["strings"].append(field(6, "/bin/other"))
        same = [(2, 0x800000), (3, 0x900000), (5, 10), (6, 9)]
        unlike = field(3, message((1, 5), (2, 1), (3, 2)))
        fields["mappings"] = [unlike, *fields["mappings"], field(3, message((1, 2), *same))]
        fields["locations"] = [field(4, message((1, 1), (2, 2), (3, 0x800010))),
                               field(4, message((1, 2), (2, 1), (3, 0x400020)))]  # fmt: skip

    one, other = written(tmp_path, "a", small(moved)), written(tmp_path, "b", small())
    for options in ({"granularity": "addresses"}, {"granularity": "files"}):
        assert compared([one, other], options) > 1
        assert compared([other, one], options) > 1
        compared([one], options, base=other, of_base=True)


@pytest.mark.parametrize(("drop", "keep"), [("main(", ""), ("main.*", "("), ("main.*", "x")])
def test_what_a_profile_drops_may_be_no_expression(drop: str, keep: str, tmp_path: Path) -> None:
    def declared(fields: Fields) -> None:
        fields["strings"] += [field(6, drop), field(6, keep)]
        fields["rest"] += [field(7, 10), field(8, 11)]

    assert compared([written(tmp_path, "a", small(declared))]) == 1


def test_the_number_of_a_label_with_a_text_tells_no_samples_apart(tmp_path: Path) -> None:
    def numbered(number: int) -> bytes:
        tag = message((1, 5), (2, 6), (3, number))
        sample = field(2, message((1, 1), (2, 7), (3, tag)))
        return small(lambda fields: fields.update(samples=[sample]))

    one, other = written(tmp_path, "a", numbered(4)), written(tmp_path, "b", numbered(5))
    assert compared([one], base=other) == 0


def test_random_profiles_and_options(tmp_path: Path) -> None:
    alike = 0
    for seed in range(RANDOM):
        rng = random.Random(seed)
        data, types = random_profile(rng)
        files = [written(tmp_path, "a", data)]
        more: dict[str, Any] = {}
        if rng.random() < 0.4:
            other = written(tmp_path, "b", random_profile(rng, types)[0])
            how = rng.choice(("merge", "base", "base", "diff"))
            if how == "merge":
                files.append(other)
            else:
                more = {"base": other, "of_base": how == "diff", "normalize": rng.random() < 0.3}
        try:
            alike += compared(files, random_options(rng), **more) > 0
        except pytest.fail.Exception as failure:
            pytest.fail(f"random profile {seed}: {failure.msg}")
    assert alike > RANDOM // 4


def test_the_shares_of_means_are_not_added_up() -> None:
    """pprof prints their sum, which is a share of nothing (`343695.90% of 195B total`)."""
    found = profile(recorded() / "heap.1.pb.gz", mean=True, sample_index="alloc_space")

    table = found.tables["functions"]
    last = dict(zip(table.names(), table.top(1).rows[-1], strict=True))

    assert len(table.rows) > 2
    assert [last[name] for name in table.names()[1:]] == [None] * 4
