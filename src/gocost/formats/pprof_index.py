"""The index page /debug/pprof/ of package net/http/pprof: how many of what each profile has.

Its rows are, in every Go since 1.10 or so (indexTmplExecute in src/net/http/pprof/pprof.go),

    <tr><td>12</td><td><a href='goroutine?debug=1'>goroutine</a></td></tr>

The page costs the service far less than a profile: nothing is unwound, the world does not stop.
"""

from __future__ import annotations

import re

from gocost.model.errors import FormatError

_ROW = re.compile(rb"<td>(\d{1,15})</td><td><a href=[^>]{1,200}>(\w{1,64})</a>")


def decode(data: bytes) -> dict[str, int]:
    """Counts by profile: `goroutine`, `heap`, `threadcreate` and so on.

    Raises FormatError where the page is not such an index.
    """
    counts = {match[2].decode(): int(match[1]) for match in _ROW.finditer(data)}
    if "goroutine" not in counts:
        raise FormatError("this is not the index page of Go's net/http/pprof", offset=0)
    return counts
