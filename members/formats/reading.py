"""Reading: the bytes of a file as rows, whatever wrote it. Knows files, not platforms.

Memory stays flat for text files of any length: the encoding is proven in one pass, the rows are read in
a second. Spreadsheets are held whole by their reader, so what they may unpack to is limited first.
"""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from statistics import median_high, median_low
from types import TracebackType
from typing import BinaryIO, Final, Self

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetVisibleEnum,
    XmlError,
    ZipError,
)

from members.cleaning import clean_text
from members.formats.errors import (
    EncodingUnknown,
    FileEmpty,
    FileKindUnknown,
    FileTooLargeInside,
    SpreadsheetBroken,
)
from members.formats.extents import Extent
from members.formats.old_excel import OldExcel
from members.formats.rows import Columns, Row

_BLOCK: Final = 1 << 20
_LOOKED_AT: Final = 10  # lines among which the header is sought: titles may stand above it
_DELIMITERS: Final = (",", "\t", ";", "|")

MOST_UNPACKED: Final = 200 * 1024 * 1024
MOST_RATIO: Final = 100
MOST_ENTRIES: Final = 1000


# Line, cells as they stand in the file, and a reject code where the record could not be taken apart.
# A bare tuple, as there are millions of them.
Record = tuple[int, list[str], str]


class Table:
    """A file opened as a table: its header and, once, its rows. Close it, or use it in a `with`.

    `encoding` and `delimiter` are empty for spreadsheets.
    """

    def __init__(
        self,
        records: Iterator[Record],
        stream: BinaryIO | io.TextIOBase | OldExcel,
        encoding: str,
        delimiter: str,
    ) -> None:
        self._stream = stream
        self.encoding = encoding
        self.delimiter = delimiter
        looked_at = list(islice(records, _LOOKED_AT))
        place = _header_place(looked_at)
        if place is None:
            stream.close()
            raise FileEmpty
        self.header_line = looked_at[place][0]
        self.headers = normalise_headers(looked_at[place][1])
        self.rows = self._rows(chain(looked_at[place + 1 :], records))

    def _rows(self, records: Iterator[Record]) -> Iterator[Row]:
        columns = Columns(self.headers)
        width = len(self.headers)
        for line, cells, fault in records:
            told = len(cells)
            if told == width:
                cells.append("")
            elif told < width:
                cells.extend([""] * (width + 1 - told))
            else:  # a cell too many is harmless when empty: many programs end each line with a delimiter
                if any(map(clean_text, cells[width:])):
                    fault = fault or "row_ragged"
                cells[width:] = [""]
            yield Row(line, cells, columns, fault, told)

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_table(source: Path | bytes) -> Table:
    """Open a file, or its bytes, as a table. What it is, its first bytes say, not its name.

    Raises a `FileRefused`: empty, of no known kind or encoding, broken, or too large when unpacked.
    """
    stream: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    try:
        head = stream.read(4096)
        stream.seek(0)
        if head.startswith(_OLD_EXCEL):
            return _open_old_excel(stream)
        if head.startswith(_PACKED):
            return _open_spreadsheet(stream)
        if _is_no_text(head):
            raise FileKindUnknown
        return _open_text(stream)
    except BaseException:
        stream.close()
        raise


# ------------------------------------------------------------------------------------------- header

_WRAPPERS = re.compile("^[\\s\ufeff'\"=]+|[\\s\ufeff'\"]+$")


def normalise_headers(cells: list[str]) -> tuple[str, ...]:
    """Names of columns without wrappers and spaces; a name that comes again is `name#2`, `name#3`."""
    seen: dict[str, int] = {}
    names = []
    for cell in cells:
        name = re.sub(r"\s+", " ", _WRAPPERS.sub("", cell))
        seen[name] = seen.get(name, 0) + 1
        names.append(f"{name}#{seen[name]}" if name and seen[name] > 1 else name)
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _header_place(records: list[Record]) -> int | None:
    """The first record about as wide as most of them; a title above has one or two cells."""
    widths = [sum(1 for cell in cells if cell.strip()) for _line, cells, _fault in records]
    told = [width for width in widths if width]
    if not told:
        return None
    usual = median_high(told)
    return next(place for place, width in enumerate(widths) if 2 * width >= usual)


# --------------------------------------------------------------------------------------------- text

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(stream: BinaryIO) -> str:
    """The encoding in which every byte of the file is valid: by its mark, else UTF-8, else GB18030.

    Guessing by frequencies is no help: short GBK files look Korean to it. The whole file is tried, as one
    name in the last row may be the first that is not ASCII. Leaves the stream at its beginning.
    """
    stream.seek(0)
    head = stream.read(4096)
    marked = next((name for mark, name in _BOMS if head.startswith(mark)), None)
    if marked is None and head.count(0) > len(head) // 50:  # half of each comma; other text has no noughts
        marked = "utf-16-le" if head.index(0) % 2 else "utf-16-be"
    wrong = 0
    for name in (marked,) if marked else ("utf-8", "gb18030"):
        first_wrong = _first_wrong_byte(stream, name)
        stream.seek(0)
        if first_wrong is None:
            return name
        wrong = max(wrong, first_wrong)
    raise EncodingUnknown(byte=wrong)


