"""Requests of platforms about personal data: they wait for the privacy officer until they are done (D3)."""

from django.db.models.functions import Now

from members.models import PlatformRequest


def finish(request_id: int, actor_id: int) -> bool:
    """Note who has dealt with a request; False when somebody had before."""
    open_ = PlatformRequest.objects.filter(pk=request_id, done_at=None)
    return bool(open_.update(done_at=Now(), done_by=actor_id))


def count_open() -> int:
    """How many wait."""
    return PlatformRequest.objects.filter(done_at=None).count()
