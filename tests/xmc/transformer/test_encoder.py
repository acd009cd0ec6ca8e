import json
import pickle
import shutil
import sys

import numpy as np
import pytest

from larix.xmc.progress import reporting
from larix.xmc.transformer import encoder as module
from larix.xmc.transformer.encoder import SentenceEncoder

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformer is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers

TEXTS = ["heart", "heart failure of the lung", "lung", "", "heart"]


@pytest.mark.parametrize("pooling", ["mean", "first", "pooler"])
def test_a_text_has_the_same_vector_in_any_batch(encoder_folder, pooling):
    together = SentenceEncoder(encoder_folder, pooling=pooling).embed(TEXTS)
    alone = SentenceEncoder(encoder_folder, pooling=pooling, batch_size=1, n_threads=1).embed(TEXTS)
    assert together.shape == (5, 16)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(together[0], together[4])
    assert not np.allclose(together[0], together[2], atol=1e-3)


@pytest.mark.parametrize("pooling", ["mean", "first", "pooler"])
def test_vectors_are_those_of_the_library(encoder_folder, pooling):
    model = transformers.AutoModel.from_pretrained(encoder_folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder_folder)
    with torch.inference_mode():
        output = model(**tokenizer(["heart failure of the lung"], return_tensors="pt"))
    expected = {
        "mean": output.last_hidden_state[0].mean(0),
        "first": output.last_hidden_state[0, 0],
        "pooler": output.pooler_output[0],
    }[pooling]
    found = SentenceEncoder(encoder_folder, pooling=pooling).embed(TEXTS)[1]
    np.testing.assert_allclose(found, expected / expected.norm(), atol=1e-5)


def test_long_texts_are_cut(encoder_folder):
    encoder = SentenceEncoder(encoder_folder, max_tokens=4)
    np.testing.assert_allclose(
        encoder.embed(["heart lung failure failure"]), encoder.embed(["heart lung"]), atol=1e-5
    )


def test_no_texts_have_no_vectors(encoder_folder):
    assert SentenceEncoder(encoder_folder).embed([]).shape == (0, 16)


