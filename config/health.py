"""Whether the process lives, and whether it can serve. Neither answer tells versions or reasons."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import checks


@never_cache
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; asks nobody."""
    return JsonResponse({"live": True})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, its schema is this version's and the keys are there; otherwise 503."""
    ready = bool(settings.DATA_KEYS and settings.INDEX_KEY)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        ready = ready and not checks.unapplied_migrations()
    except DatabaseError:
        ready = False
    return JsonResponse({"ready": ready}, status=200 if ready else 503)
