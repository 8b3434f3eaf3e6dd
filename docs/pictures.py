"""Takes the pictures of the README and the docs: reports as pages, opened in headless Chromium.

    python docs/pictures.py [NAME...]

Writes docs/images/: `treemap`, the bytes of examples/orders; `flame` and `timeline`, a CPU profile
and a trace of the benchmarks of examples/payments; `check`, the page that `make demo` leaves (the
demo is run when there is none); `leak`, `collector`, `team` and `query`, what a command in the docs
shows, as a page. Needs Chromium on PATH.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from build import BLOCK, BUILT, DOCS, ROOT, fixture, run

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
    wanted = sys.argv[1:] or list(PICTURES)
    for name in wanted:
        PICTURES[name]()
    return 0


def treemap() -> None:
    binary = fixture("orders")
    page = BUILT / "orders.html"
    gocost(binary.parent, "size", binary.name, "--format", "html", "-o", str(page))
    picture(page, "treemap.png", height=1120)


def flame() -> None:
    measured()
    gocost(BUILT, "profile", "flame", "cpu.pb.gz", "-o", "flame.html")
    picture(BUILT / "flame.html", "flame.png", height=900)


def timeline() -> None:
    measured()
    gocost(BUILT, "trace", "summary", "app.trace", "--format", "html", "-o", "timeline.html")
    picture(BUILT / "timeline.html", "timeline.png", height=940)


def check() -> None:
    if not DEMO.exists():
        subprocess.run([sys.executable, str(ROOT / "examples" / "demo.py")], check=True)
    picture(DEMO, "check.png", height=1240)


def leak() -> None:
    documented("goroutines.md", "goroutines http", "leak.png", height=1040)


def collector() -> None:
    documented("gc.md", "runtime http", "collector.png", height=1980)


def team() -> None:
    documented("attribute.md", "--live", None)
    documented("attribute.md", "--by owner", "team.png", height=1240)


def query() -> None:
    documented("sql.md", "select goroutine_entry", "query.png", height=510)


def documented(page: str, part: str, name: str | None, height: int = 0) -> None:
    """The command of a page that has this part in it, run again and shown as a page of HTML."""
    blocks = BLOCK.finditer((DOCS / page).read_text(encoding="utf-8"))
    block = next(each for each in blocks if part in each["command"].rpartition(" :: ")[2])
    before, _, shown = block["command"].rpartition(" :: ")
    made = BUILT / f"{Path(page).stem}.html"
    asked = f"{shown.partition(' | ')[0]} --format html -o {made}"
    done = run(block["folder"], f"{before} :: {asked}")
    if done.returncode:
        raise SystemExit(f"pictures: {done.stderr}")
    if name is not None:
        picture(made, name, height)


PICTURES = {
    "treemap": treemap,
    "flame": flame,
    "timeline": timeline,
    "check": check,
    "leak": leak,
    "collector": collector,
    "team": team,
    "query": query,
}


def gocost(folder: Path, *words: str) -> None:
    """A command, in a folder."""
    program = str(Path(sys.executable).with_name("gocost"))
    subprocess.run([program, *words], cwd=folder, check=True)


def measured() -> None:
    """cpu.pb.gz and app.trace in the folder of what is built, once."""
    if (BUILT / "app.trace").exists() and (BUILT / "cpu.pb.gz").exists():
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    command = ["go", "test", "./internal/api", "-run", "^$", "-bench", ".", "-benchtime", "1s"]
    files = {"-cpuprofile": "cpu.pb.gz", "-trace": "app.trace", "-o": "api.test"}
    words = [word for option, name in files.items() for word in (option, str(BUILT / name))]
    folder = ROOT / "examples" / "payments"
    subprocess.run([*command, *words], cwd=folder, check=True, capture_output=True)


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
