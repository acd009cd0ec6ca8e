import numpy as np
import pytest

from larix.xmc.label_tree import LabelTree
from larix.xmc.persistence import ModelFolderError
from larix.xmc.sparse import check_csr
from larix.xmc.transformer.candidate_head import CandidateHead
from larix.xmc.transformer.candidates import CandidateSampler
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.level_training import LevelTrainer, LevelTrainingParams
from larix.xmc.transformer.trainable_encoder import TrainableEncoder

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers

TOPICS = [["heart", "chest pain"], ["lung", "cough"], ["skin rash", "rash"], ["wrist bone", "fracture"]]
TEXTS = [
    f"{text} {extra}".strip() for texts in TOPICS for text in texts for extra in ("", "of the", "failure")
]
Y = check_csr(np.repeat(np.eye(4), 6, axis=0))
TREE = LabelTree((np.array([0, 4]),), np.arange(4), 4)


def trainer(encoder_folder, **params):
    encoder = TrainableEncoder(SentenceEncoder(encoder_folder, max_tokens=12))
    sampler = CandidateSampler(TREE, 0, check_csr(np.ones((24, 1))), Y, 4)
    head = CandidateHead.fresh(4, 16, np.random.default_rng(0))
    given = {"steps": 30, "batch_size": 8, "learning_rate": 5e-3, "head_learning_rate": 0.1, **params}
    return LevelTrainer(
        encoder, [(head, sampler)], encoder.tokens(TEXTS), LevelTrainingParams(**given), n_threads=1
    )


def accuracy(trained):
    E, head = trained.encoder.embed(trained.tokens), trained.heads[0][0].to_arrays()
    return np.mean((E @ head["weight"].T + head["bias"]).argmax(axis=1) == Y.indices)


@pytest.mark.parametrize("loss", ["squared_hinge", "hinge", "logistic"])
def test_training_tells_topics_apart(encoder_folder, loss):
    trained = trainer(encoder_folder, loss=loss, steps=60)
    trained.run()
    assert accuracy(trained) == 1
    assert np.mean(trained.losses[-5:]) < np.mean(trained.losses[:5]) / 2


def test_levels_that_are_trained_together_count_by_their_candidates(encoder_folder):
    tree = LabelTree((np.array([0, 2]), np.array([0, 1, 4])), np.arange(4), 4)
    relevance = tree.node_relevance(tree.slots_of_labels(Y))
    samplers = [
        CandidateSampler(tree, level, parents, relevance[level], 4)
        for level, parents in enumerate([check_csr(np.ones((24, 1))), relevance[0]])
    ]
    first_losses, n_pairs = [], []
    for chosen in ([0], [1], [0, 1]):
        encoder = TrainableEncoder(SentenceEncoder(encoder_folder, max_tokens=12))
        heads = [
            (CandidateHead.fresh(n, 16, np.random.default_rng(n)), samplers[i]) for i, n in ((0, 2), (1, 4))
        ]
        params = LevelTrainingParams(steps=1, batch_size=24)
        trained = LevelTrainer(
            encoder, [heads[i] for i in chosen], encoder.tokens(TEXTS), params, n_threads=1
        )
        trained.run()
        first_losses += trained.losses
        n_pairs.append(
            sum(len(samplers[i].draw(np.arange(24), np.random.default_rng(0)).nodes) for i in chosen)
        )
    assert n_pairs == [48, 6 * 1 + 18 * 3, 48 + 60]
    by_hand = (n_pairs[0] * first_losses[0] + n_pairs[1] * first_losses[1]) / n_pairs[2]
    assert first_losses[2] == pytest.approx(by_hand, rel=1e-5)


