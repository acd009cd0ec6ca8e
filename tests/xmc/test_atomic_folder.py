import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from larix.xmc.atomic_folder import abandoned_predecessor, replacing_folder

CRASH = """
import os, sys, time
from pathlib import Path
import larix.xmc.atomic_folder as atomic

path, moment = Path(sys.argv[1]), sys.argv[2]

def stop():
    print("here", flush=True)
    time.sleep(60)

if moment == "between the renames":
    rename = Path.rename
    def renaming(source, target):
        if str(source).endswith(".tmp"):
            stop()
        return rename(source, target)
    Path.rename = renaming
if moment == "before deleting the old":
    atomic.shutil.rmtree = lambda *args, **kwargs: stop()
if moment == "while flushing":
    os.fsync = lambda descriptor: stop()

with atomic.replacing_folder(path, replaceable=lambda folder: True) as folder:
    (folder / "a").write_text("new")
    if moment == "while writing":
        stop()
    (folder / "b").write_text("new")
"""


def write(path: Path, text: str) -> None:
    with replacing_folder(path, replaceable=lambda _: True) as folder:
        (folder / "a").write_text(text)
        (folder / "b").write_text(text)


def read(path: Path) -> list[str]:
    return [(path / name).read_text() for name in ("a", "b")]


def kill_writer(path: Path, moment: str) -> None:
    """Start a writer in its own process and kill it at the named moment."""
    command = [sys.executable, "-c", CRASH, str(path), moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "here\n"
        writer.send_signal(signal.SIGKILL)


def test_the_folder_appears_at_the_end_and_not_before(tmp_path):
    with replacing_folder(tmp_path / "new", replaceable=lambda _: True) as folder:
        (folder / "a").write_text("half")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "a").read_text() == "half"
    assert os.listdir(tmp_path) == ["new"]


def test_missing_parents_are_made(tmp_path):
    write(tmp_path / "deep" / "er" / "folder", "new")
    assert read(tmp_path / "deep" / "er" / "folder") == ["new", "new"]


def fail_to_write(path: Path) -> None:
    with replacing_folder(path, replaceable=lambda _: True) as folder:
        (folder / "a").write_text("new")
        raise RuntimeError("the disk is full")


def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path):
    write(tmp_path / "folder", "old")
    with pytest.raises(RuntimeError, match="the disk is full"):
        fail_to_write(tmp_path / "folder")
    assert read(tmp_path / "folder") == ["old", "old"]
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
@pytest.mark.parametrize(
    ("moment", "kept"),
    [
        ("while writing", "old"),
        ("while flushing", "old"),
        ("between the renames", None),
        ("before deleting the old", "new"),
    ],
)
def test_a_killed_writer_leaves_a_whole_folder_or_none(tmp_path, moment, kept):
    path = tmp_path / "folder"
    write(path, "old")
    kill_writer(path, moment)
    if kept is None:
        assert not path.exists()
        predecessor = abandoned_predecessor(path)
        assert predecessor is not None
        assert read(predecessor) == ["old", "old"]
    else:
        assert read(path) == [kept, kept]

    with pytest.raises(RuntimeError, match="the disk is full"):
        fail_to_write(path)
    assert read(path) == [kept or "old"] * 2, (
        "the next writer puts the old folder back, even if it fails itself"
    )
    assert os.listdir(tmp_path) == ["folder"]


def test_a_writer_at_work_is_not_taken_for_dead(tmp_path):
    with replacing_folder(tmp_path / "folder", replaceable=lambda _: True) as slow:
        write(tmp_path / "folder", "quick")
        (slow / "a").write_text("slow")
        (slow / "b").write_text("slow")
        assert read(tmp_path / "folder") == ["quick", "quick"]
    assert read(tmp_path / "folder") == ["slow", "slow"]
    assert os.listdir(tmp_path) == ["folder"]


def test_without_locks_only_old_temporaries_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr("larix.xmc.atomic_folder.fcntl", None)
    young, old = tmp_path / ".folder.00000000.tmp", tmp_path / ".folder.11111111.tmp"
    young.mkdir()
    old.mkdir()
    os.utime(old, (time.time() - 90_000,) * 2)
    write(tmp_path / "folder", "new")
    assert sorted(os.listdir(tmp_path)) == [".folder.00000000.tmp", "folder"]


def test_other_names_are_left_alone(tmp_path):
    others = [".folder.tmp", ".folder2.00000000.tmp", "folder.00000000.tmp", ".folder.0000000g.old"]
    for name in others:
        (tmp_path / name).mkdir()
    write(tmp_path / "folder", "new")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "folder"])


def test_what_must_not_be_replaced_is_not(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").touch()
    with (
        pytest.raises(FileExistsError, match="mine holds something else"),
        replacing_folder(tmp_path / "mine", replaceable=lambda _: False),
    ):
        pass
    assert (tmp_path / "mine" / "thesis").exists()


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(FileExistsError, match="file is a file; name a folder"),
        replacing_folder(tmp_path / "file", replaceable=lambda _: True),
    ):
        pass


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    with replacing_folder(tmp_path / "empty", replaceable=lambda _: False) as folder:
        (folder / "a").touch()
    assert os.listdir(tmp_path / "empty") == ["a"]


def test_two_writers_that_end_together_leave_one_whole_folder(tmp_path):
    path = tmp_path / "folder"
    script = (
        "import sys; from pathlib import Path; from larix.xmc.atomic_folder import replacing_folder\n"
        "for _ in range(40):\n"
        "    with replacing_folder(Path(sys.argv[1]), replaceable=lambda f: True) as folder:\n"
        "        [(folder / name).write_text(sys.argv[2]) for name in 'ab']\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), name]) for name in ("one", "two")]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert read(path) in (["one", "one"], ["two", "two"])
    assert os.listdir(tmp_path) == ["folder"]
