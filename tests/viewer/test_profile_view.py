"""`gocost profile view`: the pages that a real client gets of a real server."""

from __future__ import annotations

import json
import re
import shutil
import signal
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gocost.api.profile import profile
from gocost.cli.main import run
from gocost.measures.profiles import Reading
from gocost.viewer.profile_site import ProfileSite
from tests.fixtures.binaries import Recipe, built
from tests.fixtures.profiles import recorded
from tests.viewer.running import DEADLINE, Reply, Running, running

pytest.importorskip("litestar", reason="needs Litestar: pip install 'gocost[serve]'")

PAGES = ("flame", "top", "sandwich", "tree", "tags")


@pytest.fixture(scope="module")
def file() -> Path:
    return recorded() / "cpu.1.pb.gz"


@pytest.fixture(scope="module")
def server(file: Path) -> Iterator[Running]:
    with running("profile", "view", str(file), "--focus", "profiled|runtime") as found:
        yield found


def test_the_first_page_has_what_the_command_line_said(server: Running) -> None:
    reply = server.ask("/")

    assert reply.status == 303
    assert reply.headers["location"] == "/flame?focus=profiled%7Cruntime&by=function"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_leads_to_every_other_with_the_filters_kept(page: str, server: Running) -> None:
    reply = server.ask(f"/{page}?focus=runtime")

    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert f'href="/{page}?focus=runtime" aria-current="page"' in reply.text
    for other in (*PAGES, "peek", "source", "disasm", "graph"):
        assert f'href="/{other}?focus=runtime"' in reply.text


@pytest.mark.parametrize("query", ["", "sample_index=samples", "focus=runtime&by=package", "cum=1"])
def test_a_page_says_what_the_command_says(query: str, server: Running, file: Path) -> None:
    options = dict(part.split("=") for part in query.split("&") if part)
    options["cum"] = bool(options.pop("cum", ""))  # type: ignore[assignment]

    found = json.loads(server.ask(f"/top?format=json&{query}").text)

    (wanted,) = profile(str(file), **options).tables.values()  # type: ignore[arg-type]
    (table,) = found["tables"].values()
    assert [tuple(row) for row in table["rows"]] == [tuple(row) for row in wanted.rows]


def test_the_source_is_shown_with_what_its_lines_cost(server: Running) -> None:
    reply = server.ask("/source?f=runtime.mallocgc%24")

    assert reply.status == 200
    assert "malloc.go" in reply.text
    assert "func mallocgc(" in reply.text.replace("\xa0", " ")


def test_machine_code_is_of_no_program_that_a_query_names(server: Running, file: Path) -> None:
    assert server.ask("/disasm?f=main&binary=/bin/true").status == 400

    program = str(built(Recipe(program="profiled")))
    with running("profile", "view", str(file), "--binary", program) as found:
        reply = found.ask("/disasm?f=%5Eruntime%5C.mallocgc%24")

    assert reply.status == 200
    assert "<h2>runtime.mallocgc" in reply.text


def test_the_call_graph_is_a_picture_that_runs_nothing(server: Running) -> None:
    if shutil.which("dot") is None:
        pytest.skip("needs Graphviz: apt-get install graphviz")
    assert "<svg" in drawn(server.ask("/graph?focus=runtime"))


def drawn(reply: Reply) -> str:
    assert reply.status == 200
    found = re.search(r'<img alt="[^"]*" src="data:image/svg\+xml;base64,([^"]+)">', reply.text)
    assert found is not None
    return b64decode(found[1]).decode()


def names(file: Path) -> list[str]:
    """The functions of the profile, the heaviest first: what was sampled differs by run."""
    return [str(row[0]) for row in profile(str(file)).tables["functions"].rows]


def test_the_call_graph_is_of_what_by_says(server: Running, file: Path) -> None:
    if shutil.which("dot") is None:
        pytest.skip("needs Graphviz: apt-get install graphviz")
    functions = drawn(server.ask("/graph"))
    packages = drawn(server.ask("/graph?by=package&cum=1"))

    heaviest = next(name for name in names(file) if re.fullmatch(r"runtime\.\w+", name))
    own = f">{heaviest.removeprefix('runtime.')}<"
    assert own in functions
    assert own not in packages
    assert ">runtime<" in packages


def test_without_graphviz_the_page_says_what_to_do(file: Path, tmp_path: Path) -> None:
    with running("profile", "view", str(file), path=str(tmp_path)) as found:
        reply = found.ask("/graph")

    assert reply.status == 400
    assert "install graphviz" in reply.text


def test_peek_is_about_an_expression(server: Running) -> None:
    reply = server.ask("/peek?f=%5Eruntime%5C.")

    assert reply.status == 200
    assert "runtime." in reply.text
    nothing = server.ask("/peek?format=json")
    assert nothing.status == 400
    assert "nothing is chosen yet" in nothing.text


