"""A condition as rows of plain choices: [field ▾] [is ▾] [value], in groups of all, any or none (B5).

Pure: a document becomes rows and rows become the same document again. What is typed is not judged here; the
programme's own reading does that, and `Rows.errors` puts its answers at the rows they are about.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.utils.datastructures import MultiValueDict

from loyalty.conditions import EQUALITY, KINDS, MAX_DEPTH, OPERATORS_OF
from loyalty.reading import as_instant

Posted = MultiValueDict[str, str]
GroupKind = Literal["one", "all", "any", "none"]

ROOT = "when"
# A time of day and an instant are one field of the document, and two questions to people.
CLOCK = "order.time/clock"
GROUP_KINDS = ("one", "all", "any", "none")
LISTED, PAIRED = ("in", "not_in"), ("between",)
WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(slots=True)
class Row:
    """One check; `name` is its field. `was` is how the document wrote its values, to write them so again."""

    name: str = ""
    op: str = ""
    texts: list[str] = field(default_factory=list)
    was: list[str] = field(default_factory=list)
    path: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The type of the field, as the conditions' catalogue says; '' is an unknown field."""
        return "clock" if self.name == CLOCK else KINDS.get(self.name, "")

    @property
    def operators(self) -> Sequence[str]:
        """The operators that fit the field."""
        return OPERATORS_OF.get("time" if self.kind == "clock" else self.kind, ())


@dataclass(slots=True)
class Group:
    """Rows of which all, any or none hold; `one` is a single row without a group around it."""

    kind: GroupKind = "one"
    parts: "list[Row | Group]" = field(default_factory=list)
    path: str = ROOT
    errors: list[str] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """1 for the outermost group."""
        return self.path.count(".") + 1


Node = Row | Group


@dataclass(slots=True)
class Written:
    """Rows as a document: the condition (None: every order), and which row each of its places is."""

    when: dict[str, Any] | None
    places: dict[str, Node]


# --- out of a document ---------------------------------------------------------------------------------


def opened(when: Mapping[str, Any] | None, zone: ZoneInfo) -> Group:
    """The rows of a condition that was read without mistakes; the outermost is always a group."""
    if when is None:
        return Group()
    node = _opened(when, zone)
    return placed(node if isinstance(node, Group) else Group("one", [node]))


def _opened(when: Mapping[str, Any], zone: ZoneInfo) -> Node:
    for word in ("all", "any"):
        if when.get(word) is not None:
            return Group("all" if word == "all" else "any", [_opened(part, zone) for part in when[word]])
    inner = when.get("not")
    if inner is None:
        return _opened_row(when, zone)
    # "None of these" is written as not any; of a single part, as not.
    if len(inner.get("any") or ()) > 1:
        return Group("none", [_opened(part, zone) for part in inner["any"]])
    return Group("none", [_opened(inner, zone)])


def _opened_row(when: Mapping[str, Any], zone: ZoneInfo) -> Row:
    raw = when["value"]
    was = [_text(each) for each in (raw if isinstance(raw, list) else [raw])]
    is_instant = when["field"] == "order.time" and as_instant(was[0]) is not None
    name = CLOCK if when["field"] == "order.time" and not is_instant else when["field"]
    texts = [local_text(each, zone) for each in was] if is_instant else list(was)
    return Row(name, when["op"], texts, was)


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def local_text(text: str, zone: ZoneInfo) -> str:
    """An instant of the document as a field for date and time shows it; what is none stays as it is."""
    instant = as_instant(text)
    if instant is None:
        return text
    local = instant.astimezone(zone).replace(tzinfo=None)
    return local.isoformat(timespec=_precision(local))


def _precision(local: datetime) -> str:
    if local.microsecond:
        return "milliseconds"
    return "seconds" if local.second else "minutes"


def instant_text(text: str, zone: ZoneInfo, was: str = "") -> str:
    """A local date and time as the document writes an instant; one that was not touched, as it was."""
    if was and local_text(was, zone) == text:
        return was
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return text
    return local.replace(tzinfo=zone).isoformat() if local.tzinfo is None else text


# --- out of a form -------------------------------------------------------------------------------------


def posted(data: Posted) -> Group:
    """The rows that a form sent."""
    root = _posted(data, ROOT)
    return placed(root if isinstance(root, Group) else Group("one", [root] if root.name else []))


def _posted(data: Posted, path: str) -> Node:
    kind = data.get(f"{path}.kind")
    if kind is None:
        return _posted_row(data, path)
    group = Group(kind if kind in GROUP_KINDS else "all")  # type: ignore[arg-type]
    position = 0
    while path.count(".") < MAX_DEPTH:
        below = f"{path}.{position}"
        if f"{below}.kind" not in data and f"{below}.field" not in data:
            break
        group.parts.append(_posted(data, below))
        position += 1
    return group


