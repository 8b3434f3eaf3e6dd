"""Pages of a running service over HTTP: /metrics, /debug/vars, /debug/pprof.

One kept connection for each base URL, so that polling makes neither connections nor goroutines;
bodies are asked for uncompressed, because compressing costs the watched service CPU, and unpacked
where a proxy compresses them all the same. Every answer is bounded in size and in time as a whole,
whatever the server does. Redirects are not followed. What a user gives as headers (credentials)
goes to the server and never into a message.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gocost._version import VERSION
from gocost.formats.gunzip import Gunzip
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.sources.credentials import Credentials
from gocost.sources.files import translated
from gocost.sources.naming import asking
from gocost.sources.refusals import UNREACHED
from gocost.sources.service_urls import service_url

MAX_BODY = 16 << 20
"""Bytes of a page; larger ones are refused."""
TIMEOUT = 2.0
"""Seconds for a whole answer."""
_CHUNK = 1 << 16
_REFUSAL = 1 << 16
"""Bytes of a page of an error that are read: a sentence of it is told."""
_PATIENCE = TIMEOUT
"""Seconds that they are waited for: what the answer is is known by its status."""
_SHOWN = 40
_NO_CERTIFICATE = (
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "TLSV1_ALERT_UNKNOWN_CA",
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
)
"""What a server says to a client without a certificate, or with one that it does not take."""

_BROKEN = (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError)


_REMEDIES = {
    9: "set this machine's clock, or have the certificate made again",
    10: "have the service's certificate renewed, or set this machine's clock",
    62: "write a name in the URL that the certificate is for",
    64: "write an address or a name in the URL that the certificate is for",
}
"""By OpenSSL's number for why a certificate is not accepted (X509_V_ERR_...: not yet valid,
expired, host name, IP address), where that is not who signed it."""


class EndpointError(SourceError):
    """A page could not be had: refused, too slow, too large, not HTTP."""


class TooSlowError(EndpointError):
    """There was no whole answer within the time allowed."""


class TooLargeError(EndpointError):
    """The answer was larger than what is taken of a page."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    content_type: str
    body: bytes

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300


