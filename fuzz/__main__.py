"""`python -m fuzz --runs N`: every harness in turn, each with the same options."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Runs every `fuzz_*.py` with this command's arguments; 1 where one of them failed."""
    names = sorted(part.name for part in pkgutil.iter_modules([str(HERE)]))
    failed = [
        name
        for name in names
        if name.startswith("fuzz_")
        and subprocess.run(
            [sys.executable, "-m", f"fuzz.{name}", *sys.argv[1:]], cwd=HERE.parent, check=False
        ).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
