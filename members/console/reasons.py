"""Why a message or a call came to nothing, in words for a page."""

from django.utils.translation import gettext_lazy

from members.cleaning import REJECT_CODES
from privacy.errors import ShukeError

# What happened to a call that got no answer, by what httpx calls it.
CALL_PROBLEMS = {
    "ConnectError": gettext_lazy("The platform could not be reached."),
    "ConnectTimeout": gettext_lazy("The platform could not be reached in time."),
    "ReadTimeout": gettext_lazy("The platform did not answer in time."),
    "RemoteProtocolError": gettext_lazy("The platform broke off its answer."),
    "ReadError": gettext_lazy("The platform broke off its answer."),
    "members.credential_missing": gettext_lazy("A credential of the channel is missing."),
    "answer_unreadable": gettext_lazy("The platform's answer could not be read."),
    "not_successful": gettext_lazy("The platform answered that it did not succeed."),
}


def reason_of(code: str) -> str:
    """A reason in words; what we have no words for, as a platform's own, stays as it is."""
    if code in REJECT_CODES:
        return str(REJECT_CODES[code])
    kinds: list[type[ShukeError]] = [ShukeError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    message = next((str(kind.message) for kind in kinds if kind.code == code), "")
    return message if message and "%(" not in message else code


def call_reason(code: str) -> str:
    """Why a call came to nothing, in words; what the platform itself answered stays so."""
    return str(CALL_PROBLEMS.get(code) or reason_of(code))
