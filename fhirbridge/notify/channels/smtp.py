"""Mail through an SMTP server, TLS where the server has it."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from fhirbridge.errors import ConfigurationError, FinalServerError, TemporaryServerError
from fhirbridge.notify.channels import Channel, Message


class Smtp:
    """A mail server. The Message-ID is the message's id, so that a mail sent twice can be told."""

    name = "smtp"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._host, self._port = str(options["host"]), int(options.get("port", 587))
        self._sender, self._tls = str(options["sender"]), str(options.get("tls", "starttls"))
        self._user = options.get("user")
        self._password = os.environ.get(str(options.get("password_env", "FHIRBRIDGE_SMTP_PASSWORD")), "")
        self.leaves_house = bool(options.get("link_only", False))

    def send(self, message: Message) -> None:
        """Hand one mail to the server."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, message.to, message.subject
        mail["Message-ID"] = f"<{message.id}@fhirbridge>"
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        try:
            with self._connected() as server:
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise FinalServerError(f"smtp: {message.to} was refused by the server") from error
        except smtplib.SMTPAuthenticationError as error:
            raise FinalServerError("smtp: user or password was not accepted; check user and password_env") from error
        except smtplib.SMTPResponseException as error:
            kind = TemporaryServerError if 400 <= error.smtp_code < 500 else FinalServerError
            raise kind(f"smtp: the server answered {error.smtp_code}", error.smtp_code) from error
        except (OSError, smtplib.SMTPException) as error:
            raise TemporaryServerError(f"smtp: {self._host}:{self._port}: {type(error).__name__}") from error

    def _connected(self) -> smtplib.SMTP:
        if self._tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=30, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=30)
            if self._tls == "starttls":
                server.starttls(context=ssl.create_default_context())
        if self._user:
            server.login(str(self._user), self._password)
        return server


def create(options: Mapping[str, Any]) -> Channel:
    """`host`, `sender`; `port` 587, `tls` starttls | tls | none, `user` with `password_env`, `link_only`."""
    for key in ("host", "sender"):
        if not options.get(key):
            raise ConfigurationError(f"channels.smtp.{key} is missing")
    if options.get("tls", "starttls") not in ("starttls", "tls", "none"):
        raise ConfigurationError(f"channels.smtp.tls: '{options['tls']}' is none of starttls, tls, none")
    return Smtp(options)
