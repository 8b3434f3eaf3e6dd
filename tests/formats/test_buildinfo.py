"""Build info against `go version -m`, byte for byte, and against Go's own quoting."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gocost.formats.buildinfo import (
    BuildInfo,
    Module,
    module_text,
    parse,
    read_buildinfo,
    version_text,
)
from gocost.formats.executable import open_executable
from gocost.formats.goquote import quote, quoted_prefix, unquote
from gocost.model.errors import FormatError
from tests.fixtures.binaries import RECIPES, RELEASES, Recipe, binary, built


def go_version_m(path: Path) -> bytes:
    return subprocess.run(
        ["go", "version", "-m", str(path)], capture_output=True, check=True
    ).stdout


def ours(path: Path) -> bytes:
    info = read_buildinfo(open_executable(path.read_bytes()))
    return version_text(info, str(path)).encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("name", [*RECIPES, *RELEASES])
def test_the_text_of_go_version_m_byte_for_byte(name: str) -> None:
    path = binary(name)

    assert ours(path) == go_version_m(path)


@pytest.mark.parametrize(
    "flags",
    [
        ("-trimpath",),
        ("-tags=netgo,osusergo",),
        ('-ldflags=-X "main.version=two words"',),
        ("-gcflags=all=-N -l", "-ldflags=-s -w -X main.name=`tick`"),
        ("-asmflags=-D=\tTAB",),
    ],
)
def test_quoted_settings_byte_for_byte(flags: tuple[str, ...]) -> None:
    path = built(Recipe(flags=flags))

    assert ours(path) == go_version_m(path)


def test_modules_replacements_and_a_version_stamp(tmp_path: Path) -> None:
    # Given a module in a repository, with a dependency that is replaced by a folder
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "go.mod").write_text("module example.com/lib\n\ngo 1.21\n")
    (lib / "lib.go").write_text('package lib\n\nfunc Name() string { return "lib" }\n')
    app = tmp_path / "app"
    app.mkdir()
    (app / "go.mod").write_text(
        "module example.com/app\n\ngo 1.21\n\nrequire example.com/lib v1.2.3\n\n"
        "replace example.com/lib => ../lib\n"
    )
    (app / "main.go").write_text(
        'package main\n\nimport "example.com/lib"\n\nfunc main() { println(lib.Name()) }\n'
    )
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "start"],
    ):
        subprocess.run(["git", *arguments], cwd=app, check=True)

    # When it is built with its stamp
    subprocess.run(["go", "build", "-buildvcs=true", "-o", "app", "."], cwd=app, check=True)

    # Then our reading is the go command's
    info = read_buildinfo(open_executable((app / "app").read_bytes()))
    assert ours(app / "app") == go_version_m(app / "app")
    assert info.deps == (Module("example.com/lib", "v1.2.3", "", Module("../lib", "(devel)", "")),)
    assert info.setting("vcs") == "git"
    assert info.setting("vcs.modified") == "false"
    assert info.setting("no.such.setting") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mod\tonly\n", "1 columns"),
        ("dep\ta\tb\tc\td\n", "4 columns"),
        ("=>\ta\tb\tc\n", "no module before"),
        ("dep\ta\tv1\th\n=>\ta\tb\n", "2 columns"),
        ("build\t=x\n", "without key"),
        ("build\tno-equals\n", "without key"),
        ('build\t"open=x\n', "quoted key"),
        ('build\ta="open\n', "quotes do not match"),
        ("build\ta=two words\n", "lacks its quotes"),
        ('build\ta="\\q"\n', "escape"),
    ],
)
def test_what_go_refuses_is_refused(text: str, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        parse(text)


def test_what_go_passes_over_is_passed_over() -> None:
    info = parse("unknown\tline\npath\tmain\nnot even a tab\npath\tno newline at the end")

    assert info == BuildInfo("", "main", None, (), ())


def test_a_file_without_it_is_told_so() -> None:
    path = binary("linux-amd64")
    data = path.read_bytes().replace(b"\xff Go buildinf:", b"\xff no buildinf:")

    with pytest.raises(FormatError, match="no Go build information"):
        read_buildinfo(open_executable(data))


SETTINGS = st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=12))
WORDS = st.text(st.characters(exclude_characters="\t\n", codec="utf-8"), max_size=8)
MODULES = st.builds(Module, WORDS.filter(bool), WORDS, WORDS)


@given(
    st.builds(
        BuildInfo,
        st.just(""),
        WORDS,
        st.none() | MODULES,
        st.lists(MODULES, max_size=3).map(tuple),
        st.lists(SETTINGS, max_size=3).map(tuple),
    )
)
def test_text_is_read_back_as_it_was(info: BuildInfo) -> None:
    again = parse(module_text(info))

    assert again == replace(info, main=again.main if info.main == Module("") else info.main)


@given(st.text(st.characters(codec="utf-8")))
def test_quotes_come_off_as_they_went_on(text: str) -> None:
    literal = quote(text)

    assert quoted_prefix(literal + "rest") == literal
    assert unquote(literal) == text


def test_bytes_that_a_carriage_return_kept_apart_are_a_character_without_it() -> None:
    # given a raw literal, in which Go drops carriage returns, between two bytes of a character
    literal = b"`\xd5\r\x98`".decode("utf-8", "surrogateescape")

    # then it is read as Go reads it, and again the same from what is written
    assert unquote(literal) == "\u0558"
    info = parse(f"path\tm\nbuild\tkey={literal}\n")
    assert parse(module_text(info)).settings == info.settings == (("key", "\u0558"),)


def test_go_quotes_the_same(tmp_path: Path) -> None:
    # Given text of every kind of character, well-formed or not
    samples = ["plain", "two words", 'a"b\\c', "\a\b\f\n\r\t\v\0\x1f\x7f", "é ü 世界 🙂"]
    samples += [
        "\u200b\u00a0\u2028\ufeff\U000e0001",
        b"bad \xff\xfe".decode("utf-8", "surrogateescape"),
    ]
    (tmp_path / "go.mod").write_text("module q\n\ngo 1.16\n")
    (tmp_path / "main.go").write_text(
        'package main\n\nimport (\n\t"fmt"\n\t"io"\n\t"os"\n\t"strconv"\n\t"strings"\n)\n\n'
        "func main() {\n\tdata, _ := io.ReadAll(os.Stdin)\n"
        '\tfor _, s := range strings.Split(string(data), "|") {\n'
        "\t\tfmt.Println(strconv.Quote(s))\n\t}\n}\n"
    )

    # When Go quotes it
    text = "|".join(samples).encode("utf-8", "surrogateescape")
    done = subprocess.run(
        ["go", "run", "."], cwd=tmp_path, input=text, capture_output=True, check=True
    )

    # Then so do we
    assert done.stdout.decode().splitlines() == [quote(sample) for sample in samples]
