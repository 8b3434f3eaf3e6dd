"""Money in the views beside `top` and `flame`: callers, source lines, instructions, labels."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gocost.cli.main import run
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.encoding import encode
from tests.cli.test_profile_money import POLICY, column, report, whole
from tests.fixtures.profiles import recorded

VIEWS = {
    "tree": (["tree"], ["calls"]),
    "peek": (["peek", "main.burn"], ["calls"]),
    "list": (["list", "main.burn"], ["routines", "lines"]),
    "disasm": (["disasm", "main.burn"], ["routines", "instructions"]),
    "weblist": (["weblist", "main.burn"], ["routines", "listing"]),
    "tags": (["tags"], ["labels"]),
}
"""By view: its command, and its tables."""


@pytest.fixture
def paid(tmp_path: Path) -> list[object]:
    path = tmp_path / "gocost.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return ["--policy", path, "--service", "pay"]


def amounts(table: dict[str, Any], name: str) -> list[Decimal | None]:
    return [None if cell is None else Decimal(cell["amount"]) for cell in column(table, name)]


@pytest.mark.parametrize("view", VIEWS)
def test_every_value_has_what_it_costs(
    view: str, paid: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded() / "cpu.1.pb.gz"
    command, tables = VIEWS[view]
    top = report(capsys, "top", file, *paid)
    functions = top["tables"]["functions"]
    a_nanosecond = whole(functions) / sum(column(functions, "flat"))

    found = report(capsys, *command, file, *paid)

    assert (found["subject"], found["assumptions"]) == (top["subject"], top["assumptions"])
    assert found["layout"]["title"] == top["layout"]["title"]
    for name in tables:
        table = found["tables"][name]
        of = {each["name"] for each in table["columns"]}
        pairs = [(amount, money) for amount, money in (
            ("flat", "money"), ("value", "money"), ("cumulative", "money_cumulative")
        ) if amount in of]  # fmt: skip
        assert pairs
        for amount, money in pairs:
            values = column(table, amount)
            assert any(values)
            for value, cost in zip(values, amounts(table, money), strict=True):
                if value is None:
                    assert cost is None
                else:
                    assert cost == pytest.approx(value * a_nanosecond, abs=Decimal("1e-9"))


def test_a_function_costs_what_the_table_of_functions_says(
    paid: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded() / "cpu.1.pb.gz"
    functions = report(capsys, "top", file, *paid)["tables"]["functions"]
    at = column(functions, "function").index("main.burn")
    wanted = [amounts(functions, name)[at] for name in ("money", "money_cumulative")]

    calls = report(capsys, "peek", "^main.burn$", file, *paid)["tables"]["calls"]
    routines = report(capsys, "list", "^main.burn$", file, *paid)["tables"]["routines"]

    itself = column(calls, "role").index("itself")
    assert [amounts(calls, name)[itself] for name in ("money", "money_cumulative")] == wanted
    assert amounts(routines, "money") == wanted[:1]


@pytest.mark.parametrize("view", VIEWS)
def test_what_has_no_price_says_so_and_has_no_column(
    view: str, paid: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    command, tables = VIEWS[view]
    words = [*command, recorded() / "cpu.1.pb.gz", *paid, "--sample-index", "samples"]

    found = report(capsys, *words)

    (told,) = [note["text"] for note in found["notes"] if "price" in note["text"]]
    assert told == "there is no price for samples: cpu and inuse_space (--sample-index) have one"
    assert found["assumptions"] == []
    for name in tables:
        columns = [each["name"] for each in found["tables"][name]["columns"]]
        assert not [each for each in columns if each.startswith("money")]


@pytest.mark.parametrize("view", ["tree", "peek", "list", "disasm", "tags"])
def test_at_80_columns_money_has_room(
    view: str, paid: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command, _ = VIEWS[view]

    assert run(["profile", *map(str, [*command, recorded() / "cpu.1.pb.gz", *paid])]) == 0

    text = capsys.readouterr().out
    assert "money" in text
    assert "USD/month" in text
    assert "no room for" not in text


def test_it_is_in_csv_and_on_the_page(
    paid: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["profile", "peek", "main.burn", str(recorded() / "cpu.1.pb.gz"), *map(str, paid)]

    assert run([*words, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert run([*words, "--format", "html"]) == 0
    page = capsys.readouterr().out

    (itself,) = [row for row in rows if row["role"] == "itself" and row["function"] == "main.burn"]
    assert Decimal(itself["money_cumulative"]) > Decimal(itself["money"]) > 0
    assert itself["money_currency"] == "USD"
    assert "money_cumulative" in page


def test_a_difference_costs_the_change_in_money_everywhere(
    paid: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a profile and, before it, the same with half of every sample, over the same window.
    head = recorded() / "cpu.1.pb.gz"
    before = decode(head.read_bytes())
    before.values[:, 1] //= 2
    base = tmp_path / "base.pb.gz"
    base.write_bytes(encode(before))
    alone = whole(report(capsys, "top", head, *paid)["tables"]["functions"])

    words = [head, "--base", base, *paid]
    top = report(capsys, "top", *words)
    calls = report(capsys, "tree", *words)["tables"]["calls"]
    stacks = report(capsys, "flame", *words)["tables"]["stacks"]

    change = whole(top["tables"]["functions"])
    assert change == pytest.approx(alone / 2)
    assert top["layout"]["title"].endswith(f", +{change:.2f} USD/month")
    own = zip(column(calls, "role"), amounts(calls, "money"), strict=True)
    assert sum(cost or 0 for role, cost in own if role == "itself") == change
    assert whole(stacks) == pytest.approx(alone)
    assert whole(stacks, "money_delta") == pytest.approx(change)
    shares = zip(column(stacks, "delta"), amounts(stacks, "money_delta"), strict=True)
    total = sum(column(stacks, "delta"))
    for delta, cost in shares:
        assert cost == pytest.approx(change * delta / total, abs=Decimal("1e-9"))


def test_the_page_of_a_difference_carries_the_change(paid: list[object], tmp_path: Path) -> None:
    head = recorded() / "cpu.1.pb.gz"
    before = decode(head.read_bytes())
    before.values[:, 1] *= 2
    base, page = tmp_path / "base.pb.gz", tmp_path / "flame.html"
    base.write_bytes(encode(before))

    words = ["flame", head, "--base", base, *paid, "-o", page]
    assert run(["profile", *map(str, words)]) == 0

    text = page.read_text(encoding="utf-8")
    data = json.loads(text.split('<script type="application/json">')[1].split("</script>")[0])
    assert sum(data["change"]) == pytest.approx(-sum(data["money"]))
    assert sum(data["money"]) > 0
