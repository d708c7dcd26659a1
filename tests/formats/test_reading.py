"""Bytes to rows: encodings, delimiters, headers, ragged rows, spreadsheets and what is refused whole."""

import io
import tracemalloc
import zipfile

import openpyxl
import pytest

from members.formats import reading
from members.formats.errors import (
    EncodingUnknown,
    FileEmpty,
    FileKindUnknown,
    FileTooLargeInside,
    SpreadsheetBroken,
)
from members.formats.extents import Extent
from members.formats.reading import normalise_headers, open_table
from tests.formats.golden_files import GOLDEN

TEXT = "订单号,金额,备注\nA1,10.00,早\nA2,20.00,晚\n"


def table_of(data):
    with open_table(data) as table:
        return table.headers, [(row.line, row.cells[: row.told], row.fault) for row in table.rows]


def sheet(rows, *, hidden_first=False):
    book = openpyxl.Workbook()
    page = book.active
    if hidden_first:
        page.append(["notes", "for", "us"])
        page.sheet_state = "hidden"
        page = book.create_sheet("orders")
    for row in rows:
        page.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_every_encoding_reads_the_same(encoding, name):
    with open_table(TEXT.encode(encoding)) as table:
        assert table.encoding == name
        assert table.headers == ("订单号", "金额", "备注")
        assert [row.text("备注") for row in table.rows] == ["早", "晚"]


def test_one_late_name_in_gbk_decides_the_encoding():
    data = b"no,name\n" + b"1,ascii only\n" * 200_000 + "2,张三\n".encode("gbk")
    with open_table(data) as table:
        assert table.encoding == "gb18030"
        assert [row.text("name") for row in table.rows][-1] == "张三"


def test_a_late_wrong_byte_in_a_file_that_is_neither_is_refused_with_its_place():
    data = "编号,名\n".encode() + b"1,a\n" * 1000 + b"2,\xff\n"
    with pytest.raises(EncodingUnknown) as caught:
        open_table(data)
    assert caught.value.details["byte"] == len(data) - 1


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_header_decides_the_delimiter(delimiter):
    data = TEXT.replace(",", delimiter).replace("早", "a,b;c,d,e,f,g,h;i").encode()
    with open_table(data) as table:
        assert (table.delimiter, len(table.headers)) == (delimiter, 3)


def test_headers_lose_their_wrappers_and_keep_their_brackets():
    names = [
        "\ufeff订单编号",
        "'标题 ",
        '"价格"',
        ' ="数量" ',
        "等级（1-5）",
        "分销员",
        "分销员",
        "a\n b",
        "",
    ]
    assert normalise_headers(names) == (
        *("订单编号", "标题", "价格", "数量", "等级（1-5）", "分销员", "分销员#2", "a b"),
    )


def test_a_title_above_the_header_is_passed_over():
    with open_table(f"某店 2026年2月 明细,,\n\n{TEXT}".encode()) as table:
        assert table.header_line == 3
        assert [row.line for row in table.rows] == [4, 5]


def test_lines_are_those_on_which_records_begin():
    data = 'a,b\n1,"x\ny\nz"\n2,w\r\n3,v\r4,u\n'
    assert table_of(data.encode())[1] == [
        (2, ["1", "x\ny\nz"], ""),
        (5, ["2", "w"], ""),
        (6, ["3", "v"], ""),
        (7, ["4", "u"], ""),
    ]


def test_extra_cells_are_ragged_only_when_they_hold_something():
    rows = table_of(b"a,b\n1,2,\n1,2,3\n1\n")[1]
    assert [fault for _line, _cells, fault in rows] == ["", "row_ragged", ""]


def test_a_cell_of_a_short_row_reads_empty_and_never_another_column():
    with open_table(b"a,b,c\n1\n1,2,3,\n") as table:
        first, second = table.rows
    assert [first.cell(name) for name in ("a", "b", "c", "none")] == ["1", "", "", ""]
    assert [second.cell(name) for name in ("a", "b", "c", "none")] == ["1", "2", "3", ""]


def test_a_broken_quotation_is_one_bad_row_and_the_next_is_read():
    rows = table_of(b'a,b\n1,"x"y\n2,z\n')[1]
    assert [(line, fault) for line, _cells, fault in rows] == [(2, "row_unreadable"), (3, "")]


def test_an_open_quotation_cannot_swallow_memory():
    data = b'a,b\n1,"' + b"x" * 300_000 + b"\n2,z\n"
    rows = table_of(data)[1]
    assert rows[0][2] == "row_unreadable"


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b",,,\n"])
def test_an_empty_file_is_refused(data):
    with pytest.raises(FileEmpty):
        open_table(data)


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7", b"\x89PNG\r\n", b"<html><table><tr>", b"  <!DOCTYPE html>", b"\xff\xd8\xff\xe0"]
)
def test_what_is_no_table_is_refused_whatever_its_name(data):
    with pytest.raises(FileKindUnknown):
        open_table(data)


