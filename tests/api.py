"""A channel's, or a person's, way into the API; every answer is held against the API's own description."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from members import api_keys
from members.models import Channel

ROOT = "/api/v1"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        """The code of a problem."""
        return str(self.body["code"])


class Api:
    """Calls with one key. Bodies are JSON; a body of type bytes is sent as it is."""

    def __init__(self, holder: Channel | User | None, **key: Any) -> None:
        self.headers = {"Accept-Language": "en"}
        if holder is not None:
            self.row, self.key = api_keys.make(holder, **key)
            self.headers["Authorization"] = f"Api-Key {self.key}"
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, None, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("PUT", path, body, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def once(self, path: str, body: Any = None, key: str | None = None, **headers: str) -> Answer:
        """A POST with an Idempotency-Key, a new one unless told."""
        return self.post(path, body, **{"Idempotency-Key": key or str(uuid4()), **headers})

    def delete(self, path: str, **headers: str) -> Answer:
        return self.call("DELETE", path, None, **headers)

    def call(self, method: str, path: str, body: Any, **headers: str) -> Answer:
        response = self.client.generic(
            method,
            ROOT + path if path.startswith("/") else path,
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
            content_type=headers.pop("Content-Type", "application/json"),
            headers={**self.headers, **headers},
        )
        parsed = json.loads(response.content) if response.content else None
        answer = Answer(response.status_code, parsed, response.headers)
        _conforms(method, response.request["PATH_INFO"], answer)
        return answer


def _conforms(method: str, path: str, answer: Answer) -> None:
    """Fail when an answer is not as the API's description says: its status, type and every field."""
    operation = _operation(method, path)
    if operation is None:
        assert answer.status in (401, 404, 405), f"{method} {path} is not described"
        return
    if answer.status in (405, 415):  # of no operation in particular
        return
    described = operation["responses"].get(str(answer.status))
    assert described is not None, f"{method} {path} may not answer {answer.status}: {answer.body}"
    if "content" not in described:
        assert answer.body is None
        return
    media = answer.headers["Content-Type"].partition(";")[0]
    assert media in described["content"], f"{method} {path} may not answer {media}"
    schema = {**described["content"][media]["schema"], "components": _schema()["components"]}
    Draft202012Validator(schema).validate(answer.body)


@cache
def _schema() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return json.loads(json.dumps(made), object_hook=_strict)


def _strict(part: dict[str, Any]) -> dict[str, Any]:
    """One object of the description as JSON Schema, with no field beside those named."""
    if part.get("type") == "object" and "properties" in part:
        part["additionalProperties"] = False
    if part.pop("nullable", False):
        return {"anyOf": [part, {"type": "null"}]}
    return part


@cache
def _routes() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    plain_first = sorted(_schema()["paths"].items(), key=lambda item: "{" in item[0])
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item) for path, item in plain_first]


def addresses(method: str) -> list[str]:
    """The addresses that the API's description has for a method, with their parameters in braces."""
    return [path for path, item in _schema()["paths"].items() if method.lower() in item]


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for pattern, item in _routes():
        if pattern.fullmatch(path) and method.lower() in item:
            found: dict[str, Any] = item[method.lower()]
            return found
    return None
