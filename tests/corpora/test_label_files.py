import gzip

import pytest

from larix.corpora import CorpusFormatError
from larix.corpora.label_files import read_label_files, read_numbered_labels


def write(folder, content, name="names.tsv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_the_first_file_that_names_a_label_counts(tmp_path):
    english = write(tmp_path, "http://id/1\tfox\r\nhttp://id/2\t\n", "en.tsv")
    german = write(tmp_path, gzip.compress(b"gnd:1\tFuchs\ngnd:3\tHimmel\textra\n\n"), "de.tsv.gz")
    names = read_label_files([english, german], prefixes={"http://id/": "gnd:"})
    assert names == {"gnd:1": "fox", "gnd:2": "", "gnd:3": "Himmel\textra"}


def test_a_line_without_a_tab_is_refused(tmp_path):
    with pytest.raises(CorpusFormatError, match=r"names\.tsv:2:6: a line is an identifier, a tab and a name"):
        read_label_files([write(tmp_path, "a\tA\nb, B \n")])


def test_numbered_names_stand_one_in_a_line(tmp_path):
    path = write(tmp_path, "zero\n\ntwo\n\n\n")
    assert read_numbered_labels(path, 3) == ["zero", "", "two"]
    assert read_numbered_labels(path, None) == ["zero", "", "two"]
    assert read_numbered_labels(path, 4) == ["zero", "", "two", ""]


def test_numbered_names_may_have_another_encoding(tmp_path):
    path = write(tmp_path, "Müller\n".encode("latin-1"))
    assert read_numbered_labels(path, 1, encoding="latin-1") == ["Müller"]
    with pytest.raises(CorpusFormatError, match=r"names\.tsv:1:2: text is UTF-8"):
        read_numbered_labels(path, 1)
