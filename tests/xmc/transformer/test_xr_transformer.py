import numpy as np
import pytest

from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_representation import represent_labels
from larix.xmc.sparse import check_csr
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.level_training import LevelTrainer, LevelTrainingParams
from larix.xmc.transformer.trainable_encoder import TrainableEncoder
from larix.xmc.transformer.xr_transformer import XRTransformerParams, fine_tune_levels

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers

WORDS = ["heart", "lung", "skin", "wrist", "chest", "bone", "cough", "rash"]
TEXTS = [f"{word} {rest}" for word in WORDS for rest in ("pain", "failure", "infection", "of the")]
Y = check_csr(np.repeat(np.eye(8), 4, axis=0))
TRAINING = LevelTrainingParams(steps=40, batch_size=8, learning_rate=5e-3, head_learning_rate=0.05)


@pytest.fixture(scope="module")
def tree():
    X = TextFeatures(n_threads=1).fit_transform(TEXTS)
    return cluster_labels(represent_labels(X, Y), ClusteringParams(branching=2, max_leaf_size=2))


def tune(encoder_folder, tree, **params):
    encoder = SentenceEncoder(encoder_folder, max_tokens=12, n_threads=1)
    options = {name: params.pop(name) for name in list(params) if name.startswith(("checkpoint", "watch"))}
    given = XRTransformerParams(**{"training": TRAINING, **params})
    return fine_tune_levels(encoder, TEXTS, Y, tree, given, **options, n_threads=1)


def recall(tuned, tree, level, beam_size):
    E = tuned.encoder.embed(tuned.encoder.tokens(TEXTS))
    found = tuned.predict(E, tree, beam_size=beam_size)[level]
    true = tree.node_targets(Y)[level]
    return found.multiply(true).nnz / true.nnz


@pytest.mark.parametrize("start", ["linear", "inherit", "fresh"])
@pytest.mark.parametrize("negatives", ["tfn", "tfn+man"])
def test_every_level_is_learnt(encoder_folder, tree, start, negatives):
    assert [tree.n_nodes(level) for level in range(tree.depth)] == [2, 4, 8]
    tuned = tune(encoder_folder, tree, start=start, negatives=negatives, beam_size=2)
    assert [len(losses) for losses in tuned.losses] == [40, 40, 40]
    assert recall(tuned, tree, 2, beam_size=4) > 0.8
    for losses in tuned.losses if start == "fresh" else tuned.losses[:1]:
        assert np.mean(losses[-5:]) < np.mean(losses[:5])


@pytest.mark.parametrize("negatives", ["tfn", "tfn+man"])
def test_levels_are_learnt_together(encoder_folder, tree, negatives):
    tuned = tune(encoder_folder, tree, joint=True, negatives=negatives, beam_size=2)
    assert [len(losses) for losses in tuned.losses] == [40]
    assert np.mean(tuned.losses[0][-5:]) < np.mean(tuned.losses[0][:5])
    assert recall(tuned, tree, 0, beam_size=1) > 0.9  # the first head isn't left behind
    assert recall(tuned, tree, 2, beam_size=4) > 0.8


def test_training_is_watched_and_goes_on_as_if_it_were_not(encoder_folder, tree):
    seen = []

    def watch(tuned, step):
        seen.append((len(tuned.heads), step))
        tuned.encoder.embed(tuned.encoder.tokens(TEXTS[:3]))

    short = LevelTrainingParams(steps=3, batch_size=8)
    watched, alone = (tune(encoder_folder, tree, training=short, **more) for more in ({"watch": watch}, {}))
    assert seen == [(level, step) for level in (1, 2, 3) for step in range(4)]
    assert watched.losses == alone.losses


def test_only_the_layers_that_are_named_are_trained(encoder_folder, tree):
    tuned = tune(encoder_folder, tree, joint=True, trained_layers=1)
    before = SentenceEncoder(encoder_folder, max_tokens=12).load()[0].state_dict()
    changed = {
        name for name, now in tuned.encoder.model.state_dict().items() if not torch.equal(now, before[name])
    }
    assert changed
    assert all(name.startswith("encoder.layer.1.") for name in changed)


