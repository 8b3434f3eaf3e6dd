"""Every wrong policy names its place, the wrong word and what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.formats.yaml_document import MAX_BYTES, MAX_DEPTH, compose
from gocost.model.errors import ExitCode, PolicyError, UsageError
from gocost.policy.loading import load, load_text
from tests.policy.texts import MINIMAL, with_rules

PATH = Path("gocost.yaml")

BENCH = "version: 1\nservices:\n  a: {bench: {%s}}\n"
GOROUTINES = "version: 1\nservices:\n  a: {goroutines: {%s}}\n"

CASES = [
    # text, line, column, what it says, what to type
    ("version: 1\n", 1, 1, "no service", "services"),
    ("version: 2\nservices: {a: {}}\n", 1, 10, "version cannot be '2'", "known: 1"),
    ("services: {a: {}}\n", 1, 1, "has no 'version'", "version:"),
    (
        "version: 1\ngoroutines: {allow: ['(']}\nservices: {a: {}}\n",
        2,
        22,
        "is no regular expression",
        "quote it",
    ),
    ("version: 1\nservices: {}\n", 2, 1, "no service", "package"),
    ("version: 1\nservces: {a: {}}\n", 2, 1, "no key 'servces'", "did you mean 'services'?"),
    (MINIMAL + "team: a\nteam: b\n", 5, 1, "'team' stands twice", "line 4"),
    (MINIMAL + "services2: {}\n", 4, 1, "no key 'services2'", "'services'"),
    ("version: 1\nservices: [a]\n", 2, 11, "keys and values", "key: value"),
    ("version: 1\nservices:\n  a: {run: {comand: [x]}}\n", 3, 13, "no key 'comand'", "'command'"),
    ("version: 1\nservices:\n  a b: {}\n", 3, 3, "cannot name a service", "letters"),
    (
        "version: 1\nservices:\n  a: {deployment: {cpu: 5 apples}}\n",
        3,
        25,
        "cpu: '5 apples' is not a quantity in cores",
        "500m",
    ),
    (
        "version: 1\nservices:\n  a: {deployment: {memory: 256 MIB}}\n",
        3,
        28,
        "memory: '256 MIB'",
        "20 MiB",
    ),
    (
        "version: 1\nservices:\n  a: {deployment: {replicas: two}}\n",
        3,
        30,
        "replicas is a whole number",
        "replicas: 3",
    ),
    (
        "version: 1\nservices:\n  a: {run: {load: {command: [b], rate: 0/s}}}\n",
        3,
        19,
        "a rate and a duration above 0",
        "rate: 500/s",
    ),
    (
        'version: 1\nservices:\n  a: {run: {ready: "ftp://127.0.0.1:{port}/"}}\n',
        3,
        20,
        "'ftp://127.0.0.1:{port}/' is not the URL of a service",
        "http://127.0.0.1:{port}/healthz",
    ),
    (
        'version: 1\nservices:\n  a: {run: {ready: "http://127.0.0.1:{prt}/"}}\n',
        3,
        20,
        "{prt} stands for nothing",
        "{port}",
    ),
    (
        'version: 1\nservices:\n  a: {run: {endpoints: ["127.0.0.1:{port2}", "https:///"]}}\n',
        3,
        46,
        "'https:///' is not the URL of a service",
        "http://",
    ),
    (
        'version: 1\nservices:\n  a: {run: {endpoints: ["http://a..b"]}}\n',
        3,
        25,
        "'http://a..b' is not the URL of a service",
        "http://",
    ),
    (
        "version: 1\nservices:\n  a: {deployment: {cpu: -1}}\n",
        3,
        25,
        "cpu is below 0",
        "leave it out",
    ),
    (
        "version: 1\nservices:\n  a: {deployment: {memory: 256}}\n",
        3,
        28,
        "memory is 256 B, which holds no Go program",
        "such as 256 MiB",
    ),
    (
        "version: 1\nservices:\n  a: {run: {load: {rate: 5/s}}}\n",
        3,
        19,
        "either `vegeta:` or `command:`",
        "targets",
    ),
    (
        'version: 1\nservices:\n  a: {run: {command: ["{binary}", "{prt}"]}}\n',
        3,
        35,
        "{prt} stands for nothing",
        "{port}",
    ),
    (
        "version: 1\nservices:\n  a: {build: {platform: linux}}\n",
        3,
        25,
        "no platform",
        "linux/amd64",
    ),
    (
        "version: 1\nservices:\n  a: {build: {command: [make]}}\n",
        3,
        24,
        "does not say where it writes",
        "{output}",
    ),
    (
        "version: 1\nservices:\n  a: {build: {prepare: [go, generate, ./...]}}\n",
        3,
        25,
        "'go' alone is no command",
        "[[go, generate, ./...]]",
    ),
    (
        "version: 1\nservices:\n  a: {build: {prepare: [sh, -c, make]}}\n",
        3,
        29,
        "'-c' alone is no command",
        "prepare lists commands",
    ),
    (
        "version: 1\nservices:\n  a: {build: {flags: [-o, x]}}\n",
        3,
        23,
        "gocost says itself where",
        "remove -o",
    ),
    (
        "version: 1\nservices:\n  a: {build: {flags: -trimpath -v}}\n",
        3,
        22,
        "a list of words",
        "[-trimpath, -v]",
    ),
    (
        "version: 1\nservices:\n  a: {build: {binary: x, flags: [-v]}}\n",
        3,
        23,
        "built elsewhere",
        "keep either",
    ),
    (with_rules("{metric: binary.sise, max: 1}"), 5, 14, "'binary.sise'", "'binary.size'"),
    (with_rules("{metric: gc.pause, max: 1 s}"), 5, 14, "family of metrics", "gc.pause.p99"),
    (with_rules("{metric: binary.size}"), 5, 5, "limits nothing", "max:"),
    (with_rules("{max: 5 MiB}"), 5, 5, "no 'metric'", "metric:"),
    (with_rules("{metric: binary.size, max: 5 miles}"), 5, 32, "'5 miles'", "20 MiB"),
    (with_rules("{metric: binary.size, max: 1e999999999}"), 5, 32, "proportion", "20 MiB"),
    (with_rules("{metric: binary.size, max: .nan}"), 5, 32, "not a quantity", "20 MiB"),
    (with_rules("{metric: binary.size, max: }"), 5, 32, "max is one value", "max: VALUE"),
    (with_rules("{metric: binary.size, max: [1]}"), 5, 32, "here is a list", "max: VALUE"),
    (
        with_rules("{metric: binary.size, max: -1}"),
        5,
        32,
        "binary.size cannot be -1",
        "at least 0 B",
    ),
    (
        with_rules("{metric: binary.size, max: 1}")
        + "waivers:\n  - {rule: binary.size, owner: a, reason: b, expires: 2027-03-31, max: -1}\n",
        7,
        72,
        "binary.size cannot be -1",
        "at least 0 B",
    ),
    (with_rules("{metric: binary.size, max: 1, min: 2}"), 5, 5, "below min", "swap"),
    (with_rules("{metric: binary.linkage, max: 5}"), 5, 35, "is text and has no max", "one_of"),
    (with_rules("{metric: binary.linkage, growth: 5%}"), 5, 38, "has no growth", "one_of"),
    (
        with_rules("{metric: binary.linkage, one_of: [statik]}"),
        5,
        39,
        "cannot be 'statik'",
        "'static'",
    ),
    (
        with_rules("{metric: binary.size, one_of: [a]}"),
        5,
        35,
        "a number and has no one_of",
        "max, min",
    ),
    (
        with_rules("{metric: binary.linkage, is: static, one_of: [static]}"),
        5,
        5,
        "contradict",
        "keep one",
    ),
    (
        with_rules("{metric: binary.size, max: 1, severity: eror}"),
        5,
        45,
        "severity cannot be 'eror'",
        "'error'",
    ),
    (
        with_rules("{metric: binary.size, max: 1, where: [chek]}"),
        5,
        43,
        "cannot be 'chek'",
        "'check'",
    ),
    (
        with_rules("{metric: binary.size, max: 1, where: live}"),
        5,
        42,
        "cannot be measured at 'live'",
        "check",
    ),
    (
        with_rules("{metric: bench.time, max: 1 s, select: {benchmrk: X}}"),
        5,
        45,
        "no label 'benchmrk'",
        "'benchmark'",
    ),
    (
        with_rules("{metric: binary.size, max: 1, select: {service: ap}}"),
        5,
        5,
        "no service 'ap'",
        "'app'",
    ),
    (
        with_rules("{metric: binary.size, max: 1}", "{metric: binary.size, max: 2}"),
        6,
        5,
        "rule 'binary.size' already, on line 5",
        "id",
    ),
    (with_rules("{metric: binary.size, max: 1, locked: yes}"), 5, 43, "true or false", "true"),
    (with_rules("{metric: cost.month, max: 40}"), 5, 31, "amount of money", "USD"),
    (
        MINIMAL + "waivers:\n  - {rule: x, owner: a, reason: b, expires: 2027-03-31}\n",
        5,
        12,
        "no rule 'x'",
        "remove the waiver",
    ),
    (
        with_rules("{metric: binary.size, max: 1}")
        + "waivers:\n  - {rule: binary.size, owner: a, reason: b, expires: soon}\n",
        7,
        55,
        "expires is a day",
        "2027-03-31",
    ),
    (
        with_rules("{metric: binary.size, max: 1}")
        + 'waivers:\n  - {rule: binary.size, owner: "", reason: b, expires: 2027-03-31}\n',
        7,
        32,
        "needs its owner",
        "who answers",
    ),
    (
        with_rules("{metric: binary.size, max: 1}")
        + "waivers:\n  - {rule: binary.size, owner: a, expires: 2027-03-31}\n",
        7,
        5,
        "no 'reason'",
        "reason:",
    ),
    (BENCH % "packages: []", 3, 25, "no packages", "./..."),
    (BENCH % "packages: [-x]", 3, 26, "'-x' is no package", "go test"),
    (BENCH % "count: 0", 3, 22, "count is 0", "write 10"),
    (BENCH % "count: 1001", 3, 22, "count is 1001", "at most 1000"),
    (BENCH % "benchtime: soon", 3, 26, "'soon' is not a benchtime", "100x"),
    (BENCH % "benchtime: 0s", 3, 26, "'0s' is not a benchtime", "500ms"),
    (BENCH % "min_effect: some", 3, 27, "min_effect: 'some'", "5%"),
    (BENCH % "min_effect: -5%", 3, 27, "min_effect is below 0", "5%"),
    (BENCH % "fdr: 100%", 3, 20, "fdr is not between 0 and 1", "5%"),
    (BENCH % "flags: [-o, x]", 3, 23, "where the build writes", "remove -o"),
    (GOROUTINES % "alow: [x]", 3, 20, "no key 'alow'", "'allow'"),
    (GOROUTINES % "allow: '('", 3, 27, "'(' is no regular expression", "escape"),
    (GOROUTINES % "allow: [a, '(b']", 3, 31, "'(b' is no regular expression: missing )", "escape"),
    (GOROUTINES % "allow: ['']", 3, 28, "allows every goroutine", "remove it"),
    (BENCH % "bnch: x", 3, 15, "no key 'bnch'", "'bench'"),
    (MINIMAL + "presets: [standart]\n", 4, 11, "no preset 'standart'", "'standard'"),
    (MINIMAL + "extends: [missing.yaml]\n", 4, 11, "missing.yaml does not exist", "relative"),
    (MINIMAL + "prices: missing.yaml\n", 4, 9, "no price book missing.yaml", "default"),
    (MINIMAL + "<<: {team: a}\n", 4, 1, "merge keys", "extends"),
    (MINIMAL + "team: !!python/name:os.system x\n", 4, 7, "tag", "remove"),
    (MINIMAL + "team: *nowhere\n", 4, 7, "no finished anchor", "first"),
    (MINIMAL + "rules: &r [*r]\n", 4, 12, "no finished anchor", "itself"),
    (MINIMAL + "team: 'open\n", 5, 1, "not YAML", "quotes"),
    (MINIMAL + "\tteam: a\n", 4, 1, "not YAML", "indentation"),
    ("version: 1\n---\nversion: 1\n", 2, 1, "one YAML document", "---"),
    ("version: 1\n? [a]\n: b\n", 2, 3, "a key of the policy is a list", "word"),
]


@pytest.mark.parametrize(("text", "line", "column", "says", "hint"), CASES)
def test_an_error_names_place_word_and_remedy(
    text: str, line: int, column: int, says: str, hint: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        load_text(text, PATH)
    error = caught.value
    assert says in str(error)
    assert hint in error.hint
    assert (error.line, error.column) == (line, column)
    assert str(error).startswith(f"gocost.yaml:{line}:{column}: ")
    assert "\n" not in str(error)
    assert error.exit_code == ExitCode.USAGE


def test_an_empty_file_says_what_writes_one() -> None:
    with pytest.raises(PolicyError, match="empty; `gocost init` writes a policy"):
        load_text("# nothing\n", PATH)


def test_sections_with_everything_commented_out_are_empty() -> None:
    policy = load_text(MINIMAL + "rules:\n# - {metric: binary.size}\nwaivers:\n", PATH)
    assert policy.services[0].rules == ()


def test_depth_is_capped_without_recursion() -> None:
    with pytest.raises(PolicyError, match=f"more than {MAX_DEPTH} deep"):
        compose("[" * 100_000, "gocost.yaml")


def test_a_bomb_of_aliases_is_capped() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(PolicyError, match="values"):
        compose("\n".join(levels), "gocost.yaml")


def test_a_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "gocost.yaml"
    path.write_text("version: 1\n" + "#" * MAX_BYTES)
    with pytest.raises(UsageError, match="larger than"):
        load(path)


def test_bytes_that_are_not_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "gocost.yaml"
    path.write_bytes(b"version: 1\nteam: \xff\n")
    with pytest.raises(PolicyError, match="byte 17 is not UTF-8"):
        load(path)


def test_a_missing_policy_is_a_mistake_of_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load(tmp_path / "gocost.yaml")
