"""Where a request came from; `members.network` says how that is known."""

from members.network import HasMeta, address_of

__all__ = ["HasMeta", "address_of"]
