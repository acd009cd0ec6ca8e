import numpy as np
import pytest
import scipy.sparse as sp

from larix.xmc.transformer.contrastive import ContrastiveParams
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.layered_encoder import LayeredEncoder
from larix.xmc.transformer.top_layer_training import TopLayerParams, tune_top_layers

pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers

NAMES = ["heart failure", "bone fracture", "skin rash", "lung infection"]
OWN = [
    ["heart pain", "pain of the heart"], ["fracture of the wrist", "wrist bone"],
    ["rash of the skin", "the skin"], ["cough", "infection of the lung"],
]  # fmt: skip
TEXTS = [text for texts in OWN for text in texts]
Y = sp.csr_array(np.repeat(np.eye(4, dtype=np.float32), 2, axis=0))
START = ContrastiveParams(epochs=1, n_negatives=1, n_mined=2)
PARAMS = TopLayerParams(n_layers=1, steps=30, batch_size=4, learning_rate=0.01)


@pytest.fixture
def encoder(encoder_folder):
    return SentenceEncoder(encoder_folder, n_threads=1)


def test_documents_come_near_the_names_of_their_labels(encoder):
    def hits(tuned):
        E, N = (LayeredEncoder(encoder, 1, tuned).embed(texts)[-1] for texts in (TEXTS, NAMES))
        return np.mean((E @ N.T).argmax(axis=1) == np.repeat(np.arange(4), 2))

    tuned = tune_top_layers(encoder, TEXTS, Y, NAMES, PARAMS, START, n_threads=1)
    assert len(tuned.losses) == 30
    assert np.mean(tuned.losses[-5:]) < np.mean(tuned.losses[:5]) / 2
    assert hits(tuned) == 1 > hits(None)


def test_a_seed_gives_the_same_layers(encoder):
    one, same, other = (
        tune_top_layers(encoder, TEXTS, Y, NAMES, PARAMS, START, random_state=seed, n_threads=1)
        for seed in (0, 0, 1)
    )
    assert one.digest == same.digest != other.digest


def test_the_encoder_stays_as_it_is(encoder):
    before = encoder.embed(TEXTS)
    tune_top_layers(encoder, TEXTS, Y, NAMES, PARAMS, START, n_threads=1)
    np.testing.assert_array_equal(encoder.embed(TEXTS), before)


def test_labels_without_names_teach_nothing(encoder):
    tuned = tune_top_layers(encoder, TEXTS, Y, [""] * 4, PARAMS, START, n_threads=1)
    assert tuned.losses == ()
    own, second = LayeredEncoder(encoder, 1, tuned).embed(TEXTS)
    np.testing.assert_allclose(own, second, atol=1e-6)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"steps": 0}, "steps must be positive, but is 0"),
        ({"n_layers": -1}, "n_layers must not be negative, but is -1"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        TopLayerParams(**params)
