"""Every command that asks a service, of one whose token is in the URL's own query."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from gocost.cli.main import run
from tests.cli.test_guarded import (
    DOORS,
    PAGES,
    SERVED,
    files,
    folder,
    kept,
    ours,
    refused,
    theirs,
    typed,
    url,
)
from tests.fixtures.guarded import SECRET

__all__ = ["files", "folder", "url"]

WORD = SECRET.split()[1]
SAVED = (
    ["trace", "summary", "{url}", "--seconds", "0.3"],
    ["profile", "top", PAGES + "/heap", "--base", PAGES + "/heap"],
    ["goroutines", "{url}", "--dumps", "2", "--every", "100ms"],
    ["goroutines", PAGES + "/trace?seconds=0.3"],
    [
        "query",
        PAGES + "/goroutine?debug=2",
        "select file, count(*) from dump_goroutines group by 1",
    ],
    ["query", PAGES + "/trace?seconds=0.3", "select file, count(*) from goroutines group by 1"],
    ["attribute", "--live", "{url}", "--for", "1s", "--keep", "recording"],
    ["attribute", "--profile", PAGES + "/heap", "--trace", PAGES + "/trace?seconds=0.3"],
    ["check", "--rule", "goroutines.count", "--goroutines", "{url}"],
    ["check", "--rule", "attribution.memory", "--profile", PAGES + "/heap"],
    ["runtime", "{url}", "--every", "100ms"],
    ["portrait", "--url", "{url}", "--for", "1s"],
)


def asking(door: list[str], url: str, token: str) -> list[str]:
    """What is typed, with the token in the query of each URL."""
    return [
        f"{word}{'&' if '?' in word else '?'}token={token}" if word.startswith(url) else word
        for word in typed(door, url)
    ]


def texts(folder: Path) -> list[str]:
    """What is in the files that a command made."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return [f"{path}: {path.read_bytes().decode('latin-1')}" for path in found]


def without_the_word(*texts: str) -> None:
    for text in texts:
        assert WORD not in text


@pytest.mark.parametrize("door", DOORS, ids=" ".join)
def test_every_door_opens_and_nothing_shows_the_token(
    door: list[str], url: str, files: Path, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    code = run([*asking(door, url, quote(SECRET)), *theirs(files), *ours(files)])
    told = capsys.readouterr()
    assert code == 0, told
    without_the_word(told.out, told.err, *texts(folder))


@pytest.mark.parametrize("format_", ["json", "html"])
@pytest.mark.parametrize("door", SAVED, ids=" ".join)
def test_no_form_of_a_report_shows_it(
    door: list[str], format_: str, url: str, files: Path, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    words = [*asking(door, url, quote(SECRET)), *theirs(files), *ours(files)]
    code = run([*words, "--format", format_, "-o", "report"])
    told = capsys.readouterr()
    assert code == 0, told
    assert Path("report").stat().st_size
    without_the_word(told.out, told.err, *texts(folder))


@pytest.mark.parametrize("door", [*DOORS, *SERVED], ids=" ".join)
@pytest.mark.parametrize(
    ("token", "says"),
    [
        (quote(f"{SECRET} x"), ("answered 401", "correct the query of the URL")),
        (quote_plus(f"{SECRET} x"), ("answered 401", "correct the query of the URL")),
        ("elsewhere", ("answered 302, which leads elsewhere",)),
        (f"forbidden&key={WORD}", ("answered 403: not for you", "correct the query of the URL")),
    ],
    ids=["wrong", "plus", "login", "forbidden"],
)
def test_a_refusal_does_not_show_it(
    door: list[str], token: str, says: tuple[str, ...], url: str, files: Path, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if token.startswith("forbidden") and door[0] in ("runtime", "portrait"):
        says = ("answered 403", "correct the query of the URL")  # several pages are one reason
    assert run([*asking(door, url, token), *theirs(files), *ours(files)]) == 3
    told = capsys.readouterr()
    refused(told.out, told.err, door, *says)
    without_the_word(told.out, told.err)
    assert kept(folder) == []


@pytest.mark.parametrize("door", [*DOORS, *SERVED], ids=" ".join)
def test_nor_does_one_that_is_not_reached(
    door: list[str], url: str, files: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = url.replace("https", "http")
    for words in (
        asking(door, url, quote(SECRET)),  # without a certificate
        [*asking(door, plain, quote(SECRET)), "--debug"],
        asking(door, f"https://admin:{WORD}@{url.removeprefix('https://')}", "x"),
        asking(door, f"{url}0000", WORD),  # a port that there is not
        asking(door, f"{url}/a b", WORD),  # no URL
    ):
        assert run(words) in (2, 3)
        told = capsys.readouterr()
        without_the_word(told.out, told.err)
    assert kept(folder) == []


def test_nor_does_a_policy_that_names_its_service(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = f"http://127.0.0.1:{{port}}/?token={WORD}"
    run_ = f'{{command: ["{{binary}}"], ready: "{where}", endpoints: ["{where}"]}}'
    Path("gocost.yaml").write_text(
        f"version: 1\nservices:\n  payments:\n    package: ./payments\n    run: {run_}\n"
    )
    for format_ in ("text", "json"):
        assert run(["policy", "show", "--format", format_]) == 0
        told = capsys.readouterr()
        assert "token=***" in told.out
        without_the_word(told.out, told.err)
    Path("gocost.yaml").write_text(Path("gocost.yaml").read_text().replace("http:", "htp:"))
    assert run(["policy", "lint"]) == 2
    told = capsys.readouterr()
    assert "is not the URL of a service" in told.err
    without_the_word(told.out, told.err)
