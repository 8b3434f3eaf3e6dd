"""debug=2, panics and logs as columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from gocost.formats.goroutine_dump.decoding import decode
from gocost.formats.goroutine_dump.dump import (
    BUBBLE,
    DURABLE,
    ELIDED,
    LEAKED,
    LOCKED,
    UNAVAILABLE,
    Dump,
    Form,
)
from gocost.formats.goroutine_dump.stacks import CAP, status
from gocost.model.errors import FormatError
from tests.fixtures.dumps import Key, plainly, shared

BODY = """main.f(0x1)
\t/src/main.go:12 +0x1d
created by main.g in goroutine 1
\t/src/main.go:7 +0x3
"""


def keys(dump: Dump) -> Counter[Key]:
    """Goroutines by state, stack and creator, as `plainly` gives them."""
    found: Counter[Key] = Counter()
    for state, stack, creator, count in zip(
        dump.state.tolist(), dump.stack.tolist(), dump.creator.tolist(), dump.count.tolist(),
        strict=True,
    ):  # fmt: skip
        frames = tuple((frame.function, frame.place) for frame in dump.frames(stack))
        made = [(frame.function, frame.place) for frame in dump.frames(creator)] or [("", "")]
        found[dump.text(state), frames, made[0]] += count
    return found


@pytest.mark.parametrize(
    ("brackets", "state", "minutes", "flags"),
    [
        ("running", "running", 0, 0),
        ("chan receive, 5 minutes", "chan receive", 5, 0),
        ("select, 1200 minutes, locked to thread", "select", 1200, LOCKED),
        ("syscall, locked to thread", "syscall", 0, LOCKED),
        ("chan receive (nil chan)", "chan receive (nil chan)", 0, 0),
        ("chan send (nil chan) (leaked)", "chan send (nil chan)", 0, LEAKED),
        ("select (no cases) (leaked) (scan)", "select (no cases)", 0, LEAKED),
        ("sleep (scan), 3 minutes", "sleep", 3, 0),
        ("chan receive (durable), synctest bubble 7", "chan receive", 0, DURABLE | BUBBLE),
        ("sleep, synctest group 7", "sleep", 0, BUBBLE),
        ("GC worker (idle)", "GC worker (idle)", 0, 0),
        ("force gc (idle), 9 minutes", "force gc (idle)", 9, 0),
        ("trace reader (blocked)", "trace reader (blocked)", 0, 0),
        ("GOMAXPROCS updater (idle)", "GOMAXPROCS updater (idle)", 0, 0),
        ("???", "???", 0, 0),
        ("", "", 0, 0),
        ("select, 99999999999 minutes", "select", 0, 0),
    ],
)
def test_brackets(brackets: str, state: str, minutes: int, flags: int) -> None:
    assert status(brackets) == (state, minutes, flags)


def test_columns() -> None:
    text = (
        'goroutine 12 gp=0xc1 m=3 mp=0xc2 [select, 2 minutes labels:{"tenant": "a"}]:\n'
        + BODY
        + "\ngoroutine 13 [running]:\n\tgoroutine running on other thread; stack unavailable\n"
        + "\ngoroutine 14 [sleep]:\nmain.f()\n\t/src/main.go:12 +0x1d\n...7 frames elided...\n"
    )
    dump = decode([text.encode()])
    assert dump.form is Form.STACKS
    assert dump.id.tolist() == [12, 13, 14]
    assert dump.parent.tolist() == [1, 0, 0]
    assert dump.minutes.tolist() == [2, 0, 0]
    assert dump.flags.tolist() == [0, UNAVAILABLE, ELIDED]
    assert dump.text(int(dump.labels[0])) == '{"tenant": "a"}'
    assert [frame.place for frame in dump.frames(int(dump.creator[0]))] == ["/src/main.go:7"]
    assert dump.frames(int(dump.stack[1])) == ()
    assert dump.lost == ""


def test_names_are_unescaped() -> None:
    text = "goroutine 1 [running]:\ngopkg.in/yaml%2ev3.(*T).M()\n\t/src/yaml.go:3 +0x1\n"
    dump = decode([text.encode()])
    assert dump.frames(int(dump.stack[0]))[0].function == "gopkg.in/yaml.v3.(*T).M"


@pytest.mark.parametrize(
    "name",
    [
        "1.net.http.pprof.goroutine.debug2.txt",
        "2.net.http.pprof.goroutine.debug2.txt",
        "goleak.http.go1.20.txt",
        "goleak.http.tracebackancestors.txt",
        "goleak.http.txt",
    ],
)
def test_real_dumps_are_read_as_a_plain_reader_does(name: str) -> None:
    text = shared(name)
    dump = decode([text], origin=name)
    assert keys(dump) == plainly(text.decode())
    assert dump.lost == ""


def test_ancestors_and_parents_of_a_real_dump() -> None:
    dump = decode([shared("goleak.http.tracebackancestors.txt")])
    assert dump.id.tolist()[:3] == [1, 20, 24]
    assert dump.parent.tolist()[:3] == [0, 1, 21]
    assert dump.text(int(dump.ancestors[1])).startswith("main.start\n")
    assert "***\n\nnet/http.(*Transport).queueForDial\n" in dump.text(int(dump.ancestors[2]))


def test_the_runtimes_cap_is_named() -> None:
    one = f"goroutine 7 [select]:\n{BODY}\n".encode()
    text = (one * (CAP // len(one) + 1))[:CAP]

    def pieces() -> Iterator[memoryview]:
        yield from (memoryview(text)[at : at + (1 << 20)] for at in range(0, CAP, 1 << 20))

    dump = decode(pieces())
    assert dump.total == CAP // len(one)
    assert "cuts its text at 64 MiB" in dump.lost
    assert f"the {dump.total:,} that are whole" in dump.lost


def test_a_dump_that_is_cut_off_gives_what_is_whole() -> None:
    text = f"goroutine 7 [select]:\n{BODY}\ngoroutine 8 [select]:\n{BODY}"
    dump = decode([text[:-40].encode()])
    assert dump.id.tolist() == [7]
    assert dump.lost == (
        "the dump is cut off in goroutine 8, which is left out, as is whatever stood behind it; "
        "1 are whole"
    )


def test_a_line_without_an_end_does_not_fill_memory() -> None:
    """Given 64 MiB without a line end between two goroutines, both are there."""
    whole = f"goroutine 7 [select]:\n{BODY}\n".encode()

    def pieces() -> Iterator[bytes]:
        yield whole
        for _ in range(64):
            yield b"x" * (1 << 20)
        yield b"\n" + whole

    assert decode(pieces()).total == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the dump is empty"),
        (b"nothing here\n", "no goroutine in this text"),
        (b"\x7fELF\x02\x01\x01\0", "an executable, not a goroutine dump; see `gocost size`"),
        (b"go 1.26 trace\0\0\0", "an execution trace"),
        (b"<html><body>404</body></html>", "a page of HTML"),
        (b'{"goroutines": []}', "JSON"),
        (b"PK\x03\x04\0\0", "a zip archive"),
        (b"\xfe\xed\0\0\0\1", "something binary"),
        (b"goroutine 1 [running]:\nmain.ma", "cut off in its first goroutine"),
        (b"\x1f\x8bnot gzip really", "gzip stream is damaged"),
    ],
)
def test_the_wrong_kind_of_file_is_named(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode([data])
    assert message in str(caught.value)


def test_larger_than_the_cap() -> None:
    text = f"goroutine 7 [select]:\n{BODY}\n".encode()
    with pytest.raises(FormatError, match="larger than 100 bytes; raise the cap with --max-bytes"):
        decode([text], max_bytes=100)