def _first_wrong_byte(stream: BinaryIO, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    stream.seek(0)
    read = 0
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)
            read += len(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return read + error.start + 1
    return None


_NO_TEXT: Final = (
    b"%pdf",
    b"\x89png",
    b"\xff\xd8\xff",
    b"gif8",
    b"<html",
    b"<!doctype",
    b"<table",
    b"<?xml",
)


def _is_no_text(head: bytes) -> bool:
    """Pictures, PDF, and the web pages that some back offices save under the name .xls."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:15].lower()
    return start.startswith(_NO_TEXT)


def _open_text(stream: BinaryIO) -> Table:
    encoding = detect_encoding(stream)
    delimiter = _delimiter_of(stream, encoding)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    return Table(_text_records(text, delimiter), text, encoding, delimiter)


def _delimiter_of(stream: BinaryIO, encoding: str) -> str:
    """The delimiter by which most of the first lines are widest, whatever one title or text holds."""
    sample = codecs.getincrementaldecoder(encoding)("strict").decode(stream.read(_BLOCK // 16))
    stream.seek(0)

    def usual_width(delimiter: str) -> int:
        records = islice(_text_records(io.StringIO(sample, newline=""), delimiter), _LOOKED_AT)
        return median_low([len(cells) for _line, cells, _fault in records if cells] or [0])

    return max(_DELIMITERS, key=usual_width)


def _text_records(text: io.TextIOBase, delimiter: str) -> Iterator[Record]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            for cells in reader:
                yield line, cells, ""
                line = reader.line_num + 1
            return
        except csv.Error:
            # A quotation mark in a wrong place; the reader goes on with the line after it.
            yield line, [], "row_unreadable"
            line = reader.line_num + 1


# ------------------------------------------------------------------------------------- spreadsheets

_PACKED: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _open_old_excel(stream: BinaryIO) -> Table:
    """One in which no page has rows says so as any file without a table does."""
    with stream:
        pages = OldExcel(stream)
    records = ((line, cells, "") for line, cells in enumerate(pages.rows(), start=1))
    try:
        return Table(records, pages, "", "")
    except BaseException:
        pages.close()
        raise


def _open_spreadsheet(stream: BinaryIO) -> Table:
    check_unpacked_size(stream)
    try:
        workbook = CalamineWorkbook.from_filelike(stream)
        visible = (one for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible)
        sheets = (workbook.get_sheet_by_name(one.name) for one in visible)
        sheet = next((sheet for sheet in sheets if sheet.total_height), None)
    except (CalamineError, PasswordError, XmlError, ZipError, OSError):
        raise SpreadsheetBroken from None
    if sheet is None:
        raise FileEmpty
    workbook.close()
    rows = enumerate(sheet.iter_rows(), start=1)  # from the first line of the page, were it empty
    records = ((line, [_shown(cell) for cell in row], "") for line, row in rows)
    return Table(records, stream, "", "")


def _shown(value: object) -> str:
    """A cell of a spreadsheet as text; text keeps its wrappers, to be cleaned like any other."""
    return value if isinstance(value, str) else clean_text(value) or ""


def check_unpacked_size(stream: BinaryIO) -> None:
    """Raise FileTooLargeInside for a packed file that unpacks to too much; leaves the stream at its start.

    What the archive says of itself is asked first, then the data, since an archive can lie.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise SpreadsheetBroken from None
    packed = sum(entry.compress_size for entry in entries) or 1
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * packed:
        raise FileTooLargeInside
    left = MOST_UNPACKED
    for entry in entries:
        left -= _inflated_size(stream, entry, left)
    stream.seek(0)


def _inflated_size(stream: BinaryIO, entry: zipfile.ZipInfo, most: int) -> int:
    unpacked, extent = 0, Extent()
    for block in _blocks(stream, entry):
        unpacked += len(block)
        extent.take(block)
        if unpacked > most or extent.is_too_wide:
            raise FileTooLargeInside
    return unpacked


def _blocks(stream: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What an entry holds, unpacked; broken data is for the reader of the spreadsheet to say."""
    stream.seek(entry.header_offset + 26)
    lengths = stream.read(4)
    stream.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), io.SEEK_CUR)
    packed_left = entry.compress_size
    unpacker = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    with suppress(zlib.error):
        while packed_left > 0 and not (unpacker and unpacker.eof):
            block = stream.read(min(packed_left, _BLOCK // 16))
            if not block:
                return
            packed_left -= len(block)
            while block:
                yield unpacker.decompress(block, _BLOCK) if unpacker else block
                block = unpacker.unconsumed_tail if unpacker else b""