def test_no_text_is_encoded_twice(encoder_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_TEXTS_PER_PART", 2)
    encoder = SentenceEncoder(encoder_folder, cache_folder=tmp_path)
    first = encoder.embed(TEXTS)
    encoded = count_encoded(monkeypatch)
    again = SentenceEncoder(encoder_folder, cache_folder=tmp_path)
    np.testing.assert_array_equal(again.embed(TEXTS[::-1]), first[::-1])
    assert encoded == []
    again.embed([*TEXTS, "skin", "wrist", "skin"])
    assert sum(encoded) == 2


def count_encoded(monkeypatch) -> list[int]:
    """Grows by the size of every batch that is encoded."""
    sizes, vectors = [], SentenceEncoder._vectors

    def counting(self, model, ids, mask):
        sizes.append(len(ids))
        return vectors(self, model, ids, mask)

    monkeypatch.setattr(SentenceEncoder, "_vectors", counting)
    return sizes


def test_encoding_that_was_cut_short_goes_on(encoder_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_TEXTS_PER_PART", 2)
    encoded, vectors = count_encoded(monkeypatch), SentenceEncoder._vectors

    def failing(self, model, ids, mask):
        if len(encoded) == 1:
            raise KeyboardInterrupt
        return vectors(self, model, ids, mask)

    encoder = SentenceEncoder(encoder_folder, cache_folder=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(SentenceEncoder, "_vectors", failing)
        with pytest.raises(KeyboardInterrupt):
            encoder.embed(TEXTS)
    found = encoder.embed(TEXTS)
    assert encoded == [2, 2]  # four different texts
    np.testing.assert_allclose(found, SentenceEncoder(encoder_folder).embed(TEXTS), atol=1e-5)


def test_parts_may_be_encoded_elsewhere_in_any_order(encoder_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_TEXTS_PER_PART", 3)
    elsewhere = pickle.loads(pickle.dumps(SentenceEncoder(encoder_folder)))
    asked = []

    def encode(parts):
        asked.extend(parts)
        for number in reversed(range(len(parts))):
            yield number, elsewhere.embed(parts[number])

    encoder = SentenceEncoder(encoder_folder, cache_folder=tmp_path)
    vectors = encoder.embed(TEXTS, encode=encode)
    assert asked == [["heart", "heart failure of the lung", "lung"], [""]]
    np.testing.assert_array_equal(vectors, SentenceEncoder(encoder_folder).embed(TEXTS))
    encoder.embed(TEXTS, encode=encode)
    assert len(asked) == 2


def test_known_texts_need_no_library(encoder_folder, tmp_path, monkeypatch):
    vectors = SentenceEncoder(encoder_folder, cache_folder=tmp_path).embed(TEXTS)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "transformers", None)
    known = SentenceEncoder(encoder_folder, cache_folder=tmp_path)
    np.testing.assert_array_equal(known.embed(TEXTS), vectors)
    with pytest.raises(ModuleNotFoundError, match=r"needs torch, .* run: pip install 'larix\[transformer\]'"):
        known.embed(["skin"])


def test_long_encoding_is_told_when_it_begins(encoder_folder, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "_TEXTS_TOLD", 1)
    encoder = SentenceEncoder(encoder_folder, cache_folder=tmp_path)
    encoder.embed(["skin"])
    with caplog.at_level("INFO"):
        encoder.embed(["skin", "a burn", "a rash"])
        encoder.embed(["skin", "a burn", "a rash"])
    begun = [record.getMessage() for record in caplog.records if record.getMessage().startswith("encoding")]
    assert begun == ["encoding 2 texts; 1 others are in the cache"]


def test_other_settings_and_other_weights_are_encoded_anew(encoder_folder, tmp_path):
    def digest(folder, **settings):
        return SentenceEncoder(folder, **settings).digest

    one = digest(encoder_folder)
    assert digest(encoder_folder, batch_size=3, n_threads=1) == one
    assert digest(encoder_folder, pooling="first") != one
    assert digest(encoder_folder, max_tokens=5) != one
    copied = shutil.copytree(encoder_folder, tmp_path / "copy")
    assert digest(copied) == one
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"1234")
    assert digest(copied) != one


def test_progress_is_told_batch_by_batch(encoder_folder):
    told = []

    class Bar:
        def __init__(self, description, total):
            told.append((description, total))

        def __enter__(self):
            return lambda steps=1: told.append(steps)

        def __exit__(self, *_):
            pass

    with reporting(Bar):
        SentenceEncoder(encoder_folder, batch_size=2).embed(TEXTS)
    assert told == [("encoding texts, part 1 of 1", 2), 1, 1]


def test_16_bits_are_used_only_where_the_hardware_is_made_for_them(encoder_folder, monkeypatch):
    exact = SentenceEncoder(encoder_folder).embed(TEXTS)
    monkeypatch.setattr(module, "computes_in_bfloat16", lambda *_: False)
    rounded = SentenceEncoder(encoder_folder, precision="bfloat16")
    np.testing.assert_array_equal(rounded.embed(TEXTS), exact)
    monkeypatch.setattr(module, "computes_in_bfloat16", lambda *_: True)
    found = rounded.embed(TEXTS)
    assert not np.array_equal(found, exact)
    np.testing.assert_allclose(found, exact, atol=0.05)


def test_the_threads_of_torch_stay_as_they_were(encoder_folder):
    before = torch.get_num_threads()
    SentenceEncoder(encoder_folder, n_threads=before + 1).embed(TEXTS)
    assert torch.get_num_threads() == before


def test_code_of_a_model_is_not_run(encoder_folder, tmp_path):
    folder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    (folder / "model.py").write_text("raise SystemExit('this code was run')")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoModel": "model.Own", "AutoConfig": "model.Own"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises((ValueError, OSError)):
        SentenceEncoder(folder).embed(TEXTS)


def test_weights_that_may_run_code_are_refused(encoder_folder, tmp_path):
    folder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"must hold weights as \*\.safetensors"):
        SentenceEncoder(folder)


def test_bad_choices_are_refused(encoder_folder):
    with pytest.raises(ValueError, match="pooling must be one of mean, first, pooler, but is 'cls'"):
        SentenceEncoder(encoder_folder, pooling="cls")
    with pytest.raises(ValueError, match="precision must be one of float32, bfloat16"):
        SentenceEncoder(encoder_folder, precision="float16")


def test_an_encoder_without_pooler_says_so(encoder_folder):
    encoder = SentenceEncoder(encoder_folder, pooling="pooler")
    encoder._loaded[0].pooler = None
    with pytest.raises(ValueError, match="the encoder has no pooler; choose pooling mean or first"):
        encoder.embed(TEXTS)
