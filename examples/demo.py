"""The demo: two services, changes that the gate lets pass, and regressions that it blocks.

Run by `make demo`. Everything happens in repositories of their own under `build/demo`, so that it
works from a shallow clone and leaves this one alone. Exits 0 when the gate did what it should.
`--quick` puts one load on payments where a check against a base puts on ten.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

# The policies' own load lasts 10 s, ten times a check; 5 s are enough to see the regression.
QUICKER = (
    ("gocost.yaml", "duration: 10 s}", "duration: 5 s}"),
    ("gocost.yaml", "      ready:", "      settle: 1 s\n      ready:"),
)
HARMLESS = ("cmd/payments/main.go", "// Command payments", "// The command payments")
LEAK = ("internal/regress/regress.go", 'const Default = ""', 'const Default = "leak=4,retain"')
EXPORT = ("cmd/orders/export.go", "//go:build export", "//go:build !slim")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "demo", help="work here")
    parser.add_argument("--quick", action="store_true", help="check payments without a base")
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    payments = Demo("payments", folder)
    orders = Demo("orders", folder)
    payments.begin("A payment service")
    orders.begin("An order service")
    page, saved = folder / "report.html", folder / "report.json"
    against = () if options.quick else ("--base", "main")

    payments.step("where are the bytes of the service?")
    payments.build()
    payments.gocost("size", str(payments.binary), "--by", "module,package", "--top", "8")

    payments.step("a pull request that changes a comment. The gate passes it.")
    payments.branch("harmless", "Say it better", HARMLESS)
    passed = payments.gocost("check", *against)

    payments.step("a pull request that leaks goroutines. The gate blocks it.")
    payments.branch("regression", "Speed up settlement", LEAK)
    blocked = payments.gocost("check", *against, "--save", str(saved))
    payments.gocost("report", str(saved), "--format", "html", "-o", str(page))

    orders.step("a service on other people's modules. Whose are its bytes?")
    orders.build()
    orders.gocost("size", str(orders.binary), "--by", "module", "--top", "8")

    orders.step("as it is. The gate passes it.")
    kept = orders.gocost("check")

    orders.step("a pull request that uses more of a module. Whose growth is it?")
    orders.branch("export", "Export orders", EXPORT)
    # These rules are about the file alone: nothing is started for them.
    grown = orders.gocost("check", "--base", "main", "--rule", "binary.*")

    print("\n== What happened")
    outcomes = (
        ("payments, the comment", passed, 0),
        ("payments, the leak", blocked, 1),
        ("orders, as it is", kept, 0),
        ("orders, the export", grown, 1),
    )
    for what, code, expected in outcomes:
        said = ("passed", "blocked")[expected] if code == expected else "NOT as expected"
        print(f"{what + ':':<23} exit {code} ({said})")
    print(f"{'the page to look at:':<23} {shown(str(page))}")
    return 0 if page.exists() and all(code == expected for _, code, expected in outcomes) else 1


@dataclass(frozen=True, slots=True)
class Demo:
    """A copy of one example, in a git repository of its own."""

    name: str
    folder: Path

    @property
    def service(self) -> Path:
        return self.folder / self.name

    @property
    def binary(self) -> Path:
        return self.folder / "bin" / self.name

    def begin(self, message: str) -> None:
        shutil.copytree(EXAMPLES / self.name, self.service)
        for change in QUICKER:
            self.edit(*change)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit(message)

    def step(self, text: str) -> None:
        line = f"== {self.name}: {text}"
        print(f"\n\x1b[1m{line}\x1b[0m" if sys.stdout.isatty() else f"\n{line}", flush=True)

    def branch(self, name: str, message: str, change: tuple[str, str, str]) -> None:
        self.git("checkout", "--quiet", "-b", name)
        self.edit(*change)
        self.commit(message)

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.service / file
        text = path.read_text(encoding="utf-8")
        if before not in text:
            raise SystemExit(f"demo: {file} no longer says {before!r}: correct examples/demo.py")
        path.write_text(text.replace(before, after, 1), encoding="utf-8")

    def commit(self, message: str) -> None:
        who = ("-c", "user.name=demo", "-c", "user.email=demo@example.com")
        self.git("add", "--all")
        self.git(*who, "commit", "-qm", message)

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.service, check=True)

    def build(self) -> None:
        flags = ("-trimpath", "-ldflags=-s -w")
        if self.run("go", "build", *flags, "-o", str(self.binary), f"./cmd/{self.name}"):
            raise SystemExit(f"demo: {self.name} does not build")

    def gocost(self, *arguments: str) -> int:
        return self.run(str(Path(sys.executable).with_name("gocost")), *arguments)

    def run(self, *arguments: str) -> int:
        words = (shown(word) for word in arguments)
        print("$", *(f'"{word}"' if " " in word or "*" in word else word for word in words))
        sys.stdout.flush()
        # The services are pure Go, and stamped with their commit whatever this machine prefers.
        env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=auto", "GOWORK": "off"}
        return subprocess.run(arguments, cwd=self.service, env=env, check=False).returncode


def shown(word: str) -> str:
    """A path as one types it in the repository's folder."""
    return word.removeprefix(f"{ROOT}/")


if __name__ == "__main__":
    sys.exit(main())
