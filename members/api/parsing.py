"""How the body of a request becomes JSON types, whatever is sent: bad input is a 400 and never a 500."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from members.bodies import KEY_TWICE, PROBLEMS, printable
from members.errors import BodyInvalid


class TooLarge(APIException):
    """The body is larger than a batch may be."""

    status_code = 413


class JsonParser(BaseParser):
    """Strict JSON in UTF-8: no key twice, no NaN, no bottomless nesting, no number of ten thousand digits."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raises ParseError, BodyInvalid for a key that stands twice, TooLarge."""
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLarge
        try:
            return _DECODER.decode(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            # No cause: its text repeats what was sent.
            raise ParseError from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose every key stands once: of two amounts nobody can say which was meant."""
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in made if names.count(name) > 1)
        raise BodyInvalid(
            [{"path": printable(twice), "code": KEY_TWICE, "message": str(PROBLEMS[KEY_TWICE])}]
        )
    return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
