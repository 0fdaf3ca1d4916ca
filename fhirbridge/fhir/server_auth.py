"""How a client proves who it is: nothing, a bearer token, basic, or SMART backend services (private-key JWT).

Keys and tokens are never part of a message, a log or a `repr`.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fhirbridge.errors import ConfigurationError, FinalServerError
from fhirbridge.fhir.server_transport import Answer, Transport

# http://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html: an assertion lives five minutes at most.
_ASSERTION_SECONDS = 240
_EARLY = 30.0  # a token is renewed so long before it expires


class Bearer:
    """A fixed bearer token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self) -> Mapping[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """A fixed token cannot be renewed."""
        return False


class Basic:
    """A user name and password."""

    def __init__(self, user: str, password: str) -> None:
        self._pair = base64.b64encode(f"{user}:{password}".encode()).decode()

    def headers(self) -> Mapping[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Basic {self._pair}"}

    def renew(self) -> bool:
        """A password cannot be renewed."""
        return False


class BackendServices:
    """SMART backend services: a signed assertion is exchanged for a short-lived token, renewed before it expires.

    `key` is a JWKS or JWK file (or its parsed content) with a private RSA (RS384) or P-384 (ES384) key. The token
    endpoint comes from `.well-known/smart-configuration` below the FHIR base and may lie on another origin only when it
    is https: the assertion goes there, never a token.
    """

    def __init__(
        self,
        base: str,
        client_id: str,
        key: str | Path | Mapping[str, Any],
        *,
        scope: str = "system/*.rs",
        token_url: str | None = None,
        verify: bool | str = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._transport = Transport(base, verify=verify)
        self._client, self._scope, self._token_url, self._clock = client_id, scope, token_url, clock
        self._verify = verify
        self._jwk = _private_key(key)
        self._token, self._until = "", 0.0

    def headers(self) -> Mapping[str, str]:
        """The Authorization header with a token that is still good for a while."""
        if self._clock() >= self._until - _EARLY:
            self._fetch()
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Drop the token, for instance when the server revoked it; the next request fetches a new one."""
        self._until = 0.0
        return True

    def _fetch(self) -> None:
        from urllib.parse import urlencode

        url = self._token_url or self._discovered()
        fixed = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }

        def form() -> bytes:  # each try signs anew: a jti that was seen before is refused
            return urlencode({**fixed, "client_assertion": self._assertion(url)}).encode()

        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer: Answer = Transport(url, verify=self._verify).send("POST", url, form, headers=headers)
        granted = answer.json()
        if not isinstance(granted, dict) or not granted.get("access_token"):
            raise FinalServerError("the token endpoint answered without an access_token")
        self._token = str(granted["access_token"])
        seconds = str(granted.get("expires_in", ""))
        self._until = self._clock() + (float(seconds) if seconds.isdigit() else 60.0)

    def _discovered(self) -> str:
        found = self._transport.send(
            "GET", ".well-known/smart-configuration", headers={"Accept": "application/json"}
        ).json()
        url = found.get("token_endpoint") if isinstance(found, dict) else None
        if not isinstance(url, str):
            raise FinalServerError("the server's smart-configuration names no token_endpoint; give --token-url")
        if self._transport.base.startswith("https:") and not url.startswith("https:"):
            raise FinalServerError("the server's token endpoint is not https: refused")
        self._token_url = url
        return url

    def _assertion(self, url: str) -> str:
        import jwt

        now = int(self._clock())
        claims = {"iss": self._client, "sub": self._client, "aud": url, "exp": now + _ASSERTION_SECONDS, "iat": now}
        claims["jti"] = str(uuid.uuid4())
        algorithm = "RS384" if self._jwk["kty"] == "RSA" else "ES384"
        headers = {"typ": "JWT", **({"kid": self._jwk["kid"]} if "kid" in self._jwk else {})}
        key = jwt.PyJWK.from_dict(dict(self._jwk), algorithm=algorithm).key
        return jwt.encode(claims, key, algorithm=algorithm, headers=headers)

    def __repr__(self) -> str:
        return f"<BackendServices client {self._client}>"


def _private_key(source: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        content: Any = source
    else:
        try:
            content = json.loads(Path(source).read_text("utf-8"))
        except OSError as error:
            raise ConfigurationError(f"key file {source}: {error.strerror}") from error
        except ValueError as error:
            raise ConfigurationError(f"key file {source}: not a JWKS (JSON); convert a PEM with a JWK tool") from error
    keys = content.get("keys", [content]) if isinstance(content, Mapping) else []
    usable = [k for k in keys if k.get("d") and (k.get("kty") == "RSA" or k.get("crv") == "P-384")]
    if not usable:
        raise ConfigurationError("the key file holds no private RSA or P-384 key; SMART asks for RS384 or ES384")
    key: Mapping[str, Any] = usable[0]
    return key
