"""What of an address or a search may be kept with an event: no query, nobody's telephone or e-mail. Pure."""

import re

LONGEST = 200

_HOST = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*")
# A mainland mobile, an identity card, an e-mail (its @ perhaps written as %40).
_CONTACT = re.compile(
    r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)|(?<!\d)\d{17}[\dXx](?!\d)|[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+",
    re.ASCII,
)
HIDDEN = "*"


def path_of(address: str) -> str:
    """The path of an address, without host, query and fragment: what stands there may say who it is."""
    path = _HOST.sub("", address, count=1) if "://" in address[:20] else address
    for mark in "?#":
        path = path.partition(mark)[0]
    return without_contacts(path or (address and "/"))[:LONGEST]


def without_contacts(text: str) -> str:
    """Text in which telephones, identity cards and e-mails are a star: people type them into every search."""
    if not text or not any(character.isdigit() or character in "@%" for character in text):
        return text
    return _CONTACT.sub(HIDDEN, text)
