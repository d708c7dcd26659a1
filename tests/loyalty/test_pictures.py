"""Pictures of rewards: painted anew, without metadata, of one size; what is no picture is refused (B8)."""

import zlib
from io import BytesIO
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from loyalty import pictures
from loyalty.errors import PictureRefused
from loyalty.models import RewardPicture


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def drawn(kind: str = "PNG", size: tuple[int, int] = (1000, 400), mode: str = "RGB", **how: Any) -> BytesIO:
    file = BytesIO()
    Image.new(mode, size, "teal" if mode == "RGB" else None).save(file, kind, **how)
    file.seek(0)
    return file


def opened(painted: bytes) -> Image.Image:
    image = Image.open(BytesIO(painted))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(1000, 400), (300, 900), (1, 1), (4000, 3000)])
def test_whatever_its_size_it_is_painted_in_ours(kind: str, size: tuple[int, int]) -> None:
    image = opened(pictures.paint(drawn(kind, size)))
    assert (image.format, image.size, image.mode) == ("WEBP", pictures.SIZE, "RGB")


def test_where_the_camera_stood_is_gone():
    exif = Image.Exif()
    exif[0x010F] = "Camera of Mei"
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    uploaded = drawn("JPEG", exif=exif, comment=b"taken at home")
    assert b"Camera of Mei" in uploaded.getvalue()
    painted = pictures.paint(uploaded)
    assert b"Mei" not in painted and b"EXIF" not in painted and b"taken" not in painted
    assert not opened(painted).getexif()


def test_a_picture_that_lies_on_its_side_is_put_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    file = BytesIO()
    sideways = Image.new("RGB", (800, 600), "white")
    sideways.paste("red", (0, 0, 400, 600))  # the left half, which is the upper one once it is upright
    sideways.save(file, "JPEG", exif=exif)
    file.seek(0)
    upright = opened(pictures.paint(file))
    top, bottom = upright.getpixel((400, 60)), upright.getpixel((400, 540))
    assert isinstance(top, tuple) and isinstance(bottom, tuple)
    assert top[1] < 80 and bottom[1] > 200


def test_what_is_clear_becomes_white():
    assert opened(pictures.paint(drawn("PNG", mode="RGBA"))).getpixel((5, 5)) == (255, 255, 255)


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 30,000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    header = pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "upload",
    [
        bomb(),
        SVG,
        b"",
        b"GIF89a" + b"\0" * 100,
        b"<html><script>alert(1)</script>",
        drawn("JPEG").getvalue()[:200],
        drawn("PNG").getvalue()[:60],
        drawn("GIF").getvalue(),
        drawn("TIFF").getvalue(),
        drawn("PNG").getvalue() + b"\0" * pictures.MOST_BYTES,
        drawn("PNG", size=(8000, 5001)).getvalue(),
    ],
    ids=[
        "bomb",
        "svg",
        "empty",
        "broken-gif",
        "html",
        "half-jpeg",
        "half-png",
        "gif",
        "tiff",
        "heavy",
        "large",
    ],
)
def test_what_is_no_picture_or_too_much_of_one_is_refused(upload: bytes, folder: Path) -> None:
    with pytest.raises(PictureRefused):
        pictures.paint(BytesIO(upload))
    assert list(folder.iterdir()) == []


def test_a_file_that_is_a_picture_and_a_page_comes_out_as_a_picture():
    both = drawn("JPEG").getvalue() + SVG
    assert b"script" not in pictures.paint(BytesIO(both))


def test_a_new_picture_takes_the_place_of_the_old(db: None, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = pictures.put("TOTE", drawn(size=(10, 10)), alt={"en": "A bag"}).image.name
    with django_capture_on_commit_callbacks(execute=True):
        second = pictures.put("TOTE", drawn(size=(10, 10), mode="L"), alt={}).image.name
    assert first and second and first != second and RewardPicture.objects.get().image.name == second
    assert not default_storage.exists(first) and default_storage.exists(second)
    assert pictures.of(["TOTE", "MUG"])["TOTE"].url == f"/media/{second}"


def test_it_is_served_as_a_picture_and_nothing_else(db: None) -> None:
    name = pictures.put("TOTE", drawn(), alt={"en": "A bag"}).image.name
    answer = Client().get(f"/media/{name}")
    assert answer.status_code == 200
    assert opened(b"".join(answer.streaming_content)).size == pictures.SIZE  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "image/webp"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer["Cache-Control"] and "sandbox" in answer["Content-Security-Policy"]
    assert "Set-Cookie" not in answer


@pytest.mark.parametrize(
    "name",
    [
        "TOTE-0123456789abcdef.webp",
        "../keys.env",
        "..%2fkeys.env",
        "%2e%2e%2fkeys.env",
        "TOTE.svg",
        "TOTE-0123456789abcdef.webp%00",
    ],
)
def test_nothing_else_is_served(db: None, folder: Path, name: str) -> None:
    (folder / "keys.env").write_text("SECRET")
    answer = Client(raise_request_exception=False).get(f"/media/rewards/{name}")
    assert answer.status_code == 404
