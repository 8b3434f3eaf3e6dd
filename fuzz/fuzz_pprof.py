"""pprof profiles: protobuf, gzip and the legacy forms, whole; what they sum to; what is written."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from fuzz.runner import Harness, corpus, main
from gocost.analyses.profile.merging import merge, subtract
from gocost.analyses.profile.view import Options, calls, costs, nodes_in, order, view
from gocost.formats.pprof import decoding
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Profile
from gocost.model.errors import UsageError

MAX_BYTES = 8 << 20
LOOKS = (
    Options(granularity="lines"),
    Options(granularity="addresses", noinlines=True, mean=True),
    Options(tagroot="tenant,bytes", tagfocus="bytes=1kb:", focus="main|lib", prune_from="json"),
)


def decode(data: bytes) -> None:
    """Everything in the profile, the profile written and read again, and its costs."""
    profile = decoding.decode(data, max_bytes=MAX_BYTES)
    _texts(profile)
    again = decoding.decode(encode(profile), max_bytes=64 << 20)
    assert (again.values == profile.values).all()
    assert again.stack_end.tolist() == profile.stack_end.tolist()
    assert len(again.lines.line) <= len(profile.lines.line)
    for options in LOOKS:
        seen = view(profile, options)
        nodes = nodes_in(seen, options)
        spent = costs(seen, nodes)
        assert len(order(nodes, spent)) <= len(nodes.nodes)
        calls(seen, nodes)
    try:
        merge([profile, again])
        rest = subtract(profile, again).values
        # Scaled by -1 as floats; and labels without a text, number or unit are not written.
        exact = (np.abs(profile.values.astype(float)) < 2.0**53).all()
        whole = len(again.labels.key) == len(profile.labels.key)
        assert not exact or not whole or not rest.any()
    except UsageError:
        pass  # without a sample type of its own a profile is compared with none


def _texts(profile: Profile) -> None:
    strings, functions, labels = profile.strings, profile.functions, profile.labels
    for column in (functions.name, functions.system_name, functions.file, profile.mappings.file):
        names, places = strings.distinct(column)
        assert len(places) == len(column)
        assert all(name.encode() is not None for name in names)
    names, places = strings.distinct(labels.key)
    assert len(names) <= len(places) == len(labels.key)


HARNESS = Harness("pprof", decode, corpus("pprof"), max_input=8192)

if __name__ == "__main__":
    main(HARNESS)