def test_a_spreadsheet_is_known_by_its_bytes(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(sheet([["no", "phone"], ["A1", 13911112222]]))
    assert table_of(path) == (("no", "phone"), [(2, ["A1", "13911112222"], "")])


def test_a_spreadsheet_keeps_its_line_numbers_and_skips_hidden_pages():
    data = sheet([[], [], ["no", "at"], ["A1", "x"]], hidden_first=True)
    with open_table(data) as table:
        assert (table.header_line, [row.line for row in table.rows]) == (3, [4])


def test_a_number_that_a_spreadsheet_has_rounded_shows_it():
    (row,) = table_of(sheet([["no", "n"], [745213389012345678, 1.5]]))[1]
    assert row[1] == ["7.45213389012346e+17", "1.5"]


def test_a_damaged_spreadsheet_is_refused():
    data = sheet([["a", "b"], [1, 2]])
    with pytest.raises(SpreadsheetBroken):
        open_table(data[: len(data) // 2])
    with pytest.raises(SpreadsheetBroken):
        open_table(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000)


def packed(*contents):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in enumerate(contents):
            archive.writestr(f"{place}.xml", content)
    return data.getvalue()


def test_a_packed_bomb_is_refused_by_its_ratio():
    with pytest.raises(FileTooLargeInside):
        open_table(packed(b"\0" * 5_000_000))


def test_too_many_entries_are_refused():
    with pytest.raises(FileTooLargeInside):
        open_table(packed(*([b"x"] * 1001)))


def test_an_archive_that_lies_about_its_size_is_found_out(monkeypatch):
    monkeypatch.setattr(reading, "MOST_UNPACKED", 1_000_000)
    honest = packed(b"\0" * 5_000_000)
    size = (5_000_000).to_bytes(4, "little")
    assert honest.count(size) == 2  # in the local header and in the directory
    with pytest.raises(FileTooLargeInside):
        open_table(honest.replace(size, (100).to_bytes(4, "little")))


@pytest.mark.parametrize("place", ["XFD100000", "XFD1048576", "AAA1048576", "xfd99999"])
def test_one_cell_far_away_is_refused_before_its_places_are_laid_out(place):
    far = f'<sheetData><row r="1"><c r="A1"/><c s="1" r = \'{place}\'><v>1</v></c></row></sheetData>'
    with pytest.raises(FileTooLargeInside):
        open_table(packed(" " * 65_530 + far if place == "AAA1048576" else far))


def test_a_wide_and_a_long_sheet_are_read():
    wide = [[f"c{number}" for number in range(600)], [str(number) for number in range(600)]]
    assert len(table_of(sheet(wide))[1][0][1]) == 600
    long = Extent()
    for row in range(1, 1_000_001, 1000):
        long.take(f'<row r="{row}"><c r="A{row}"/><c r="J{row}"/></row>'.encode())
    assert (long.rows, long.columns, long.is_too_wide) == (999_001, 10, False)


# Made with xlwt: a hidden page first, a title, numbers and dates as Excel keeps them, a formula.
OLD_EXCEL = GOLDEN / "mapped" / "members_old_excel.xls"


@pytest.mark.parametrize("cut", [1.0, 0.7435, 0.1])
def test_old_excel_is_read_from_a_file_or_its_bytes_and_half_of_it_is_refused(cut):
    data = OLD_EXCEL.read_bytes()
    part = data[: int(len(data) * cut)]
    if cut < 1:
        with pytest.raises(SpreadsheetBroken):
            open_table(part)
        return
    with open_table(part) as table:
        assert table.headers[:3] == ("会员卡号", "姓名", "手机号")
        assert [row.line for row in table.rows] == [3, 4, 5, 6, 7, 8, 9]


def test_old_excel_that_would_take_its_reader_down_is_refused_and_nothing_else_falls():
    """One byte of this makes it ask for a terabyte, and it is ended by a signal."""
    data = bytearray(OLD_EXCEL.read_bytes())
    data[2386] = 0xFF
    with pytest.raises(SpreadsheetBroken):
        open_table(bytes(data))


def test_memory_stays_flat_over_a_long_file(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("a,b,c\n" + "1,two,three\n" * 100_000, encoding="utf-8")
    tracemalloc.start()
    with open_table(path) as table:
        count = sum(1 for _row in table.rows)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 12 * 1024 * 1024
