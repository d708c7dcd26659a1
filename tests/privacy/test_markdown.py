"""Notices as HTML: what they use is shown, and nothing in them can become markup."""

from hypothesis import given
from hypothesis import strategies as st

from privacy import markdown, notices

OURS = ["h3", "h4", "h5", "h6", "p", "ul", "li", "table", "thead", "tbody", "tr", "td", "strong", "br"]


def test_headings_lists_tables_and_bold():
    text = "## Two\nA **bold** word.\n\n- one\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    assert markdown.html(text) == (
        "<h4>Two</h4>\n<p>A <strong>bold</strong> word.</p>\n"
        "<ul><li>one</li><li><strong>two</strong></li></ul>\n"
        '<table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>'
        "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>"
    )


def test_markup_in_a_notice_is_text():
    assert markdown.html("# <script>alert(1)</script>") == "<h3>&lt;script&gt;alert(1)&lt;/script&gt;</h3>"


@given(st.text(alphabet="#-*|<>&\"' \nab", max_size=60))
def test_only_our_own_tags_come_out(text):
    left = str(markdown.html(text))
    for tag in OURS:
        left = left.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    assert "<" not in left.replace('<th scope="col">', "").replace("</th>", "")


def test_every_shipped_notice_is_shown_without_raw_marks():
    for notice in notices.shipped():
        page = markdown.html(notice.body)
        assert "**" not in page and "\n#" not in page and "|---" not in page
