"""The review page on 127.0.0.1: one link, one token, one origin, and nothing that leaves the machine."""

from __future__ import annotations

import base64
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirbridge.errors import ConfigurationError, FhirbridgeError, MissingDependency
from fhirbridge.review import markup
from fhirbridge.review.decisions import Decision
from fhirbridge.review.session import Document, Session

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BYTES = 64 * 1024 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # under no-referrer browsers send forms with Origin: null
    "Cache-Control": "no-store",
}
_ASSETS = {"review.css": "text/css", "review.js": "text/javascript"}
_COOKIE = "fhirbridge"


class Gate:
    """Who may come in: the first visit with the token gets a cookie; the token is then worth nothing."""

    def __init__(self, port: int) -> None:
        self.token: str | None = secrets.token_urlsafe(24)
        self._cookie = secrets.token_urlsafe(24)
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    def refusal(self, request: Request) -> tuple[int, str] | None:
        """Why a request is refused, None if it may go on: host (DNS rebinding), origin and cookie are checked."""
        if request.headers.get("host", "") not in self._hosts:
            return 403, "wrong host"
        if request.method != "GET" and request.headers.get("origin", "") not in {f"http://{h}" for h in self._hosts}:
            return 403, "wrong origin"
        if not secrets.compare_digest(request.cookies.get(_COOKIE, ""), self._cookie):
            return 401, "open the link that fhirbridge printed; it works once"
        return None

    def enter(self, token: str) -> str | None:
        """The cookie for the right token, once."""
        if self.token is None or not secrets.compare_digest(token, self.token):
            return None
        self.token = None
        return self._cookie


def create(session: Session, gate: Gate) -> Starlette:
    """The page as a Starlette application. MissingDependency without the `review` extra."""
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ImportError as error:
        raise MissingDependency("starlette is not installed; pip install 'fhirbridge[review]'") from error
    pages = _Pages(session)
    routes = [
        ("/", pages.start, "GET"),
        ("/language", pages.language, "POST"),
        ("/read", pages.read, "POST"),
        ("/assets/{name}", pages.asset, "GET"),
        ("/documents/{id}", pages.document, "GET"),
        ("/documents/{id}/picture", pages.picture, "GET"),
        ("/documents/{id}/bundle", pages.bundle, "GET"),
        ("/documents/{id}/facts/{fact}", pages.decide, "POST"),
        ("/documents/{id}/save", pages.save, "POST"),
        ("/documents/{id}/push", pages.push, "POST"),
        ("/documents/{id}/match", pages.match, "POST"),
    ]
    return Starlette(routes=[Route(path, _guarded(call, gate), methods=[method]) for path, call, method in routes])


def _guarded(call: Callable[[Request], Awaitable[Response]], gate: Gate) -> Callable[[Request], Awaitable[Response]]:
    """The page behind the gate, its size bound and its headers; an error of ours becomes a line, not a trace."""
    from starlette.responses import PlainTextResponse, RedirectResponse

    async def answer(request: Request) -> Response:
        token = request.query_params.get("token")
        if token is not None and request.url.path == "/":
            cookie = gate.enter(token)
            if cookie is None:
                return PlainTextResponse("this link was used before or is not right; start the page again", 401)
            response: Response = RedirectResponse("/", 303)
            response.set_cookie(_COOKIE, cookie, httponly=True, samesite="strict")
            return response
        refusal = gate.refusal(request)
        if refusal:
            return PlainTextResponse(refusal[1], refusal[0])
        if int(request.headers.get("content-length") or 0) > MOST_BYTES:
            return PlainTextResponse(f"more than {MOST_BYTES // 2**20} MB; send fewer or smaller files", 413)
        if request.method == "POST" and "content-length" not in request.headers:
            return PlainTextResponse("the size of the upload is not named", 411)
        try:
            return await call(request)
        except FhirbridgeError as error:
            return PlainTextResponse(str(error), 400)

    async def headed(request: Request) -> Response:
        response = await answer(request)
        response.headers.update(_HEADERS)
        return response

    return headed


