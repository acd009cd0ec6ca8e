import json

import pytest

from larix.xmc.transformer.encoder_files import EncoderFiles, find_encoder
from larix.xmc.transformer.encoder_params import EncoderParams


@pytest.fixture
def folder(tmp_path):
    """What looks like an encoder, with files that don't belong to it."""
    path = tmp_path / "encoder"
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"hidden_size": 4}))
    for name in ("model.safetensors", "tokenizer.json", "vocab.txt", "README.md", "code.py"):
        (path / name).write_text(name)
    return path


def test_only_known_files_belong_to_an_encoder(folder):
    names = [path.name for path in EncoderFiles(folder).paths]
    assert names == ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"]


def test_the_hidden_size_has_many_names(folder):
    assert EncoderFiles(folder).hidden_size == 4
    (folder / "config.json").write_text(json.dumps({"dim": 6}))
    assert EncoderFiles(folder).hidden_size == 6
    (folder / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="must give one of hidden_size, d_model, dim, but has none"):
        EncoderFiles(folder).hidden_size  # noqa: B018


def test_a_saved_encoder_has_the_same_digest(folder, tmp_path):
    EncoderFiles(folder).save(tmp_path / "saved")
    saved = EncoderFiles(tmp_path / "saved")
    assert saved.digest == EncoderFiles(folder).digest
    assert not (tmp_path / "saved" / "code.py").exists()
    (tmp_path / "saved" / "vocab.txt").write_text("other")
    assert EncoderFiles(tmp_path / "saved").digest != EncoderFiles(folder).digest


def test_a_package_is_found_but_not_run(folder, tmp_path, monkeypatch):
    package = tmp_path / "carrier"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('this code was run')")
    folder.rename(package / "model")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_encoder("model", package="carrier") == package / "model"
    params = EncoderParams("model", package="carrier")
    assert params.source_files()[0].name == "config.json"
    with pytest.raises(ModuleNotFoundError, match="'no_such_carrier', which should carry the encoder"):
        find_encoder("model", package="no_such_carrier")
    assert EncoderParams("model", package="no_such_carrier").source_files() == []


def test_a_name_is_not_downloaded_unless_asked(monkeypatch):
    asked = []

    class Hub:
        @staticmethod
        def snapshot_download(name, allow_patterns):
            asked.append((name, "*.bin" in allow_patterns))
            return "downloaded"

    monkeypatch.setattr("larix.xmc.transformer.encoder_files.import_hub", lambda: Hub)
    with pytest.raises(FileNotFoundError, match="org/model is no local folder; check the path, or allow"):
        find_encoder("org/model")
    assert EncoderParams("org/model", download=True).source_files() == []
    assert asked == []
    assert str(find_encoder("org/model", download=True)) == "downloaded"
    assert asked == [("org/model", False)]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pooling": "max"}, "pooling must be one of mean, first, pooler, but is 'max'"),
        ({"precision": "half"}, "precision must be one of float32, bfloat16, but is 'half'"),
        ({"max_tokens": 0}, "max_tokens must be at least 1, but is 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, but is 0"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        EncoderParams("folder", **params)
