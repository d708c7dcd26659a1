"""The programme as a YAML file: read with care, written so that it reads the same again.

A file comes from outside. So it is small, says every key once, uses no anchors (a few lines of aliases can
unfold to gigabytes), and only plain data: text, whole numbers, decimals as text, true, false, lists and
groups. Times stay text, and `no`, `on` or `12:30` are what they look like, text, as in YAML 1.2.
"""

import re
from collections.abc import Hashable
from typing import Any

import yaml
from django.utils.translation import gettext_lazy as _

from loyalty.errors import ProgrammeInvalid

MAX_BYTES = 1_000_000
MAX_NESTING = 40
WIDTH = 110
# These count rungs and days: in the file they are numbers, as people write them.
COUNTED = ("streak", "ladder")


class _Loader(yaml.SafeLoader):
    """Plain data only, every key once."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _mistake(event.start_mark, _("Anchors and aliases are not allowed."))
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise _mistake(event.start_mark, _("The file is nested too deeply."))
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _mistake(key.start_mark, _("A key is a word or a number."))
            if key.value in seen:
                raise _mistake(key.start_mark, _("This key is there twice."))
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads as the same data."""


def _resolve_plainly(kind: Any) -> None:
    """The scalars of YAML 1.2's core: true, false, null, decimal whole numbers and floats; no times."""
    kind.yaml_implicit_resolvers = {}
    for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
        ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ):
        kind.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))


_resolve_plainly(_Loader)
_resolve_plainly(_Dumper)


def read(text: str | bytes) -> dict[str, Any]:
    """The document in a YAML text. Raises ProgrammeInvalid with the line of the mistake."""
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise ProgrammeInvalid([{"path": "", "message": str(_("The file is larger than 1 MB."))}])
    try:
        document = yaml.load(raw.decode("utf-8-sig"), _Loader)
    except UnicodeDecodeError:
        raise ProgrammeInvalid([{"path": "", "message": str(_("The file is not UTF-8."))}]) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _unreadable(error) from None
    if not isinstance(document, dict):
        raise ProgrammeInvalid([{"path": "", "message": str(_("The file does not hold a programme."))}])
    return document


def write(document: dict[str, Any]) -> str:
    """The YAML text of a document; `read` gives the same document back."""
    return yaml.dump(
        _counted(document),
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=WIDTH,
    )


def _counted(value: Any, *, counts: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            int(key) if counts and str(key).isdecimal() else key: _counted(each, counts=key in COUNTED)
            for key, each in value.items()
        }
    return [_counted(each) for each in value] if isinstance(value, list) else value


class _Mistake(yaml.MarkedYAMLError):
    """A mistake found here, told in the reader's language; the parser tells its own in English alone."""


def _mistake(mark: Any, message: object) -> _Mistake:
    return _Mistake(problem=str(message), problem_mark=mark)


def _unreadable(error: Exception) -> ProgrammeInvalid:
    mark = getattr(error, "problem_mark", None)
    message = error.problem if isinstance(error, _Mistake) else _("The file is not valid YAML.")
    if mark is None:
        return ProgrammeInvalid([{"path": "", "message": str(message)}])
    path = _("line %(line)s, column %(column)s") % {"line": mark.line + 1, "column": mark.column + 1}
    return ProgrammeInvalid([{"path": path, "message": str(message)}])
