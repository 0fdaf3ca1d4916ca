"""One HTTP exchange with a FHIR server: time-outs, retries within a budget, bounds, and one origin only.

This is the one place that turns a status and an OperationOutcome into an error and decides whether another try helps.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import IO, Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from fhirbridge.errors import ConflictError, FinalServerError, ServerError, TemporaryServerError, UnreadableInput
from fhirbridge.fhir import lossless

FHIR_JSON = "application/fhir+json"
# Worth another try, with the reason: 408 and 425 ask for it, 429 throttles, 502-504 are gateways in between.
_TEMPORARY = {408, 425, 429, 502, 503, 504}
# OperationOutcome issue types that say "not now" whatever the status (http://hl7.org/fhir/valueset-issue-type.html).
_TRANSIENT_ISSUES = {"transient", "lock-error", "no-store", "timeout", "incomplete", "throttled"}
# A token endpoint's own codes (RFC 6749, 5.2); its free text is not shown, since it may echo the assertion.
_OAUTH_ERRORS = ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope")
_SLOWEST = 50_000.0  # bytes a second that a file being downloaded must bring, once the time for an answer is over
_MANY = ("too many entries", "too many", "entity too large", "bundle contains", "exceeds the maximum")


class Authorization(Protocol):
    """Adds what proves who we are; `renew` is asked once after a 401."""

    def headers(self) -> Mapping[str, str]:
        """The headers of a request to the server's own origin."""
        ...

    def renew(self) -> bool:
        """Whether there are new credentials worth another try."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much: seconds to connect, to read, for a whole answer; bytes of an answer; tries."""

    connect: float = 10.0
    read: float = 60.0
    whole: float = 600.0
    answer_bytes: int = 512 * 1024 * 1024
    tries: int = 6
    budget: float = 300.0
    longest_wait: float = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (names in lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    url: str = ""

    def json(self) -> Any:
        """The body as lossless JSON; {} when there is none."""
        return lossless.loads(self.body, "the server's answer") if self.body.strip() else {}


class _Session(requests.Session):
    """Never looks where a redirect leads: requests would read its whole body, however large or slow, to find out."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere."""


@dataclass
class Transport:
    """Sends requests to one FHIR base URL. `sleep` and `clock` are seconds, given by tests."""

    base: str
    authorization: Authorization | None = None
    verify: bool | str = True
    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    retried: int = 0

    def __post_init__(self) -> None:
        self.base = self.base.rstrip("/") + "/"
        if urlsplit(self.base).scheme not in ("http", "https") or not urlsplit(self.base).hostname:
            raise FinalServerError(f"{self.base}: not a server's URL; write https://host/path")
        self._session = _Session()
        self._session.trust_env = False  # a proxy or .netrc of the environment must not see patients' data unasked
        self._dice = random.Random()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Callable[[], bytes] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        sink: IO[bytes] | None = None,
    ) -> Answer:
        """The server's answer below 400. TemporaryServerError after the last try, FinalServerError at once.

        Every request that is sent here is safe to send twice: reads, conditional creates, conditional updates. A body
        that may not be sent twice, such as a signed assertion, is given as a function and made anew for each try.
        """
        url = self.resolve(path)
        started, renewed = self.clock(), False
        for attempt in range(1, self.limits.tries + 1):
            try:
                return self._once(method, url, body() if callable(body) else body, headers, sink)
            except TemporaryServerError as error:
                wait = self.wait(attempt, error.retry_after)
                if attempt == self.limits.tries or self.clock() - started + wait > self.limits.budget:
                    raise
                self.retried += 1
                if sink is not None:
                    sink.seek(0)
                    sink.truncate()
                self.sleep(wait)
            except FinalServerError as error:
                if error.status != 401 or renewed or self.authorization is None or not self.authorization.renew():
                    raise
                renewed = True
        raise TemporaryServerError(f"{method} {_shown(url)}: no answer after {self.limits.tries} tries")

    def resolve(self, path: str) -> str:
        """The absolute URL of a path or link. FinalServerError if it leads away from the server's own origin."""
        # Two parsers may read a backslash or a blank differently: what cannot be read in one way is not followed.
        if any(c == "\\" or c <= " " for c in path):
            raise FinalServerError("the server's link is not a URL: refused, nothing was sent there")
        try:
            url = path if "://" in path else urljoin(self.base, path)
            same = origin(url) == origin(self.base)
        except ValueError as error:
            raise FinalServerError("the server's link is not a URL: refused, nothing was sent there") from error
        if not same:
            raise FinalServerError(
                f"the server points to another origin, {_shown(url)}: refused, nothing was sent there"
            )
        return url

    def _once(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None, sink: IO[bytes] | None
    ) -> Answer:
        sent = {"Accept": FHIR_JSON, **({"Content-Type": FHIR_JSON} if body is not None else {}), **(headers or {})}
        if self.authorization is not None:
            sent.update(self.authorization.headers())
        timeout = (self.limits.connect, self.limits.read)
        try:
            with self._session.request(
                method,
                url,
                data=body,
                headers=sent,
                timeout=timeout,
                verify=self.verify,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = self._read(response, sink)
                answer = Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, content, url)
        except requests.exceptions.SSLError as error:
            raise FinalServerError(
                f"{_shown(url)}: the TLS certificate was not accepted; give the CA's file with --ca"
            ) from error
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
            raise TemporaryServerError(f"{method} {_shown(url)}: no connection ({type(error).__name__})") from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise TemporaryServerError(f"{method} {_shown(url)}: broken answer ({type(error).__name__})") from error
        if 300 <= answer.status < 400 and answer.status != 304:
            raise FinalServerError(f"{method} {_shown(url)}: redirected; give the server's final URL", answer.status)
        if answer.status >= 400:
            raise error_of(answer, f"{method} {_shown(url)}")
        return answer

    def _read(self, response: requests.Response, sink: IO[bytes] | None) -> bytes:
        """The whole body within the bounds; a body shorter than announced is a broken answer."""
        started, size, parts = self.clock(), 0, []
        announced = response.headers.get("Content-Length")
        if announced and announced.isdigit() and int(announced) > self.limits.answer_bytes and sink is None:
            raise FinalServerError(f"the answer is {int(announced):,} bytes, more than {self.limits.answer_bytes:,}")
        # read1 gives what has come: a read of a fixed size would wait for a slow drip without looking at the clock.
        while chunk := response.raw.read1(64 * 1024, decode_content=True):
            size += len(chunk)
            if size > self.limits.answer_bytes and sink is None:
                raise FinalServerError(f"the answer is larger than {self.limits.answer_bytes:,} bytes")
            patience = size / _SLOWEST if sink is not None else 0.0
            if self.clock() - started > self.limits.whole + patience:
                raise TemporaryServerError(f"the answer took longer than {self.limits.whole:.0f} s")
            if sink is None:
                parts.append(chunk)
            else:
                sink.write(chunk)
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        if (
            announced
            and announced.isdigit()
            and not encoded
            and size < int(announced)
            and response.request.method != "HEAD"
        ):
            raise TemporaryServerError("the connection ended in the middle of the answer")
        return b"".join(parts)

    def wait(self, attempt: int, asked: float | None) -> float:
        """Seconds before the next try, as the server asked or growing with a throw of the dice."""
        backoff = min(self.limits.longest_wait, 0.5 * 2 ** (attempt - 1)) * self._dice.uniform(0.5, 1.0)
        return min(self.limits.longest_wait, asked) if asked is not None else backoff


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL: what must be equal for a token to be sent."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def error_of(answer: Answer, what: str) -> ServerError:
    """The one error a failed answer means, with the server's own diagnosis where it gives one."""
    issues = issues_of(answer)
    words = "; ".join(filter(None, (told(i) for i in issues)))[:500]
    message = f"{what}: {answer.status}" + (f", {words}" if words else "")
    if answer.status in (409, 412):
        return ConflictError(message, answer.status)
    if answer.status in _TEMPORARY or {i.get("code") for i in issues} & _TRANSIENT_ISSUES:
        return TemporaryServerError(message, answer.status, retry_after(answer.headers))
    return FinalServerError(message, answer.status)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as Retry-After says, in either of its two forms."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except (TypeError, ValueError):
        return None


