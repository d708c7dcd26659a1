"""The little Markdown that notices are written in, as HTML (pure).

Headings, paragraphs, lists, tables and **bold**; everything else is shown as it is typed. All text is
escaped first, so that a notice can never bring markup of its own.
"""

import re
from collections.abc import Iterator

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_HEADING = re.compile(r"(#{1,4})\s+(.*)")
_BULLET = re.compile(r"[-*]\s+(?=\S)")
_RULE = re.compile(r"\|?\s*:?-{3,}.*")
_DEEPEST = 6
_BELOW = 2  # a notice stands inside a page that has its own h1 and h2


def html(text: str) -> SafeString:
    """The text as HTML; safe to put on a page whoever wrote the notice."""
    blocks = re.split(r"\n\s*\n", text.strip())
    # Every piece was escaped by _inline; only our own tags surround them.
    return mark_safe("\n".join(piece for block in blocks for piece in _block(block.splitlines())))


def _block(lines: list[str]) -> Iterator[str]:
    if not lines:
        return
    heading = _HEADING.match(lines[0])
    if heading:
        level = min(len(heading[1]) + _BELOW, _DEEPEST)
        yield f"<h{level}>{_inline(heading[2])}</h{level}>"
        yield from _block(lines[1:])
    elif all(_BULLET.match(line) for line in lines):
        points = [_inline(_BULLET.sub("", line, count=1)) for line in lines]
        items = "".join(f"<li>{point}</li>" for point in points)
        yield f"<ul>{items}</ul>"
    elif lines[0].startswith("|") and len(lines) > 1 and _RULE.match(lines[1]):
        yield _table(lines)
    else:
        yield f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>"


def _table(lines: list[str]) -> str:
    head = "".join(f'<th scope="col">{cell}</th>' for cell in _cells(lines[0]))
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(line))}</tr>" for line in lines[2:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(line: str) -> list[str]:
    return [_inline(cell.strip()) for cell in line.strip().strip("|").split("|")]


def _inline(text: str) -> str:
    return _BOLD.sub(r"<strong>\1</strong>", escape(text.strip()))
