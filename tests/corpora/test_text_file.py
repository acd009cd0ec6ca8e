import gzip

import pytest

from larix.corpora.format_error import CorpusFormatError
from larix.corpora.oddities import Oddities
from larix.corpora.text_file import read_blocks, read_lines


def lines_of(path, **options):
    return list(read_lines(path, Oddities(), **options))


def test_lines_end_at_lf_or_crlf_only(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes("a\r\nb\u2028c\x0bd\re\n\nf".encode())
    oddities = Oddities()
    found = list(read_lines(path, oddities))
    assert found == [(1, "a"), (2, "b\u2028c\x0bd\re"), (3, ""), (4, "f")]
    assert str(oddities) == "lines ending in CRLF: 1"


@pytest.mark.parametrize("block_bytes", [1, 2, 5, 100])
def test_blocks_hold_whole_lines_and_their_numbers(block_bytes, tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes("äb\n\nüöä\r\nlast".encode())
    blocks = list(read_blocks(path, Oddities(), block_bytes=block_bytes))
    numbered = [pair for block in blocks for pair in enumerate(block.lines, block.first_line)]
    assert numbered == [(1, "äb"), (2, ""), (3, "üöä"), (4, "last")]


def test_a_byte_order_mark_is_dropped_and_counted(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"\xef\xbb\xbfa\n")
    oddities = Oddities()
    assert list(read_lines(path, oddities)) == [(1, "a")]
    assert oddities == {"byte order mark": 1}


@pytest.mark.parametrize("block_bytes", [1, 1000])
def test_a_byte_that_is_no_text_has_its_place_in_characters(block_bytes, tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes("äöü\n".encode() + "äö".encode() + b"\xe4x\n")
    with pytest.raises(CorpusFormatError, match="byte 0xe4") as caught:
        list(read_blocks(path, Oddities(), block_bytes=block_bytes))
    assert (caught.value.line, caught.value.column) == (2, 3)


def test_other_encodings_can_be_named(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"\xe4\n")
    assert lines_of(path, encoding="latin-1") == [(1, "ä")]


def test_gzip_is_told_by_its_first_bytes_and_damage_is_refused(tmp_path):
    path = tmp_path / "file.txt"
    packed = gzip.compress(b"a\nb\n" * 100)
    path.write_bytes(packed)
    assert len(lines_of(path)) == 200
    flipped = bytearray(packed)
    flipped[-6] ^= 1
    for content in (packed[:-3], packed[:20], bytes(flipped), packed + b"trailing"):
        path.write_bytes(content)
        with pytest.raises(CorpusFormatError, match="gzip file is whole"):
            lines_of(path)


def test_a_folder_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="is a folder"):
        lines_of(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        lines_of(tmp_path / "none" / "file.txt")
