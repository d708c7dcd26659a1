"""What a role finds on a list leads somewhere: names, and no way to what it may not open (E2, D6)."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from loyalty.models import Entry
from privacy import roles
from tests.trade import Trade, buyer

WALLETS = reverse("admin:loyalty_wallet_changelist")
ENTRIES = reverse("admin:loyalty_entry_changelist")


@pytest.fixture
def bought(db: None) -> str:
    """The number of a member who has bought."""
    trade = Trade()
    member = trade.buy("T-1", "700.00", buyer("mei")).member_id
    assert member is not None
    return Entry.objects.select_related("wallet__member").earliest("id").wallet.member.number


def page(role: str, address: str) -> str:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.filter(username=role).first() or roles.make_staff(role, role)[0])
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_marketing_goes_from_an_entry_to_its_member(bought: str) -> None:
    assert reverse("member:show", args=[bought]) in page("marketing", ENTRIES)


@pytest.mark.parametrize("address", [ENTRIES, WALLETS])
def test_finance_reads_the_number_and_is_led_to_no_closed_page(bought: str, address: str) -> None:
    shown = page("finance", address)
    assert bought in shown
    assert reverse("member:show", args=[bought]) not in shown


def test_an_entry_links_only_to_what_its_reader_may_open(bought: str) -> None:
    entry = Entry.objects.earliest("id")
    address = reverse("admin:loyalty_entry_change", args=[entry.pk])
    programme = reverse("admin:loyalty_programmeversion_change", args=[entry.programme_id])
    channel = reverse("admin:members_channel_change", args=[entry.channel_id])
    marketing, service, finance = (page(role, address) for role in ("marketing", "service", "finance"))
    assert channel in marketing and programme in marketing
    assert channel in service and programme not in service
    assert channel not in finance and programme in finance


def test_a_wallet_shows_its_tier_by_name_and_is_narrowed_by_it(bought: str) -> None:
    assert "Basic" in page("marketing", WALLETS)
    assert bought in page("marketing", f"{WALLETS}?tier=basic")
    assert bought not in page("marketing", f"{WALLETS}?tier=gold")


@pytest.mark.parametrize("model", ["members_event", "members_order", "loyalty_entry"])
def test_no_list_counts_the_rows_of_each_choice_of_its_filters(bought: str, model: str) -> None:
    address = reverse(f"admin:{model}_changelist")
    assert "_facets" not in page("marketing", address)
    assert page("marketing", f"{address}?_facets=True")
