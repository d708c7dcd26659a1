"""Pictures of rewards: taken in from anybody's camera, kept as plain small WebP files of one size (B8).

What is uploaded is never kept or served: it is opened only as PNG, JPEG or WebP, only when its size is
sane, and painted anew, so that neither its metadata (where the camera stood) nor what hides in it reaches
anybody.
A file's name holds the hash of its content: it may be cached for ever, and a new picture has a new address.
"""

import hashlib
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.functions import Now
from PIL import Image, ImageOps, UnidentifiedImageError

from loyalty import reward_words
from loyalty.errors import PictureRefused
from loyalty.models import RewardPicture

SIZE = (800, 600)  # pixels; cut to this shape about the middle
QUALITY = 82
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "WEBP")
FOLDER = "rewards"
NAME = re.compile(r"[A-Za-z0-9_-]{1,50}-[0-9a-f]{16}\.webp", re.ASCII)


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture is, below the site's address, and what it shows in the reader's language."""

    url: str
    alt: str


def of(rewards: Collection[str]) -> dict[str, Picture]:
    """The pictures of these rewards, in one statement."""
    rows = RewardPicture.objects.filter(reward__in=rewards)
    return {row.reward: Picture(row.image.url, reward_words.named(row.alt)) for row in rows}


def put(reward: str, upload: IO[bytes], *, alt: dict[str, str]) -> RewardPicture:
    """Make an upload the picture of a reward, in place of the one before. Raises PictureRefused."""
    painted = paint(upload)
    name = f"{FOLDER}/{reward}-{hashlib.sha256(painted).hexdigest()[:16]}.webp"
    with transaction.atomic():
        row = RewardPicture.objects.select_for_update(no_key=True).filter(reward=reward).first()
        before = row.image.name if row else ""
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(painted))
        row, _is_new = RewardPicture.objects.update_or_create(
            reward=reward, defaults={"image": name, "alt": alt, "updated_at": Now()}
        )
        if before and before != name:
            transaction.on_commit(partial(default_storage.delete, before))
    return row


def paint(upload: IO[bytes]) -> bytes:
    """The picture of an upload as a WebP file of `SIZE`, without metadata. Raises PictureRefused."""
    data = upload.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise PictureRefused
    try:
        # Pillow warns of a bomb where we refuse one: by the size in the header, before anything is unpacked.
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS or min(opened.size) < 1:
                    raise PictureRefused
                return _painted(opened)
    except PictureRefused:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureRefused from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        # A broken file: Pillow's readers raise whatever their format's parser met.
        raise PictureRefused from error


def _painted(opened: Image.Image) -> bytes:
    opened.draft("RGB", (SIZE[0] * 2, SIZE[1] * 2))  # a JPEG need not be unpacked larger than it is shown
    upright = ImageOps.exif_transpose(opened)
    fitted = ImageOps.fit(upright.convert("RGBA"), SIZE, Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", SIZE, "white")
    canvas.paste(fitted, mask=fitted.getchannel("A"))
    written = BytesIO()
    canvas.save(written, "WEBP", quality=QUALITY, method=4)
    return written.getvalue()
