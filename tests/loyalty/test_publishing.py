"""Versions of the programme: drafts, the second person, and which version holds when."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from loyalty import programme_file, publishing
from loyalty.errors import DraftChanged, NotADraft, ProgrammeInvalid, ProgrammeMissing, SecondPersonNeeded
from loyalty.models import ProgrammeVersion
from loyalty.programme import document
from privacy.errors import ReasonMissing

pytestmark = pytest.mark.django_db

DEMO = Path(__file__).resolve().parents[2] / "loyalty" / "programmes" / "demo.yaml"


def programme(effective_from: str | None = None, **benefits: Any) -> dict[str, Any]:
    """A small programme of one tier."""
    tier = {"code": "all", "name": {"en": "All"}, "benefits": benefits}
    return {"programme": "main", "tiers": [tier]} | (
        {"effective_from": effective_from} if effective_from else {}
    )


@pytest.fixture
def mei() -> User:
    return User.objects.create_user("mei")


@pytest.fixture
def bo() -> User:
    return User.objects.create_user("bo")


# --- loading -----------------------------------------------------------------------------------------


def test_in_the_demo_a_programme_is_published_at_once():
    loaded = publishing.load(DEMO.read_bytes(), environment="demo")
    assert loaded.is_published and loaded.version.number == 1
    assert publishing.current().programme.tiers[-1].code == "diamond"
    assert publishing.first_tier() == "basic"


def test_the_same_programme_again_is_no_new_version():
    publishing.load(DEMO.read_bytes(), environment="demo")
    again = publishing.load(DEMO.read_text(encoding="utf-8") + "\n# a remark\n", environment="demo")
    assert again.differences == [] and again.version.number == 1
    assert ProgrammeVersion.objects.count() == 1


def test_a_beginning_that_is_over_is_no_change_but_one_to_come_is():
    publishing.load(programme("2020-01-01T00:00:00+08:00"), environment="demo")
    assert publishing.load(programme(), environment="demo").differences == []
    publishing.load(programme("2090-01-01T00:00:00+08:00"), environment="demo")
    at_once = publishing.load(programme(), environment="demo")
    assert [each.path for each in at_once.differences] == ["effective_from"]
    assert at_once.version.number == 3


def test_a_change_is_the_next_version_and_the_old_one_stays():
    first = publishing.load(programme(points_per_yuan=100), environment="demo")
    second = publishing.load(programme(points_per_yuan=80), environment="demo")
    assert [each.sentence("en") for each in second.differences] == ["Tier all: points for one yuan 100 → 80"]
    assert second.version.number == 2
    assert publishing.load_all().by_id(first.version.pk).tiers[0].benefits.points_per_yuan == 100


def test_a_wrong_programme_leaves_nothing_behind():
    with pytest.raises(ProgrammeInvalid):
        publishing.load({"programme": "main"}, environment="demo")
    assert not ProgrammeVersion.objects.exists()
    with pytest.raises(ProgrammeMissing):
        publishing.current()


def test_in_production_a_programme_waits_as_a_draft(mei):
    loaded = publishing.load(programme(), actor=mei, environment="production")
    assert not loaded.is_published
    with pytest.raises(ProgrammeMissing):
        publishing.load_all()


def test_there_is_one_draft_at_a_time(mei, bo):
    publishing.load(programme(points_per_yuan=100), actor=mei, environment="production")
    second = publishing.load(programme(points_per_yuan=80), actor=bo, environment="production")
    assert ProgrammeVersion.objects.count() == 1
    assert second.version.drafters == [mei.pk, bo.pk]


def test_who_saves_over_a_draft_changed_meanwhile_is_told(mei, bo):
    began_from = programme(points_per_yuan=100)
    publishing.draft(began_from, actor=mei)
    publishing.draft(programme(points_per_yuan=80), actor=bo, seen=began_from)
    with pytest.raises(DraftChanged):
        publishing.draft(programme(points_per_yuan=60), actor=mei, seen=began_from)
    draft = publishing.current_draft()
    assert draft is not None
    assert draft.document["tiers"][0]["benefits"]["points_per_yuan"] == 80


# --- the second person -------------------------------------------------------------------------------


def test_a_second_person_publishes(mei, bo):
    version = publishing.load(programme(), actor=mei, environment="production").version
    published = publishing.publish(version, actor=bo, environment="production")
    assert (published.published_by, published.break_glass_reason) == (bo, "")
    assert publishing.current().id == version.pk


@pytest.mark.parametrize("who", ["drafter", "earlier drafter", "nobody"])
def test_nobody_with_a_hand_in_the_draft_publishes_it(mei, bo, who):
    publishing.draft(programme(points_per_yuan=100), actor=bo)
    version = publishing.draft(programme(points_per_yuan=80), actor=mei).version
    actor = {"drafter": mei, "earlier drafter": bo, "nobody": None}[who]
    with pytest.raises(SecondPersonNeeded):
        publishing.publish(version, actor=actor, environment="production")
    version.refresh_from_db()
    assert version.state == "draft" and version.published_at is None


def test_the_database_holds_the_second_person_too(mei, bo):
    publishing.draft(programme(points_per_yuan=100), actor=bo)
    version = publishing.draft(programme(points_per_yuan=80), actor=mei).version
    for who, rule in (
        (mei, "programme_published_by_a_second_person"),
        (bo, "programme_published_by_none_of_its_drafters"),
    ):
        with pytest.raises(IntegrityError, match="programme_published_by"), transaction.atomic():
            ProgrammeVersion.objects.filter(pk=version.pk).update(
                state="published",
                published_by=who,
                published_at=timezone.now(),
                effective_from=timezone.now(),
            )
        assert _constraint_exists(rule)


def _constraint_exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname = %s", [name])
        return cursor.fetchone() == (1,)


def test_who_cannot_wait_says_why_and_it_stays_on_record(mei):
    version = publishing.load(programme(), actor=mei, environment="production").version
    with pytest.raises(ReasonMissing):
        publishing.publish(version, actor=mei, break_glass="no", environment="production")
    published = publishing.publish(
        version, actor=mei, break_glass="wrong factor is live", environment="production"
    )
    assert published.break_glass_reason == "wrong factor is live"


def test_what_was_published_is_never_touched(mei):
    version = publishing.load(programme(), actor=mei, environment="demo").version
    with pytest.raises(NotADraft):
        publishing.publish(version, actor=mei)
    with pytest.raises(NotADraft):
        publishing.discard(version)
    for touch in (
        lambda: ProgrammeVersion.objects.filter(pk=version.pk).update(document={}),
        lambda: ProgrammeVersion.objects.filter(pk=version.pk).delete(),
    ):
        with pytest.raises(IntegrityError, match="published_programme_is_forever"), transaction.atomic():
            touch()


def test_a_draft_can_be_thrown_away(mei):
    version = publishing.draft(programme(), actor=mei).version
    publishing.discard(version)
    assert not ProgrammeVersion.objects.exists()


# --- which version holds -----------------------------------------------------------------------------


def worth_at(moment: str) -> int:
    held = publishing.load_all().at(datetime.fromisoformat(moment))
    return held.programme.tiers[0].benefits.points_per_yuan


def test_a_version_holds_from_its_time_and_the_first_for_all_time_before():
    publishing.load(programme("2026-01-01T00:00:00+08:00", points_per_yuan=100), environment="demo")
    publishing.load(programme("2026-06-01T00:00:00+08:00", points_per_yuan=80), environment="demo")
    assert worth_at("2019-01-01T00:00:00+08:00") == 100
    assert worth_at("2026-05-31T23:59:59.999999+08:00") == 100
    assert worth_at("2026-06-01T00:00:00+08:00") == 80
    assert worth_at("2026-05-31T16:00:00+00:00") == 80


def test_a_newer_version_replaces_what_was_to_begin_later():
    publishing.load(programme("2026-01-01T00:00:00+08:00", points_per_yuan=100), environment="demo")
    publishing.load(programme("2026-12-01T00:00:00+08:00", points_per_yuan=80), environment="demo")
    publishing.load(programme("2026-06-01T00:00:00+08:00", points_per_yuan=60), environment="demo")
    assert worth_at("2026-05-31T00:00:00+08:00") == 100
    assert worth_at("2026-06-01T00:00:00+08:00") == 60
    assert worth_at("2027-01-01T00:00:00+08:00") == 60


def test_without_a_time_a_version_holds_from_the_minute_it_is_published():
    publishing.load(programme("2020-01-01T00:00:00+08:00", points_per_yuan=100), environment="demo")
    version = publishing.load(programme(points_per_yuan=80), environment="demo").version
    now = datetime.now(UTC)
    assert version.effective_from is not None
    assert timedelta(0) <= now - version.effective_from < timedelta(minutes=2)
    assert version.effective_from.second == 0
    assert publishing.current().number == 2
    assert publishing.current(now - timedelta(days=1)).number == 1


def test_a_batch_asks_once(django_assert_num_queries):
    publishing.load(programme(points_per_yuan=100), environment="demo")
    publishing.load(programme("2026-06-01T00:00:00+08:00", points_per_yuan=80), environment="demo")
    publishing.load_all()
    with django_assert_num_queries(1):
        programmes = publishing.load_all()
        for day in range(1000):
            programmes.at(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day))


# --- the commands ------------------------------------------------------------------------------------


def test_the_file_comes_out_as_it_went_in(tmp_path, capsys):
    call_command("load_programme", str(DEMO))
    call_command("export_programme", str(tmp_path / "out.yaml"))
    assert programme_file.read((tmp_path / "out.yaml").read_bytes()) == programme_file.read(DEMO.read_bytes())
    capsys.readouterr()
    call_command("load_programme", str(tmp_path / "out.yaml"))
    assert "Nothing changed: version 1 says the same." in capsys.readouterr().out


def test_load_programme_shows_what_changes(tmp_path, capsys):
    call_command("load_programme", str(DEMO))
    changed = copy.deepcopy(document(publishing.current().programme))
    changed["tiers"][1]["qualify"]["all"]["spend"] = "4000"
    (tmp_path / "new.yaml").write_text(programme_file.write(changed), encoding="utf-8")
    capsys.readouterr()
    call_command("load_programme", str(tmp_path / "new.yaml"), "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["version"], report["state"], report["changed"]) == (2, "published", True)
    assert report["differences"][0]["en"] == "Tier silver: spend 3000 → 4000"
    assert report["not_acted_upon_yet"] == []


def test_load_programme_tells_every_mistake_and_fails(tmp_path, capsys):
    (tmp_path / "wrong.yaml").write_text("programme: main\ntiers: []\nsurprise: 1\n", encoding="utf-8")
    with pytest.raises(CommandError) as failed:
        call_command("load_programme", str(tmp_path / "wrong.yaml"))
    assert failed.value.returncode == 1
    told = capsys.readouterr().err
    assert "tiers: " in told and "surprise: There is no such setting." in told
    with pytest.raises(CommandError):
        call_command("load_programme", str(tmp_path / "not there.yaml"))


def test_in_production_load_programme_drafts_and_break_glass_publishes(tmp_path, settings, capsys):
    settings.ENVIRONMENT = "production"
    call_command("load_programme", str(DEMO))
    assert "is a draft" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("export_programme", str(tmp_path / "out.yaml"))
    call_command("load_programme", str(DEMO), "--break-glass", "first programme of the house")
    version = ProgrammeVersion.objects.get()
    assert (version.state, version.break_glass_reason) == ("published", "first programme of the house")
