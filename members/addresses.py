"""Addresses that we may be sent to: a channel names them, so they must not lead into our own network.

A URL is read strictly (`read`), its name is looked up once (`look_up`), every address it has must be one of
the public internet (`require_public`), and the connection is made to the very address that was looked at:
a name that means another machine a moment later changes nothing. Asked when an endpoint is saved, and
again before each sending.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext_lazy as _

from members.errors import AddressRefused, AddressUnresolved

IpAddress = IPv4Address | IPv6Address

LONGEST = 500
PORTS = frozenset({443, 8443})
_DEFAULT_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", re.ASCII)
# What a resolver takes for a number: 2130706433, 0x7f000001, 0177. A name never ends in one.
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)
_UNSAFE = re.compile(r"[^\x21-\x7e]|\\")
_INSIDE = (
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "localdomain",
    "arpa",
    "onion",
    "invalid",
    "test",
)
# Of IPv6 only this is handed out to the world; tunnels through it to IPv4 are left out below.
_GLOBAL_6 = IPv6Network("2000::/3")
_TUNNELS_6 = (ip_network("2001::/23"), ip_network("2002::/16"), ip_network("2001:db8::/32"))
# Relays, and special networks that older versions of `ipaddress` take for global.
_SPECIAL_4 = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10")))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: `host` is a name in lower case or an address, `path` has the query with it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        return _authority(self.host, self.port if self.port != _DEFAULT_PORTS[self.scheme] else None)

    def at(self, address: IpAddress) -> str:
        """The same URL with an address in place of the name: nobody looks the name up again."""
        return f"{self.scheme}://{_authority(str(address), self.port)}{self.path}"


def _authority(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def read(url: str, *, this_machine: bool = False) -> Target:
    """Read a URL. Raises AddressRefused, with the reason.

    this_machine: whether http and addresses of this machine are allowed, as in the demo.
    """
    if len(url) > LONGEST or _UNSAFE.search(url):
        raise AddressRefused(why=_("it is too long or has characters that must be encoded"))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused(why=_("it cannot be read")) from None
    if parts.scheme not in ({"http", "https"} if this_machine else {"https"}):
        raise AddressRefused(why=_("it must begin with https://"))
    if "@" in parts.netloc or parts.fragment or "#" in url:
        raise AddressRefused(why=_("it has a user, a password or a fragment"))
    host = _host(parts)
    if port is None and parts.netloc.endswith(":"):
        raise AddressRefused(why=_("its port is missing"))
    port = port if port is not None else _DEFAULT_PORTS[parts.scheme]
    is_local = this_machine and _is_this_machine(host)
    if parts.scheme == "http" and not is_local:
        raise AddressRefused(why=_("it must begin with https://"))
    if port not in PORTS and not (is_local and port):
        raise AddressRefused(why=_("its port is neither 443 nor 8443"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, host, port, path)
    if (address := as_address(host)) is not None:
        require_public(address, this_machine=this_machine)
    elif not is_local:
        _require_name(host)
    return target


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    if not host or "%" in host:  # an IPv6 zone, or escapes that somebody else would undo
        raise AddressRefused(why=_("it names no host"))
    return host


def _is_this_machine(host: str) -> bool:
    address = as_address(host)
    return host == "localhost" if address is None else address.is_loopback


def _require_name(host: str) -> None:
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused(why=_("its name cannot be read; write other scripts in Punycode"))
    if _NUMBER.fullmatch(labels[-1]):
        raise AddressRefused(why=_("its name is a number"))
    if len(labels) < 2 or labels[-1] in _INSIDE:
        raise AddressRefused(why=_("its name is one of an inner network"))


def as_address(host: str) -> IpAddress | None:
    """The address that a host is, written as addresses are; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def require_public(address: IpAddress, *, this_machine: bool = False) -> None:
    """Raise AddressRefused unless anybody on the internet could reach this address."""
    if this_machine and address.is_loopback:
        return
    if not _is_public(address):
        raise AddressRefused(why=_("its address is of an inner network"))


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, IPv6Address):
        # What maps or tunnels to IPv4 lies outside of it, or is named.
        return (
            address in _GLOBAL_6
            and address.is_global
            and not any(address in network for network in _TUNNELS_6)
        )
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _SPECIAL_4)
    )


def look_up(host: str, port: int) -> list[IpAddress]:
    """Every address that a name has, in the resolver's order. Raises AddressUnresolved."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressUnresolved(host=host) from None
    return [ip_address(str(place[0]).partition("%")[0]) for *_rest, place in found]


def resolve(target: Target, *, this_machine: bool = False) -> IpAddress:
    """The address to connect to: each that the name has must be allowed, one is taken.

    Raises AddressRefused, AddressUnresolved. Waits for the resolver.
    """
    address = as_address(target.host)
    addresses = [address] if address is not None else look_up(target.host, target.port)
    if not addresses:
        raise AddressUnresolved(host=target.host)
    for each in addresses:
        require_public(each, this_machine=this_machine)
    return min(addresses, key=lambda each: each.version)  # more machines can reach IPv4
