"""Keys of the API: made, shown once, checked at every request, revoked at once (D10).

    Authorization: Api-Key <prefix>.<secret>

The secret is 256 random bits, so one SHA-256 keeps it as well as a slow password hash would, at a
thousandth of the time. Nothing is remembered between requests: a key that was revoked fails the next one.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from ipaddress import ip_address, ip_network
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from members import columns
from members.errors import KeyHolderInvalid, KeyInvalid, KeyUnknown, RateInvalid, RateLimited, ScopeUnknown
from members.models import ApiKey, Channel, Scope
from privacy import roles

DEFAULT_SCOPES = tuple(scope for scope in Scope.values if scope != Scope.MEMBERS_PERSONAL)
DEFAULT_RATE = 600  # requests a minute
WINDOW = 60  # seconds over which a rate is counted

_WRITTEN = re.compile(r"([a-z0-9]{8})\.([A-Za-z0-9_-]{43})")
_RATE = re.compile(r"([1-9]\d{0,6})(?:/min)?")
_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request came with, and how much of its rate is used, this request included."""

    key_id: int
    prefix: str
    channel: Channel | None
    staff: User | None
    scopes: frozenset[str]
    rate: int
    used: int
    seconds: int  # until the rate allows one more request than now

    @property
    def holder(self) -> str:
        """Within whom Idempotency-Keys are unique: the channel, or the person."""
        return f"channel:{self.channel.pk}" if self.channel else f"staff:{self.staff.pk if self.staff else 0}"

    @property
    def remaining(self) -> int:
        return max(0, self.rate - self.used)

    def require_rate(self) -> None:
        """Raise RateLimited when this request is one too many."""
        if self.used > self.rate:
            raise RateLimited(seconds=self.seconds)


# ------------------------------------------------------------------------------------ making and revoking


def make(
    holder: Channel | User,
    *,
    scopes: Sequence[str] | None = None,
    rate: int = DEFAULT_RATE,
    expires_at: datetime | None = None,
    networks: Iterable[str] = (),
) -> tuple[ApiKey, str]:
    """Make a key; answers its row and the key itself, which is never to be seen again.

    holder: a channel, or a member of staff whose role then decides instead of `scopes`.
    networks: from where it may be used, as `203.0.113.0/24`. Raises ScopeUnknown, KeyHolderInvalid,
    ValueError for a network that is none.
    """
    channel = holder if isinstance(holder, Channel) else None
    staff = None if isinstance(holder, Channel) else holder
    if not (channel.is_active if channel else roles.role_of(staff)):
        raise KeyHolderInvalid
    for scope in scopes or ():
        if scope not in Scope.values:
            raise ScopeUnknown(scope=scope)
    prefix = "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(8))
    secret = secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        prefix=prefix,
        digest=_digest(secret),
        channel=channel,
        staff=staff,
        scopes=[] if staff else list(dict.fromkeys(scopes or DEFAULT_SCOPES)),
        rate=rate,
        networks=[str(ip_network(network)) for network in networks],
        expires_at=expires_at,
    )
    return row, f"{prefix}.{secret}"


def revoke(prefix: str) -> ApiKey:
    """End a key for good, from the next request on; a key once revoked stays so. Raises KeyUnknown."""
    row = ApiKey.objects.filter(prefix=prefix).first()
    if row is None:
        raise KeyUnknown(prefix=prefix)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
    return row


def read_rate(text: str) -> int:
    """Requests a minute out of `600/min` or `600`. Raises RateInvalid."""
    written = _RATE.fullmatch(text.strip())
    if written is None:
        raise RateInvalid
    return int(written[1])


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


# ----------------------------------------------------------------------------------------------- checking

# The key is found by its prefix, and the request is counted in the same round trip. Whether the secret
# is right is decided once more in Python, in constant time; here it only keeps strangers from using up
# somebody's rate. The count slides: what the last minute had weighs less with each second of this one.
_CHECK = """
WITH found AS (
    SELECT k.id, k.digest, k.scopes, k.rate, k.networks, k.staff_id,
           c.id AS channel_id, c.code, c.name, c.platform, c.brand, c.vouches_for,
           k.digest = %s AND k.revoked_at IS NULL AND coalesce(k.expires_at > statement_timestamp(), true)
               AND coalesce(c.is_active, true) AS is_live
    FROM members_apikey k LEFT JOIN members_channel c ON c.id = k.channel_id
    WHERE k.prefix = %s
), counted AS (
    INSERT INTO members_apikeyuse AS u (key_id, minute, count, before)
    SELECT id, floor(extract(epoch FROM statement_timestamp()) / 60), 1, 0 FROM found WHERE is_live
    ON CONFLICT (key_id) DO UPDATE SET
        minute = greatest(u.minute, EXCLUDED.minute),
        count = CASE WHEN u.minute >= EXCLUDED.minute THEN u.count + 1 ELSE 1 END,
        before = CASE WHEN u.minute >= EXCLUDED.minute THEN u.before
                      WHEN u.minute = EXCLUDED.minute - 1 THEN u.count ELSE 0 END
    RETURNING count, before
)
SELECT found.*, counted.count, counted.before, extract(epoch FROM statement_timestamp())::bigint %% 60
FROM found LEFT JOIN counted ON true
"""


def check(text: str, *, ip: str = "") -> Caller:
    """Whose key this is; the use is counted. Raises KeyInvalid, whatever the reason.

    text: `<prefix>.<secret>`. ip: where the request came from. Call it outside of a transaction, or the
    requests with one key would wait for one another.
    """
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise KeyInvalid
    prefix, digest = written[1], _digest(written[2])
    found = columns.ask(_CHECK, [digest, prefix])
    if not found or not compare_digest(found[0][1], digest):
        raise KeyInvalid
    [(id_, _, scopes, rate, networks, staff_id, *channel, is_live, count, before, second)] = found
    if not is_live or not _comes_from(json.loads(networks), ip):
        raise KeyInvalid
    used, seconds = slide(count, before, rate, second)
    return Caller(
        key_id=id_,
        prefix=prefix,
        channel=_channel(channel) if channel[0] is not None else None,
        staff=_staff(staff_id) if staff_id is not None else None,
        scopes=frozenset(json.loads(scopes)),
        rate=rate,
        used=used,
        seconds=seconds,
    )


def slide(count: int, before: int, rate: int, second: int) -> tuple[int, int]:
    """How many requests count against the rate now, and in how many seconds one more will be allowed.

    count: in this minute; before: in the minute before; second: of this minute. Requests that were
    refused beyond the rate are not carried over, so that an eager client is not shut out for ever.
    """
    before = min(before, rate)
    used = count + before * (WINDOW - second) // WINDOW
    if used < rate:
        return used, 0
    if count >= rate:
        return used, WINDOW - second + 1
    room = rate - count - 1  # what the minute before may still weigh
    needed = WINDOW + 1 + (-WINDOW * (room + 1) // before) if before else 0
    return used, max(1, needed - second)


def _channel(values: Sequence[Any]) -> Channel:
    id_, code, name, platform, brand, vouches_for = values
    return Channel(
        id=id_, code=code, name=name, platform=platform, brand=brand, vouches_for=json.loads(vouches_for)
    )


def _staff(staff_id: int) -> User:
    user = User.objects.select_related("staff_profile").get(pk=staff_id)
    if roles.role_of(user) is None:
        raise KeyInvalid
    return user


def _comes_from(networks: Sequence[str], ip: str) -> bool:
    if not networks:
        return True
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return any(address in ip_network(network) for network in networks)
