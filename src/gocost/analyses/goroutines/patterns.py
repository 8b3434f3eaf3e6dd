"""How goroutines get stuck, what to do about each, and what only looks like it.

Both are data. A pattern is looked for in the state that the dump gives and in the functions of the
stack and of the creator, `STACK` joined by newlines from the leaf to the root; the first that fits
is told. What is allowed is never called a probable leak: it waits for something that comes from
outside, and how many there are is somebody else's choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gocost.formats.goroutine_dump.dump import Frame


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way of waiting. `state`, `stack` and `creator` are expressions that must all be found."""

    name: str
    why: str
    cure: str
    state: str = ""
    stack: str = ""
    creator: str = ""

    def fits(self, state: str, stack: str, creator: str) -> bool:
        """Whether a group waits in this way."""
        return bool(
            re.search(self.state, state)
            and re.search(self.stack, stack)
            and re.search(self.creator, creator)
        )


PATTERNS: Final[tuple[Pattern, ...]] = (
    Pattern(
        "nil channel",
        "a send to or receive from a nil channel blocks for ever",
        "make the channel before the goroutine starts; a nil channel has a use only in a select "
        "with other cases",
        state=r"\(nil chan\)",
    ),
    Pattern(
        "main waits for ever",
        "`select {}` keeps the program running, which its author may want; Go's runtime calls that "
        "a leak as any other",
        "wait for a signal or a context in main instead, and shut down",
        state=r"select \(no cases\)",
        stack=r"(?m)^main\.main$",
    ),
    Pattern(
        "empty select",
        "`select {}` blocks for ever",
        "wait for a context or a signal instead, or return",
        state=r"select \(no cases\)",
    ),
    Pattern(
        "response body not closed",
        "a connection of an HTTP client waits until its response is read and closed",
        "`defer resp.Body.Close()` after every request without an error, read it to the end, and "
        "share one http.Client",
        stack=r"(?m)^net/http\.\(\*(persistConn|http2ClientConn|http2clientConnReadLoop)\)",
    ),
    Pattern(
        "rows not closed",
        "a query of database/sql holds its connection until its rows are closed",
        "`defer rows.Close()` after every query, and end every transaction",
        stack=r"(?m)^database/sql\.\(\*(Rows|Tx|DB)\)\.",
    ),
    Pattern(
        "context never cancelled",
        "it waits for a context that nobody cancels",
        "call the cancel function that context.With... returned on every path: `defer cancel()`",
        stack=r"(?m)^context\.(propagateCancel|\(\*cancelCtx\))",
    ),
    Pattern(
        "context never cancelled",
        "it waits for a context that nobody cancels",
        "call the cancel function that context.With... returned on every path: `defer cancel()`",
        creator=r"^context\.",
    ),
    Pattern(
        "WaitGroup never done",
        "a WaitGroup was added to more often than it was done",
        "call wg.Add before the goroutine starts and `defer wg.Done()` first in it, or use wg.Go",
        state=r"^sync\.WaitGroup\.Wait|^semacquire",
        stack=r"(?m)^sync\.\(\*WaitGroup\)\.Wait",
    ),
    Pattern(
        "condition never signalled",
        "nobody signals the sync.Cond any more",
        "signal or broadcast under the lock whenever what is waited for may be true, also when "
        "giving up; a channel can be closed instead",
        stack=r"(?m)^sync\.\(\*Cond\)\.Wait",
    ),
    Pattern(
        "lock never released",
        "whoever holds the lock does not let it go: it returned early, panicked, waits itself, or "
        "locks twice",
        "`defer mu.Unlock()` right behind mu.Lock(), and no waiting for others while holding it",
        stack=r"(?m)^sync\.\(\*(RW)?Mutex\)\.R?Lock",
    ),
    Pattern(
        "semaphore never released",
        "whoever has the semaphore does not give it back",
        "release it with `defer` right behind acquiring it, and acquire it with a context",
        stack=r"(?m)^golang\.org/x/sync/semaphore\.",
    ),
    Pattern(
        "group never ends",
        "one of the group's goroutines does not return",
        "give each of them the group's context and return when it is done",
        stack=r"(?m)^golang\.org/x/sync/errgroup\.",
    ),
    Pattern(
        "timer or ticker",
        "it sleeps and looks again, and nothing tells it to end",
        "select on a context beside the timer, and stop the ticker: `defer ticker.Stop()`",
        state=r"^sleep",
    ),
    Pattern(
        "send that nobody receives",
        "the receiver has returned: on a timeout, an error, or with the first of several results",
        "give the channel room for every send (`make(chan T, n)`), or select on ctx.Done() beside "
        "the send",
        state=r"^chan send",
    ),
    Pattern(
        "channel never closed",
        "the senders have gone and nobody closed the channel: `for range ch` and `<-ch` wait on",
        "let the last sender close it (`defer close(ch)`), or select on ctx.Done() beside the "
        "receive",
        state=r"^chan receive",
    ),
    Pattern(
        "select without a way out",
        "none of its cases can happen any more",
        "add `case <-ctx.Done(): return`, cancel that context, and stop the tickers it waits for",
        state=r"^select",
    ),
    Pattern(
        "connection without a deadline",
        "the other side neither sends nor closes",
        "set deadlines (http.Server's timeouts, net.Conn.SetDeadline) and close what you have done "
        "with",
        state=r"^IO wait",
    ),
    Pattern(
        "semaphore never released",
        "it waits for a lock, a WaitGroup or a semaphore that nobody lets go",
        "release it with `defer` right behind acquiring it",
        state=r"^(semacquire|sync\.)",
    ),
    Pattern(
        "iterator never stopped",
        "iter.Pull was not called to its end",
        "call its stop function: `defer stop()`",
        state=r"^coroutine",
    ),
)
UNKNOWN: Final = Pattern(
    "waits", "it does not go on", "see with its stack what would have to happen, and who does it"
)
UNSAID: Final = Pattern(
    "blocked",
    "this form of dump does not say what it waits for",
    "record the same page with debug=2",
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What waits for the world outside. `state` and `stack` are expressions, both found."""

    what: str
    stack: str
    state: str = ""


ALLOWED: Final[tuple[Allowed, ...]] = (
    Allowed("a listener", r"(?m)^net\.\(\*\w*Listener\)\.|^internal/poll\.\(\*FD\)\.Accept"),
    Allowed(
        "a connection of a server, whose client is idle",
        r"(?m)^net/http\.\(\*(connReader|http2serverConn)\)",
        r"^(IO wait|select)$",
    ),
    Allowed(
        "a connection of a gRPC server",
        r"(?m)^google\.golang\.org/grpc/internal/transport\.\(\*http2Server\)",
    ),
    Allowed("signals", r"(?m)^os/signal\.|^runtime\.ensureSigM"),
    Allowed("profiling", r"(?m)^runtime/(pprof|trace)\.|^net/http/pprof\."),
)


def joined(frames: Sequence[Frame]) -> str:
    """Functions as the expressions see them."""
    return "\n".join(frame.function for frame in frames)


def pattern(state: str | None, stack: Sequence[Frame], creator: Sequence[Frame]) -> Pattern:
    """How a group waits; `state` is None where the dump does not say."""
    functions, created = joined(stack), joined(creator)
    for each in PATTERNS:
        if each.fits(state or "", functions, created):
            return each
    return UNKNOWN if state is not None else UNSAID


def allowed(state: str, stack: Sequence[Frame]) -> str:
    """What a group is that may grow, or an empty string."""
    functions = joined(stack)
    for each in ALLOWED:
        if re.search(each.stack, functions) and re.search(each.state, state):
            return each.what
    return ""
