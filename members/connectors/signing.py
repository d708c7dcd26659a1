"""How signatures are made and compared, whatever the platform. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping


def hmac_base64(raw: bytes, secret: str) -> str:
    """HMAC-SHA256 in base64, as Shopify and WooCommerce sign."""
    return base64.b64encode(hmac.digest(secret.encode(), raw, "sha256")).decode()


def md5_hex(*parts: bytes | str) -> str:
    """MD5 of parts put together; the platforms' choice, not ours."""
    whole = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.md5(whole, usedforsecurity=False).hexdigest()


def top_sign(params: Mapping[str, str], secret: str, body: bytes = b"") -> str:
    """TOP's signature: MD5 of secret, sorted names and values, body, secret, in capitals.

    A call of an API has no body and skips what is empty; a call from Tmall (SPI) signs its JSON body too.
    """
    told = "".join(f"{name}{params[name]}" for name in sorted(params) if name != "sign")
    return md5_hex(secret, told, body, secret).upper()


def same(told: str, made: str) -> bool:
    """Whether two signatures are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(told.encode("utf-8", "replace"), made.encode())
