import numpy as np
import pytest

from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.trainable_encoder import TrainableEncoder

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers


@pytest.fixture
def encoder(encoder_folder):
    return SentenceEncoder(encoder_folder, max_tokens=12, n_threads=1)


def trained(encoder):
    return {name for name, parameter in encoder.model.named_parameters() if parameter.requires_grad}


def test_all_parameters_are_trained_unless_layers_are_named(encoder):
    assert trained(TrainableEncoder(encoder)) == set(TrainableEncoder(encoder).model.state_dict())


def test_only_the_last_layers_are_trained(encoder):
    last = trained(TrainableEncoder(encoder, trained_layers=1))
    assert {name.split(".")[0] for name in last} == {"encoder", "pooler"}
    assert all(name.startswith(("encoder.layer.1.", "pooler.")) for name in last)
    both = trained(TrainableEncoder(encoder, trained_layers=2))
    assert {name for name in both if name.startswith("encoder.layer.0.")}
    assert not any(name.startswith("embeddings.") for name in both)


def test_gradients_stop_at_frozen_layers(encoder):
    tuned = TrainableEncoder(encoder, trained_layers=1)
    tuned.vectors(*tuned.tokens(["heart failure"]).batch(np.array([0]))).sum().backward()
    given = {name for name, parameter in tuned.model.named_parameters() if parameter.grad is not None}
    assert given == {name for name in trained(tuned) if not name.startswith("pooler.")}


def test_token_ids_lie_in_files_of_the_cache_if_there_is_one(encoder_folder, tmp_path):
    texts = ["heart failure", "lung"]

    def tokens(max_tokens, **cache):
        encoder = SentenceEncoder(encoder_folder, max_tokens=max_tokens, n_threads=1, **cache)
        return TrainableEncoder(encoder).tokens(texts)

    for max_tokens in (12, 3, 12):
        kept, plain = tokens(max_tokens, cache_folder=tmp_path), tokens(max_tokens)
        np.testing.assert_array_equal(kept.ids, plain.ids)
        np.testing.assert_array_equal(kept.ends, plain.ends)
        assert plain.ids.flags.writeable
        assert not kept.ids.flags.writeable
    assert len(list(tmp_path.glob("*/*"))) == 2


def test_an_encoder_with_fewer_layers_trains_all_of_them(encoder):
    assert trained(TrainableEncoder(encoder, trained_layers=3)) == trained(
        TrainableEncoder(encoder, trained_layers=2)
    )
