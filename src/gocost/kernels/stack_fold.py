"""Sums over call stacks: what each node of a profile cost itself, with its callees, and by call.

A stack is rows of locations, leaf first; a location is one or more frames, innermost first (what
was inlined); each frame belongs to a node of the report, or to -1 where that node is left out. A
node that stands in a stack more than once (recursion) counts it once; so does a call.
(`internal/graph/graph.go` of github.com/google/pprof has the same rules.)
"""

import os
from typing import Any

import cython
import numpy as np
import numpy.typing as npt

RESIDUAL = 1  # a call over nodes that were left out
CALLED = 2  # seen as a call that was not inlined


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _fold(
    stack_ends: cython.const[cython.longlong][::1],
    stacks: cython.const[cython.int][::1],
    frame_ends: cython.const[cython.longlong][::1],
    frames: cython.const[cython.int][::1],
    values: cython.const[cython.longlong][::1],
    seen: cython.longlong[::1],
    flat: cython.longlong[::1],
    cumulative: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Adds every stack's value to its nodes; returns 0."""
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    f: cython.Py_ssize_t
    at: cython.Py_ssize_t
    first: cython.Py_ssize_t = 0
    last: cython.Py_ssize_t
    node: cython.int
    value: cython.longlong
    leaf: cython.bint
    for i in range(stack_ends.shape[0]):
        last = cython.cast(cython.Py_ssize_t, stack_ends[i])
        value = values[i]
        if value == 0:
            first = last
            continue
        leaf = True
        for k in range(first, last):
            at = stacks[k]
            f = cython.cast(cython.Py_ssize_t, frame_ends[at - 1]) if at > 0 else 0
            while f < frame_ends[at]:
                node = frames[f]
                f += 1
                if node >= 0:
                    if leaf:
                        flat[node] += value
                    if seen[node] != i + 1:
                        seen[node] = i + 1
                        cumulative[node] += value
                leaf = False
        first = last
    return 0


def fold(
    stack_ends: npt.NDArray[np.int64],
    stacks: npt.NDArray[np.int32],
    frame_ends: npt.NDArray[np.int64],
    frames: npt.NDArray[np.int32],
    values: npt.NDArray[np.int64],
    nodes: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """What each of `nodes` nodes cost itself (flat) and with its callees (cumulative).

    `stack_ends` (samples) says where in `stacks` (rows of locations, leaf first) each sample ends,
    `frame_ends` (locations) where in `frames` (nodes, innermost first) each location does. The
    caller has seen that all rows are in range and that the absolute values add up in 64 bits.
    """
    flat = np.zeros(nodes, np.int64)
    cumulative = np.zeros(nodes, np.int64)
    _run_fold(
        _view(stack_ends),
        _view(stacks),
        _view(frame_ends),
        _view(frames),
        _view(values),
        _view(np.zeros(nodes, np.int64)),
        _view(flat),
        _view(cumulative),
    )
    return flat, cumulative


def _run_fold(
    stack_ends: cython.const[cython.longlong][::1],
    stacks: cython.const[cython.int][::1],
    frame_ends: cython.const[cython.longlong][::1],
    frames: cython.const[cython.int][::1],
    values: cython.const[cython.longlong][::1],
    seen: cython.longlong[::1],
    flat: cython.longlong[::1],
    cumulative: cython.longlong[::1],
) -> None:
    with cython.nogil:
        _fold(stack_ends, stacks, frame_ends, frames, values, seen, flat, cumulative)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _slot(
    caller: cython.longlong,
    callee: cython.longlong,
    left: cython.longlong,
    right: cython.longlong,
    mask: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Where in the hash table to look first. Small factors, so that nothing passes 63 bits; whoever
    knew them could choose calls that all meet.
    """
    return cython.cast(cython.Py_ssize_t, (caller * left + (callee + 1) * right) >> 7 & mask)


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _calls(
    stack_ends: cython.const[cython.longlong][::1],
    stacks: cython.const[cython.int][::1],
    frame_ends: cython.const[cython.longlong][::1],
    frames: cython.const[cython.int][::1],
    values: cython.const[cython.longlong][::1],
    table: cython.int[::1],
    callers: cython.int[::1],
    callees: cython.int[::1],
    weights: cython.longlong[::1],
    flags: cython.uchar[::1],
    seen: cython.longlong[::1],
    left: cython.longlong,
    right: cython.longlong,
) -> cython.Py_ssize_t:
    """Fills the calls; returns how many there are, or -1 where there is no room for another."""
    mask: cython.Py_ssize_t = table.shape[0] - 1
    room: cython.Py_ssize_t = callers.shape[0]
    used: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    f: cython.Py_ssize_t
    at: cython.Py_ssize_t
    slot: cython.Py_ssize_t
    first: cython.Py_ssize_t = 0
    last: cython.Py_ssize_t
    start: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    call: cython.Py_ssize_t
    node: cython.int
    parent: cython.int
    value: cython.longlong
    residual: cython.bint
    for i in range(stack_ends.shape[0]):
        last = cython.cast(cython.Py_ssize_t, stack_ends[i])
        value = values[i]
        parent = -1
        residual = False
        k = last
        while k > first and value != 0:
            k -= 1
            at = stacks[k]
            start = cython.cast(cython.Py_ssize_t, frame_ends[at - 1]) if at > 0 else 0
            stop = cython.cast(cython.Py_ssize_t, frame_ends[at])
            f = stop
            while f > start:
                f -= 1
                node = frames[f]
                if node < 0:
                    residual = True
                    continue
                if parent >= 0 and node != parent:
                    slot = _slot(parent, node, left, right, mask)
                    while table[slot] >= 0 and (
                        callers[table[slot]] != parent or callees[table[slot]] != node
                    ):
                        slot = (slot + 1) & mask
                    call = table[slot]
                    if call < 0:
                        if used >= room:
                            return -1
                        call = used
                        used += 1
                        table[slot] = cython.cast(cython.int, call)
                        callers[call] = parent
                        callees[call] = node
                        weights[call] = 0
                        flags[call] = 0
                        seen[call] = 0
                    if seen[call] != i + 1:
                        seen[call] = i + 1
                        weights[call] += value
                        if residual:
                            flags[call] |= 1
                        if f == stop - 1:
                            flags[call] |= 2
                parent = node
                residual = False
        first = last
    return used


def fold_calls(
    stack_ends: npt.NDArray[np.int64],
    stacks: npt.NDArray[np.int32],
    frame_ends: npt.NDArray[np.int64],
    frames: npt.NDArray[np.int32],
    values: npt.NDArray[np.int64],
    seed: int | None = None,
) -> tuple[
    npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint8]
]:
    """The calls in the stacks: caller, callee, weight, and flags (RESIDUAL, CALLED).

    Arguments as for `fold`. A node that calls itself is no call, and a stack counts once a call.
    `seed`, by default a random one, makes collisions unpredictable to whoever wrote the profile.
    """
    left, right = _factors(int.from_bytes(os.urandom(8)) if seed is None else seed)
    room = 1 << 14
    most = len(stacks) * max(1, int(np.diff(frame_ends, prepend=0).max(initial=0)))
    while True:
        callers = np.empty(room, np.int32)
        callees = np.empty(room, np.int32)
        weights = np.empty(room, np.int64)
        flags = np.empty(room, np.uint8)
        used: int = _run_calls(
            _view(stack_ends),
            _view(stacks),
            _view(frame_ends),
            _view(frames),
            _view(values),
            _view(np.full(2 * room, -1, np.int32)),
            _view(callers),
            _view(callees),
            _view(weights),
            _view(flags),
            _view(np.empty(room, np.int64)),
            left,
            right,
        )
        if used >= 0:
            return callers[:used], callees[:used], weights[:used], flags[:used]
        # More different calls than room: begin again with four times as much.
        assert room <= 4 * most, "there cannot be more calls than frames in all the stacks"
        room *= 4


def _factors(seed: int) -> tuple[int, int]:
    """Two odd numbers of 31 bits."""
    return seed & 0x7FFFFFFF | 0x40000001, seed >> 31 & 0x7FFFFFFF | 0x40000001


def _run_calls(
    stack_ends: cython.const[cython.longlong][::1],
    stacks: cython.const[cython.int][::1],
    frame_ends: cython.const[cython.longlong][::1],
    frames: cython.const[cython.int][::1],
    values: cython.const[cython.longlong][::1],
    table: cython.int[::1],
    callers: cython.int[::1],
    callees: cython.int[::1],
    weights: cython.longlong[::1],
    flags: cython.uchar[::1],
    seen: cython.longlong[::1],
    left: cython.longlong,
    right: cython.longlong,
) -> int:
    used: cython.Py_ssize_t
    with cython.nogil:
        used = _calls(
            stack_ends, stacks, frame_ends, frames, values, table, callers, callees, weights,
            flags, seen, left, right,
        )  # fmt: skip
    return used


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled or not array.size else array.data
