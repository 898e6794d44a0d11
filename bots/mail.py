"""Mails for those who are in no chat: one when it begins, and an answer to it when it is over."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from brain.incidents.settings import MailServer
from brain.reply import Reply
from brain.turns.outbox import OutboxError

_SECONDS = 10
_SUBJECT = 200
"""Characters."""
_PERMANENT = 500
"""From this code on SMTP refuses for good (RFC 5321, 4.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOutbox:
    """Writes to one address; an `Outbox`. Message ids are those of the mails."""

    server: MailServer
    to: str

    async def progress(self, line: str) -> None:
        """Nothing: a mail is written once."""

    async def delta(self, piece: str) -> None:
        """Nothing, likewise."""

    async def send(self, reply: Reply) -> str:
        """Sends a mail. Raises `OutboxError`."""
        return await asyncio.to_thread(self._send, self._mail(reply))

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Answers the mail sent before. Raises `OutboxError`."""
        mail = self._mail(reply)
        mail["In-Reply-To"] = mail["References"] = message_id
        await asyncio.to_thread(self._send, mail)

    def _mail(self, reply: Reply) -> EmailMessage:
        mail = EmailMessage()
        title = next(iter(reply.plain_text.strip().splitlines()), "Resync")
        mail["Subject"] = "".join(sign for sign in title if sign.isprintable())[:_SUBJECT]
        mail["From"], mail["To"] = self.server.sender, self.to
        mail["Date"] = formatdate()
        mail["Message-ID"] = make_msgid(domain=self.server.sender.rpartition("@")[2])
        # No vacation notes back.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(reply.plain_text)
        return mail

    def _send(self, mail: EmailMessage) -> str:
        try:
            with self._open() as server:
                if self.server.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.server.username:
                    server.login(self.server.username, self.server.password.get_secret_value())
                server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            raise OutboxError(f"mail: {error.smtp_code}", retryable=error.smtp_code < _PERMANENT) from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise OutboxError(f"mail: {codes}", retryable=all(code < _PERMANENT for code in codes)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise OutboxError(f"mail: {type(error).__name__}", retryable=True) from error
        return str(mail["Message-ID"])

    def _open(self) -> smtplib.SMTP:
        place = (self.server.host, self.server.port)
        if self.server.security == "tls":
            return smtplib.SMTP_SSL(*place, timeout=_SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(*place, timeout=_SECONDS)
