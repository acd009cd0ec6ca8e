"""A tiny encoder with random weights, made on the spot; only where the extra is installed."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformer is not installed")

from larix.xmc.sentence_encoder import SentenceEncoder  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("encoder")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "heart", "lung", "failure"]
    (path / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    transformers.BertModel(config).save_pretrained(path)
    transformers.BertTokenizer(str(path / "vocab.txt")).save_pretrained(path)
    return path


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_a_text_has_the_same_vector_in_any_batch(folder, pooling):
    texts = ["heart", "heart failure of the lung", "lung", ""]
    together = SentenceEncoder(folder, pooling=pooling).embed(texts)
    alone = SentenceEncoder(folder, pooling=pooling, batch_size=1, n_threads=1).embed(texts)
    assert together.shape == (4, 16)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert not np.allclose(together[0], together[2])


def test_long_texts_are_cut(folder):
    encoder = SentenceEncoder(folder, max_tokens=4)
    np.testing.assert_allclose(
        encoder.embed(["heart lung failure failure"]), encoder.embed(["heart lung"]), atol=1e-5
    )


def test_code_of_a_model_is_not_run(folder, tmp_path):
    (tmp_path / "model.py").write_text("raise SystemExit('this code was run')")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoModel": "model.Own", "AutoConfig": "model.Own"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises((ValueError, OSError)):
        SentenceEncoder(tmp_path)