def test_what_is_trained_is_saved_as_an_encoder(encoder_folder, tmp_path):
    trained = trainer(encoder_folder, steps=3)
    trained.run()
    trained.encoder.save(tmp_path / "tuned")
    tuned = SentenceEncoder(tmp_path / "tuned", max_tokens=12)
    np.testing.assert_allclose(tuned.embed(TEXTS), trained.encoder.embed(trained.tokens), atol=1e-5)
    before = SentenceEncoder(encoder_folder, max_tokens=12)
    assert not np.allclose(tuned.embed(TEXTS), before.embed(TEXTS), atol=1e-2)
    assert tuned.digest != before.digest


@pytest.mark.parametrize("cut_after", [10, 17])
def test_training_that_was_cut_short_ends_as_an_undisturbed_one(
    encoder_folder, tmp_path, cut_after, monkeypatch
):
    whole = trainer(encoder_folder)
    whole.run()
    cut, do_step = trainer(encoder_folder), LevelTrainer._do_step

    def failing(self):
        if self.step == cut_after:
            raise KeyboardInterrupt
        return do_step(self)

    with monkeypatch.context() as patch:
        patch.setattr(LevelTrainer, "_do_step", failing)
        with pytest.raises(KeyboardInterrupt):
            cut.run(checkpoint=tmp_path / "state", checkpoint_steps=5)
    resumed = trainer(encoder_folder)
    resumed.run(checkpoint=tmp_path / "state", checkpoint_steps=5)
    assert resumed.step == 30
    assert resumed.losses == whole.losses
    for name, tensor in whole.encoder.model.state_dict().items():
        assert torch.equal(tensor, resumed.encoder.model.state_dict()[name]), name
    np.testing.assert_array_equal(*(run.heads[0][0].to_arrays()["weight"] for run in (whole, resumed)))


def test_a_checkpoint_of_another_training_is_refused(encoder_folder, tmp_path):
    trainer(encoder_folder, steps=2).run(checkpoint=tmp_path / "state", checkpoint_steps=1)
    with pytest.raises(ModelFolderError, match="a checkpoint of another training: params differ"):
        trainer(encoder_folder, steps=3).run(checkpoint=tmp_path / "state")


def test_a_finished_training_does_nothing_more(encoder_folder, tmp_path):
    first = trainer(encoder_folder, steps=2)
    first.run(checkpoint=tmp_path / "state", checkpoint_steps=1)
    again = trainer(encoder_folder, steps=2)
    again.run(checkpoint=tmp_path / "state", checkpoint_steps=1)
    assert again.losses == first.losses


def test_accumulated_batches_are_one_large_batch(encoder_folder):
    """Without dropout, and with batches of a whole epoch, the order of texts plays no part."""
    steps = {}
    for batch_size, accumulation in ((24, 1), (8, 3)):
        trained = trainer(
            encoder_folder, steps=1, batch_size=batch_size, accumulation=accumulation, warm_up=0.0
        )
        trained.encoder.model.config.hidden_dropout_prob = 0
        for module in trained.encoder.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        trained.run()
        steps[batch_size] = trained
    assert steps[8].losses == pytest.approx(steps[24].losses, rel=1e-5)


def test_the_rates_rise_and_fall():
    params = LevelTrainingParams(steps=100, warm_up=0.1)
    factors = [params.schedule(step) for step in range(100)]
    assert np.argmax(factors) == 10
    assert factors[10] == 1
    assert np.all(np.diff(factors[:11]) > 0)
    assert np.all(np.diff(factors[10:]) < 0)
    assert 0 < factors[99] < 0.02
    assert LevelTrainingParams(warm_up=0.0).schedule(0) == 1


def test_torch_keeps_its_own_random_numbers(encoder_folder):
    torch.manual_seed(5)
    expected = torch.rand(2).tolist()
    torch.manual_seed(5)
    trained = trainer(encoder_folder, steps=1)
    trained.run()
    assert torch.rand(2).tolist() == expected


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "hing"}, "did you mean 'hinge'"),
        ({"batch_size": 0}, "batch_size must be positive, but is 0"),
        ({"steps": -1}, "steps must not be negative, but is -1"),
        ({"warm_up": 2}, r"warm_up must lie in 0\.\.1, but is 2"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        LevelTrainingParams(**params)