class Endpoint:
    """A base URL with its connection; not for use by two threads at once."""

    def __init__(
        self,
        base: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        max_body: int = MAX_BODY,
    ) -> None:
        """`headers` may be Credentials, whose certificates an https URL is asked with.

        Raises UsageError where `base` is not an http or https URL, a header is malformed, or a
        certificate is none, and SourceError where a file of one cannot be read.
        """
        parts = service_url(base)
        host, port = parts.hostname or "", parts.port
        if parts.username is not None or parts.password is not None:
            raise UsageError(
                "a URL with a name or password in it would be printed",
                hint="pass it as --header 'Authorization: Basic ...'",
            )
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.prefix = parts.path.rstrip("/")
        self.query = parts.query
        self.base = f"{self.origin}{self.prefix}"
        self._headers = {
            "User-Agent": f"gocost/{VERSION}",
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        if any(set("\r\n\0") & {*name, *value} for name, value in self._headers.items()):
            raise UsageError("a header holds a line break", hint="pass it as 'Name: value'")
        self.given = headers
        """What the user gave; not to be shown."""
        self._timeout = timeout
        self._max_body = max_body
        self._aborted = False
        self._socket: socket.socket | None = None
        self._connection = (
            http.client.HTTPSConnection(host, port, timeout=timeout, context=_tls(headers))
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=timeout)
        )

    def url(self, path: str) -> str:
        """What is asked for the page at `path`: with the base's query, which may be a secret."""
        return f"{self.base}{path}{self._asking(path)}"

    def _asking(self, path: str) -> str:
        query = asking(self.query) if path else self.query
        return query and f"{'&' if '?' in path else '?'}{query}"

    def get(self, path: str, *, accept: str = "*/*") -> Answer:
        """The page at `path` below the base, with a query if it has one, and the base's.

        Raises EndpointError where there is no whole answer within the time and the size allowed.
        """
        return self._answer(path, accept)

    def save(self, path: str, write: Callable[[bytes], object]) -> Answer:
        """The page at `path` in pieces to `write`; the answer's body is empty where it is 2xx.

        What came before a fault has been written. Raises EndpointError as `get` does.
        """
        return self._answer(path, "*/*", write)

    def close(self) -> None:
        """End the connection; the next `get` makes another."""
        self._connection.close()

    def abort(self) -> None:
        """End what another thread is waiting for, for good: its `get` or `save` fails at once."""
        self._aborted = True
        self._shut()

    def _shut(self) -> None:
        if (sock := self._connection.sock or self._socket) is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(
        self, path: str, accept: str, write: Callable[[bytes], object] | None = None
    ) -> Answer:
        url = f"{self.base}{path}"
        try:
            return self._get(path, accept, url, write)
        except EndpointError:
            self.close()
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise _translated(error, url, self._timeout) from error

    def _get(
        self, path: str, accept: str, url: str, write: Callable[[bytes], object] | None = None
    ) -> Answer:
        target = f"{self.prefix or ('' if path else '/')}{path}{self._asking(path)}"
        headers = {**self._headers, "Accept": accept}
        until = time.monotonic() + self._timeout
        with self._bounded(url) as expired:
            try:
                response = self._ask(target, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if expired.is_set() or self._aborted:
                    raise
                # A kept connection that the server has closed meanwhile: once more on a new one.
                self.close()
                response = self._ask(target, headers)
            answer = Answer(response.status, response.headers.get("Content-Type", ""), b"")
            if answer.ok:
                body = bytearray()
                self._read(response, url, write or body.extend)
                return replace(answer, body=bytes(body))
        return replace(answer, body=self._refused(response, url, until - time.monotonic()))

    def _refused(self, response: http.client.HTTPResponse, url: str, left: float) -> bytes:
        """The beginning of a page of an error, of which no more than a line is told: what came of
        it, however it goes on. `left` are the seconds of the whole answer's time.
        """
        body = bytearray()
        broken = (EndpointError, http.client.HTTPException, OSError)
        with (
            self._ended_after(max(0.0, min(left, _PATIENCE))) as expired,
            contextlib.suppress(*broken),
        ):
            for piece in _unpacked(response, url):
                body += piece
                if len(body) >= _REFUSAL:
                    break
            else:
                if not expired.is_set():
                    response.close()
                    return bytes(body)
        self.close()  # what follows is not waited for, nor whether it is whole
        return bytes(body[:_REFUSAL])

    def _read(
        self, response: http.client.HTTPResponse, url: str, write: Callable[[bytes], object]
    ) -> None:
        size = 0
        for piece in _unpacked(response, url):
            size += len(piece)
            write(piece)
            if size > self._max_body:
                raise TooLargeError(
                    f"{url} answered with more than {self._max_body:,} bytes",
                    hint="it is not a page that gocost reads; check the URL",
                )
        if response.length:
            raise EndpointError(
                f"{url} ended its answer {response.length:,} bytes early",
                hint="see whether the service failed",
            )
        response.close()

    @contextmanager
    def _bounded(self, url: str) -> Iterator[threading.Event]:
        """What takes longer than is allowed is an error of its own, whatever else it is."""
        with self._ended_after(self._timeout) as expired:
            try:
                yield expired
            except Exception as error:
                if expired.is_set():
                    raise _too_slow(url, self._timeout) from error
                raise
        if expired.is_set():
            raise _too_slow(url, self._timeout)

    @contextmanager
    def _ended_after(self, seconds: float) -> Iterator[threading.Event]:
        """End the connection when the time is up: a server that drips bytes resets timeouts."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._shut()

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            yield expired
        finally:
            timer.cancel()

    def _ask(self, target: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        self._connection.request("GET", target, headers=dict(headers))
        # A response that has no end but the connection's takes it over, and `sock` away.
        self._socket = self._connection.sock
        if self._aborted:  # before there was a connection to end
            self._shut()
        return self._connection.getresponse()


@dataclass(frozen=True, slots=True)
class Absence:
    """Why there is no service behind a page."""

    why: str
    sure: bool
    """Nothing listens at all. What ends connections, or answers as a proxy does for a service that
    it does not reach, may be the service itself, with too much to do."""


def absent(
    url: str, *, headers: Mapping[str, str] | None = None, within: float = TIMEOUT
) -> Absence | None:
    """Why there is no service behind a page; None where one answers, or may be there: one that
    does not answer in time, a name that is not known now. Raises UsageError for what is no URL.
    """
    with Endpoint(url, headers=headers, timeout=within) as endpoint:
        try:
            status = endpoint.get("").status
        except TooSlowError:  # the end of the time breaks the connection, too
            return None
        except EndpointError as error:
            if isinstance(error.__cause__, ConnectionRefusedError):
                return Absence(f"nothing listens at {endpoint.origin} any more", sure=True)
            if isinstance(error.__cause__, _BROKEN):
                why = f"what listens at {endpoint.origin} ends every connection"
                return Absence(why, sure=False)
            return None
        if status in UNREACHED:
            why = f"what stands before it at {endpoint.origin} answers {status}"
            return Absence(why, sure=False)
    return None


def _unpacked(response: http.client.HTTPResponse, url: str) -> Iterator[bytes]:
    """The body in pieces: a proxy may compress it, whatever it was asked for."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        while chunk := response.read1(_CHUNK):
            yield chunk
        return
    proxy = "have the proxy before the service leave its pages as they are"
    if encoding not in ("gzip", "x-gzip"):
        shown = "".join(filter(str.isprintable, encoding))[:_SHOWN]
        raise EndpointError(f"{url} answered in the encoding {shown!r}", hint=proxy)
    stream = Gunzip()
    try:
        while chunk := response.read1(_CHUNK):
            yield from stream.add(chunk)
    except FormatError as error:
        raise EndpointError(f"{url}: {error.message}", hint=proxy) from error
    if held := stream.end():
        yield held
    if not stream.whole and not response.length:
        raise EndpointError(
            f"{url} ended its answer early: its gzip is cut off", hint="see whether it failed"
        )


def _tls(headers: Mapping[str, str] | None) -> ssl.SSLContext:
    """The system's settings, with the certificates that were named."""
    if not isinstance(headers, Credentials):
        return ssl.create_default_context()
    with _read("--cacert", headers.authority):
        context = ssl.create_default_context(cafile=headers.authority)
    if headers.certificate is not None:
        with _read("--cert", headers.certificate, headers.key):
            context.load_cert_chain(headers.certificate, headers.key, _no_passphrase)
    return context


@contextmanager
def _read(option: str, *files: Path | None) -> Iterator[None]:
    named = [str(file) for file in files if file is not None]
    try:
        for name in named:
            Path(name).open("rb").close()  # TLS does not say which of the files it is
        yield
    except ssl.SSLError as error:
        # OpenSSL has no name for it where the file has no such part at all.
        why = error.reason or "it has no certificate, or no private key"
        raise UsageError(
            f"{option} {' with --key '.join(named)} is not what TLS takes: {why}",
            hint="give a certificate in PEM, and the private key that belongs to it; "
            "--key FILE where that is in another file",
        ) from error
    except OSError as error:
        raise translated(error, Path(str(error.filename or named[0]))) from error


def _no_passphrase() -> str:
    raise UsageError(
        "the private key of --cert has a passphrase",
        hint="give one without, which nobody else may read",
    )


def _translated(error: Exception, url: str, timeout: float) -> EndpointError:
    if isinstance(error, TimeoutError):
        return _too_slow(url, timeout)
    if isinstance(error, ConnectionRefusedError):
        return EndpointError(f"{url}: nothing listens there", hint="check the address and the port")
    if isinstance(error, _BROKEN) and url.startswith("https:"):
        # From TLS 1.3 on a client has sent its request before its certificate is looked at, and may
        # see that the connection is gone before it sees why.
        return EndpointError(
            f"{url}: the service ended the connection without an answer",
            hint="see whether it failed, or asks for a client's certificate: "
            "--cert FILE --key FILE are yours, in PEM",
        )
    if isinstance(error, ssl.SSLError):
        return _of_tls(error, url)
    if isinstance(error, http.client.IncompleteRead):
        return EndpointError(f"{url} ended its answer early", hint="see whether the service failed")
    if isinstance(error, http.client.HTTPException | ValueError):
        return EndpointError(
            f"{url} did not answer in HTTP ({type(error).__name__})", hint="check the port"
        )
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return EndpointError(
            f"{url}: the service ended the connection", hint="see whether the service failed"
        )
    assert isinstance(error, OSError)
    return EndpointError(f"{url}: {error.strerror or error}", hint="check the address")


def _of_tls(error: ssl.SSLError, url: str) -> EndpointError:
    reason = str(error.reason or error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return EndpointError(
            f"{url}: TLS failed: its certificate is not accepted: "
            f"{error.verify_message.rstrip('.')}",
            hint=_REMEDIES.get(
                error.verify_code, "--cacert FILE is who signed the service's certificate"
            ),
        )
    if reason in _NO_CERTIFICATE:
        return EndpointError(
            f"{url}: TLS failed: the service asks for a client's certificate that it accepts",
            hint="--cert FILE --key FILE are yours, in PEM",
        )
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return EndpointError(
            f"{url}: TLS failed: it does not speak TLS there", hint="write http:// in its URL"
        )
    return EndpointError(
        f"{url}: TLS failed: {reason}",
        hint="check the scheme; --cacert FILE is who signed the service's certificate, "
        "--cert FILE yours",
    )


def _too_slow(url: str, timeout: float) -> TooSlowError:
    return TooSlowError(
        f"{url} did not answer within {round(timeout, 1):g} s", hint="see whether the service hangs"
    )
