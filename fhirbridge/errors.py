"""Every error fhirbridge raises, as one tree.

    FhirbridgeError
    ├── InputError                the input cannot be used; the message names file, place and cure
    │   ├── MissingInput          no such file, or nothing matches the pattern
    │   ├── UnreadableInput       not what it claims to be: corrupt, truncated, encrypted, wrong kind
    │   ├── EmptyInput            nothing in it to read
    │   └── InputTooLarge         beyond a stated limit
    ├── ConfigurationError        an option or configuration value; the message names key, value and cure
    │   └── MissingDependency     an optional package or program is not installed; the message says how to install it
    ├── EngineError               an OCR engine crashed, hung or gave nonsense
    ├── ValidationError           FHIR that may not be sent: path and cure
    └── ServerError               a FHIR server or channel said no
        ├── TemporaryServerError  worth another try: 408, 425, 429, 5xx, time-outs, dropped connections
        ├── FinalServerError      another try cannot help: 4xx, refused, forbidden redirect
        └── ConflictError         412 or 409: somebody else changed it

Messages never hold a patient's words, keys or tokens.
"""

from __future__ import annotations


class FhirbridgeError(Exception):
    """Root of all errors of this library."""


class InputError(FhirbridgeError):
    """An input cannot be used. `source` is the file or record, `reason` what is wrong, `cure` what to do."""

    def __init__(self, source: object, reason: str, cure: str = "") -> None:
        self.source = str(source)
        self.reason = reason
        self.cure = cure
        super().__init__(f"{self.source}: {reason}" + (f"; {cure}" if cure else ""))


class MissingInput(InputError):
    """No such file, or nothing matches the pattern."""


class UnreadableInput(InputError):
    """The input is not what it claims to be."""


class EmptyInput(InputError):
    """There is nothing in the input to read."""


class InputTooLarge(InputError):
    """The input is beyond a stated limit."""


class ConfigurationError(FhirbridgeError):
    """An option or configuration value cannot be used."""


class MissingDependency(ConfigurationError):
    """An optional package or program is not installed."""


class EngineError(FhirbridgeError):
    """An OCR engine crashed, hung or gave nonsense."""


class ValidationError(FhirbridgeError):
    """FHIR that may not be sent."""


class ServerError(FhirbridgeError):
    """A server said no; `status` is the HTTP status where there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class TemporaryServerError(ServerError):
    """Worth another try; `retry_after` in seconds where the server named it."""

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message, status)


class FinalServerError(ServerError):
    """Another try cannot help."""


class ConflictError(FinalServerError):
    """Somebody else changed the resource (412, 409)."""
