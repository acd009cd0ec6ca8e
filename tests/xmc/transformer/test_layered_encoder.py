from unittest.mock import patch

import numpy as np
import pytest

from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.layered_encoder import LayeredEncoder
from larix.xmc.transformer.top_layers import TopLayers

pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers

TEXTS = ["fracture of the wrist", "cough", "chest pain", "heart failure", "cough", "skin rash of the chest"]


def changed_layers(encoder, seed=1):
    """The encoder's top layer with noise, and a random map."""
    rng, (_, upper, _) = np.random.default_rng(seed), LayeredEncoder(encoder, 1).parts
    weights = {
        name: (tensor.numpy() + rng.normal(size=tensor.shape) / 4).astype(np.float32)
        for name, tensor in upper.state_dict().items()
    }
    d = encoder.dimension
    return TopLayers(1, weights, rng.normal(size=(d, d)).astype(np.float32), encoder.files.digest)


@pytest.fixture
def encoder(encoder_folder, tmp_path):
    return SentenceEncoder(encoder_folder, batch_size=2, cache_folder=tmp_path / "cache")


@pytest.mark.parametrize("pooling", ["mean", "first", "pooler"])
def test_its_first_vectors_are_the_encoders_own(encoder_folder, pooling):
    encoder = SentenceEncoder(encoder_folder, pooling=pooling)
    (own,) = LayeredEncoder(encoder, 1).embed(TEXTS)
    np.testing.assert_allclose(own, encoder.embed(TEXTS), atol=1e-3)  # 16 bits between the layers


def test_untuned_layers_and_the_identity_give_the_same_twice(encoder):
    _, upper, _ = LayeredEncoder(encoder, 1).parts
    weights = {name: tensor.numpy() for name, tensor in upper.state_dict().items()}
    untuned = TopLayers(1, weights, np.eye(encoder.dimension, dtype=np.float32), encoder.files.digest)
    own, second = LayeredEncoder(encoder, 1, untuned).embed(TEXTS)
    np.testing.assert_allclose(own, second, atol=1e-6)


def test_tuned_layers_and_their_map_give_other_vectors_from_the_same_pass(encoder):
    tuned = changed_layers(encoder)
    layered = LayeredEncoder(encoder, 1, tuned)
    with patch.object(layered, "_begin", wraps=layered._begin) as begun:
        own, second = layered.embed(TEXTS)
    assert begun.call_count == 1
    np.testing.assert_allclose(own, encoder.embed(TEXTS), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(second, axis=1), 1, atol=1e-5)
    assert np.abs(own - second).max() > 0.1
    unmapped = TopLayers(1, tuned.weights, np.eye(16, dtype=np.float32), tuned.encoder_digest)
    _, before = LayeredEncoder(encoder, 1, unmapped).embed(TEXTS)
    mapped = before @ tuned.projection.T
    np.testing.assert_allclose(second, mapped / np.linalg.norm(mapped, axis=1, keepdims=True), atol=1e-5)


def test_nothing_is_encoded_twice(encoder):
    LayeredEncoder(encoder, 1, keeps_states=True).embed(TEXTS)
    tuned = changed_layers(encoder)
    first = LayeredEncoder(encoder, 1, tuned)
    with patch.object(first, "_begin", side_effect=AssertionError("states are kept")):
        both = first.embed(TEXTS)
    again = LayeredEncoder(encoder, 1, tuned)
    with patch.object(again, "_states", side_effect=AssertionError("vectors are kept")):
        for old, new in zip(both, again.embed(TEXTS[::-1]), strict=True):
            np.testing.assert_array_equal(new[::-1], old)


def test_states_are_kept_only_if_wished(encoder, tmp_path):
    LayeredEncoder(encoder, 1).embed(TEXTS)
    n = len(list((tmp_path / "cache").iterdir()))
    LayeredEncoder(encoder, 1, keeps_states=True).embed(TEXTS)
    assert len(list((tmp_path / "cache").iterdir())) == n + 1


def test_layers_of_another_encoder_are_refused(encoder):
    tuned = changed_layers(encoder)
    other = TopLayers(1, tuned.weights, tuned.projection, "another")
    with pytest.raises(ValueError, match="1 of another encoder than"):
        LayeredEncoder(encoder, 1, other)


def test_top_layers_come_back_without_torch(encoder, tmp_path):
    tuned = changed_layers(encoder)
    tuned.save(tmp_path / "top")
    loaded = TopLayers.load(tmp_path / "top")
    assert loaded.digest == tuned.digest != changed_layers(encoder, seed=2).digest
    for one, other in zip(
        LayeredEncoder(encoder, 1, loaded).embed(TEXTS),
        LayeredEncoder(encoder, 1, tuned).embed(TEXTS),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
