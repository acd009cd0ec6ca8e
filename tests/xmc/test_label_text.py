import importlib.util

import numpy as np
import pytest

from larix.xmc.label_text import LabelTextParams, embed_label_texts
from larix.xmc.text_features import NgramParams, TextFeatures, TextFeaturesParams

TEXTS = ["heart failure", "lung infection", "xyz"]
WORDS_ONLY = TextFeaturesParams(NgramParams(longest=1), None)


@pytest.fixture
def text_features():
    return TextFeatures(WORDS_ONLY).fit(["failure of the heart", "infected lung", "heart and lung"])


def test_features_of_the_documents_are_shared(text_features):
    Z = embed_label_texts(TEXTS, text_features=text_features)
    assert Z.shape == (3, text_features.n_features_)
    np.testing.assert_allclose(Z.toarray(), text_features.transform(TEXTS).toarray())
    assert Z[[2]].nnz == 0


def test_own_features_take_the_parameters_of_the_documents(text_features):
    Z = embed_label_texts(TEXTS, LabelTextParams("own_features"), text_features=text_features)
    assert Z.shape == (3, 5)  # heart, failure, lung, infection, xyz
    np.testing.assert_allclose(np.linalg.norm(Z.toarray(), axis=1), 1, atol=1e-6)
    own = TextFeatures(WORDS_ONLY).fit_transform(TEXTS)
    assert (abs(Z - own) > 1e-6).nnz == 0
    with_characters = embed_label_texts(TEXTS, LabelTextParams("own_features"))
    assert with_characters.shape[1] > 5


def test_word_vectors_come_from_a_folder(tmp_path):
    (tmp_path / "w.vec").write_text("2 2\nheart 1 0\nlung 0 1\n")
    params = LabelTextParams("word_vectors", folder=str(tmp_path))
    np.testing.assert_allclose(embed_label_texts(TEXTS, params), [[1, 0], [0, 1], [0, 0]])
    assert [file.name for file in params.source_files()] == ["w.vec"]
    assert [file.name for file in LabelTextParams(folder=str(tmp_path / "w.vec")).source_files()] == ["w.vec"]
    assert LabelTextParams().source_files() == []


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed")
def test_without_its_libraries_the_encoder_names_the_extra(tmp_path):
    (tmp_path / "config.json").write_text('{"hidden_size": 4}')
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ModuleNotFoundError, match=r"needs torch, .* run: pip install 'larix\[transformer\]'"):
        embed_label_texts(TEXTS, LabelTextParams("sentence_encoder", folder=str(tmp_path)))


def test_an_encoder_must_lie_in_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no encoder"):
        embed_label_texts(TEXTS, LabelTextParams("sentence_encoder", folder=str(tmp_path)))


def test_the_vectorizer_of_the_documents_must_be_given():
    with pytest.raises(ValueError, match="needs the documents' vectorizer"):
        embed_label_texts(TEXTS)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"source": "word_vector"}, "did you mean 'word_vectors'"),
        ({"source": "word_vectors"}, "needs a local folder, but folder is None"),
        ({"pooling": "max"}, "pooling must be one of mean, first"),
        ({"batch_size": 0}, "batch_size must be at least 1, but is 0"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        LabelTextParams(**params)
