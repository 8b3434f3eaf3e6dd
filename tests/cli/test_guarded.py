"""Every command that asks a service, of one with TLS, client certificates and a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gocost.cli.main import run
from tests.fixtures.attributed import attributed
from tests.fixtures.certificates import certificates
from tests.fixtures.guarded import SECRET, guarded
from tests.fixtures.profiles import recorded as profiles
from tests.fixtures.traces import recorded
from tests.policy.texts import with_rules

POLICY = with_rules(
    "{metric: scheduler.utilisation, max: 100%}",
    "{metric: goroutines.count, max: 1000}",
    "{metric: memory.mapped, max: 100 GiB}",
    "{metric: attribution.memory, max: 100 GiB}",
)
PAGES = "{url}/debug/pprof"
COUNT = "select count(*) from goroutines"
DOORS = (
    ["trace", "gc", "{url}", "--seconds", "0.3"],
    ["trace", "profile", "sched", "{url}", "--seconds", "0.3"],
    ["trace", "summary", "{trace}", "--base", "{url}", "--seconds", "0.3"],
    ["trace", "slice", "{url}", "--seconds", "0.3", "-o", "part.trace"],
    ["trace", "export", "{url}", "--seconds", "0.3", "-o", "app.json"],
    ["profile", "top", "{url}", "--seconds", "1"],
    ["profile", "tree", PAGES + "/heap"],
    ["profile", "top", PAGES + "/heap", "--base", PAGES + "/heap"],
    ["profile", "flame", PAGES + "/allocs", "-o", "flame.html"],
    ["profile", "folded", PAGES + "/heap"],
    ["profile", "merge", PAGES + "/heap", "-o", "heap.pb.gz"],
    ["goroutines", "{url}"],
    ["goroutines", "{url}", "--dumps", "2", "--every", "100ms"],
    ["goroutines", PAGES + "/trace?seconds=0.3"],
    ["query", PAGES + "/trace?seconds=0.3", COUNT],
    ["query", PAGES + "/goroutine?debug=2", "select count(*) from dump_goroutines"],
    ["query", PAGES + "/heap?debug=1", "select count(*) from samples"],
    ["attribute", "--live", "{url}", "--for", "1s", "--keep", "recording"],
    ["attribute", "--trace", PAGES + "/trace?seconds=0.3"],
    ["attribute", "--profile", PAGES + "/heap", "--goroutines", PAGES + "/goroutine?debug=2"],
    ["attribute", "--profile", PAGES + "/heap", "--metrics", PAGES + "/heap?debug=1"],
    ["check", "--rule", "scheduler.utilisation", "--trace", PAGES + "/trace?seconds=0.3"],
    ["check", "--rule", "goroutines.count", "--goroutines", "{url}"],
    ["check", "--rule", "memory.mapped", "--metrics", "{url}"],
    ["check", "--rule", "attribution.memory", "--profile", PAGES + "/heap"],
    ["runtime", "{url}", "--every", "100ms"],
    ["portrait", "--url", "{url}", "--for", "1s"],
)
SERVED = (["trace", "view", "{url}", "--no-browser"], ["profile", "view", "{url}", "--no-browser"])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def url(files: Path) -> Iterator[str]:
    with guarded(files) as found:
        yield found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run, which wait for hardly any time between two pages."""
    monkeypatch.chdir(tmp_path)
    for seconds in ("recorded_goroutines.APART", "runtime_metrics.EVERY"):
        monkeypatch.setattr(f"gocost.measures.{seconds}", 0.1)
    Path("gocost.yaml").write_text(POLICY)
    return tmp_path


def typed(door: list[str], url: str) -> list[str]:
    return [word.format(url=url, trace=recorded("go", "cpu")) for word in door]


def ours(files: Path) -> list[str]:
    return ["--cert", str(files / "client.pem"), "--key", str(files / "client.key")]


