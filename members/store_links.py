"""The link that a store prints as a QR code for people to join by (A8).

It names the store and proves that we made it, so that nobody tries stores out or puts newcomers down to
another. It is keyed by the index key, which never changes: what was printed stays good.
"""

import re
from base64 import b32encode
from hmac import compare_digest

from members.models import Store
from privacy.crypto import blind_index

_WRITTEN = re.compile(r"(\d{1,18})-([a-z2-7]{16})", re.ASCII)


def token_of(store: Store) -> str:
    """The signed word for a store: `3-k4mvq…`, good in an address."""
    return f"{store.pk}-{_signature(store.pk)}"


def read(token: str) -> Store | None:
    """The store of a link, with its channel; None for what we did not sign, or a store that has closed."""
    written = _WRITTEN.fullmatch(token)
    if written is None or not compare_digest(written[2], _signature(int(written[1]))):
        return None
    open_stores = Store.objects.select_related("channel").filter(is_active=True, channel__is_active=True)
    return open_stores.filter(pk=int(written[1])).first()


def _signature(store_id: int) -> str:
    return b32encode(blind_index(str(store_id), purpose="store link")[:10]).decode().lower()
