"""The texts users read: found in the source, kept in the catalogues, checked to be translated.

Works without the gettext programs: Python is read as a syntax tree, templates through Django's own
`templatize`, catalogues by polib (which is why only development has these commands).
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

SOURCES = ("config", "privacy", "members", "loyalty", "segments", "templates")
LANGUAGE_FOLDER = Path("zh_Hans") / "LC_MESSAGES"
# Which arguments of each function are context, text and plural.
FUNCTIONS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"], (None, 0, None)),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (None, 0, 1)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], (0, 1, None)),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], (0, 1, 2)),
}
_LITERAL = r"""(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
_CALL = re.compile(rf"\b(n?p?gettext|_)\(\s*(u?{_LITERAL}(?:\s*,\s*u?{_LITERAL})*)")
# Chinese shops say 9 折 where others say 10% off: such a text is given both numbers and names either.
_ALTERNATIVES = {"%(tenths)s": "%(percent)s"}
_PLACEHOLDER = re.compile(r"%\(\w+\)[sdfr]|%[sd]|\{\w*\}")


@dataclass(frozen=True, order=True)
class Message:
    """One text to translate, as gettext tells them apart."""

    text: str
    context: str = ""
    plural: str = ""


def collect(root: Path) -> dict[Message, list[str]]:
    """Every text of the source with the files that use it, in order."""
    found: dict[Message, set[str]] = {}
    for source in SOURCES:
        for path in sorted((root / source).rglob("*")):
            if path.suffix == ".py":
                messages = in_python(path.read_text())
            elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
                messages = in_template(path.read_text())
            else:
                continue
            for message in messages:
                found.setdefault(message, set()).add(path.relative_to(root).as_posix())
    # gettext finds the singular under the same key as its plural, and a catalogue may hold a key once.
    counted = {(message.text, message.context) for message in found if message.plural}
    return {
        message: sorted(found[message])
        for message in sorted(found)
        if message.plural or (message.text, message.context) not in counted
    }


def in_python(source: str) -> Iterator[Message]:
    """The texts that a module hands to gettext as literals."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            literals = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
            yield from _message(name, literals)


def in_template(source: str) -> Iterator[Message]:
    """The texts of a template's `translate`, `blocktranslate` and `_()`."""
    for name, arguments in _CALL.findall(templatize(source)):
        yield from _message(name, list(ast.literal_eval(f"({arguments},)")))


def _message(name: str, literals: Sequence[object]) -> Iterator[Message]:
    if name not in FUNCTIONS:
        return
    places = FUNCTIONS[name]
    if any(place is not None and place >= len(literals) for place in places):
        return
    context, text, plural = ("" if place is None else literals[place] for place in places)
    if isinstance(context, str) and isinstance(text, str) and isinstance(plural, str) and text:
        yield Message(text, context, plural)


def update(catalogue: polib.POFile, messages: dict[Message, list[str]]) -> tuple[int, int]:
    """Make the catalogue hold exactly these texts; translations that exist are kept. (added, removed)"""
    entries = {_key(entry): entry for entry in catalogue if not entry.obsolete}
    for message, places in messages.items():
        entry = entries.get(message) or polib.POEntry(
            msgid=message.text,
            msgctxt=message.context or None,
            msgid_plural=message.plural,
            msgstr_plural={0: ""} if message.plural else {},
        )
        entry.occurrences = [(place, "") for place in places]
        if "%(" in message.text and "python-format" not in entry.flags:
            entry.flags.append("python-format")
        if message not in entries:
            catalogue.append(entry)
    gone = [entry for message, entry in entries.items() if message not in messages]
    for entry in gone:
        catalogue.remove(entry)
    catalogue.sort(key=_key)
    return len(messages.keys() - entries.keys()), len(gone)


def faults_of(catalogue: polib.POFile, messages: dict[Message, list[str]] | None) -> Iterator[str]:
    """What is wrong with a catalogue; `messages` None when its texts are not from our source."""
    held = {_key(entry) for entry in catalogue if not entry.obsolete}
    if messages is not None:
        yield from (f"missing: {message.text!r}" for message in messages if message not in held)
        yield from (f"no longer used: {message.text!r}" for message in held if message not in messages)
    for entry in catalogue:
        if entry.obsolete:
            continue
        if entry.fuzzy:
            yield f"fuzzy: {entry.msgid!r}"
        elif not entry.translated():
            yield f"untranslated: {entry.msgid!r}"
        elif not _keeps_placeholders(entry):
            yield f"placeholders differ: {entry.msgid!r}"


def open_catalogue(path: Path) -> polib.POFile:
    """The catalogue of a file, or an empty one for it."""
    if path.exists():
        return polib.pofile(str(path), wrapwidth=100)
    catalogue = polib.POFile(wrapwidth=100)
    catalogue.metadata = {
        "Project-Id-Version": "Shuke",
        "Language": "zh_Hans",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    return catalogue


def _key(entry: polib.POEntry) -> Message:
    return Message(entry.msgid, entry.msgctxt or "", entry.msgid_plural or "")


def _keeps_placeholders(entry: polib.POEntry) -> bool:
    wanted = _placeholders(entry.msgid_plural or entry.msgid)
    return all(_placeholders(text) == wanted for text in entry.msgstr_plural.values() or [entry.msgstr])


def _placeholders(text: str) -> set[str]:
    return {_ALTERNATIVES.get(found, found) for found in _PLACEHOLDER.findall(text)}
