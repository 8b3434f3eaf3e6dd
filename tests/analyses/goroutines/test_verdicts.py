"""Verdicts by METHODS' rules, and what never is a leak."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gocost.analyses.goroutines.allowances import allowing
from gocost.analyses.goroutines.groups import Dumps, group
from gocost.analyses.goroutines.names import entry, package
from gocost.analyses.goroutines.patterns import ALLOWED, PATTERNS
from gocost.analyses.goroutines.verdicts import Judged, Verdict, judge
from gocost.formats.goroutine_dump.decoding import decode
from tests.analyses.goroutines.dumps import dump, written
from tests.fixtures.dumps import program, quit_by_signal


def judged(texts: Sequence[str], function: str = "main.leak.func1", **options: object) -> Judged:
    """What becomes of a group of the last dump."""
    found = Dumps([dump(text) for text in texts], 5.0)
    verdicts = judge(found, group(found), **options)  # type: ignore[arg-type]
    (only,) = [
        each for each in verdicts if each.group.stack[0].function == function and each.group.creator
    ]
    return only


def growing(step: int = 20, start: int = 100, **options: str) -> list[str]:
    return [written(range(start, start + step * n), **options) for n in (1, 2, 3)]


def test_growth_without_departures_is_a_probable_leak() -> None:
    seen = judged(growing())
    assert seen.verdict is Verdict.PROBABLE
    assert seen.evidence == (
        "20 and 20 came and 0 and 0 left in 5 s each; by chance in 2e-09 of cases"
    )
    assert seen.pattern.name == "send that nobody receives"


@pytest.mark.parametrize("dumps", [1, 2])
def test_fewer_dumps_do_not_tell(dumps: int) -> None:
    assert judged(growing()[:dumps]).verdict is Verdict.PARKED


LEAKED = "chan send (leaked)"


def test_who_came_since_the_runtime_looked_is_no_leak_of_its_own() -> None:
    """Given a line that leaks, with one more that came after the collection that found the leak."""
    found = written(range(100, 160), state=LEAKED) + written([160])
    texts = [written(range(100, 120)), written(range(100, 140)), found]
    dumps = Dumps([dump(text) for text in texts], 5.0)
    certain, _, late = judge(dumps, group(dumps))
    assert (certain.verdict, certain.group.count, certain.group.growth) == (Verdict.CERTAIN, 60, 40)
    assert (late.verdict, late.group.count, late.group.growth) == (Verdict.PARKED, 1, 1)


def test_what_grows_beside_certain_ones_is_judged_by_its_own_arrivals() -> None:
    """Given others at the line that something can still reach, and that grow in each interval."""
    texts = [
        written([*range(100, 100 + n), *range(200, 200 + 20 * n)], state="chan send")
        for n in (1, 2)
    ]
    texts.append(written(range(100, 103), state=LEAKED) + written(range(200, 260)))
    dumps = Dumps([dump(text) for text in texts], 5.0)
    others, certain = judge(dumps, group(dumps))[:2]
    assert (certain.verdict, certain.group.count, certain.group.growth) == (Verdict.CERTAIN, 3, 2)
    assert (others.verdict, others.group.count, others.group.growth) == (Verdict.PROBABLE, 60, 40)


def test_few_arrivals_do_not_tell() -> None:
    assert judged(growing(step=7)).verdict is Verdict.PARKED
    assert judged(growing(step=9)).verdict is Verdict.PROBABLE


def test_as_many_leave_as_come() -> None:
    texts = [written(range(first, first + 30)) for first in (100, 120, 140)]
    assert judged(texts).verdict is Verdict.PARKED


def test_growth_in_one_interval_alone_is_none() -> None:
    texts = [written(range(100, 120)), written(range(100, 150)), written(range(100, 152))]
    assert judged(texts).verdict is Verdict.PARKED


def test_what_came_first_must_still_be_there() -> None:
    """Given arrivals in both intervals of which the first are gone, then it is a long task."""
    first, second = range(100, 200), range(200, 260)
    third = [*first, *range(300, 400)]
    assert judged([written(first), written([*first, *second]), written(third)]).verdict is (
        Verdict.PARKED
    )


def test_a_leak_beside_ordinary_traffic_is_found() -> None:
    """Given 50 that come and go in each interval beside 100 that stay."""
    texts, stay = [], 0
    for n in range(3):
        stay += 100
        texts.append(written([*range(1000, 1000 + stay), *range(10000 + n * 50, 10050 + n * 50)]))
    assert judged(texts).verdict is Verdict.PROBABLE


def test_the_limit_is_shared_by_all_groups() -> None:
    """Given ten arrivals among a thousand groups, then chance may well make one of them."""
    others = "".join(
        written([10_000 + n], creator=f"main.other{n}", function=f"main.f{n}") for n in range(1000)
    )
    alone = growing(step=10)
    assert judged(alone).verdict is Verdict.PROBABLE
    assert judged([text + others for text in alone]).verdict is Verdict.PARKED


@pytest.mark.parametrize("state", ["running", "runnable", "syscall"])
def test_what_does_not_wait_is_no_leak(state: str) -> None:
    assert judged(growing(state=state)).verdict is Verdict.PARKED


@pytest.mark.parametrize(
    ("function", "state"),
    [
        ("net.(*TCPListener).Accept", "IO wait"),
        ("net/http.(*connReader).Read", "IO wait"),
        ("net/http.(*http2serverConn).serve", "select"),
        ("os/signal.loop", "syscall"),
        ("google.golang.org/grpc/internal/transport.(*http2Server).keepalive", "select"),
    ],
)
def test_what_may_grow(function: str, state: str) -> None:
    assert judged(growing(function=function, state=state), function).verdict is Verdict.PARKED


def test_a_handler_that_is_stuck_may_not() -> None:
    seen = judged(growing(function="main.handler", creator="net/http.(*Server).Serve",
                          state="chan receive"), "main.handler")  # fmt: skip
    assert seen.verdict is Verdict.PROBABLE


def test_what_the_user_allows() -> None:
    seen = judged(growing(), allow=allowing(["nothing", "^main[.]leak"], "--allow"))
    assert seen.verdict is Verdict.PARKED
    assert seen.excuse == "--allow ^main[.]leak"
    assert seen.evidence.endswith("not judged: --allow ^main[.]leak")
    assert judged(growing(), allow=allowing(["^leak"], "--allow")).verdict is Verdict.PROBABLE


def test_a_pool_is_none_however_old() -> None:
    pool = written(range(10, 42), state="chan receive, 14400 minutes", function="main.worker")
    assert judged([pool] * 3, "main.worker").verdict is Verdict.PARKED
    assert judged([pool], "main.worker").verdict is Verdict.PARKED


def test_the_runtimes_own_goroutines_are_recognised() -> None:
    text = (
        "goroutine 2 gp=0xc1 m=nil [force gc (idle)]:\nruntime.gopark(0x1)\n\t/go/proc.go:1 +0x1\n"
        "runtime.forcegchelper()\n\t/go/proc.go:9 +0x1\nruntime.goexit({})\n\t/go/asm.s:1 +0x1\n"
        "created by runtime.init.7 in goroutine 1\n\t/go/proc.go:3 +0x1\n\n"
        "goroutine 1 gp=0xc1 m=nil [sleep]:\nruntime.gopark(0x1)\n\t/go/proc.go:1 +0x1\n"
        "main.main()\n\t/m.go:1 +0x1\nruntime.main()\n\t/go/proc.go:5 +0x1\n"
        "runtime.goexit({})\n\t/go/asm.s:1 +0x1\n"
    )
    found = Dumps([decode([text.encode()])])
    assert {each.group.state: each.system for each in judge(found, group(found))} == {
        "force gc (idle)": True,
        "sleep": False,
    }


@pytest.mark.parametrize(
    ("state", "function", "name"),
    [
        ("chan receive (nil chan)", "main.f", "nil channel"),
        ("select (no cases)", "main.f", "empty select"),
        ("select (no cases) (leaked)", "main.main", "main waits for ever"),
        ("chan send", "main.f", "send that nobody receives"),
        ("chan receive", "main.f", "channel never closed"),
        ("select", "main.f", "select without a way out"),
        ("select", "net/http.(*persistConn).writeLoop", "response body not closed"),
        ("select", "database/sql.(*DB).conn", "rows not closed"),
        ("sync.WaitGroup.Wait", "sync.(*WaitGroup).Wait", "WaitGroup never done"),
        ("semacquire", "sync.(*WaitGroup).Wait", "WaitGroup never done"),
        ("sync.Cond.Wait", "sync.(*Cond).Wait", "condition never signalled"),
        ("sync.Mutex.Lock", "sync.(*Mutex).Lock", "lock never released"),
        ("semacquire", "sync.(*RWMutex).RLock", "lock never released"),
        ("sleep", "time.Sleep", "timer or ticker"),
        ("IO wait", "internal/poll.runtime_pollWait", "connection without a deadline"),
        ("select", "golang.org/x/sync/semaphore.(*Weighted).Acquire", "semaphore never released"),
        ("coroutine", "iter.Pull[...].func1", "iterator never stopped"),
        ("GC worker (idle)", "main.f", "waits"),
    ],
)
def test_patterns(state: str, function: str, name: str) -> None:
    assert judged([written([10], state=state, function=function)], function).pattern.name == name


def test_the_patterns_say_what_to_do() -> None:
    for each in PATTERNS:
        assert each.state or each.stack or each.creator
        assert len(each.why) > 20
        assert len(each.cure) > 20
    assert all(each.what for each in ALLOWED)


@pytest.mark.parametrize("toolchain", ["go1.22.12", "go1.25.5", "go", "go1.27.4"])
def test_the_runtimes_own_in_real_programs(toolchain: str) -> None:
    found = Dumps([decode([quit_by_signal(program(toolchain), GOTRACEBACK="system")])])
    seen = judge(found, group(found))
    own = {entry(each.group.stack) for each in seen if each.system}
    assert {"runtime.forcegchelper", "runtime.gcenable.gowrap1"} <= own
    assert all(name.startswith("runtime.") for name in own)
    for each in seen:
        frames = (*each.group.stack, *each.group.creator)
        assert each.system or {package(frame.function) for frame in frames} & {"main", "net/http"}
