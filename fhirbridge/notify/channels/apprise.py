"""WeCom, DingTalk, Feishu, Slack, Teams, webhooks and a hundred more through Apprise (extra `notify`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhirbridge.errors import FinalServerError, MissingDependency, TemporaryServerError
from fhirbridge.notify.channels import Channel, Message


class Apprise:
    """A recipient's address is an Apprise URL (`wecombot://...`, `json://host/path`). Leaves the house: no patients."""

    name = "apprise"

    def __init__(self, leaves_house: bool) -> None:
        self.leaves_house = leaves_house

    def send(self, message: Message) -> None:
        """Send through the service that the address names."""
        import apprise

        service = apprise.Apprise()
        if not service.add(message.to):
            raise FinalServerError("apprise: the address is not one it knows; see its list of services")
        if not service.notify(title=message.subject, body=f"{message.text}\n\n[{message.id[:16]}]"):
            raise TemporaryServerError("apprise: the service did not take the message")


def create(options: Mapping[str, Any]) -> Channel:
    """`link_only` false only where the service stays in the house (default true)."""
    try:
        import apprise  # noqa: F401
    except ImportError as error:
        raise MissingDependency("apprise is not installed; pip install 'fhirbridge[notify]'") from error
    return Apprise(bool(options.get("link_only", True)))
