"""Takes the pictures of the README: reports as pages, opened in headless Chromium.

    python docs/pictures.py

Writes docs/images/treemap.png, the bytes of examples/orders, and docs/images/check.png, the page
that `make demo` leaves (the demo is run when there is none). Needs Chromium on PATH.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from build import BUILT, ROOT, fixture

IMAGES = Path(__file__).parent / "images"
DEMO = ROOT / "build" / "demo" / "report.html"
CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MAX_BYTES = 300_000


def main() -> int:
    binary = fixture("orders")
    page = BUILT / "orders.html"
    gocost = str(Path(sys.executable).with_name("gocost"))
    command = [gocost, "size", binary.name, "--format", "html", "-o", str(page)]
    subprocess.run(command, cwd=binary.parent, check=True)
    picture(page, "treemap.png", height=1120)
    if not DEMO.exists():
        subprocess.run([sys.executable, str(ROOT / "examples" / "demo.py")], check=True)
    picture(DEMO, "check.png", height=1240)
    return 0


def picture(page: Path, name: str, height: int) -> None:
    """The top of the page, 1,200 pixels wide. Raises SystemExit where it came out too large."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise SystemExit("pictures: Chromium is not on PATH: install it (Debian: chromium)")
    IMAGES.mkdir(exist_ok=True)
    image = IMAGES / name
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                *(browser, *CHROMIUM, f"--user-data-dir={profile}"),
                *(f"--window-size=1200,{height}", f"--screenshot={image}", page.as_uri()),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    if image.stat().st_size > MAX_BYTES:
        raise SystemExit(f"pictures: {name} has more than {MAX_BYTES} bytes: make it less high")


if __name__ == "__main__":
    sys.exit(main())
