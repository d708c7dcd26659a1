"""Who carries a one-time code to a phone: `settings.CODE_SENDER` names the class (A8).

A sender has one method. It raises CodeNotSent when another try may help, and CodeNotSendable when none will.
No sender writes a phone or a code to a log.
"""

import json
from abc import ABC, abstractmethod
from smtplib import SMTPException
from typing import Any

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from members.errors import CodeNotSendable, CodeNotSent

SECONDS = httpx.Timeout(10.0, connect=5.0)


class CodeSender(ABC):
    """The way to a phone."""

    @abstractmethod
    def send(self, phone: str, code: str, *, minutes: int) -> None:
        """Send a code to a phone in E.164; `minutes` is how long it is good."""


class ConsoleSender(CodeSender):
    """The demo's: nothing leaves this machine, and `manage.py last_code PHONE` shows what was sent."""

    def send(self, phone: str, code: str, *, minutes: int) -> None:
        """Nothing is to be done: the code can be worked out again by whoever has the key."""
        if not settings.IS_DEMO:
            raise ImproperlyConfigured("ConsoleSender is for the demo only.")


class MailSender(CodeSender):
    """Django's mail, to a gateway that turns mail into SMS: `CODE_MAIL_TO`, as `{digits}@sms.example.com`."""

    def send(self, phone: str, code: str, *, minutes: int) -> None:
        """Send one mail. Raises CodeNotSent."""
        address = settings.CODE_MAIL_TO.format(phone=phone, digits=phone.lstrip("+"))
        try:
            EmailMessage(body=words(code, minutes), to=[address]).send()
        except (SMTPException, OSError) as away:
            raise CodeNotSent from away


class HttpSender(CodeSender):
    """A JSON POST to an SMS gateway: `CODE_HTTP_URL`, `CODE_HTTP_AUTHORIZATION`, `CODE_HTTP_BODY`.

    The body is a template in JSON; `{phone}`, `{digits}`, `{code}`, `{minutes}` and `{text}` are filled in
    wherever they stand in one of its texts. Redirects are not followed: they would carry the code elsewhere.
    """

    def send(self, phone: str, code: str, *, minutes: int) -> None:
        """One request. Raises CodeNotSent for 429, 5xx and no answer, CodeNotSendable for any other no."""
        values = {
            "phone": phone,
            "digits": phone.lstrip("+"),
            "code": code,
            "minutes": str(minutes),
            "text": words(code, minutes),
        }
        body = _filled(json.loads(settings.CODE_HTTP_BODY), values)
        headers = {"Authorization": settings.CODE_HTTP_AUTHORIZATION}
        try:
            answer = httpx.post(
                settings.CODE_HTTP_URL,
                json=body,
                headers={name: value for name, value in headers.items() if value},
                timeout=SECONDS,
                follow_redirects=False,
            )
        except httpx.HTTPError:
            # Not `from`: the failure holds the request, and the request holds the code.
            raise CodeNotSent from None
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            raise CodeNotSent
        if not answer.is_success:
            raise CodeNotSendable


def _filled(part: Any, values: dict[str, str]) -> Any:
    """A JSON template with its places filled; braces that are no place stay."""
    if isinstance(part, dict):
        return {name: _filled(inner, values) for name, inner in part.items()}
    if isinstance(part, list):
        return [_filled(inner, values) for inner in part]
    if isinstance(part, str):
        for name, value in values.items():
            part = part.replace(f"{{{name}}}", value)
    return part


def words(code: str, minutes: int) -> str:
    """What the message says, in the brand's name."""
    said = _("[%(brand)s] Your code is %(code)s, good for %(minutes)s minutes. Our staff never ask for it.")
    return said % {"brand": settings.BRAND_NAME, "code": code, "minutes": minutes}


def the_sender() -> CodeSender:
    """The sender of this installation. Raises ImproperlyConfigured when none is set."""
    if not settings.CODE_SENDER:
        raise ImproperlyConfigured("CODE_SENDER is not set: one-time codes cannot be sent.")
    sender: CodeSender = import_string(settings.CODE_SENDER)()
    return sender