class _Pages:
    """The pages, each a request in and a response out."""

    def __init__(self, session: Session) -> None:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

        self._session, self._threads = session, run_in_threadpool
        self._html, self._json, self._redirect, self._response = HTMLResponse, JSONResponse, RedirectResponse, Response

    async def start(self, request: Request) -> Response:
        return self._html(markup.start(self._session, _language(request)))

    async def language(self, request: Request) -> Response:
        form = await request.form()
        chosen = "zh" if form.get("language") == "zh" else "en"
        referer = request.headers.get("referer", "")
        response = self._redirect("/" if "/documents/" not in referer else "/" + referer.split("/", 3)[3], 303)
        response.set_cookie("language", chosen, samesite="strict")
        return response

    async def read(self, request: Request) -> Response:
        async with request.form(max_files=100, max_part_size=MOST_BYTES) as form:
            inputs = [
                (str(f.filename), await f.read())
                for f in form.getlist("files")
                if not isinstance(f, str) and f.filename
            ]
            text = form.get("text")
        if isinstance(text, str) and text.strip():
            inputs.append(("pasted.txt", text.encode()))
        problems, last = [], None
        for name, content in inputs:
            try:
                last = await self._threads(self._session.read, name, content)
            except FhirbridgeError as error:
                problems.append(f"{Path(name).name}: {_reason(error)}")
        if problems or last is None:
            message = "; ".join(problems) or markup.words(_language(request))["drop"]
            return self._html(markup.start(self._session, _language(request), message), 400)
        return self._redirect(f"/documents/{last.id}" if len(inputs) == 1 else "/", 303)

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            return self._response(status_code=404)
        content = resources.files(__package__).joinpath("assets", name).read_bytes()
        return self._response(content, media_type=_ASSETS[name])

    async def document(self, request: Request) -> Response:
        shown = self._document(request)
        told = request.query_params.get("told", "")
        return self._html(markup.document(self._session, shown, _language(request), _reviewer(request), told))

    async def picture(self, request: Request) -> Response:
        for source in self._document(request).record.resources("DocumentReference"):
            attachment = source["content"][0]["attachment"]
            kind = attachment.get("contentType", "")
            if "data" in attachment and kind.startswith("image/"):
                return self._response(base64.b64decode(attachment["data"]), media_type=kind)
        return self._response(status_code=404)

    async def bundle(self, request: Request) -> Response:
        result = self._session.result(self._document(request), _reviewer(request) or "unnamed reviewer")
        return self._response(result.to_json(indent=2), media_type="application/fhir+json")

    async def decide(self, request: Request) -> Response:
        said = await request.json()
        keys = ("name", "value", "unit", "status")
        decision = Decision(str(said.get("verdict")), **{k: str(said[k]) for k in keys if said.get(k) is not None})
        shown = self._document(request)
        reviewer = str(said.get("reviewer", ""))
        self._session.decide(shown, request.path_params["fact"], decision, reviewer)
        response = self._json({"verdict": decision.verdict})
        response.set_cookie("reviewer", base64.urlsafe_b64encode(reviewer.encode()).decode(), samesite="strict")
        return response

    async def save(self, request: Request) -> Response:
        return await self._done(request, "saved", "path", self._session.save)

    async def push(self, request: Request) -> Response:
        return await self._done(request, "pushed", "summary", self._session.push)

    async def match(self, request: Request) -> Response:
        return await self._done(request, "matches", "", self._session.match)

    async def _done(self, request: Request, key: str, name: str, work: Callable[[Document, str], Any]) -> Response:
        from urllib.parse import quote

        form = await request.form()
        shown = self._document(request)
        result = await self._threads(work, shown, str(form.get("reviewer", "")))
        told = markup.words(_language(request))[key].format(**{name: result} if name else {})
        place = "#matches" if key == "matches" else ""
        return self._redirect(f"/documents/{shown.id}?told={quote(told)}{place}", 303)

    def _document(self, request: Request) -> Document:
        return self._session.document(request.path_params["id"])


def _reason(error: FhirbridgeError) -> str:
    """The error without the temporary path the upload was put in."""
    reason = getattr(error, "reason", None)
    cure = getattr(error, "cure", "")
    return f"{reason}; {cure}" if reason and cure else str(reason or error)


def _language(request: Request) -> str:
    chosen = request.cookies.get("language")
    if chosen in ("en", "zh"):
        return chosen
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def _reviewer(request: Request) -> str:
    try:
        return base64.urlsafe_b64decode(request.cookies.get("reviewer", "")).decode()
    except ValueError:
        return ""


def serve(
    *, port: int = 0, out: str | Path = "reviewed", server: str | None = None, studies: Sequence[str | Path] = ()
) -> int:
    """Serve the page until interrupted; prints the link. `port` 0 takes a free one."""
    try:
        import uvicorn
    except ImportError as error:
        raise MissingDependency("uvicorn is not installed; pip install 'fhirbridge[review]'") from error
    listener = socket.socket()
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise ConfigurationError(f"--port {port}: {error.strerror}; choose another") from error
    chosen = int(listener.getsockname()[1])
    gate = Gate(chosen)
    session = Session(Path(out), lambda: datetime.now().astimezone(), server, [Path(s) for s in studies])
    application = create(session, gate)
    print(f"http://127.0.0.1:{chosen}/?token={gate.token}", flush=True)
    settings = uvicorn.Config(application, log_level="error", access_log=False)
    uvicorn.Server(settings).run(sockets=[listener])
    return 0
