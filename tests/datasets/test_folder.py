import pytest
from kedro.io import DatasetError

from larix.datasets import FolderDataset


def test_its_place_is_loaded_whether_it_is_there_or_not(tmp_path):
    dataset = FolderDataset(filepath=str(tmp_path / "cache"), affects_results=False)
    assert dataset.load() == tmp_path / "cache"
    assert not dataset.exists()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "piece").write_bytes(b"x" * 200_000)
    assert dataset.exists()
    assert dataset.fingerprint() == ""
    assert dataset.preview() == '{"files": 1, "megabytes": 0.2}'


def test_it_is_not_saved_as_a_whole(tmp_path):
    with pytest.raises(DatasetError, match="a folder that nodes write to themselves"):
        FolderDataset(filepath=str(tmp_path / "cache")).save(tmp_path)