def asks_to_split(error: ServerError) -> bool:
    """Whether the server refused a Bundle for its size."""
    return error.status == 413 or (error.status in (400, 422) and any(m in str(error).lower() for m in _MANY))


def issues_of(answer: Answer) -> list[dict[str, Any]]:
    """The issues of an OperationOutcome; none where the answer is something else."""
    if "json" not in answer.headers.get("content-type", "json"):
        return []
    try:
        outcome = answer.json()
    except UnreadableInput:
        return []
    if isinstance(outcome, dict) and outcome.get("error") in _OAUTH_ERRORS:
        return [{"code": outcome["error"]}]
    issues = outcome.get("issue", []) if isinstance(outcome, dict) else []
    return [i for i in issues if isinstance(i, dict)]


def told(issue: Mapping[str, Any]) -> str:
    """What an issue says and where. `diagnostics` may echo the resource, so only its first line is shown."""
    text = (issue.get("details") or {}).get("text") or issue.get("diagnostics") or issue.get("code") or ""
    place = ", ".join(issue.get("expression") or issue.get("location") or [])
    first = str(text).strip().splitlines()[0][:200] if str(text).strip() else ""
    return f"{first} ({place})" if place else first


def _shown(url: str) -> str:
    """A URL without its query, which may hold identifiers, and without credentials."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