def test_standard_input_is_called_so(file: Path) -> None:
    found = Reading().recorded([str(file)], [str(file)], [], normalize=False)
    site = ProfileSite(replace(found, files=("-",), bases=("-",)), {})

    assert site.name == "standard input"
    if shutil.which("dot") is not None:
        graph = site.answer("graph", {})
        assert "<h1>standard input against standard input: call graph</h1>" in str(graph.body)


@pytest.mark.parametrize("page", ["peek", "source", "disasm"])
def test_a_page_about_nothing_yet_offers_the_functions(page: str, server: Running) -> None:
    reply = server.ask(f"/{page}?focus=runtime")

    assert reply.status == 200
    assert "choose one of the functions, or write an expression" in reply.text
    assert f'data-leads="/{page}?focus=runtime&amp;function="' in reply.text


def test_a_page_is_about_a_function_by_its_name(server: Running, file: Path) -> None:
    found = names(file)
    method = next((name for name in found if "(*" in name and "[" not in name), found[0])

    reply = server.ask(f"/peek?function={method}")

    assert reply.status == 200
    escaped = re.sub(r"([.()*])", r"\\\1", method)
    assert f'name="f" value="^{escaped}$"' in reply.text
    assert method in reply.text


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/top?focus=(", "is no regular expression"),
        ("/top?by=colour", "nothing to sort a profile by"),
        ("/top?sample_index=9", "outside 0 to 1"),
        ("/flame?nodefraction=7", "is a share from 0 to 1"),
        ("/top?source_path=/etc", "there is no option &#39;source_path&#39;"),
        ("/top?binary=/etc/passwd", "there is no option &#39;binary&#39;"),
        ("/top?base=/etc/passwd", "there is no option &#39;base&#39;"),
        (f"/top?focus={'x' * 5000}", "is longer than 4096 characters"),
        ("/peek?f=nosuchfunction", "no function of the profile matches"),
    ],
)
def test_what_cannot_be_shown_is_said_on_the_page(path: str, says: str, server: Running) -> None:
    reply = server.ask(path)

    assert reply.status == 400
    assert says in reply.text
    assert 'class="fault" role="alert"' in reply.text


def test_hostile_words_of_the_query_stay_words(server: Running) -> None:
    word = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"

    for page in ("flame", "top", f"peek?f={word}"):
        mark = "&" if "?" in page else "?"
        assert "<script>alert" not in server.ask(f"/{page}{mark}focus={word}").text


@pytest.mark.parametrize(
    "path", ["/nosuchpage", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/report.js"]
)
def test_there_are_no_other_pages(path: str, server: Running) -> None:
    assert server.ask(path).status == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "", "127.0.0.1:1"]
)
def test_a_foreign_name_gets_nothing(host: str, server: Running) -> None:
    reply = server.ask("/top", Host=host.format(port=server.port))

    assert reply.status in (400, 421)
    assert "runtime" not in reply.text


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
def test_its_own_names_are_answered(host: str, server: Running) -> None:
    assert server.ask("/tags", Host=host.format(port=server.port)).status == 200


def test_it_only_reads(server: Running) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert server.ask("/top", method).status == 405


def test_no_other_site_may_frame_or_keep_its_pages(server: Running) -> None:
    headers = server.ask("/flame").headers

    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals, file: Path) -> None:
    with running("profile", "view", str(file)) as found:
        assert found.ask("/tags").status == 200

        found.process.send_signal(number)

        _, said = found.process.communicate(timeout=DEADLINE)
        assert (found.process.returncode, said) == (0, "")


def test_other_machines_need_the_token(file: Path) -> None:
    with running("profile", "view", str(file), "--host", "0.0.0.0") as found:
        assert len(found.token) >= 32
        assert found.ask("/tags").status == 401
        assert found.ask("/tags?token=wrong").status == 401
        assert found.ask("/tags", Authorization="Bearer wrong").status == 401

        welcome = found.ask(f"/tags?token={found.token}&focus=runtime")

        assert welcome.status == 303
        assert welcome.headers["location"] == "/tags?focus=runtime"
        cookie = welcome.headers["set-cookie"]
        assert re.search(r"HttpOnly; SameSite=Strict", cookie)
        assert found.ask("/tags", Cookie=cookie.partition(";")[0]).status == 200
        assert found.ask("/tags", Authorization=f"Bearer {found.token}").status == 200


def test_the_token_leads_to_no_other_site(file: Path) -> None:
    with running("profile", "view", str(file), "--host", "0.0.0.0") as found:
        for path in ("//evil.example/", "/\\evil.example/", "///evil.example"):
            reply = found.ask(f"{path}?token={found.token}")

            assert reply.status == 303
            assert not re.match(r"/[/\\]|\w+:", reply.headers["location"])


def test_a_port_that_is_taken_is_said(
    server: Running, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["profile", "view", str(file), "--port", str(server.port), "--no-browser"])

    assert code == 2
    assert "cannot be served: Address already in use; choose another --port" in (
        capsys.readouterr().err
    )


def test_an_address_that_is_none_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "view", str(file), "--host", "here", "--no-browser"]) == 2

    assert "'here' is no address" in capsys.readouterr().err
