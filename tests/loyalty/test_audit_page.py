"""Runs of the audit: what is kept of each, the anchor it hangs on, and the console's page."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import anchors, audit, audit_runs, clock, closings
from loyalty.audit import columns, words
from loyalty.models import AuditRun, Wallet
from privacy import roles
from tests.planting import damage
from tests.trade import Trade, buyer


@pytest.fixture
def mei(trade: Trade) -> int:
    member = trade.buy("M1", "100", buyer("mei")).member_id
    assert member is not None
    return member


def client_of(role: str) -> Client:
    staff, _password = roles.make_staff(role, role)
    client = Client()
    client.force_login(staff)
    return client


def text_of(client: Client, url: str = "/audit/") -> str:
    page = client.get(url)
    assert page.status_code == 200
    return page.content.decode()


def break_a_law() -> None:
    damage("UPDATE loyalty_wallet SET held = held + 7")


def test_a_run_keeps_every_check_and_the_anchor_it_took(mei: int) -> None:
    ran = audit_runs.run()
    assert [each["name"] for each in ran.laws] == list(audit.LAWS)
    assert (ran.entries, ran.wallets, ran.violations) == (1, 1, [])
    assert ran.anchor["name"] == anchors.names()[-1] and ran.anchor["wallets"] == 1
    assert audit_runs.found_lately() == 0


def test_a_run_keeps_the_rows_that_break_a_law(mei: int) -> None:
    break_a_law()
    ran = audit_runs.run()
    wallet = Wallet.objects.get()
    assert [each["name"] for each in ran.violations] == ["wallet_holds_add_up"]
    assert ran.violations[0]["row"] == {"wallet": wallet.pk, "held": 7, "holds": "0"}
    assert audit_runs.found_lately() == 1
    assert ran.anchor["name"], "the chains are whole: the anchor is taken all the same"


def test_nothing_is_hung_on_a_chain_that_is_broken(mei: int) -> None:
    damage("UPDATE loyalty_wallet SET head = sha256('another end')")
    assert audit_runs.run().anchor == {}
    assert anchors.names() == []


def test_an_anchor_that_cannot_be_written_is_said_and_stops_nothing(mei: int) -> None:
    Path(settings.ANCHORS_DIR).write_text("a file where the folder should be")
    ran = audit_runs.run()
    assert ran.violations == [] and "problem" in ran.anchor


def test_an_anchor_that_a_run_wrote_and_that_is_gone_is_missed(mei: int) -> None:
    name = audit_runs.run().anchor["name"]
    (Path(settings.ANCHORS_DIR) / name).unlink()
    assert [each.row for each in audit.check()] == [{"anchor": name, "what": "missing"}]


def test_the_command_takes_an_anchor_and_prints_its_digest(mei: int) -> None:
    with pytest.raises(CommandError):
        call_command("anchor", "--print")
    out = StringIO()
    call_command("anchor", stdout=out)
    call_command("anchor", "--print", stdout=out)
    taken, printed = out.getvalue().splitlines()
    last = anchors.latest()
    assert last is not None and taken == printed == f"{last.name} 1 wallets sha256 {last.sha256}"
    assert len(anchors.names()) == 1


# --- the page -----------------------------------------------------------------------------------------


def test_before_the_first_run_the_page_says_what_to_do(mei: int) -> None:
    assert "The audit has not run yet" in text_of(client_of("auditor"))


def test_the_page_shows_the_last_run_law_by_law(mei: int) -> None:
    ran = audit_runs.run()
    text = text_of(client_of("auditor"))
    assert "Every law holds." in text and ran.anchor["sha256"] in text
    for law in words.LAWS.values():
        assert str(law) in text
    assert "breaks it" not in text


def test_every_law_that_is_checked_has_its_words(mei: int) -> None:
    assert {each["law"] for each in audit_runs.run().laws} == set(words.LAWS)


def test_every_check_and_every_column_has_its_words(mei: int) -> None:
    assert set(words.CHECKS) == set(audit.LAWS)
    shown = {"what", "stored", "recounted", "anchor", "anchored"}  # of the checks that are no queries
    with connection.cursor() as cursor:
        for _law, query in audit.QUERIES.values():
            cursor.execute(f"{query} LIMIT 0")
            shown |= {column.name for column in cursor.description or ()}
    assert shown == set(columns.COLUMNS)


def test_codes_are_said_in_words_by_what_their_row_is_about() -> None:
    assert columns.said("state", {"claim": 1, "state": "done"}) == "Done"
    assert columns.said("state", {"coupon": 1, "state": "locked"}) == "Locked for an order"
    assert columns.said("kind", {"entry": 1, "kind": "take_back"}) == "Taken back after a refund"
    assert columns.said("kind", {"entry": 1, "kind": "another"}) == "another"
    assert columns.said("before", {"wallet": 1, "before": "silver"}) == "silver"
    assert columns.said("points", {"entry": 1, "points": 5}) == 5


def test_the_page_says_which_day_was_closed_last(mei: int) -> None:
    audit_runs.run()
    client = client_of("auditor")
    assert "No day has been closed yet." in text_of(client)
    assert closings.close(clock.read().recorded)
    assert "Every balance was last written down as of" in text_of(client)


def test_what_breaks_a_law_is_listed_with_a_link_to_its_row(mei: int) -> None:
    break_a_law()
    audit_runs.run()
    client = client_of("admin")
    text = text_of(client)
    link = f"/admin/loyalty/wallet/{Wallet.objects.get().pk}/change/"
    assert "1 row breaks a law." in text and "wallet_holds_add_up" in text and link in text
    assert "A wallet has set aside what its open holds say." in text
    assert client.get(link).status_code == 200
    assert "violation found by the audit" in client.get("/admin/").content.decode()


def test_earlier_runs_stay_to_be_looked_at(mei: int) -> None:
    break_a_law()
    bad = audit_runs.run()
    damage("UPDATE loyalty_wallet SET held = 0")
    audit_runs.run()
    client = client_of("finance")
    assert "Every law holds." in text_of(client)
    assert "wallet_holds_add_up" in text_of(client, f"/audit/{bad.pk}/")
    assert client.get("/audit/999999/").status_code == 404


def test_the_button_asks_a_worker_once_and_the_page_follows_it(mei: int) -> None:
    client = client_of("finance")
    for _again in range(2):
        assert client.post("/audit/run/").status_code == 302
    job = ProcrastinateJob.objects.get(task_name=audit_runs.JOB)
    assert (job.status, job.args) == ("todo", {"timestamp": 0})
    assert "The audit waits for a worker." in text_of(client)
    assert "HX-Refresh" not in client.get("/audit/progress/")
    assert AuditRun.objects.count() == 0


def test_when_no_audit_runs_the_page_is_drawn_anew(mei: int) -> None:
    assert client_of("finance").get("/audit/progress/")["HX-Refresh"] == "true"


@pytest.mark.parametrize("role", ["service", "marketing", "privacy"])
def test_who_does_not_see_the_audit_is_refused(mei: int, role: str) -> None:
    client = client_of(role)
    assert client.get("/audit/").status_code == 403
    assert client.post("/audit/run/").status_code == 403
