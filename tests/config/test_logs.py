"""Log lines hold no person."""

import json
import logging
import sys

import pytest
from django.test import Client

from config import logs


def record(message: str, *args: object, exc_info=None) -> logging.LogRecord:
    return logging.LogRecord("shuke", logging.WARNING, __file__, 1, message, args, exc_info)


@pytest.mark.parametrize(
    "text, kept",
    [
        ("call 13900001234 now", "call (phone) now"),
        ("+86 139 0000 1234", "(phone)"),
        ("to mei.li@example.com.cn", "to (e-mail)"),
        ("id 11010119900307123X", "id (id card)"),
        ("order 2026112212345678901234", "order 2026112212345678901234"),
        ("points 1390000", "points 1390000"),
    ],
)
def test_what_names_a_person_is_taken_out(text, kept):
    assert logs.redact(text) == kept
    assert kept in logs.LineFormatter().format(record("%s", text))


def test_a_line_stays_one_line():
    line = logs.LineFormatter().format(record("a\nERROR forged"))
    assert len(line.splitlines()) == 1


def test_a_failure_keeps_its_places_but_not_its_words():
    try:
        try:
            raise KeyError("王小明")
        except KeyError as error:
            raise ValueError("13900001234") from error
    except ValueError:
        line = logs.JsonFormatter().format(record("it failed", exc_info=sys.exc_info()))
    facts = json.loads(line)
    assert "builtins.ValueError at " in facts["failure"]
    assert "because of builtins.KeyError" in facts["failure"]
    assert "test_logs.py:" in facts["failure"]
    assert "王小明" not in line
    assert "13900001234" not in line


def test_an_answer_names_its_request(client: Client):
    assert client.get("/livez", headers={"X-Request-ID": "till-7.000123"})["X-Request-ID"] == "till-7.000123"
    own = client.get("/livez", headers={"X-Request-ID": "x\tforged"})["X-Request-ID"]
    assert len(own) == 32
