"""Which settings are worth a look, and a pair of GOGC and GOMEMLIMIT for a container's limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gocost.analyses.collector.settings import (
    CLASSES,
    FARTHEST,
    THRASHING,
    Prediction,
    Refusal,
    Setting,
    predict,
    unfit,
)
from gocost.analyses.collector.window import CollectorWindow, Pace

_LIMIT_MARGIN: Final = 0.9
"""Of a container's limit, what GOMEMLIMIT should be at most: the rest is for what it cannot see
(threads' stacks of C, the kernel's buffers, the executable's pages) and for overshooting."""
LIMIT_ROOM: Final = 0.9
"""Of GOMEMLIMIT, what the heap that GOGC makes may fill."""
_USUAL: Final = (25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 400.0, 600.0, 800.0)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A pair for a container's limit, and what it would give; or why there is none."""

    container: float
    chosen: Prediction | None
    reason: str


def choices(window: CollectorWindow, container: float | None = None) -> list[Setting]:
    """The settings that are worth a row: the present one, and the usual ones around it."""
    percents = sorted({*_USUAL, *([window.gogc] if window.gogc else [])})
    limit = window.limit if container is None else limit_for(window, container)
    present = Setting(window.gogc, window.limit)
    rows = [] if limit == window.limit and window.gogc is not None else [present]
    for percent in percents:
        rows.append(Setting(percent, limit))
        found = predict(window, rows[-1])
        if isinstance(found, Prediction) and found.pace is Pace.LIMIT:
            break  # with more it is the limit that sets the pace, at the same goal
    if limit is not None:
        rows.append(Setting(None, limit))
    return list(dict.fromkeys(rows))


def limit_for(window: CollectorWindow, container: float, resident: float | None = None) -> float:
    """The GOMEMLIMIT that suits a container of so many bytes: 90% of it, in whole MiB.

    `resident` is what the process holds of memory in all: what of it the runtime does not know of
    comes off as well.
    """
    unseen = 0.0
    if resident is not None and window.memory is not None:
        unseen = max(0.0, resident - window.memory.held)
    room = min(_LIMIT_MARGIN * container, container - unseen)
    return max(0.0, room // (1 << 20) * (1 << 20))


def recommend(
    window: CollectorWindow, container: float, *, resident: float | None = None
) -> Recommendation:
    """GOGC and GOMEMLIMIT for a container of `container` bytes.

    The container's memory is paid for, used or not, so GOGC is the highest of the usual values
    whose heap stays within 90% of GOMEMLIMIT: collections as rare as that memory allows, and the
    limit is left for what is out of the ordinary. It is not raised beyond what the window can
    predict.
    """
    refused = unfit(window)
    if refused is not None:
        return Recommendation(container, None, str(refused))
    memory = window.memory
    if memory is None:
        reason = f"nothing tells what is mapped besides the heap; {CLASSES}"
        return Recommendation(container, None, reason)
    assert window.live is not None
    limit = limit_for(window, container, resident)
    least = window.live * (1 + THRASHING) / LIMIT_ROOM + memory.nonheap + memory.unused
    if limit < least:
        need = least / _LIMIT_MARGIN
        return Recommendation(
            container,
            None,
            f"it holds {window.live / 2**20:.0f} MiB live, and needs a container of at least "
            f"{need / 2**20:.0f} MiB to have a quarter of that to allocate in",
        )
    fitting: list[Prediction] = []
    for percent in (*_USUAL, 1200.0, 1600.0):
        found = predict(window, Setting(percent, limit))
        if not isinstance(found, Prediction) or found.peak is None:
            continue
        if found.pace is not Pace.LIMIT and found.peak <= LIMIT_ROOM * limit:
            fitting.append(found)
    if fitting:
        chosen = fitting[-1]
        why = (
            f"the highest of the usual values whose heap stays within {LIMIT_ROOM:.0%} of the limit"
            if _next_is_too_much(window, chosen, limit)
            else f"as far as {FARTHEST:g} times the headroom that was seen; measure again there"
        )
        return Recommendation(container, chosen, why)
    found = predict(window, Setting(window.gogc or 100.0, limit))
    if isinstance(found, Refusal):
        return Recommendation(container, None, str(found))
    return Recommendation(
        container, found, "GOMEMLIMIT sets the pace: the container is small for this heap"
    )


def _next_is_too_much(window: CollectorWindow, chosen: Prediction, limit: float) -> bool:
    """Whether it is memory that keeps GOGC from being higher, and not what the model knows."""
    assert window.live is not None
    assert window.memory is not None
    assert window.headroom is not None
    memory = window.memory
    farthest = window.live + FARTHEST * window.headroom + memory.nonheap + memory.unused
    return farthest > LIMIT_ROOM * limit and chosen.goal > 0