def _posted_row(data: Posted, path: str) -> Row:
    row = Row(data.get(f"{path}.field", ""), data.get(f"{path}.op", ""))
    row.texts = [text for text in data.getlist(f"{path}.value") if text != ""]
    row.was = _was(data.get(f"{path}.was", ""))
    before = Row(data.get(f"{path}.of", row.name))
    if before.name != row.name:
        # Another question: an answer to the one before would make no sense.
        row.texts, row.was = [], []
    if row.op not in row.operators:
        row.op = next(iter(row.operators), "")
    if row.kind == "month" and row.op not in EQUALITY:
        row.texts = [text for text in row.texts if text not in ("true", "false")]
    if row.op in LISTED:
        # Boxes are sent in the order of the page; the document keeps its own.
        row.texts.sort(key=lambda text: row.was.index(text) if text in row.was else len(row.was))
    return row


def _was(text: str) -> list[str]:
    try:
        found = json.loads(text) if text else []
    except ValueError:
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def placed(root: Group, path: str = ROOT) -> Group:
    """Every row and group by its place, as the form's fields are called."""
    root.path = path
    for position, part in enumerate(root.parts):
        if isinstance(part, Group):
            placed(part, f"{path}.{position}")
        else:
            part.path = f"{path}.{position}"
    return root


# --- editing -------------------------------------------------------------------------------------------


def with_action(root: Group, action: str) -> Group:
    """The rows after a button was pressed: `add:PATH`, `group:PATH` or `drop:PATH`; others change nothing."""
    verb, _colon, path = action.partition(":")
    for group in [node for node in nodes(root) if isinstance(node, Group)]:
        if verb in ("add", "group") and group.path == path:
            group.parts.append(Row() if verb == "add" else Group("any", [Row()]))
            if group.kind == "one" and len(group.parts) > 1:
                group.kind = "all"
        elif verb == "drop":
            group.parts = [part for part in group.parts if part.path != path]
    return placed(root)


def nodes(root: Group) -> Iterator[Node]:
    """The group and every row and group within it, from top to bottom."""
    yield root
    for part in root.parts:
        if isinstance(part, Group):
            yield from nodes(part)
        else:
            yield part


# --- into a document -----------------------------------------------------------------------------------


def written(root: Group, zone: ZoneInfo, base: str = "when") -> Written:
    """The condition that the rows say, and which row each place of it is (`when.all[0]`)."""
    result = Written(None, {})
    if root.parts:
        result.when = _written(root, base, zone, result.places)
    else:
        result.places[base] = root
    return result


def _written(node: Node, at: str, zone: ZoneInfo, places: dict[str, Node]) -> dict[str, Any]:
    places[at] = node
    if isinstance(node, Row):
        return {"field": _document_field(node), "op": node.op, "value": _raw(node, zone)}
    if node.kind == "one" and len(node.parts) == 1:
        return _written(node.parts[0], at, zone, places)
    if node.kind == "none" and len(node.parts) == 1:
        return {"not": _written(node.parts[0], f"{at}.not", zone, places)}
    if node.kind == "none":
        return {"not": {"any": _written_parts(node, f"{at}.not.any", zone, places)}}
    word = "any" if node.kind == "any" else "all"
    return {word: _written_parts(node, f"{at}.{word}", zone, places)}


def _written_parts(group: Group, at: str, zone: ZoneInfo, places: dict[str, Node]) -> list[dict[str, Any]]:
    places[at] = group
    return [_written(part, f"{at}[{position}]", zone, places) for position, part in enumerate(group.parts)]


def _document_field(row: Row) -> str:
    return "order.time" if row.name == CLOCK else row.name


def _raw(row: Row, zone: ZoneInfo) -> Any:
    values = [_typed(row, position, zone) for position in range(len(row.texts))]
    if row.op in LISTED or row.op in PAIRED:
        return values
    return values[0] if values else None


def _typed(row: Row, position: int, zone: ZoneInfo) -> Any:
    text = row.texts[position]
    if row.kind in ("flag", "month") and text in ("true", "false"):
        return text == "true"
    if row.kind in ("whole", "month"):
        return int(text) if WHOLE.fullmatch(text.strip()) else text
    if row.kind == "time":
        return instant_text(text, zone, row.was[position] if position < len(row.was) else "")
    return text.strip() if row.kind in ("money", "clock") else text


# --- what is wrong -------------------------------------------------------------------------------------


def show_errors(places: Mapping[str, Node], problems: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Put each problem at the row or group it is about; answers those that are about none."""
    others = []
    for problem in problems:
        node = _at(places, problem["path"])
        if node is None:
            others.append(problem)
        elif problem["message"] not in node.errors:
            node.errors.append(problem["message"])
    return others


def _at(places: Mapping[str, Node], path: str) -> Node | None:
    while path:
        if path in places:
            return places[path]
        path = path.rpartition(".")[0]
    return None
