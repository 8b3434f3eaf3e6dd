"""The comment on a pull request, against a server that answers as GitHub's API does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gocost.reporters.markdown import MARKER

SCRIPT = Path(__file__).parents[2] / "deploy/github/comment.py"
BOT = "github-actions[bot]"
BODY = f"{MARKER}\n### new\n"


class Api(ThreadingHTTPServer):
    """The comments of pull request 7, a hundred to a page."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.refuse = 0

    def add(self, body: str, author: str = BOT) -> None:
        """One more comment."""
        number = len(self.comments) + 1
        self.comments.append({"id": number, "body": body, "user": {"login": author}})


class Handler(BaseHTTPRequestHandler):
    """GET, POST and PATCH as far as the comments of one pull request go."""

    server: Api

    def do_GET(self) -> None:
        found = re.fullmatch(r"/repos/o/r/issues/7/comments\?per_page=100&page=(\d+)", self.path)
        page = int(found[1]) - 1 if found else 99
        self._answer(200, self.server.comments[page * 100 : page * 100 + 100])

    def do_POST(self) -> None:
        if self.path == "/repos/o/r/issues/7/comments":
            self.server.add(self._content()["body"])
        self._answer(201, {})

    def do_PATCH(self) -> None:
        found = re.fullmatch(r"/repos/o/r/issues/comments/(\d+)", self.path)
        assert found
        self.server.comments[int(found[1]) - 1]["body"] = self._content()["body"]
        self._answer(200, {})

    def _content(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, content: object) -> None:
        self.server.asked.append(self.command)
        self.server.tokens.add(self.headers["Authorization"])
        self.send_response(self.server.refuse or status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def api() -> Iterator[Api]:
    """The server, on a port of its own."""
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def comment(
    api: Api, folder: Path, body: str = BODY, event: object = None
) -> subprocess.CompletedProcess[str]:
    """Run the script as the action does."""
    (folder / "comment.md").write_text(body, encoding="utf-8")
    given = {"pull_request": {"number": 7}} if event is None else event
    (folder / "event.json").write_text(json.dumps(given))
    environment = {
        **{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")},
        "GITHUB_API_URL": f"http://127.0.0.1:{api.server_port}",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_TOKEN": "t0ken",
    }
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder / "comment.md")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_run_comments_and_the_next_updates_that_comment(api: Api, tmp_path: Path) -> None:
    api.add("looks good", "someone")

    comment(api, tmp_path, f"{MARKER}\nfirst\n")
    done = comment(api, tmp_path, f"{MARKER}\nsecond\n")

    assert done.stdout == "updated the comment\n"
    assert [c["body"] for c in api.comments] == ["looks good", f"{MARKER}\nsecond\n"]
    assert api.tokens == {"Bearer t0ken"}


def test_what_is_up_to_date_is_left_alone(api: Api, tmp_path: Path) -> None:
    api.add(BODY)

    done = comment(api, tmp_path)

    assert done.stdout == "the comment is up to date\n"
    assert api.asked == ["GET"]


def test_a_comment_of_another_with_the_marker_is_not_touched(api: Api, tmp_path: Path) -> None:
    api.add(f"{MARKER}\nall is well, believe me", "mallory")
    api.add(f"quoted: {MARKER}")

    comment(api, tmp_path)

    assert [c["user"]["login"] for c in api.comments] == ["mallory", BOT, BOT]
    assert api.comments[0]["body"].endswith("believe me")
    assert api.comments[2]["body"] == BODY


def test_the_comment_is_found_on_a_later_page(api: Api, tmp_path: Path) -> None:
    for number in range(230):
        api.add(f"{number}", "someone")
    api.add(f"{MARKER}\nold")

    done = comment(api, tmp_path)

    assert done.stdout == "updated the comment\n"
    assert len(api.comments) == 231


@pytest.mark.parametrize("status", [401, 403, 404, 502])
def test_a_refusal_is_a_warning_and_shows_no_token(api: Api, tmp_path: Path, status: int) -> None:
    api.refuse = status

    done = comment(api, tmp_path)

    assert done.returncode == 0
    assert done.stdout.startswith("::warning title=gocost::the comment was refused: HTTP")
    assert "t0ken" not in done.stdout + done.stderr


def test_a_push_has_nothing_to_comment_on(api: Api, tmp_path: Path) -> None:
    done = comment(api, tmp_path, event={"ref": "refs/heads/main"})

    assert done.returncode == 0
    assert api.asked == []


def test_a_file_without_the_marker_is_refused(api: Api, tmp_path: Path) -> None:
    done = comment(api, tmp_path, body="### no marker")

    assert done.returncode == 2
    assert api.asked == []


def test_the_marker_is_the_reporters() -> None:
    assert f'MARKER = "{MARKER}"' in SCRIPT.read_text(encoding="utf-8")
