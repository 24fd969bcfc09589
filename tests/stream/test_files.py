"""Files of records: JSON lines, gzip, CSV with a column map; nothing lost, every trouble with its place."""

import gzip
import io
import json
import os
import types

import msgspec
import pytest

from schemas.codec import decode_item
from schemas.errors import DecibelError, RecordError
from stream import files
from stream.columns import parse_columns
from stream.files import RecordFile, read_records

LINES = b'{"a": 1}\n\n  {"b": 2}  \r\n{"c": 3}'
VALUES = [b'{"a": 1}', b'{"b": 2}', b'{"c": 3}']


def csv_items(tmp_path, text, columns=None, name="posts.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_records(str(path), None if columns is None else parse_columns(columns)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_come_in_order_with_their_numbers(tmp_path, pack):
    path = tmp_path / "items.jsonl"
    path.write_bytes(pack(LINES))
    found = list(read_records(str(path)))
    assert [record.value for record in found] == VALUES
    assert [record.line for record in found] == [1, 3, 4]
    assert found[1].place == f"{path}:3"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_standard_input_is_a_dash(monkeypatch, pack):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(pack(LINES)))))
    assert [record.place for record in read_records("-")] == ["stdin:1", "stdin:3", "stdin:4"]


def test_who_writes_to_a_pipe_is_not_waited_for(monkeypatch):
    # given: one line and a half, and nothing more to come for now
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as reading, os.fdopen(writes, "wb", buffering=0) as writing:
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=reading))
        blocks = RecordFile("-").blocks()
        writing.write(b'{"a": 1}\n{"b"')

        # then
        assert next(blocks) == [(1, b'{"a": 1}')]
        writing.write(b': 2}\n\n{"c": 3}\n')
        assert next(blocks) == [(2, b'{"b": 2}'), (4, b'{"c": 3}')]
        writing.close()
        assert list(blocks) == []


def test_lines_longer_than_a_block_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_BLOCK_BYTES", 7)
    values = [b"x" * length for length in (1, 100, 6, 7, 8, 33)]
    (tmp_path / "f").write_bytes(b"\n".join(values))
    assert list(RecordFile(str(tmp_path / "f")).lines()) == list(enumerate(values, 1))


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path):
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbf" + LINES)
    assert next(read_records(str(tmp_path / "f"))).value == VALUES[0]


def test_bytes_that_are_no_text_come_out_as_they_are(tmp_path):
    (tmp_path / "f").write_bytes(b"\xff\xfe\n")
    assert [record.value for record in read_records(str(tmp_path / "f"))] == [b"\xff\xfe"]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DecibelError, match=r"gone\.jsonl: cannot be read: No such file"):
        list(read_records(str(tmp_path / "gone.jsonl")))


def test_gzip_that_breaks_off_gives_what_is_whole_and_tells_the_line(tmp_path):
    path = tmp_path / "items.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 100000)[:-20])
    records = read_records(str(path))
    assert next(records).value == b'{"a": 1}'
    with pytest.raises(DecibelError, match=r"break off after line \d+"):
        list(records)


def test_an_endless_line_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 100)
    (tmp_path / "f").write_bytes(b"short\n" + b"x" * 1000)
    with pytest.raises(DecibelError, match="longer than 100 bytes"):
        list(read_records(str(tmp_path / "f")))


def test_a_line_that_is_too_long_is_told_even_if_it_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 100)
    monkeypatch.setattr(files, "_BLOCK_BYTES", 64)
    (tmp_path / "f").write_bytes(b"short\n" + b"x" * 110 + b"\nshort\n")
    records = read_records(str(tmp_path / "f"))
    assert next(records).value == b"short"
    with pytest.raises(DecibelError, match="line 2 is longer than 100 bytes"):
        list(records)


def test_the_position_ends_at_the_size(tmp_path):
    path = tmp_path / "items.gz"
    path.write_bytes(gzip.compress(LINES))
    file = RecordFile(str(path))
    assert file.position == 0
    list(file)
    assert file.position == file.size == path.stat().st_size


def test_csv_rows_become_items_by_the_map(tmp_path):
    text = "id,score,created,tags,inc\n7,12,1639098300,a;b,log4shell\n"
    columns = "item_id=id,likes=score,published_at=created,figures=tags,incident_id=inc,platform==hackernews"
    [record] = csv_items(tmp_path, text, columns)
    item = decode_item(record.value)
    assert (item.item_id, item.incident_id, item.platform) == ("7", "log4shell", "hackernews")
    assert item.engagement.likes == 12
    assert item.figures == ("a", "b")
    assert item.published_at.isoformat() == "2021-12-10T01:05:00+00:00"


def test_columns_named_as_fields_need_no_map(tmp_path):
    header = "item_id,incident_id,platform,published_at,engagement.views,comments,stance,retracted,audience"
    [record] = csv_items(tmp_path, header + "\n1,x,p,2021-12-10 01:05,5,6,-0.5,yes,1e6\n")
    item = decode_item(record.value)
    assert (item.engagement.views, item.engagement.comments, item.stance) == (5, 6, -0.5)
    assert item.retracted
    assert item.audience == 1_000_000
    assert item.published_at.utcoffset().total_seconds() == 0


def test_empty_cells_are_left_out(tmp_path):
    [record] = csv_items(tmp_path, "item_id,audience,likes\n1,,\n")
    assert json.loads(record.value) == {"item_id": "1"}


@pytest.mark.parametrize(
    ("cells", "path"),
    [("many,0", "$.engagement.likes"), ("1.5,0", "$.engagement.likes"), ("1,inf", "$.stance")],
)
def test_a_cell_that_does_not_fit_is_rejected_by_its_field(tmp_path, cells, path):
    header = "item_id,incident_id,platform,published_at,likes,stance"
    [record] = csv_items(tmp_path, f"{header}\n1,x,p,2021-12-10T00:00Z,{cells}\n")
    with pytest.raises(RecordError) as caught:
        decode_item(record.value)
    assert path in str(caught.value)


def test_quoted_cells_may_span_lines_and_the_line_is_the_rows_first(tmp_path):
    records = csv_items(tmp_path, 'item_id,title\n1,"a\nb"\n2,c\n')
    assert [record.line for record in records] == [2, 4]
    assert msgspec.json.decode(records[0].value)["title"] == "a\nb"


@pytest.mark.parametrize("row", [b"1,\xff", b'1,"a,b",c'])
def test_a_row_that_cannot_be_an_item_keeps_its_bytes(tmp_path, row):
    [record] = csv_items(tmp_path, b"item_id,title\n" + row + b"\n")
    assert record.value == row
    with pytest.raises(RecordError):
        decode_item(record.value)


def test_tabs_separate_tsv(tmp_path):
    [record] = csv_items(tmp_path, "item_id\ttitle\n1\ta,b\n", name="posts.tsv")
    assert json.loads(record.value) == {"item_id": "1", "title": "a,b"}


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path):
    with pytest.raises(
        DecibelError, match=r"posts\.csv:1: there is no column 'idx'; the columns are id, score"
    ):
        csv_items(tmp_path, "id,score\n1,2\n", "item_id=idx")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("like=x", "did you mean likes?"),
        ("item_id", "field=column"),
        ("item_id=", "field=column"),
        ("zzz=x", "fields are"),
    ],
)
def test_a_wrong_map_is_told(text, part):
    with pytest.raises(DecibelError) as caught:
        parse_columns(text)
    assert part in str(caught.value)
