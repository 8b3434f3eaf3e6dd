"""Stacks as text, over both forms of the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernels.conftest import LoadKernel

Row = dict[str, Any]
FIELDS = ("id", "parent", "flags", "status", "stack", "creator", "labels", "ancestors")
HEADER = b"goroutine 18 [chan receive]:\n"
FRAME = b"main.wait(0x1)\n\t/src/main.go:12 +0x1d\n"
CREATED = b"created by main.start in goroutine 7\n\t/src/main.go:7 +0x35\n"
WHOLE = HEADER + FRAME + CREATED


def read(kernel: LoadKernel, text: bytes, *, cuts: tuple[int, ...] = ()) -> tuple[list[Row], int]:
    """The goroutines of a text that comes in pieces, and the one it is cut off in."""
    scanner = kernel("stacktext").Scanner(7)
    rest = b""
    for first, last in zip((0, *cuts), (*cuts, len(text)), strict=True):
        data = rest + text[first:last]
        used = scanner.feed(np.frombuffer(data, np.uint8))
        rest = data[used:]
    scanner.feed(np.frombuffer(rest, np.uint8), last=True)
    cut = scanner.end(whole=text.endswith(b"\n"))
    texts = scanner.texts()
    rows = []
    for column in scanner.columns().T.tolist():
        row: Row = dict(zip(FIELDS, column, strict=True))
        for name in FIELDS[3:]:
            row[name] = texts[row[name]].decode("latin-1") if row[name] >= 0 else None
        rows.append(row)
    return rows, cut


@pytest.mark.parametrize(
    ("header", "id_", "status", "labels"),
    [
        ("goroutine 1 [running]:", 1, "running", None),
        ("goroutine 18 [chan receive, 5 minutes]:", 18, "chan receive, 5 minutes", None),
        ("goroutine 5 [select, locked to thread]:", 5, "select, locked to thread", None),
        ("goroutine 5 [chan send (nil chan)]:", 5, "chan send (nil chan)", None),
        ("goroutine 0 gp=0xa2 m=0 mp=0xa3 [idle]:", 0, "idle", None),
        ("goroutine 9 gp=0xc000 m=nil [sleep (scan)]:", 9, "sleep (scan)", None),
        ("goroutine 9 [select (leaked)]:", 9, "select (leaked)", None),
        ('goroutine 9 [select labels:{"a": "b]:"}]:', 9, "select", '{"a": "b]:"}'),
        ("goroutine 9 [sleep (durable), synctest bubble 3]:", 9,
         "sleep (durable), synctest bubble 3", None),
        ("goroutine 999999999999999999 [select]:", 999999999999999999, "select", None),
        ("goroutine 18 [select]:\r", 18, "select", None),
    ],
)  # fmt: skip
def test_headers(
    kernel: LoadKernel, header: str, id_: int, status: str, labels: str | None
) -> None:
    (row,), cut = read(kernel, header.encode() + b"\n" + FRAME)
    assert (row["id"], row["status"], row["labels"]) == (id_, status, labels)
    assert cut == 0


@pytest.mark.parametrize(
    "line",
    [
        "goroutine",
        "goroutine 1 running:",
        "goroutine x [running]:",
        "goroutine 1 [running]",
        "goroutine 9999999999999999999 [select]:",
        "[originating from goroutine 1]:",
        "goroutine profile: total 3",
        f"goroutine 1 {'x' * 200} [running]:",
    ],
)
def test_what_is_no_header(kernel: LoadKernel, line: str) -> None:
    assert read(kernel, line.encode() + b"\n" + FRAME) == ([], 0)


def test_frames_and_creator(kernel: LoadKernel) -> None:
    (row,), cut = read(kernel, WHOLE)
    assert row["stack"] == "main.wait\n/src/main.go:12\n"
    assert row["creator"] == "main.start\n/src/main.go:7\n"
    assert row["parent"] == 7
    assert cut == 0


@pytest.mark.parametrize(
    ("line", "function"),
    [
        ("net/http.(*conn).serve(0xc0001, {0x1, 0x2})", "net/http.(*conn).serve"),
        ("main.F[...](...)", "main.F[...]"),
        ("main.F[go.shape.struct { A int }_0](0x1)", "main.F[go.shape.struct { A int }_0]"),
        ("main.main.func1.(*T).M.2(...)", "main.main.func1.(*T).M.2"),
        ("my_c_function", "my_c_function"),
        ("main.f()\r", "main.f"),
    ],
)
def test_functions(kernel: LoadKernel, line: str, function: str) -> None:
    (row,), _ = read(kernel, HEADER + f"{line}\n\t/src/x.go:3 +0x1\n".encode())
    assert row["stack"] == f"{function}\n/src/x.go:3\n"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("/src/a b.go:3 +0x1", "/src/a b.go:3"),
        ("C:/src/x.go:3 +0x1 fp=0xc1 sp=0xc2 pc=0xc3", "C:/src/x.go:3"),
        ("/src/x.go:3", "/src/x.go:3"),
        ("/src/x.c:3 pc=0x1234", "/src/x.c:3"),
        ("_cgo_gotypes.go:45 +0x1\r", "_cgo_gotypes.go:45"),
    ],
)
def test_places(kernel: LoadKernel, line: str, place: str) -> None:
    (row,), _ = read(kernel, HEADER + f"main.f()\n\t{line}\n".encode())
    assert row["stack"] == f"main.f\n{place}\n"


def test_elided_frames_and_a_stack_that_is_not_there(kernel: LoadKernel) -> None:
    text = HEADER + FRAME + b"...23 frames elided...\n" + FRAME + CREATED
    text += b"\ngoroutine 2 [running]:\n\tgoroutine running on other thread; stack unavailable\n"
    (deep, away), cut = read(kernel, text + CREATED)
    assert deep["stack"] == "main.wait\n/src/main.go:12\n...\n\nmain.wait\n/src/main.go:12\n"
    assert (deep["flags"], away["flags"]) == (1, 2)
    assert (away["stack"], away["creator"]) == ("", "main.start\n/src/main.go:7\n")
    assert cut == 0


def test_ancestors(kernel: LoadKernel) -> None:
    origin = b"[originating from goroutine 7]:\nmain.start(...)\n\t/src/main.go:8 +0x35\n"
    older = b"created by main.init\n\t/src/main.go:2 +0x3\n"
    (row, after), _ = read(kernel, WHOLE + origin + older + origin + b"\n" + WHOLE)
    assert row["stack"] == after["stack"] == "main.wait\n/src/main.go:12\n"
    assert row["creator"] == after["creator"] == "main.start\n/src/main.go:7\n"
    assert row["ancestors"] == (
        "main.start\n/src/main.go:8\nmain.init\n/src/main.go:2\n***\n\nmain.start\n/src/main.go:8\n"
    )
    assert after["ancestors"] is None


@pytest.mark.parametrize(
    "noise",
    [
        b"2026/01/02 03:04:05 listening (on all) of them\n",
        b"panic: boom\n\n",
        b"exit status 2\nrax    0x0\n",
        b"\tat com.example.Main(Main.java:12)\n",
        b'{"level":"info","msg":"x"}\n',
        b"\xff\xfe\0\n",
    ],
)
def test_lines_before_between_and_after(kernel: LoadKernel, noise: bytes) -> None:
    text = noise + WHOLE + noise + WHOLE + b"\n" + noise
    rows, cut = read(kernel, text)
    assert [row["stack"] for row in rows] == ["main.wait\n/src/main.go:12\n"] * 2
    assert cut == 0


def test_a_line_of_a_log_within_a_stack(kernel: LoadKernel) -> None:
    text = HEADER + FRAME.replace(b"\n\t", b"\n2026/01/02 another thread (writes)\n\t") + CREATED
    (row,), _ = read(kernel, text)
    assert row["stack"] == "main.wait\n/src/main.go:12\n"


def test_prefixes(kernel: LoadKernel) -> None:
    """Of containers every line has one; of Go's log package only the header's line."""
    whole = HEADER + FRAME + CREATED + b"\n"
    every = b"".join(b"2026-01-02T03:04:05Z stderr F " + line for line in whole.splitlines(True))
    first = b"2026/01/02 03:04:05 " + whole
    indented = b"    x_test.go:12: " + whole.replace(b"\n", b"\n        ").rstrip(b" ")
    rows, _ = read(kernel, every + first + indented + whole)
    assert len(rows) == 4
    assert len({(row["stack"], row["creator"], row["parent"]) for row in rows}) == 1


@pytest.mark.parametrize(
    "prefixes",
    [
        # Of containers: times as Go writes them leave out zeros at the end.
        [b"2026-01-02T03:04:05.12345Z stderr F ", b"2026-01-02T03:04:05.1234567Z stderr F ",
         b"2026-01-02T03:04:05.9Z stderr F ", b"2026-01-02T03:04:06Z stderr F "],
        [b"2026-01-02T03:04:05Z stderr F ", b"2026-01-02T03:04:05.1234Z stderr F "],
        [b"2026-01-02T03:04:05.5+01:00 ", b"2026-01-02T03:04:05.25+01:00 "],
        [b"Jan  2 23:59:59 host svc[99]: ", b"Jan  3 00:00:00 host svc[100]: "],
        [b"svc-1  | ", b"svc-1  | "],
        [b"9.5 err: ", b"10 err: ", b"10.25 err: "],
    ],
)  # fmt: skip
def test_prefixes_of_varying_width(kernel: LoadKernel, prefixes: list[bytes]) -> None:
    whole = HEADER + FRAME + CREATED + b"\n"
    lines = (whole + whole).splitlines(True)
    text = b"".join(prefixes[i % len(prefixes)] + line for i, line in enumerate(lines))
    stripped = b"\n".join(line.rstrip(b" ") for line in text.split(b"\n"))
    expected, _ = read(kernel, whole)
    for each in (text, stripped):
        rows, cut = read(kernel, each)
        assert rows == expected * 2
        assert cut == 0


@pytest.mark.parametrize("length", range(1, len(WHOLE)))
def test_cut_off_anywhere(kernel: LoadKernel, length: int) -> None:
    """A goroutine that is not whole is not there, and it is said which; nothing is invented."""
    rows, cut = read(kernel, WHOLE + b"\n" + WHOLE[:length])
    assert rows[0]["creator"] == "main.start\n/src/main.go:7\n"
    frames = WHOLE[:length].endswith(b"0x1d\n")
    whole = length >= len(WHOLE) - 3
    assert len(rows) == (2 if frames or whole else 1)
    assert cut == (0 if len(rows) == 2 or length < len(HEADER) - 1 else 18)


def test_a_pasted_panic_has_no_last_line_end(kernel: LoadKernel) -> None:
    rows, cut = read(kernel, b"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:1 +0x1")
    assert len(rows) == 1
    assert cut == 0


def test_more_different_texts_than_there_is_room_for_at_first(kernel: LoadKernel) -> None:
    parts = [WHOLE.replace(b"18", b"%d" % i).replace(b"wait", b"wait%d" % i) for i in range(1500)]
    rows, _ = read(kernel, b"\n".join(parts) + b"\n" + b"\n".join(parts))
    assert [row["id"] for row in rows] == [*range(1500)] * 2
    assert all(row["stack"] == f"main.wait{row['id']}\n/src/main.go:12\n" for row in rows)


def test_a_stack_that_is_longer_than_any(kernel: LoadKernel) -> None:
    frame = b"main.%s(0x1)\n\t/src/main.go:12 +0x1d\n" % (b"x" * 60_000)
    (row, after), _ = read(kernel, HEADER + frame * 6 + CREATED + b"\n" + WHOLE)
    assert row["flags"] == 4
    assert len(row["stack"]) < 1 << 18
    assert after["stack"] == "main.wait\n/src/main.go:12\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(cuts=st.lists(st.integers(0, 400), max_size=6), data=st.data())
def test_pieces_do_not_matter(kernel: LoadKernel, cuts: list[int], data: st.DataObject) -> None:
    text = b"log\n" + WHOLE + b"\n" + HEADER + FRAME * 3 + CREATED + b"more\n\n" + WHOLE
    places = tuple(sorted(min(cut, len(text)) for cut in cuts))
    assert read(kernel, text, cuts=places) == read(kernel, text)


_NAME = st.text("abcdefXYZ0123456789_", min_size=1, max_size=8)
_FRAMES = st.lists(st.tuples(_NAME, _NAME, st.integers(1, 9999)), min_size=1, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    goroutines=st.lists(
        st.tuples(st.integers(1, 10**9), st.sampled_from(["select", "chan send"]), _FRAMES),
        max_size=6,
    )
)
def test_round_trips(
    kernel: LoadKernel, goroutines: list[tuple[int, str, list[tuple[str, str, int]]]]
) -> None:
    written = "\n".join(
        f"goroutine {number} [{state}]:\n"
        + "".join(
            f"p.{name}(0x1, {{0x2?}})\n\t/{file}.go:{line} +0x1\n" for name, file, line in frames
        )
        for number, state, frames in goroutines
    )
    rows, cut = read(kernel, written.encode())
    assert cut == 0
    assert [(row["id"], row["status"], row["stack"]) for row in rows] == [
        (number, state, "".join(f"p.{name}\n/{file}.go:{line}\n" for name, file, line in frames))
        for number, state, frames in goroutines
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    parts=st.lists(
        st.sampled_from(
            [HEADER, FRAME, CREATED, b"\n", b"\t", b"created by ", b"[originating from goroutine ",
             b"...", b")", b"(", b":", b"goroutine ", b"]:\n", b"}", b" labels:{", b"\r\n", b"\xff",
             b"main.main\n", b" in goroutine 9", b"x" * 300]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_anything_is_taken(kernel: LoadKernel, parts: list[bytes]) -> None:
    text = b"".join(parts)
    rows, _ = read(kernel, text)
    assert len(rows) <= text.count(b"goroutine ")
