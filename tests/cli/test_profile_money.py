"""`gocost profile top|flame|view --policy`: what a profile costs a month."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.api.profile import profile
from gocost.cli.main import run
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.encoding import encode
from gocost.model.quantity import Money
from tests.fixtures.profiles import recorded
from tests.viewer.running import running

POLICY = """
version: 1
services:
  pay: {package: ./pay, deployment: {replicas: 3}}
  other: {package: ./other}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "gocost.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def report(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert run(["profile", *map(str, words), "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def column(table: dict[str, Any], name: str) -> list[Any]:
    place = [each["name"] for each in table["columns"]].index(name)
    return [row[place] for row in table["rows"]]


def whole(table: dict[str, Any], name: str = "money") -> Decimal:
    return sum((Decimal(cell["amount"]) for cell in column(table, name)), Decimal(0))


def test_the_flame_graph_and_the_table_cost_what_the_bill_says(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded() / "cpu.1.pb.gz"
    bill = gocost.attribute(profiles=[file], policy=policy, service="pay")
    billed = sum(cell.amount for cell in bill.tables["bill"].column("cpu")
                 if isinstance(cell, Money))  # fmt: skip

    found = report(capsys, "flame", file, "--policy", policy, "--service", "pay")

    assert billed > 0
    for name in ("stacks", "functions"):
        assert whole(found["tables"][name]) == pytest.approx(billed, abs=Decimal("1e-8"))
    assert found["subject"] == {"service": "pay"}
    assert found["assumptions"][0].startswith("prices: gocost default, list price (OpenCost")
    assert "x 3 x 730 h x 0.031611 USD/vCPU-hour" in found["assumptions"][0]
    cells = column(found["tables"]["functions"], "money")
    flat = column(found["tables"]["functions"], "flat")
    assert Decimal(cells[0]["amount"]) / billed == pytest.approx(Decimal(flat[0]) / sum(flat))


def test_a_page_carries_money_beside_the_values(policy: Path, tmp_path: Path) -> None:
    page = tmp_path / "flame.html"
    words = ["--policy", str(policy), "--service", "pay", "-o", str(page)]

    assert run(["profile", "flame", str(recorded() / "cpu.1.pb.gz"), *words]) == 0

    text = page.read_text(encoding="utf-8")
    data = json.loads(text.split('<script type="application/json">')[1].split("</script>")[0])
    assert (data["currency"], data["per"], data["unit"]) == ("USD", "/month", "nanoseconds")
    assert sum(data["money"]) > 0
    assert len(data["money"]) == len(data["self"])


def test_the_rows_that_are_not_shown_have_their_money_in_one(policy: Path) -> None:
    found = profile(recorded() / "cpu.1.pb.gz", policy=policy, service="pay", by="filefunction")
    table = next(iter(found.tables.values()))

    every = [cell.amount for cell in table.column("money") if isinstance(cell, Money)]
    rest = table.top(2).rows[-1][table.names().index("money")]

    assert isinstance(rest, Money)
    assert rest.amount == pytest.approx(sum(every[2:]), abs=Decimal("1e-9"))


def test_live_memory_has_a_price_and_what_was_allocated_has_none(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["top", recorded() / "heap.1.pb.gz", "--policy", policy, "--service", "pay"]

    live = report(capsys, *words, "--sample-index", "inuse_space")
    ever = report(capsys, *words, "--sample-index", "alloc_space")
    mean = report(capsys, *words, "--sample-index", "inuse_space", "--mean")

    assert whole(live["tables"]["functions"]) > 0
    assert "USD/GiB-hour" in live["assumptions"][0]
    for other, says in ((ever, "no price for alloc_space"), (mean, "means have no price")):
        names = [each["name"] for each in other["tables"]["functions"]["columns"]]
        assert "money" not in names
        assert other["assumptions"] == []
        (note,) = [note["text"] for note in other["notes"] if "price" in note["text"]]
        assert says in note


def test_several_heap_profiles_cost_what_they_hold_on_average(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [recorded() / f"heap.{number}.pb.gz" for number in (0, 1)]
    words = ["--policy", policy, "--service", "pay", "--sample-index", "inuse_space"]

    alone = [whole(report(capsys, "top", file, *words)["tables"]["functions"]) for file in files]
    both = report(capsys, "top", *files, *words)
    uneven = report(capsys, "top", *files, *words, "--base", files[0])

    assert whole(both["tables"]["functions"]) == pytest.approx(sum(alone) / 2)
    assert any("2 profiles are taken to be of one instance" in text for text in both["assumptions"])
    assert any("2 profiles less 1 have no price" in note["text"] for note in uneven["notes"])


def test_cpu_time_of_other_windows_has_no_price_and_of_equal_ones_it_has(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = recorded()
    words = ["top", folder / "cpu.1.pb.gz", "--policy", policy, "--service", "pay"]

    same = report(capsys, *words, "--base", folder / "cpu.1.pb.gz")
    scaled = report(capsys, *words, "--base", folder / "cpu.0.pb.gz", "--normalize")

    assert whole(same["tables"]["functions"]) == 0
    assert any("drop --normalize" in note["text"] for note in scaled["notes"])


def test_cpu_time_less_that_of_a_window_that_is_not_known_has_no_price(
    policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = recorded() / "cpu.1.pb.gz"
    before = decode(known.read_bytes())
    other = tmp_path / "cpu.pb.gz"
    other.write_bytes(encode(replace(before, header=replace(before.header, duration_ns=0))))
    words = ["--policy", policy, "--service", "pay"]

    for file, base in ((known, other), (other, known)):
        found = report(capsys, "top", file, "--base", base, *words)
        assert any("both windows are known" in note["text"] for note in found["notes"])
        assert "money" not in [each["name"] for each in found["tables"]["functions"]["columns"]]


def test_the_file_of_a_function_stays_beside_its_money(policy: Path) -> None:
    found = profile(recorded() / "cpu.1.pb.gz", policy=policy, service="pay", by="filefunction")
    ((name, table),) = found.tables.items()

    assert found.layout.columns[name][:4] == ("function", "file", "flat", "money")
    assert set(found.layout.columns[name]) <= set(table.names())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--service", "pay"], "--service needs a policy"),
        (["--policy", "gone.yaml"], "gone.yaml"),
    ],
)
@pytest.mark.parametrize("command", ["top", "flame", "view", "tree", "tags"])
def test_a_policy_that_is_wrong_is_said(
    command: str, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["profile", command, str(recorded() / "cpu.1.pb.gz"), *words]) == 2

    assert says in capsys.readouterr().err


def test_the_pages_of_a_server_have_it_and_the_graph_goes_without(policy: Path) -> None:
    file = str(recorded() / "cpu.1.pb.gz")
    with running("profile", "view", file, "--policy", str(policy), "--service", "pay") as server:
        flame = json.loads(server.ask("/flame?format=json").text)
        focused = json.loads(server.ask("/top?format=json&sample_index=samples").text)

        assert whole(flame["tables"]["stacks"]) > 0
        assert any("no price for samples" in note["text"] for note in focused["notes"])
        assert server.ask("/graph").status in (200, 400)  # 400 where there is no Graphviz
