"""Several dumps in one file are taken apart; logs of JSON are read."""

from __future__ import annotations

import json

import pytest

from gocost.formats.goroutine_dump import json_lines
from gocost.formats.goroutine_dump.decoding import decode, decode_all
from gocost.model.errors import FormatError
from tests.fixtures.dumps import shared

BODY = """main.f(0x1)
\t/src/main.go:12 +0x1d
created by main.g in goroutine 1
\t/src/main.go:7 +0x3
"""


def page(*goroutines: tuple[int, str]) -> str:
    return "\n".join(f"goroutine {number} [{state}]:\n{BODY}" for number, state in goroutines)


def ids(text: str) -> list[list[int]]:
    return [dump.id.tolist() for dump in decode_all([text.encode()])]


FIRST = page((9, "running"), (1, "select"), (5, "sleep"), (3, "sleep"))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([FIRST], [[9, 1, 5, 3]]),
        # The goroutine that asked for the second page is a new one, or the same.
        ([FIRST, page((12, "running"), (1, "select"), (7, "sleep"))], [[9, 1, 5, 3], [12, 1, 7]]),
        ([FIRST, page((9, "running"), (1, "select"))], [[9, 1, 5, 3], [9, 1]]),
        ([FIRST] * 3, [[9, 1, 5, 3]] * 3),
        # SIGQUIT writes threads as number 0, which is none.
        ([page((0, "idle"), (1, "select"), (0, "idle"), (2, "sleep"))], [[0, 1, 0, 2]]),
        ([page((0, "idle"), (1, "select"), (2, "sleep"))] * 2, [[0, 1, 2]] * 2),
        ([page((1, "select"), (2, "running"))] * 2, [[1, 2], [1, 2]]),
    ],
)
def test_dumps_behind_each_other(texts: list[str], expected: list[list[int]]) -> None:
    assert ids("\n".join(texts)) == expected
    assert ids("2026/01/02 SIGQUIT\n\n".join(f"{text}\n" for text in texts)) == expected


def test_a_goroutine_of_another_thread_is_shown_again_with_its_stack() -> None:
    text = (
        "goroutine 1 [running]:\n\tgoroutine running on other thread; stack unavailable\n\n"
        f"{page((2, 'select'))}\n-----\n\n{page((1, 'running'))}"
    )
    (dump,) = decode_all([text.encode()])
    assert dump.id.tolist() == [2, 1]
    assert len(dump.frames(int(dump.stack[1]))) == 1


def test_only_the_last_one_is_cut_off() -> None:
    text = f"{FIRST}\n{FIRST}"[:-40]
    whole, cut = decode_all([text.encode()])
    assert whole.lost == ""
    assert "cut off in goroutine 3" in cut.lost
    assert cut.id.tolist() == [9, 1, 5]


def test_as_one_they_have_all_rows() -> None:
    assert decode([f"{FIRST}\n{FIRST}".encode()]).total == 8


def test_grouped_pages() -> None:
    one = "goroutine profile: total 2\n2 @ 0x1\n#\t0x1\tmain.f+0x1\t/src/main.go:1\n\n"
    dumps = decode_all([(one + one.replace("total 2\n2", "total 5\n5")).encode()])
    assert [dump.total for dump in dumps] == [2, 5]
    assert all(not dump.lost for dump in dumps)


@pytest.mark.parametrize("key", ["log", "msg", "message", "MESSAGE"])
@pytest.mark.parametrize("whole", [False, True])
def test_logs_of_json(key: str, whole: bool) -> None:
    text = shared("1.net.http.pprof.goroutine.debug2.txt")
    plain = decode([text])
    lines = [text.decode()] if whole else text.decode().splitlines(keepends=key == "log")
    log = "".join(json.dumps({"time": "now", key: line, "n": 1}) + "\n" for line in lines)
    raw = log.encode()

    found = decode([raw[i : i + 1000] for i in range(0, len(raw), 1000)])

    assert found.id.tolist() == plain.id.tolist()
    assert [found.text(n) for n in found.stack.tolist()] == [
        plain.text(n) for n in plain.stack.tolist()
    ]
    assert found.lost == plain.lost


def test_json_that_is_no_log_or_is_broken() -> None:
    bytes_of = [10, *b"goroutine 7 [select]:"]
    text = (
        '{"log": 5}\n{"log": broken\n{"level": "info"}\n'
        + json.dumps({"MESSAGE": bytes_of}) + "\n"
        + "".join(json.dumps({"log": line}) + "\n" for line in BODY.splitlines())
    )  # fmt: skip
    assert decode([text.encode()]).id.tolist() == [7]
    with pytest.raises(FormatError, match="JSON, not a goroutine dump"):
        decode([b'{"log": "nothing here"}\n'])


def test_a_line_of_json_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_LINE", 1 << 12)
    with pytest.raises(FormatError, match="cut the file into parts"):
        decode([b'{"log": "' + b"x" * (1 << 17), b'"}'])
