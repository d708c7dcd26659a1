"""The texts that members are shown, by version, for ever (D1, PIPL art. 17).

A published text never changes; a change is a new version. The texts that ship are in `notices/`.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from privacy.errors import NoticeTaken, NoticeUnknown
from privacy.models import Notice

Kind = Notice.Kind
TEXTS = Path(__file__).parent / "notices"
SHIPPED_VERSION = "1.0"
FIRST_LANGUAGE = "zh-hans"


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeText:
    """One notice in one language. `body` is Markdown."""

    kind: str
    version: str
    language: str
    title: str
    body: str

    @property
    def digest(self) -> str:
        """SHA-256 over title and body, in hex; receipts carry it."""
        return hashlib.sha256(f"{self.title}\n{self.body}".encode()).hexdigest()


def publish(text: NoticeText, *, effective_from: datetime | None = None) -> Notice:
    """Publish a version; publishing the same text again answers what is there.

    Raises NoticeTaken when this version was published with another text.
    """
    now = timezone.now()
    notice, _ = Notice.objects.get_or_create(
        kind=text.kind,
        version=text.version,
        language=text.language,
        defaults={
            "title": text.title,
            "body": text.body,
            "digest": text.digest,
            "effective_from": effective_from or now,
            "published_at": now,
        },
    )
    if notice.digest != text.digest:
        raise NoticeTaken
    return notice


def current(kind: str, language: str, *, at: datetime | None = None) -> Notice:
    """The text in force, in this language or else in Chinese. Raises NoticeUnknown."""
    return _first(Notice.objects.filter(kind=kind, effective_from__lte=at or timezone.now()), language)


def by_version(kind: str, version: str, language: str) -> Notice:
    """A text of any past day, in this language or else in Chinese. Raises NoticeUnknown."""
    return _first(Notice.objects.filter(kind=kind, version=version), language)


def is_published(kind: str, version: str) -> bool:
    """Whether a version of a text was ever published, in any language."""
    return Notice.objects.filter(kind=kind, version=version, published_at__isnull=False).exists()


def _first(notices: QuerySet[Notice], language: str) -> Notice:
    published = notices.filter(published_at__isnull=False).order_by("-effective_from", "-pk")
    for wanted in (language, FIRST_LANGUAGE):
        notice = published.filter(language=wanted).first()
        if notice:
            return notice
    raise NoticeUnknown


def shipped() -> list[NoticeText]:
    """The texts that ship, with the names of this installation filled in."""
    return [_read(path) for path in sorted(TEXTS.glob("*.md"))]


def publish_defaults() -> list[Notice]:
    """Publish the shipped texts where a kind has no text yet in that language."""
    return [
        publish(text)
        for text in shipped()
        if not Notice.objects.filter(
            kind=text.kind, language=text.language, published_at__isnull=False
        ).exists()
    ]


def _read(path: Path) -> NoticeText:
    kind, language = path.stem.split(".")
    heading, _, body = path.read_text(encoding="utf-8").partition("\n")
    names = {"BRAND_NAME": settings.BRAND_NAME, "BRAND_CONTACT": settings.BRAND_CONTACT}
    for name, value in names.items():
        heading, body = heading.replace(f"{{{name}}}", value), body.replace(f"{{{name}}}", value)
    return NoticeText(
        kind=kind, version=SHIPPED_VERSION, language=language, title=heading.lstrip("# "), body=body.strip()
    )
