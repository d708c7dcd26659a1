"""The courier of a stand-in: takes parcels to an address, again and again, and on purpose not always well.

Real platforms repeat what was not acknowledged, send some things twice, overtake themselves, and tell
what is out of date; and not everybody who calls is a platform.
"""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

from members.stand_ins.parcel import Parcel, StandIn

TIMEOUT_SECONDS = 10
_NAMES = ("X-Shopify-Webhook-Id", "X-WC-Webhook-Delivery-ID")  # of a delivery; they are not signed
Post = Callable[[str, Parcel], tuple[int, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mischief:
    """How often something goes otherwise than well, as shares of all parcels."""

    twice: float = 0.2
    overtaken: float = 0.2
    stale: float = 0.1  # told again at the end, under a new name
    forged: float = 0.1


@dataclass(slots=True)
class Tally:
    """What became of the parcels."""

    sent: int = 0
    taken: int = 0
    repeated: int = 0  # attempts beyond the first
    given_up: int = 0
    forged_refused: int = 0
    forged_taken: int = 0


@dataclass(frozen=True, slots=True)
class Errand:
    """One parcel on its way; a forged one must be refused."""

    parcel: Parcel
    is_forged: bool = False


def plan(parcels: Sequence[Parcel], mischief: Mischief, random: Random) -> list[Errand]:
    """The parcels in the order in which they are taken, with what is done to them."""
    errands = [Errand(parcel) for parcel in parcels]
    for n in range(len(errands) - 1):
        if random.random() < mischief.overtaken:
            errands[n], errands[n + 1] = errands[n + 1], errands[n]
    out: list[Errand] = []
    for errand in errands:
        out.append(errand)
        if random.random() < mischief.twice:
            out.append(errand)
        if random.random() < mischief.forged:
            out.append(Errand(errand.parcel.forged(), is_forged=True))
    out += [Errand(_renamed(parcel, random)) for parcel in parcels if random.random() < mischief.stale]
    return out


def _renamed(parcel: Parcel, random: Random) -> Parcel:
    name = str(UUID(int=random.getrandbits(128)))
    headers = {key: name if key in _NAMES else value for key, value in parcel.headers.items()}
    return replace(parcel, headers=headers)


def deliver(
    stand_in: StandIn,
    errands: Sequence[Errand],
    url: str,
    *,
    scale: float = 0.0,
    post: Post | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> Tally:
    """Take every parcel to the address; `scale` 1 waits as long as the platform between attempts."""
    tally = Tally()
    for errand in errands:
        tally.sent += 1
        status, body = (post or _post)(url, errand.parcel)
        say(f"{errand.parcel.name}: {status} {body[:80].decode('utf-8', 'replace')}")
        if errand.is_forged:
            # WooCommerce's ping is not signed, so there is nothing to forge in it.
            if status == 200:
                tally.forged_taken += 1
            else:
                tally.forged_refused += 1
            continue
        for pause in stand_in.pauses:
            if stand_in.takes(status, body):
                break
            time.sleep(pause * scale)
            tally.repeated += 1
            status, body = (post or _post)(url, errand.parcel)
            say(f"{errand.parcel.name}, again: {status}")
        if stand_in.takes(status, body):
            tally.taken += 1
        else:
            tally.given_up += 1
    return tally


def _post(url: str, parcel: Parcel) -> tuple[int, bytes]:
    request = urllib.request.Request(
        parcel.address(url), data=parcel.raw, headers=dict(parcel.headers), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()
    except OSError:  # nobody is there
        return 0, b""
