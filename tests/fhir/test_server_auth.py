"""SMART backend services: both algorithms against a real token endpoint, and tokens that went bad."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import fhirbridge as fb
from fhirbridge.errors import ConfigurationError, FinalServerError
from fhirbridge.fhir.server_auth import BackendServices
from fhirbridge.fhir.server_transport import Answer, Limits, Transport
from tests.fhir.raw_server import Raw, answer, raw_server
from tests.fhir.servers import sekmet

GOOD = answer(200, '{"resourceType": "Patient", "id": "1"}')


def _key(kind: str) -> dict[str, Any]:
    if kind == "RS384":
        made = jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True)
    else:
        made = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()), as_dict=True)
    return {**made, "kid": kind}


def _public(key: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in key.items() if k in ("kty", "n", "e", "crv", "x", "y", "kid")}


KEYS = {kind: _key(kind) for kind in ("RS384", "ES384")}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    clients = [
        {"client_id": kind, "jwks": {"keys": [_public(key)]}, "scopes": "system/*.cruds"} for kind, key in KEYS.items()
    ]
    with sekmet(tmp_path_factory.mktemp("smart"), {"types": ["smart"], "smart_clients": clients}) as url:
        yield url


@pytest.mark.server
@pytest.mark.parametrize("kind", list(KEYS))
def test_a_real_server_accepts_the_assertion(base: str, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [KEYS[kind]]}))
    assert list(fb.FHIRServer(base, client_id=kind, key=file).search("Patient")) == []
    with pytest.raises(FinalServerError, match="401"):
        list(fb.FHIRServer(base).search("Patient"))


@pytest.mark.server
def test_a_real_server_refuses_another_key_and_another_audience(base: str) -> None:
    with pytest.raises(FinalServerError, match="401, invalid_client"):
        list(fb.FHIRServer(base, client_id="RS384", key=_key("RS384")).search("Patient"))
    elsewhere = base.replace("127.0.0.1", "localhost").removesuffix("/fhir") + "/auth/token"
    with pytest.raises(FinalServerError, match="401, invalid_client"):
        list(fb.FHIRServer(base, client_id="RS384", key=KEYS["RS384"], token_url=elsewhere).search("Patient"))


@pytest.mark.server
def test_a_real_server_refuses_an_assertion_that_expired_or_was_seen_before(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def services(clock: float | None = None) -> Transport:
        now = {} if clock is None else {"clock": lambda: clock}
        return Transport(base, BackendServices(base, "RS384", KEYS["RS384"], **now))

    with pytest.raises(FinalServerError, match="401, invalid_client"):
        services(1e9).send("GET", "Patient")
    made = BackendServices(base, "RS384", KEYS["RS384"])._assertion(f"{base.removesuffix('/fhir')}/auth/token")
    monkeypatch.setattr(BackendServices, "_assertion", lambda self, url: made)
    assert services().send("GET", "Patient").status == 200
    with pytest.raises(FinalServerError, match="401, invalid_client"):
        services().send("GET", "Patient")


@pytest.mark.server
def test_a_scope_that_does_not_suffice_is_final_and_said(base: str) -> None:
    server = fb.FHIRServer(base, client_id="RS384", key=KEYS["RS384"], scope="system/Observation.rs")
    with pytest.raises(FinalServerError, match="403"):
        list(server.search("Patient"))


def _token(name: str, seconds: object = 300) -> bytes:
    return answer(200, json.dumps({"access_token": name, "token_type": "bearer", "expires_in": seconds}))


def _client(server: Raw, now: list[float]) -> Transport:
    url = server.base.removesuffix("/fhir") + "/token"
    services = BackendServices(server.base, "me", KEYS["ES384"], token_url=url, clock=lambda: now[0])
    return Transport(server.base, services, limits=Limits(tries=2), sleep=lambda _: None)


def _claims(request: bytes) -> dict[str, Any]:
    form = parse_qs(request.partition(b"\r\n\r\n")[2].decode())
    claims: dict[str, Any] = jwt.decode(form["client_assertion"][0], options={"verify_signature": False})
    return claims


def test_a_revoked_token_is_renewed_once_after_401() -> None:
    with raw_server(_token("first"), answer(401), _token("second"), GOOD) as server:
        assert _client(server, [1e9]).send("GET", "Patient/1").json()["id"] == "1"
    assert b"Bearer first" in server.requests[1]
    assert b"Bearer second" in server.requests[3]
    assert _claims(server.requests[0])["jti"] != _claims(server.requests[2])["jti"]


def test_a_token_refused_again_is_final() -> None:
    with raw_server(_token("first"), answer(401), _token("second"), answer(401)) as server:
        with pytest.raises(FinalServerError, match="401") as caught:
            _client(server, [1e9]).send("GET", "Patient/1")
        assert len(server.requests) == 4
    assert "first" not in str(caught.value)
    assert "second" not in str(caught.value)


@pytest.mark.parametrize("seconds", [300, None, "soon"])
def test_a_token_is_renewed_before_it_expires(seconds: object) -> None:
    now = [1e9]
    with raw_server(_token("first", seconds), GOOD, _token("second"), GOOD) as server:
        client = _client(server, now)
        client.send("GET", "Patient/1")
        now[0] += 275
        client.send("GET", "Patient/1")
    assert b"Bearer second" in server.requests[3]


def test_a_token_request_tried_again_replays_no_jti(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with raw_server(answer(503, Retry_After="0"), _token("first"), GOOD) as server:
        _client(server, [1e9]).send("GET", "Patient/1")
    first, second = _claims(server.requests[0]), _claims(server.requests[1])
    assert first["jti"] != second["jti"]
    assert first["aud"] == server.base.removesuffix("/fhir") + "/token"
    assert first["exp"] - first["iat"] <= 300


def test_the_key_and_the_assertion_are_in_no_message() -> None:
    refused = answer(400, '{"error": "invalid_client", "error_description": "bad assertion eyJhbGciOi"}')
    with raw_server(refused) as server, pytest.raises(FinalServerError, match="invalid_client") as caught:
        _client(server, [1e9]).send("GET", "Patient/1")
    assert "eyJ" not in str(caught.value)
    assert KEYS["ES384"]["d"] not in repr(vars(fb.FHIRServer(server.base, client_id="me", key=KEYS["ES384"])))


def test_a_token_endpoint_that_is_not_https_is_refused() -> None:
    found = answer(200, '{"token_endpoint": "http://127.0.0.1:9/token"}')
    with raw_server(found) as server:
        services = BackendServices(server.base, "me", KEYS["ES384"])
        services._transport.base = services._transport.base.replace("http:", "https:")
        services._transport.send = lambda *_, **__: Answer(200, {}, found.partition(b"\r\n\r\n")[2])  # type: ignore[method-assign]
        with pytest.raises(FinalServerError, match="not https: refused"):
            services.headers()


def test_a_password_goes_as_basic_and_is_in_no_repr() -> None:
    with raw_server(answer(200, '{"resourceType": "Bundle"}')) as server:
        client = fb.FHIRServer(server.base, basic=("ann", "open sesame"))
        assert list(client.search("Patient")) == []
    assert b"Authorization: Basic YW5uOm9wZW4gc2VzYW1l" in server.requests[0]
    assert "sesame" not in repr(vars(client))


def test_a_key_that_smart_does_not_allow_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="RS384 or ES384"):
        fb.FHIRServer("https://h.example", client_id="me", key={"kty": "EC", "crv": "P-256", "d": "x"})
    with pytest.raises(ConfigurationError, match="no private"):
        fb.FHIRServer("https://h.example", client_id="me", key=_public(KEYS["RS384"]))