def theirs(files: Path) -> list[str]:
    return ["--cacert", str(files / "ca.pem")]


def kept(folder: Path) -> list[str]:
    """The files that are there besides the policy."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in found if path.name != "gocost.yaml"]


@pytest.mark.parametrize("door", DOORS, ids=" ".join)
def test_with_certificates_and_the_token_every_door_opens(
    door: list[str], url: str, files: Path, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    secret = folder / "token"
    secret.write_text(f"Authorization: {SECRET}\n")
    given = [*theirs(files), *ours(files), "--header", f"@{secret}"]
    code = run([*typed(door, url), *given])
    told = capsys.readouterr()
    assert code == 0, told
    secret.unlink()
    for text in (told.out, told.err, *(path.read_bytes().decode("latin-1") for path in
                                       folder.rglob("*") if path.is_file())):  # fmt: skip
        assert SECRET.split()[1] not in text


@pytest.mark.parametrize("door", [*DOORS, *SERVED], ids=" ".join)
@pytest.mark.parametrize(
    ("header", "says"),
    [
        ([], "answered 401: no:; pass credentials with --header 'Name: value'"),
        (["--header", f"Authorization: {SECRET}x"], "answered 401; correct what --header gives"),
        (["--header", "Authorization: elsewhere"], "answered 302, which leads elsewhere"),
    ],
    ids=["none", "wrong", "login"],
)
def test_without_the_token_one_line_says_what_to_do(
    door: list[str], header: list[str], says: str, url: str, files: Path, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert run([*typed(door, url), *theirs(files), *ours(files), *header]) == 3
    told = capsys.readouterr()
    refused(told.out, told.err, door, *says.split("; "))
    assert "s3cr3t" not in told.out + told.err
    assert kept(folder) == []


@pytest.mark.parametrize("door", [*DOORS, *SERVED], ids=" ".join)
def test_without_certificates_one_line_says_what_to_do(
    door: list[str], url: str, files: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = ["--header", f"Authorization: {SECRET}"]
    for given, says in (
        (theirs(files), ("asks for a client's certificate", "--cert FILE --key FILE are yours")),
        (ours(files), ("its certificate is not accepted", "--cacert FILE is who signed")),
    ):
        assert run([*typed(door, url), *token, *given]) == 3
        told = capsys.readouterr()
        refused(told.out, told.err, door, *says)
        assert SECRET.split()[1] not in told.out + told.err
    assert kept(folder) == []


def refused(out: str, err: str, door: list[str], *says: str) -> None:
    """It is said in one line on stderr; by the gate as a finding, whose lines are broken."""
    if door[0] == "check":
        err, out = " ".join(out.split()), ""
    else:
        assert err.count("\n") == 1, err
    assert out == ""
    for words in says:
        if door[0] in ("portrait", "runtime"):
            words = words.partition(": no:")[0]  # several pages are one reason
        assert words in err


def test_a_certificate_of_another_authority(
    url: str, files: Path, tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    others = certificates(tmp_path_factory.mktemp("others"))
    assert run(["goroutines", url, *theirs(files), *ours(others)]) == 3
    assert "asks for a client's certificate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scheme", "says"), [("http", "write https:// in its URL"), ("https", "write http:// in")]
)
def test_the_wrong_scheme(
    scheme: str, says: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["trace", "gc"], ["runtime"], ["portrait", "--for", "1s", "--url"]):
        if scheme == "http":
            assert run([*words, url.replace("https", "http")]) == 3
        else:
            with attributed() as service:
                assert run([*words, service.origin.replace("http", "https")]) == 3
        assert says in capsys.readouterr().err


def test_a_trend_takes_a_service_among_files(
    url: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [*theirs(files), *ours(files)]
    heap = str(profiles() / "heap.0.pb.gz")
    words = ["profile", "trend", heap, f"{url}/debug/pprof/heap", *given]
    assert run(words) == 3
    assert "answered 401" in capsys.readouterr().err
