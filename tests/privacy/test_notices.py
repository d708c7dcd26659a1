import hashlib
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from privacy import notices
from privacy.errors import NoticeTaken, NoticeUnknown
from privacy.models import Notice
from privacy.notices import NoticeText


def text(version: str = "2.0", language: str = "en", body: str = "What we do.") -> NoticeText:
    return NoticeText(kind="privacy", version=version, language=language, title="Notice", body=body)


def test_publishing_twice_is_publishing_once(db):
    first = notices.publish(text())
    assert notices.publish(text()) == first
    assert first.digest == hashlib.sha256(b"Notice\nWhat we do.").hexdigest()
    with pytest.raises(NoticeTaken):
        notices.publish(text(body="Something else."))
    assert Notice.objects.get().body == "What we do."


def test_the_text_in_force_is_the_latest_that_has_begun(db):
    now = timezone.now()
    notices.publish(text("1.0", body="old"), effective_from=now - timedelta(days=30))
    notices.publish(text("2.0", body="new"), effective_from=now - timedelta(days=1))
    notices.publish(text("3.0", body="coming"), effective_from=now + timedelta(days=30))
    assert notices.current("privacy", "en").version == "2.0"
    assert notices.current("privacy", "en", at=now - timedelta(days=10)).version == "1.0"
    assert notices.by_version("privacy", "1.0", "en").body == "old"


def test_a_language_without_a_text_gets_the_chinese_one(db):
    notices.publish(text(language="zh-hans", body="中文"))
    assert notices.current("privacy", "en").body == "中文"


def test_a_draft_is_not_shown(db):
    Notice.objects.create(
        kind="privacy", version="9", language="en", title="t", body="b", effective_from=timezone.now()
    )
    with pytest.raises(NoticeUnknown):
        notices.current("privacy", "en")
    with pytest.raises(NoticeUnknown):
        notices.by_version("privacy", "9", "en")


def test_what_ships_covers_each_kind_in_both_languages_and_names_the_brand(settings, capsys, db):
    settings.BRAND_NAME, settings.BRAND_CONTACT = "青禾", "privacy@qinghe.example"
    call_command("publish_notices")
    assert "6 published." in capsys.readouterr().out
    published = {(notice.kind, notice.language): notice for notice in Notice.objects.all()}
    assert set(published) == {
        (kind, language) for kind in Notice.Kind.values for language in ("en", "zh-hans")
    }
    for notice in published.values():
        assert "{BRAND" not in notice.title + notice.body
        assert "privacy@qinghe.example" in notice.body
        assert not notice.title.startswith("#")
    assert published["privacy", "zh-hans"].title == "青禾会员隐私政策"
    assert notices.publish_defaults() == []


@pytest.mark.parametrize(
    "duty",
    ["联系", "用途", "保存期限", "查阅", "复制", "更正", "删除", "撤回", "单独同意", "十四周岁", "注销"],
)
def test_the_privacy_notice_tells_what_article_17_asks_for(duty):
    (notice,) = [one for one in notices.shipped() if (one.kind, one.language) == ("privacy", "zh-hans")]
    assert duty in notice.body


def test_no_text_calls_pseudonymous_data_anonymous():
    assert all("匿名" not in one.body and "anonym" not in one.body for one in notices.shipped())
