"""Layers of a policy: extends, presets, services; locks, provenance, discovery."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.model.errors import PolicyError, UsageError
from gocost.model.finding import Severity
from gocost.model.metric import Enforcer
from gocost.policy.loading import Policy, discover, load, preset_path
from gocost.policy.rules import Rule
from gocost.policy.schema import PRESETS
from tests.policy.texts import EXAMPLE, MINIMAL, ORGANISATION, with_rules


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / "gocost.yaml"


def rule(policy: Policy, identifier: str, service: int = 0) -> Rule:
    return next(r for r in policy.services[service].rules if r.id == identifier)


def test_the_documented_form_is_read_in_base_units(tmp_path: Path) -> None:
    policy = load(written(tmp_path, gocost=EXAMPLE, org=ORGANISATION))
    (governed,) = policy.services
    service = governed.service
    assert (service.name, service.package, service.team) == (
        "payments",
        "./cmd/payments",
        "checkout",
    )
    assert service.directory == str(tmp_path)
    assert service.build.flags == ("-trimpath", "-ldflags=-s -w")
    assert service.build.env == {"CGO_ENABLED": "0"}
    assert service.run is not None
    assert service.run.load is not None
    assert (service.run.load.rate, service.run.load.duration) == (500, 10)
    assert service.deployment is not None
    assert service.deployment.cpu == 0.5
    assert service.deployment.memory == 256 * 2**20
    assert service.deployment.requests_per_month == 90_000_000
    size = rule(policy, "binary.size")
    assert size.limits["max"].value == 12 * 2**20
    assert (size.limits["growth"].value, size.limits["growth"].relative) == (0.05, True)
    pauses = rule(policy, "pauses")
    assert (pauses.metric.id, pauses.hold, pauses.severity) == (
        "gc.pause.p99",
        30,
        Severity.WARNING,
    )
    assert pauses.where == (Enforcer.CHECK, Enforcer.LIVE)
    assert rule(policy, "org-size").locked
    assert [waiver.rule for waiver in governed.waivers] == ["pauses"]


def test_a_service_s_rule_replaces_the_file_s_and_only_there(tmp_path: Path) -> None:
    text = (
        "version: 1\nservices:\n"
        "  a: {rules: [{metric: binary.size, max: 2 MiB, severity: info}]}\n"
        "  b: {}\n"
        "rules: [{metric: binary.size, max: 9 MiB, growth: 5%}]\n"
    )
    policy = load(written(tmp_path, gocost=text))
    own, shared = rule(policy, "binary.size", 0), rule(policy, "binary.size", 1)
    assert own.limits.keys() == {"max"}
    assert own.limits["max"].value == 2 * 2**20
    assert shared.limits.keys() == {"max", "growth"}


def test_own_rules_replace_those_of_presets_and_of_extended_files(tmp_path: Path) -> None:
    text = with_rules("{metric: build.trimpath, is: false}") + "presets: [standard]\n"
    policy = load(written(tmp_path, gocost=text))
    assert rule(policy, "build.trimpath").limits["is"].value is False
    assert rule(policy, "build.stripped").origin == "preset standard"


def test_a_finding_of_a_preset_points_at_the_line_that_brought_it_in(tmp_path: Path) -> None:
    policy = load(written(tmp_path, gocost=MINIMAL + "presets: [standard]\n"))
    anchor = rule(policy, "build.stripped").anchor
    assert (Path(anchor.path).name, anchor.line) == ("gocost.yaml", 4)
    assert rule(policy, "build.stripped").place.path == "preset standard"


ORG = "version: 1\nrules:\n  - {metric: binary.size, max: 10 MiB, locked: true}\n"


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ("{metric: binary.size, max: 11 MiB}", "locked at max 10 MiB"),
        ("{metric: binary.size, max: 9 MiB, severity: warning}", "severity is lowered"),
        ("{metric: binary.size, max: 9 MiB, select: {service: app}}", "selects other facts"),
        ("{id: binary.size, metric: memory.rss.peak, max: 1 MiB}", "over another metric"),
    ],
)
def test_a_locked_rule_cannot_be_loosened(tmp_path: Path, own: str, says: str) -> None:
    path = written(tmp_path, gocost=with_rules(own) + "extends: [org.yaml]\n", org=ORG)
    with pytest.raises(PolicyError, match=says):
        load(path)


def test_a_locked_rule_can_be_tightened_and_keeps_what_is_not_restated(tmp_path: Path) -> None:
    org = "version: 1\nrules: [{metric: binary.size, max: 10 MiB, growth: 5%, locked: true}]\n"
    text = with_rules("{metric: binary.size, max: 9 MiB}") + "extends: [org.yaml]\n"
    size = rule(load(written(tmp_path, gocost=text, org=org)), "binary.size")
    assert size.limits["max"].value == 9 * 2**20
    assert size.limits["growth"].value == 0.05
    assert size.locked


def test_a_preset_does_not_loosen_a_locked_rule(tmp_path: Path) -> None:
    org = "version: 1\nrules: [{metric: gc.pause.max, max: 1 ms, locked: true}]\n"
    text = MINIMAL + "extends: [org.yaml]\npresets: [standard]\n"
    pause = rule(load(written(tmp_path, gocost=text, org=org)), "gc.pause.max")
    assert pause.limits["max"].value == 0.001


def test_a_locked_rule_is_waived_only_where_it_is_locked(tmp_path: Path) -> None:
    waiver = "waivers: [{rule: binary.size, owner: a, reason: b, expires: 2027-01-01}]\n"
    text = MINIMAL + "extends: [org.yaml]\n"
    with pytest.raises(PolicyError, match="cannot be waived here"):
        load(written(tmp_path, gocost=text + waiver, org=ORG))
    policy = load(written(tmp_path, gocost=text, org=ORG + waiver))
    assert [each.rule for each in policy.services[0].waivers] == ["binary.size"]


def test_circles_of_extends_are_errors(tmp_path: Path) -> None:
    other = "version: 1\nextends: [gocost.yaml]\n"
    with pytest.raises(PolicyError, match="extends itself"):
        load(written(tmp_path, gocost=MINIMAL + "extends: [other.yaml]\n", other=other))


def test_an_extended_file_that_is_wrong_is_named_itself(tmp_path: Path) -> None:
    path = written(
        tmp_path, gocost=MINIMAL + "extends: [org.yaml]\n", org="version: 1\nruels: []\n"
    )
    with pytest.raises(PolicyError, match=r"org\.yaml:2:1: .*'ruels'"):
        load(path)


def test_every_setting_knows_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    policy = load(written(tmp_path, gocost=EXAMPLE, org=ORGANISATION))
    origins = {(each.service, each.name): each.origin for each in policy.settings}
    assert origins["", "team"] == "gocost.yaml:2"
    assert origins["payments", "run.load.rate"] == "gocost.yaml:13"
    assert origins["payments", "run.settle"] == "default"
    values = {each.name: each.value for each in policy.settings}
    assert values["deployment.memory"] == "256 MiB"


def test_goroutines_may_grow_in_every_service_or_in_one(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("version: 1\ngoroutines: {allow: [org]}\n")
    path = tmp_path / "gocost.yaml"
    path.write_text(
        "version: 1\nextends: [org.yaml]\ngoroutines: {allow: [all, org]}\n"
        "services: {a: {goroutines: {allow: [own]}}, b: {}}\n"
    )
    policy = load(path)
    allowed = {each.service.name: each.service.goroutines.allow for each in policy.services}
    assert allowed == {"a": ("org", "all", "own"), "b": ("org", "all")}
    told = {(each.service, each.name): each.value for each in policy.settings}
    assert "all" in told["", "goroutines.allow"]


def test_team_and_prices_are_inherited(tmp_path: Path) -> None:
    org = "version: 1\nteam: platform\nprices: book.yaml\n"
    (tmp_path / "book.yaml").write_text("")
    policy = load(written(tmp_path, gocost=MINIMAL + "extends: [org.yaml]\n", org=org))
    assert policy.team == "platform"
    assert policy.services[0].service.team == "platform"
    assert policy.prices == tmp_path / "book.yaml"


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_a_right_policy_that_says_why(tmp_path: Path, name: str) -> None:
    policy = load(written(tmp_path, gocost=MINIMAL + f"presets: [{name}]\n"))
    assert policy.services[0].rules
    text = preset_path(name).read_text()
    assert text.count("#") >= len(policy.services[0].rules) // 2


def test_the_policy_is_found_upwards(tmp_path: Path) -> None:
    path = written(tmp_path, gocost=MINIMAL)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert discover(deep) == path
    path.unlink()
    with pytest.raises(UsageError, match=r"no gocost\.yaml in"):
        discover(deep)


def test_services_can_be_chosen_by_name(tmp_path: Path) -> None:
    policy = load(written(tmp_path, gocost="version: 1\nservices: {a: {}, pay: {}}\n"))
    assert [each.service.name for each in policy.only(["pay"]).services] == ["pay"]
    with pytest.raises(UsageError, match="no service 'pya'; did you mean 'pay'"):
        policy.only(["pya"])


def test_rules_can_be_chosen_by_their_ids(tmp_path: Path) -> None:
    rules = (
        "rules: [{metric: binary.size, max: 1 MiB}, {id: my-size, metric: binary.size, min: 0}]\n"
    )
    policy = load(written(tmp_path, gocost="version: 1\nservices: {a: {}}\n" + rules))
    for globs, kept in (
        (["binary.*"], ["binary.size"]),
        (["my-size", "binary.size"], ["binary.size", "my-size"]),
        ([], ["binary.size", "my-size"]),
    ):
        assert sorted(rule.id for rule in policy.judging(globs).services[0].rules) == kept
    with pytest.raises(UsageError, match="no rule 'my-syze'; did you mean 'my-size'"):
        policy.judging(["binary.size", "my-syze"])


def test_a_file_that_others_extend_can_be_checked_by_itself(tmp_path: Path) -> None:
    waiver = "waivers: [{rule: binary.size, owner: a, reason: b, expires: 2027-01-01}]\n"
    path = written(tmp_path, gocost=ORG + waiver)
    assert [rule.id for rule in load(path, to_extend=True).rules] == ["binary.size"]
    with pytest.raises(PolicyError, match="no service"):
        load(path)
