"""Files are written whole or not at all."""

import os
import time

import pytest

from larix import atomic_file
from larix.atomic_file import write_atomically


def test_content_replaces_what_was_there(tmp_path):
    path = tmp_path / "new" / "folder" / "file.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing):
    path = tmp_path / "file.json"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    target = atomic_file.os if failing == "fsync" else atomic_file.Path
    monkeypatch.setattr(target, failing, fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_temporaries_of_dead_writers_are_deleted_after_a_day(tmp_path):
    path = tmp_path / "file.json"
    dead, alive = tmp_path / ".file.json.0123abcd.tmp", tmp_path / ".file.json.89abcdef.tmp"
    other = tmp_path / ".other.json.0123abcd.tmp"
    for temporary in (dead, alive, other):
        temporary.touch()
    yesterday = time.time() - 25 * 3600
    for temporary in (dead, other):
        os.utime(temporary, (yesterday, yesterday))
    write_atomically(path, b"new")
    assert set(tmp_path.iterdir()) == {path, alive, other}
