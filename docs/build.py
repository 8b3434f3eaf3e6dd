"""Keeps the docs true: runs their commands, writes what they printed, makes the reference pages.

A page holds a command as a comment and its output as the fenced block after it:

    <!-- run examples/payments: gocost size {payments} --top 5 -->
    ```console
    $ gocost size payments --top 5
    ...
    ```

`python docs/build.py` runs every such command in the named folder and rewrites the block. Words in
braces are files that are built first (`FIXTURES`); what stands before ` :: ` is done first and not
shown (`SETUP` has functions for it). `--check` runs nothing and writes nothing: it fails when a
reference page is stale, a link leads nowhere, or a page shows a command or an option that gocost
does not have.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from gocost.analyses.query.catalogue import relations
from gocost.cli.index import COMMANDS
from gocost.cli.main import gocost
from gocost.model.catalogue import FAMILIES, all_metrics
from gocost.model.quantity import Unit
from gocost.policy.json_schema import schema

DOCS = Path(__file__).parent
ROOT = DOCS.parent
BUILT = ROOT / "build" / "docs"
FIXTURES = {
    "payments": ("examples/payments", ["-trimpath", "-ldflags=-s -w"], "./cmd/payments"),
    "payments-export": (
        "examples/payments",
        ["-trimpath", "-ldflags=-s -w", "-tags=export"],
        "./cmd/payments",
    ),
    "orders": ("examples/orders", ["-trimpath", "-ldflags=-s -w"], "./cmd/orders"),
}
# What a page needs before its command: the folder as a repository of its own, with one commit on
# main; then a branch on which it leaks; a service that leaks under load for a minute; one that is
# paid through. The policy's own load lasts longer than a page needs.
SETUP = r"""
set -o pipefail
repository() {
  rm -rf "$WORK" && mkdir -p "$WORK" && cp -r . "$WORK" && cd "$WORK" || return
  sed -i 's/duration: 10 s/duration: 4 s/; s/^      ready:/      settle: 1 s\n&/' gocost.yaml
  git init --quiet --initial-branch=main && keep "A payment service"
}
regression() {
  repository && git checkout --quiet -b regression || return
  sed -i 's/^const Default = .*/const Default = "leak,retain"/' internal/regress/regress.go
  keep "Speed up settlement"
}
leaking() {
  mkdir -p "$WORK" && cd "$WORK" || return
  [ ! -f leaking.pid ] || kill "$(cat leaking.pid)" 2>/dev/null
  PAYMENTS_REGRESS=leak timeout 60 "$1" --listen=127.0.0.1:8071 --debug-listen=127.0.0.1:6060 \
    >/dev/null 2>&1 & echo $! >leaking.pid
  until curl -sf http://127.0.0.1:8071/healthz; do sleep 0.1; done
  (while curl -s http://127.0.0.1:8071/v1/payments; do :; done) >/dev/null 2>&1 &
  sleep 2
}
loaded() {
  mkdir -p "$WORK" && [ ! -f "$WORK/loaded.pid" ] || kill "$(cat "$WORK/loaded.pid")" 2>/dev/null
  timeout 90 "$1" --listen=127.0.0.1:8072 --debug-listen=127.0.0.1:6061 --ttl=2s \
    >/dev/null 2>&1 &
  until curl -sf http://127.0.0.1:8072/healthz; do sleep 0.1; done
  pgrep -P $! >"$WORK/loaded.pid"
  pay=http://127.0.0.1:8072/v1/payments
  signed=$(grep -m1 '^X-Signature' load/pay.targets)
  for _ in 1 2 3; do
    (while curl -sf -H "$signed" --data-binary @load/card.json "$pay#[1-500]"; do :; done) \
      >/dev/null 2>&1 &
  done
  cp gocost.yaml "$WORK" && sed -i 's/^presets.*//' "$WORK/gocost.yaml" && cd "$WORK" || return
  rm -rf recorded && sleep 1
}
keep() { git add --all; git -c user.name=docs -c user.email=docs@example.com commit -qm "$1"; }
"""

BLOCK = re.compile(
    r"<!-- run (?P<folder>\S+): (?P<command>[^\n]+?) -->\n```console\n(?P<output>.*?)```",
    re.DOTALL,
)
FENCE = re.compile(r"```(?:console|sh|bash)\n(.*?)```", re.DOTALL)
FIXTURE = re.compile(r"\{(" + "|".join(sorted(FIXTURES, reverse=True)) + r")\}")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)#\s]+)(#[^)\s]*)?\)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail on what is stale")
    parser.add_argument("pages", nargs="*", type=Path, help="only these pages (all without)")
    options = parser.parse_args()
    pages = [page.resolve() for page in options.pages] or [
        ROOT / "README.md",
        *sorted(DOCS.glob("*.md")),
    ]
    faults = list(check(pages)) if options.check else list(write(pages))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def check(pages: list[Path]) -> Iterator[str]:
    """What is wrong with the docs as they stand."""
    for path, text in reference().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield f"{path.relative_to(ROOT)} is stale: run `python docs/build.py`"
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for target in (*(target for target, _ in LINK.findall(text)), *IMAGE.findall(text)):
            if "://" not in target and not (page.parent / target).exists():
                yield f"{page.relative_to(ROOT)}: the link to {target} leads nowhere"
        if "this is a bug in gocost" in text or "Traceback (most" in text:
            yield f"{page.relative_to(ROOT)}: a command on it crashed"
        for line in commands_shown(text):
            fault = refused(line)
            if fault:
                yield f"{page.relative_to(ROOT)}: `{line}`: {fault}"


def write(pages: list[Path]) -> Iterator[str]:
    """Run the pages' commands, write their output and the reference; yields what failed."""
    for path, text in reference().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for page in pages:
        text = page.read_text(encoding="utf-8")
        page.write_text(BLOCK.sub(lambda match: produced(match), text), encoding="utf-8")
    yield from check(pages)


def produced(block: re.Match[str]) -> str:
    """The block with the command run again."""
    command = block["command"]
    visible = command.rpartition(" :: ")[2]
    shown = re.sub(FIXTURE, r"\1", visible)
    done = run(block["folder"], command)
    output = "\n".join(line.rstrip() for line in (done.stdout + done.stderr).splitlines())
    for folder in (BUILT / "work", BUILT, ROOT):
        output = output.replace(f"{folder}/", "")
    code = "${PIPESTATUS[0]}" if " | " in visible else "$?"
    end = f"\n$ echo {code}\n{done.returncode}" if done.returncode else ""
    head = f"<!-- run {block['folder']}: {command} -->"
    return f"{head}\n```console\n$ {shown}\n{output}{end}\n```"


def run(folder: str, command: str) -> subprocess.CompletedProcess[str]:
    """A block's command in its folder, after what is done before it."""
    before, _, visible = (
        re.sub(FIXTURE, lambda match: str(fixture(match[1])), part)
        for part in command.rpartition(" :: ")
    )
    print(f"$ {visible}", file=sys.stderr)
    quiet = f"{SETUP}\n{{ {before or ':'}; }} >/dev/null || exit\n"
    return subprocess.run(
        ["bash", "-c", quiet + visible],
        cwd=ROOT / folder,
        env={
            **os.environ,
            # The gocost beside this Python, whether or not its environment is activated.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "WORK": str(BUILT / "work"),
            "GOFLAGS": "-buildvcs=auto",
            "NO_COLOR": "1",
            "COLUMNS": "80",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def fixture(name: str) -> Path:
    """A binary of the examples, built once a run."""
    folder, flags, package = FIXTURES[name]
    path = BUILT / name
    if not path.exists():
        BUILT.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["go", "build", "-o", str(path), *flags, package],
            cwd=ROOT / folder,
            env={**os.environ, "CGO_ENABLED": "0"},
            check=True,
        )
    return path


def commands_shown(text: str) -> Iterator[str]:
    """The gocost command lines in a page's shell blocks."""
    for block in FENCE.findall(text):
        for line in block.splitlines():
            line = line.removeprefix("$ ").split("  #")[0].strip()
            if line.startswith(("gocost ", "cost-checker ")):
                yield line


def refused(line: str) -> str:
    """Why gocost would not take this command line, or an empty string."""
    try:
        words = shlex.split(re.split(r" [|>&;]", line)[0])
    except ValueError as error:
        return str(error)
    if words[0] == "cost-checker":
        words[1:1] = ["check"]
    if len(words) < 2 or words[1].startswith("-"):
        return ""
    if words[1] not in {entry.name for entry in COMMANDS}:
        return f"there is no command {words[1]!r}"
    command = gocost.get_command(click.Context(gocost), words[1])  # type: ignore[attr-defined]
    rest = words[2:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        inner = command.get_command(click.Context(command), rest[0])
        if inner is None:
            return f"there is no command {rest[0]!r}"
        command, rest = inner, rest[1:]
    known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {"--help"}
    for word in rest:
        if word.startswith("--") and word.split("=")[0] not in known:
            return f"there is no option {word}"
    return ""


def reference() -> dict[Path, str]:
    """The generated pages: of click's commands, the catalogue's metrics, the policy's keys."""
    return {
        DOCS / "reference" / "commands.md": commands_page(),
        DOCS / "reference" / "metrics.md": metrics_page(),
        DOCS / "reference" / "policy.md": policy_page(),
        DOCS / "reference" / "tables.md": tables_page(),
    }


def commands_page() -> str:
    parts = ["# Commands\n\nMade from the commands' own help.\n"]
    for path, command in walk(gocost, "gocost"):
        context = click.Context(command, info_name=path, max_content_width=80, terminal_width=80)
        text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        parts.append(f"## {path}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from walk(inner, f"{path} {name}")


def tables_page() -> str:
    parts = [
        "# Tables for SQL\n\nMade from the catalogue of relations: what "
        "[`gocost query`](../sql.md) opens files as.\nEvery table has the column `file` before "
        "its own: the file, as it was named. A saved report also\nhas each of its tables, as "
        "`report_NAME`.\n"
    ]
    for relation in relations():
        kinds = ", ".join(kind.value for kind in relation.kinds)
        parts.append(f"## {relation.name}\n\nOf {kinds}: {relation.about}.\n")
        rows = "\n".join(
            f"| `{each.name}` | `{each.type.value}` | {each.about} |"
            for each in relation.attributes
        )
        parts.append(f"| column | type | what it is |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def metrics_page() -> str:
    parts = [
        "# Metrics\n\nMade from the metric catalogue; `gocost explain METRIC` prints the same.\n"
    ]
    for family in FAMILIES:
        metrics = [metric for metric in all_metrics().values() if metric.family == family]
        if not metrics:
            continue
        parts.append(f"## {family}\n")
        for metric in metrics:
            kind = "exact" if metric.exact else "sampled"
            unit = " or ".join(metric.values) if metric.values else metric.unit.value
            worse = "" if metric.unit in (Unit.TEXT,) else f"; worse when {metric.worse.value}"
            labels = f" Labels: {', '.join(metric.labels)}." if metric.labels else ""
            parts.append(
                f"### {metric.id}\n\n{metric.summary[0].upper()}{metric.summary[1:]}. "
                f"Unit: {unit} ({kind}{worse}).{labels}\n\n"
                f"- How it is measured: {metric.how}.\n- What to do: {metric.advice}.\n"
            )
    return "\n".join(parts)


def policy_page() -> str:
    """Every key of `gocost.yaml` with what it means, as editors have it."""
    parts = [
        "# The keys of gocost.yaml\n\nMade from the policy's JSON Schema, which "
        "`gocost policy schema` prints; [how to write one](../policy.md).\n"
    ]
    definitions = schema()["$defs"]
    for title, name in (
        ("The file", "PolicyFile"),
        ("services.NAME", "ServiceEntry"),
        ("services.NAME.build", "Build"),
        ("services.NAME.run", "Run"),
        ("services.NAME.run.load", "Load"),
        ("services.NAME.bench", "Bench"),
        ("services.NAME.goroutines", "Goroutines"),
        ("services.NAME.deployment", "Deployment"),
        ("rules", "RuleEntry"),
        ("waivers", "WaiverEntry"),
    ):
        rows = "\n".join(
            f"| `{key}` | {field['description'].replace('|', '&#124;')} |"
            for key, field in definitions[name]["properties"].items()
        )
        about = definitions[name]["description"]
        parts.append(f"## {title}\n\n{about}\n\n| key | meaning |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
