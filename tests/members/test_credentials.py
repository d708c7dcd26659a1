"""Credentials of a channel: sealed, by the platform's own words (A1)."""

import pytest
from django.db import connection

from members import channels, credentials
from members.errors import CredentialMissing, CredentialUnknown
from members.models import Credential


def test_what_is_kept_is_given_back_and_lies_sealed(db: None) -> None:
    shop = channels.make("shop", "youzan")
    credentials.keep(shop, {"client_id": "yz-1", "client_secret": "very secret"})
    credentials.keep(shop, {"client_secret": "another secret"})
    assert credentials.of(shop, "client_id") == {"client_id": "yz-1", "client_secret": "another secret"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM members_credential")
        assert not any(b"secret" in bytes(value) for (value,) in cursor.fetchall())


def test_an_empty_value_takes_a_credential_away(db: None) -> None:
    shop = channels.make("shop", "shopify")
    credentials.keep(shop, {"secret": "s"})
    credentials.keep(shop, {"secret": ""})
    assert not Credential.objects.exists()
    with pytest.raises(CredentialMissing, match="secret"):
        credentials.of(shop, "secret")


def test_a_platform_has_its_own_words(db: None) -> None:
    with pytest.raises(CredentialUnknown, match="mix_key"):
        credentials.keep(channels.make("shop", "shopify"), {"mix_key": "k"})