def test_levels_with_too_many_nodes_and_without_steps_are_left_out(encoder_folder, tree):
    still = LevelTrainingParams(steps=0)
    tuned = tune(encoder_folder, tree, max_clusters=4, training=(still, still))
    assert tuned.losses == [[], []]
    before = SentenceEncoder(encoder_folder, max_tokens=12).embed(TEXTS)
    np.testing.assert_allclose(tuned.encoder.embed(tuned.encoder.tokens(TEXTS)), before, atol=1e-5)
    with pytest.raises(ValueError, match="training must be one value or one for each of the 2 levels"):
        tune(encoder_folder, tree, max_clusters=4, training=(still,))
    with pytest.raises(ValueError, match="max_clusters must allow a level, but is 1"):
        tune(encoder_folder, tree, max_clusters=1)


def test_a_linear_start_is_better_than_none(encoder_folder, tree):
    still = LevelTrainingParams(steps=0)
    linear, fresh = (tune(encoder_folder, tree, start=start, training=still) for start in ("linear", "fresh"))
    assert recall(linear, tree, 2, beam_size=1) > recall(fresh, tree, 2, beam_size=1) + 0.3


@pytest.mark.parametrize("joint", [False, True])
def test_a_run_that_was_cut_short_ends_as_an_undisturbed_one(
    encoder_folder, tree, tmp_path, monkeypatch, joint
):
    settings = {"negatives": "tfn+man", "joint": joint}
    whole, do_step = tune(encoder_folder, tree, **settings), LevelTrainer._do_step

    def failing(self):
        if self.heads[-1][1].level == (2 if joint else 1) and self.step == 10:
            raise KeyboardInterrupt
        return do_step(self)

    with monkeypatch.context() as patch:
        patch.setattr(LevelTrainer, "_do_step", failing)
        with pytest.raises(KeyboardInterrupt):
            tune(encoder_folder, tree, **settings, checkpoint_folder=tmp_path, checkpoint_steps=6)
    resumed = tune(encoder_folder, tree, **settings, checkpoint_folder=tmp_path, checkpoint_steps=6)
    assert len(list(tmp_path.iterdir())) == 1
    assert resumed.losses == whole.losses
    for name, tensor in whole.encoder.model.state_dict().items():
        assert torch.equal(tensor, resumed.encoder.model.state_dict()[name]), name


def test_a_level_that_was_begun_is_not_prepared_again(encoder_folder, tree, tmp_path, monkeypatch):
    whole, do_step, embed = tune(encoder_folder, tree), LevelTrainer._do_step, TrainableEncoder.embed
    encoded = []

    def failing(self):
        if self.step == 10 and self.heads[-1][1].level == 1:
            raise KeyboardInterrupt
        return do_step(self)

    def counting(self, tokens, **options):
        encoded.append(len(tokens))
        return embed(self, tokens, **options)

    with monkeypatch.context() as patch:
        patch.setattr(LevelTrainer, "_do_step", failing)
        with pytest.raises(KeyboardInterrupt):
            tune(encoder_folder, tree, checkpoint_folder=tmp_path, checkpoint_steps=5)
    monkeypatch.setattr(TrainableEncoder, "embed", counting)
    resumed = tune(encoder_folder, tree, checkpoint_folder=tmp_path, checkpoint_steps=5)
    assert len(encoded) == 1  # before the third level
    assert resumed.losses == whole.losses


def test_checkpoints_of_another_training_are_deleted_and_nothing_else(encoder_folder, tree, tmp_path):
    (tmp_path / "notes").mkdir()
    short = LevelTrainingParams(steps=1, batch_size=8)
    for max_candidates in (3, 4):
        tune(encoder_folder, tree, training=short, max_candidates=max_candidates, checkpoint_folder=tmp_path)
    (own,) = (folder for folder in tmp_path.iterdir() if folder.name != "notes")
    assert sorted(folder.name for folder in own.iterdir()) == ["level_0", "level_1", "level_2"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"start": "ridge"}, "start must be one of linear, inherit, fresh"),
        ({"negatives": "usn"}, "negatives must be one of tfn, man, tfn"),
        ({"beam_size": 0}, "beam_size must be at least 1, but is 0"),
        ({"trained_layers": 0}, "trained_layers must be at least 1, but is 0"),
        (
            {"joint": True, "training": (TRAINING, LevelTrainingParams())},
            "training must be the same for levels",
        ),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        XRTransformerParams(**params)
