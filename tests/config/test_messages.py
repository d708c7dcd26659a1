"""Texts are found where they are written, and a catalogue's faults are seen."""

import polib
import pytest

from config import messages
from config.messages import Message

PYTHON = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext
A = _("Points") + _("of " "members")
B = ngettext("%(count)s point", "%(count)s points", 3)
C = pgettext("verb", "Export")
for _ in range(3):
    print(A)
gettext(A)
"""
TEMPLATE = """{% load i18n %}<a title="{% translate 'Home' %}">{% translate "It's here" context "place" %}</a>
{% blocktranslate count n=total trimmed %}
  {{ n }} member
{% plural %}
  {{ n }} members
{% endblocktranslate %}{{ form.name|default:_("None") }}"""


def test_texts_of_python():
    assert set(messages.in_python(PYTHON)) == {
        Message("Points"),
        Message("of members"),
        Message("%(count)s point", "", "%(count)s points"),
        Message("Export", "verb"),
    }


def test_texts_of_templates():
    assert set(messages.in_template(TEMPLATE)) == {
        Message("Home"),
        Message("It's here", "place"),
        Message("%(n)s member", "", "%(n)s members"),
        Message("None"),
    }


def test_a_catalogue_follows_the_source(tmp_path):
    catalogue = messages.open_catalogue(tmp_path / "django.po")
    catalogue.append(polib.POEntry(msgid="Kept", msgstr="保留"))
    catalogue.append(polib.POEntry(msgid="Gone", msgstr="没了"))
    wanted = {Message("Kept"): ["a.py"], Message("%(n)s member", "", "%(n)s members"): ["b.html"]}
    assert messages.update(catalogue, wanted) == (1, 1)
    assert [(entry.msgid, entry.msgstr) for entry in catalogue] == [("%(n)s member", ""), ("Kept", "保留")]
    assert list(messages.faults_of(catalogue, wanted)) == ["untranslated: '%(n)s member'"]
    assert messages.update(catalogue, wanted) == (0, 0)


@pytest.mark.parametrize(
    "entry, fault",
    [
        (polib.POEntry(msgid="Has %(n)s", msgstr="有 %(n)s"), None),
        (polib.POEntry(msgid="Has %(n)s", msgstr="有 %(m)s"), "placeholders differ: 'Has %(n)s'"),
        (polib.POEntry(msgid="Has %(n)s", msgstr=""), "untranslated: 'Has %(n)s'"),
        (polib.POEntry(msgid="Has %(n)s", msgstr="有 %(n)s", flags=["fuzzy"]), "fuzzy: 'Has %(n)s'"),
    ],
)
def test_each_fault_of_a_translation_is_seen(tmp_path, entry, fault):
    catalogue = messages.open_catalogue(tmp_path / "django.po")
    catalogue.append(entry)
    assert list(messages.faults_of(catalogue, {Message("Has %(n)s"): []})) == ([fault] if fault else [])


def test_missing_and_left_over_texts_are_seen(tmp_path):
    catalogue = messages.open_catalogue(tmp_path / "django.po")
    catalogue.append(polib.POEntry(msgid="Old", msgstr="旧"))
    assert list(messages.faults_of(catalogue, {Message("New"): []})) == [
        "missing: 'New'",
        "no longer used: 'Old'",
    ]
