"""A service that asks for a client's certificate, and has one of its own authority."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from gocost.cli.main import run
from gocost.model.errors import SourceError, UsageError
from gocost.sources.credentials import Credentials
from gocost.sources.endpoints import Endpoint, EndpointError
from tests.fixtures.answering import answering, files_of
from tests.fixtures.certificates import certificates

PAGE = "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:9 +0x1f\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def url(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "dump").write_text(PAGE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "server.pem", files / "server.key")
    context.load_verify_locations(files / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with answering(files_of(folder), context) as found:
        yield f"{found}/dump"


def client(files: Path) -> list[str]:
    return ["--cert", str(files / "client.pem"), "--key", str(files / "client.key")]


def test_a_service_that_asks_for_a_certificate_gets_it(
    url: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = files / "both.pem"
    both.write_text((files / "client.pem").read_text() + (files / "client.key").read_text())
    authority = ["--cacert", str(files / "ca.pem")]

    assert run(["goroutines", url, *authority, *client(files)]) == 0
    assert "1 goroutine in 1 group" in capsys.readouterr().out
    assert run(["goroutines", url, *authority, "--cert", str(both)]) == 0


def test_without_them_it_says_what_to_name(
    url: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["goroutines", url, "--cacert", str(files / "ca.pem")]) == 3
    assert "--cert FILE --key FILE are yours" in capsys.readouterr().err
    assert run(["goroutines", url, *client(files)]) == 3
    assert "--cacert FILE is who signed" in capsys.readouterr().err


def test_a_certificate_of_another_name_says_to_write_its_own(
    url: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trusted = ["--cacert", str(files / "ca.pem")]
    assert run(["goroutines", url.replace("127.0.0.1", "localhost"), *trusted]) == 3
    told = capsys.readouterr().err
    assert told.endswith("'localhost'; write a name in the URL that the certificate is for\n")


@pytest.mark.parametrize(
    ("certificate", "key", "authority", "says"),
    [
        ("none.pem", None, None, "none.pem does not exist"),
        (None, None, "none.pem", "none.pem does not exist"),
        ("client.pem", "none.key", None, "none.key does not exist"),
        ("client.key", None, None, "it has no certificate, or no private key"),
        ("client.pem", "server.key", None, "is not what TLS takes"),
        (None, None, "client.key", "is not what TLS takes"),
        ("client.pem", "locked.key", None, "has a passphrase"),
    ],
)
def test_files_that_are_none(
    certificate: str | None, key: str | None, authority: str | None, says: str, files: Path
) -> None:
    def at(name: str | None) -> Path | None:
        return files / name if name is not None else None

    given = Credentials(certificate=at(certificate), key=at(key), authority=at(authority))
    with pytest.raises((UsageError, SourceError)) as caught:
        Endpoint("https://127.0.0.1:1", headers=given)
    assert says in str(caught.value)
    assert caught.value.hint
    assert "PRIVATE" not in str(caught.value)


def test_a_key_alone_belongs_to_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["goroutines", "https://127.0.0.1:1", "--key", "x"]) == 2
    assert "--key belongs to a certificate" in capsys.readouterr().err


def test_what_is_secret_is_not_shown() -> None:
    given = Credentials({"Authorization": "hunter2"}, certificate=Path("a.pem"))
    assert "hunter2" not in repr(given)
    assert given
    assert Credentials(certificate=Path("a.pem"))
    assert not Credentials()


def test_a_page_over_plain_http_needs_none(files: Path) -> None:
    given = Credentials({"X": "y"}, certificate=files / "client.pem", key=files / "client.key")
    with Endpoint("http://127.0.0.1:1", headers=given) as endpoint, pytest.raises(EndpointError):
        endpoint.get("/")
