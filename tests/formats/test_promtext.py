"""Metrics pages: both text formats, escapes, strictness, caps, and agreement with promtool."""

from __future__ import annotations

import math
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.formats.promtext import Caps, Sample, decode
from gocost.model.errors import FormatError
from tests.fixtures.watched import running

PAGE = b"""# HELP http_requests_total Requests "served" \\\\ here.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total { method = "po\\"s\\\\t\\n" , } 3

# a comment of no importance
# TYPE latency histogram
latency_bucket{le="0.1"} 3
latency_bucket{le="+Inf"} 4
latency_sum 0.9
latency_count 4
# TYPE gc summary
gc{quantile="0.5"} NaN
gc_count 7
free 1.5e-3
minus -Inf
{"my.metric","a b"="c"} 1
"""
OPENMETRICS = b"""# TYPE requests counter
# UNIT requests requests
# HELP requests Served.
requests_total{code="200"} 3 1395066363.25 # {trace_id="abc"} 0.67 1520879607.789
requests_created 1.0
# TYPE state stateset
state{state="a"} 1
# EOF
"""


def test_the_prometheus_format() -> None:
    page = decode(PAGE)
    requests = page.families["http_requests_total"]
    assert (requests.type, requests.help) == ("counter", 'Requests "served" \\\\ here.')
    assert requests.samples == [
        Sample("http_requests_total", {"method": "post", "code": "200"}, 1027.0, 1395066363.0),
        Sample("http_requests_total", {"method": 'po"s\\t\n'}, 3.0),
    ]
    assert [sample.value for sample in page.samples("latency_bucket")] == [3.0, 4.0]
    assert len(page.families["latency"].samples) == 4
    assert page.value("latency_bucket", le="+Inf") == 4.0
    assert math.isnan(page.value("gc", quantile="0.5") or 0.0)
    assert page.value("gc_count") == 7.0
    assert page.value("minus") == -math.inf
    assert page.families["free"].type == "untyped"
    assert page.value("my.metric", **{"a b": "c"}) == 1.0
    assert page.value("absent") is None


def test_openmetrics() -> None:
    page = decode(OPENMETRICS)
    assert page.families["requests"].unit == "requests"
    assert [sample.name for sample in page.families["requests"].samples] == [
        "requests_total",
        "requests_created",
    ]
    sample = next(page.samples("requests_total"))
    assert sample == Sample("requests_total", {"code": "200"}, 3.0, 1395066363.25)


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (b"a 1", "cut off"),
        (b"a 1\nb", "cut off"),
        (b"a\n", "no value"),
        (b"a one\n", "is not a number"),
        (b"a 1_000\n", "is not a number"),
        (b"a 1 2.5\n", "milliseconds"),
        (b"a 1 2 3\n", "malformed"),
        (b'a{b="c} 1\n', "malformed"),
        (b'a{b="c" d="e"} 1\n', "malformed"),
        (b'a{b="\\x"} 1\n', "malformed"),
        (b'a{b="c",b="d"} 1\n', "twice"),
        (b"1a 1\n", "neither"),
        (b"# TYPE a colour\n", "metric type"),
        (b"# TYPE a\n", "metric type"),
        (b"# TYPE a gauge\n# TYPE a gauge\n", "two TYPE"),
        (b"a 1\n# TYPE a gauge\n", "after its samples"),
        (b"a \xff\n", "UTF-8"),
        (b'a 1 # {b="c"} 1\n', "malformed"),
        (b"# EOF\na 1\n# EOF\n", "after # EOF"),
        (b"a 1\n\n# EOF\n", "no empty lines"),
        (b"# TYPE a untyped\n# EOF\n", "metric type"),
    ],
)
def test_what_prometheus_refuses_is_refused(page: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        decode(page)


def test_openmetrics_without_its_end_was_cut_off() -> None:
    with pytest.raises(FormatError, match="cut off"):
        decode(b"a 1\n", openmetrics=True)


def test_other_families_are_passed_over_unread() -> None:
    page = decode(b"# TYPE other nonsense\nother one\n# TYPE go_a gauge\ngo_a 1\n", only="go_")
    assert list(page.families) == ["go_a"]
    assert page.value("go_a") == 1.0
    with pytest.raises(FormatError, match="is not a number"):
        decode(b"other 1\ngo_a one\n", only="go_")


def test_an_error_names_the_offset_of_its_line() -> None:
    with pytest.raises(FormatError) as caught:
        decode("ä{} 1\n".encode().replace("ä".encode(), b"a") + b'b{c="\xc3\xa4"} 1\nb x\n')
    assert caught.value.offset == len(b'a{} 1\nb{c="\xc3\xa4"} 1\n')


@pytest.mark.parametrize(
    ("page", "caps", "message"),
    [
        (b"a 1\n" * 3, Caps(samples=2), "more than 2 samples"),
        (b'a{b="1",c="2",d="3"} 1\n', Caps(labels=2), "more than 2 labels"),
        (b'a{b="%s"} 1\n' % (b"x" * 11), Caps(value_bytes=10), "longer than 10 bytes"),
        (b"%s 1\n" % (b"x" * 11), Caps(name_bytes=10), "longer than 10 characters"),
        (b"a 1\n" * 3, Caps(bytes=10), "larger than 10 bytes"),
    ],
)
def test_caps_are_named(page: bytes, caps: Caps, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        decode(page, caps=caps)


@given(
    labels=st.dictionaries(
        st.from_regex("[a-z_][a-z0-9_]{0,8}", fullmatch=True),
        st.text(st.characters(codec="utf-8"), max_size=20),
        max_size=5,
    ),
    value=st.floats(allow_nan=False),
)
def test_what_is_written_is_read_back(labels: dict[str, str], value: float) -> None:
    escaped = {
        name: text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        for name, text in labels.items()
    }
    inside = ",".join(f'{name}="{text}"' for name, text in escaped.items())
    page = decode(f"m{{{inside}}} {value!r}\n".encode())
    assert page.families["m"].samples == [Sample("m", labels, value)]


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool (Debian: apt install prometheus)"
)
@pytest.mark.parametrize("page", [PAGE.replace(b'{"my.metric","a b"="c"} 1\n', b""), b"a one\n"])
def test_promtool_agrees(page: bytes) -> None:
    # promtool's exit status is 3 for what it would name otherwise, and 1 for what is no page.
    done = subprocess.run(["promtool", "check", "metrics"], input=page, check=False)
    try:
        decode(page)
    except FormatError:
        assert done.returncode == 1
    else:
        assert done.returncode in (0, 3)


def test_the_page_of_a_real_service() -> None:
    from gocost.sources.endpoints import Endpoint

    with running("-pages=metrics") as (_, url), Endpoint(url) as endpoint:
        page = decode(endpoint.get("/metrics").body)
    assert (page.value("go_goroutines") or 0) >= 2
    assert page.families["go_gc_duration_seconds"].type == "summary"
