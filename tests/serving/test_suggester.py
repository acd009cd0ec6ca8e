"""A whole classifier: suggesting, saving, loading, evaluating."""

import json
import shutil

import numpy as np
import pytest
import scipy.sparse as sp

import larix
from larix import ConformalThreshold, DocumentMemory, Ensemble, IsotonicCalibrator, Refinement, XRLinear
from larix.serving.evaluation import evaluate_suggester
from larix.serving.explained import reasons
from larix.serving.given_features import GivenFeatures
from larix.serving.model_card import ModelCard
from larix.serving.suggester import Suggester, find_model_folder
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.metrics import evaluate
from larix.xmc.persistence import ModelFolderError
from larix.xmc.text_features import TextFeatures
from tests.conftest import tiny_documents

DOCUMENTS = tiny_documents()
TEXTS = [document["text"] for document in DOCUMENTS]
LABELS = sorted({label for document in DOCUMENTS for label in document["labels"]})
Y = sp.csr_array(
    np.array([[label in document["labels"] for label in LABELS] for document in DOCUMENTS], dtype=np.float32)
)


@pytest.fixture(scope="module")
def suggester():
    features = TextFeatures()
    X = features.fit_transform(TEXTS)
    return Suggester(
        features=features,
        model=XRLinear().fit(X, Y),
        label_ids=LABELS,
        label_names=[label.upper() for label in LABELS],
        frequencies=LabelFrequencies.of(Y),
        card=ModelCard(
            corpus={"name": "tiny", "n_train": len(TEXTS)}, parameters={"ranking": {"negatives": "tfn"}}
        ),
    )


@pytest.fixture
def folder(suggester, tmp_path):
    suggester.save(tmp_path / "classifier")
    return tmp_path / "classifier"


def test_suggestions_have_labels_names_and_falling_scores(suggester):
    found = suggester.suggest(["a broken wrist", "bad cough"], top_k=3)
    assert [row[0].label for row in found] == ["bone", "lung"]
    assert found[0][0].name == "BONE"
    for row in found:
        assert len(row) == 3
        assert [s.score for s in row] == sorted((s.score for s in row), reverse=True)


def test_one_text_gets_what_it_gets_among_others(suggester):
    alone, among = suggester.suggest([TEXTS[3]]), suggester.suggest(TEXTS)
    assert alone[0] == among[3]


def test_texts_and_their_rows_give_the_same(suggester):
    X = suggester.features.transform(TEXTS)
    by_text, by_row = suggester.predict(TEXTS, top_k=2), suggester.predict(X, top_k=2)
    np.testing.assert_array_equal(by_text.indices, by_row.indices)
    np.testing.assert_array_equal(by_text.data, by_row.data)


def test_a_text_without_a_known_word_and_no_text_at_all_are_no_error(suggester):
    assert len(suggester.suggest(["", "ξψω"])) == 2
    assert suggester.suggest([]) == []


def test_rows_of_another_width_are_refused(suggester):
    with pytest.raises(ValueError, match="documents must have"):
        suggester.predict(sp.csr_array((2, 3)))


def test_a_loaded_classifier_says_the_same(suggester, folder):
    loaded = larix.load(folder)
    assert isinstance(loaded, Suggester)
    assert loaded.suggest(TEXTS) == suggester.suggest(TEXTS)
    assert loaded.card == suggester.card
    np.testing.assert_array_equal(loaded.frequencies.counts, suggester.frequencies.counts)


def test_a_classifier_needs_nothing_but_its_folder(suggester, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.move(folder, elsewhere)
    assert larix.load(elsewhere).suggest(["hay fever"]) == suggester.suggest(["hay fever"])


def test_saving_twice_gives_equal_bytes(suggester, folder, tmp_path):
    suggester.save(tmp_path / "again")
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 5
    for file in files:
        assert file.read_bytes() == (tmp_path / "again" / file.relative_to(folder)).read_bytes()


def test_the_model_card_lies_in_the_folder(folder):
    card = (folder / "MODEL_CARD.md").read_text()
    assert card.startswith("# Model card: extreme multi-label classifier for tiny")
    for line in ("- n_train: 96", "- ranking.negatives: tfn", f"- larix: {larix.__version__}"):
        assert line in card.splitlines()


def test_a_card_shows_metrics_in_percent():
    bands = {band: {"P@1": value} for band, value in (("head", 0.5), ("torso", 0.25), ("tail", None))}
    card = ModelCard(metrics={"metrics": {"P@1": 0.7142}, "by_frequency": bands})
    assert "| P@1 | 71.42 | 50.00 | 25.00 | – |" in card.to_markdown().splitlines()


@pytest.mark.parametrize("name", ["labels.json", "model/arrays.safetensors", "features/arrays.safetensors"])
def test_a_damaged_file_is_named(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match=f"{name} is damaged"):
        larix.load(folder)


@pytest.fixture(scope="module")
def refined(suggester):
    """With a memory of the documents, and calibrated on them; enough for tests of wiring."""
    X = suggester.features.transform(TEXTS)
    refinement = Refinement(memory=DocumentMemory().fit(X, Y, TEXTS))
    held = refinement.rank(suggester.model, X, top_k=20)
    threshold = ConformalThreshold(guarantee="precision", level=0.7)
    learnt = refinement.learn(held, Y, calibrator=IsotonicCalibrator(), threshold=threshold)
    return Suggester(
        features=suggester.features,
        model=suggester.model,
        label_ids=LABELS,
        label_names=[label.upper() for label in LABELS],
        frequencies=suggester.frequencies,
        refinement=learnt,
    )


def test_a_refined_classifier_is_saved_with_all_its_parts(refined, tmp_path):
    refined.save(tmp_path / "classifier")
    loaded = larix.load(tmp_path / "classifier")
    assert loaded.suggest(TEXTS) == refined.suggest(TEXTS)
    assert loaded.explain(TEXTS[0]) == refined.explain(TEXTS[0])
    assert isinstance(larix.load(tmp_path / "classifier" / "refinement"), Refinement)
    assert isinstance(larix.load(tmp_path / "classifier" / "refinement" / "memory"), DocumentMemory)


def test_suggestions_are_refined_and_above_the_threshold(refined, suggester):
    P = refined.predict(TEXTS, top_k=5)
    assert P.data.tobytes() != suggester.predict(TEXTS, top_k=5).data.tobytes()
    threshold = refined.refinement.threshold.threshold_
    shown = [s.score for row in refined.suggest(TEXTS, top_k=5) for s in row]
    assert shown == P.data[P.data >= threshold].tolist()
    assert len(shown) < len(P.data)


def test_a_threshold_of_ones_own_takes_the_place_of_the_learnt_one(refined):
    P = refined.predict(TEXTS, top_k=5)
    everything = [s.score for row in refined.suggest(TEXTS, top_k=5, threshold=0) for s in row]
    assert everything == P.data.tolist()
    least = float(np.median(P.data))
    shown = [s.score for row in refined.suggest(TEXTS, top_k=5, threshold=least) for s in row]
    assert shown == P.data[P.data >= least].tolist()


def test_reasons_are_those_of_the_suggestions(refined):
    (row,) = refined.suggest(["a broken wrist"], top_k=2)
    told = refined.explain("a broken wrist", labels=[s.label for s in row])
    found = reasons(refined, "a broken wrist", row)
    assert found == [{key: why[key] for key in ("trees", "rule", "votes", "nearest")} for why in told]
    assert reasons(refined, "a broken wrist", []) == []


def test_an_explanation_has_names_votes_and_documents(refined):
    (told,) = refined.explain("a broken wrist")
    assert (told["label"], told["name"]) == ("bone", "BONE")
    assert told["score"] == refined.suggest(["a broken wrist"], top_k=1)[0][0].score
    assert 0.3 < told["votes"]["share"] <= 1
    assert told["nearest"][0]["document"] in TEXTS
    names = {f["feature"] for f in told["trees"][0]["paths"][0]["steps"][-1]["features"]}
    assert names & {"wrist", "broken", "‹wrist›", "‹wris›"}
    assert json.loads(json.dumps(told)) == told


def test_any_label_can_be_asked_about(refined, suggester):
    skin, bone = refined.explain("a broken wrist", labels=["skin", "bone"])
    assert (skin["label"], bone["label"]) == ("skin", "bone")
    assert skin["score"] < bone["score"]
    (plain,) = suggester.explain("a broken wrist", labels=["skin"])
    assert (plain["votes"], plain["nearest"]) == (None, [])
    with pytest.raises(ValueError, match=f"the classifier knows {len(LABELS)} labels, but not 'hair'"):
        suggester.explain("a broken wrist", labels=["hair"])


@pytest.mark.parametrize("which", ["refined", "suggester"])
def test_a_classifier_learns_new_labels_and_documents(which, request):
    before = request.getfixturevalue(which)
    texts = [
        "purple spaceship landed",
        "a spaceship in orbit",
        "engine of the spaceship",
        "broken wrist in orbit",
    ]
    labels = [["space"], ["space"], ["space"], ["bone", "space"]]
    after = before.learn(texts, labels, names={"space": "Space travel"})
    assert after.label_ids == [*LABELS, "space"]
    assert after.suggest(["spaceship in orbit"], top_k=1)[0][0].name == "Space travel"
    assert after.frequencies.counts[-1] == 4
    assert after.frequencies.n_documents == len(TEXTS) + 4
    assert before.label_ids == LABELS
    old = before.model.score_selected(before.rows(TEXTS), np.ones(Y.shape)).data.tobytes()
    kept = after.model.score_selected(after.rows(TEXTS), np.ones((len(TEXTS), len(LABELS) + 1))).toarray()
    assert kept[:, : len(LABELS)].ravel().tobytes() == old


def test_a_memory_learns_documents_of_known_labels(refined, suggester):
    after = refined.learn(["an itching scalp after a swim"], [["skin"]])
    assert after.model is refined.model
    assert after.refinement.memory.index_.n_rows == len(TEXTS) + 1
    assert refined.refinement.memory.index_.n_rows == len(TEXTS)
    with pytest.raises(
        ValueError, match="nothing to learn: all labels are known, and the classifier has no mem"
    ):
        suggester.learn(["an itching scalp"], [["skin"]])
    with pytest.raises(ValueError, match="labels must be given for all 1 documents, but are for 2"):
        refined.learn(["an itching scalp"], [["skin"], ["skin"]])


def test_parts_that_do_not_fit_together_are_refused(suggester):
    parts = {
        "features": suggester.features,
        "model": suggester.model,
        "label_ids": LABELS,
        "label_names": LABELS,
        "frequencies": suggester.frequencies,
    }
    with pytest.raises(ValueError, match="the vectorizer gives 3"):
        Suggester(**{**parts, "features": GivenFeatures(3)})
    with pytest.raises(ValueError, match=f"label_ids must describe the model's {len(LABELS)} labels"):
        Suggester(**{**parts, "label_ids": LABELS[1:]})
    other = DocumentMemory().fit(suggester.features.transform(TEXTS), Y[:, 1:])
    with pytest.raises(ValueError, match=f"the memory has .* and {len(LABELS) - 1} labels, but the vectori"):
        Suggester(**parts, refinement=Refinement(memory=other))
    with pytest.raises(ValueError, match="frequencies must describe"):
        Suggester(**{**parts, "frequencies": LabelFrequencies(np.array([1]), 1)})


def test_load_gives_whatever_part_a_folder_holds(folder):
    assert isinstance(larix.load(folder / "model"), XRLinear)
    assert isinstance(larix.load(folder / "features"), TextFeatures)
    assert larix.load(folder / "model" / "tree").n_labels == len(LABELS)


def test_load_refuses_what_is_no_model(tmp_path):
    with pytest.raises(ModelFolderError, match="no folder"):
        larix.load(tmp_path / "nothing")
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ModelFolderError):
        larix.load(tmp_path)


def test_the_newest_whole_version_is_found(suggester, tmp_path):
    versions = tmp_path / "classifier"
    for time in ("2026-01-01", "2026-01-02"):
        suggester.save(versions / time / "classifier")
    (versions / "2026-01-03" / "classifier").mkdir(parents=True)
    assert find_model_folder(versions) == versions / "2026-01-02" / "classifier"
    mounted = versions.rename(tmp_path / "mounted")
    assert find_model_folder(mounted) == mounted / "2026-01-02" / "classifier"
    assert isinstance(larix.load(mounted), Suggester)


def test_evaluation_equals_that_of_the_predictions(suggester):
    expected = evaluate(suggester.predict(TEXTS, top_k=10), Y, Y)
    assert evaluate_suggester(suggester, TEXTS, Y).metrics == expected.metrics


def test_labels_that_the_classifier_does_not_know_count_as_missed(suggester):
    unknown = sp.csr_array(np.ones((len(TEXTS), 1), np.float32))
    with_unknown = evaluate_suggester(suggester, TEXTS, sp.csr_array(sp.hstack([Y, unknown])))
    without = evaluate_suggester(suggester, TEXTS, Y)
    assert with_unknown.metrics["P@1"] == without.metrics["P@1"]
    assert with_unknown.metrics["R@10"] < without.metrics["R@10"]
    assert with_unknown.counts["labels_unseen_in_training"] == 1


def test_evaluation_needs_a_column_for_every_label(suggester):
    with pytest.raises(ValueError, match="labels must have a column for each of"):
        evaluate_suggester(suggester, TEXTS, Y[:, :2])


class TestGivenFeatures:
    X = sp.csr_array(np.array([[3.0, 4.0], [0.0, 0.0]]))

    def test_rows_pass_as_they_are_or_normalised(self):
        np.testing.assert_array_equal(GivenFeatures(2).transform(self.X).toarray(), self.X.toarray())
        normalised = GivenFeatures(2, normalize=True).transform(self.X)
        np.testing.assert_allclose(normalised.toarray(), [[0.6, 0.8], [0, 0]], rtol=1e-6)

    def test_texts_and_other_widths_are_refused(self):
        with pytest.raises(TypeError, match="given features, not on texts; pass a matrix of 2 columns"):
            GivenFeatures(2).transform(["a text"])
        with pytest.raises(ValueError, match="must have 3 columns"):
            GivenFeatures(3).transform(self.X)

    def test_it_comes_back_as_it_was(self, tmp_path):
        GivenFeatures(7, normalize=True).save(tmp_path / "features")
        loaded = larix.load(tmp_path / "features")
        assert (loaded.n_features_, loaded.normalize) == (7, True)

    def test_a_classifier_of_feature_rows_saves_and_suggests(self, tmp_path):
        X, labels = sp.csr_array(np.eye(4, dtype=np.float32)), sp.csr_array(np.eye(4, 2, dtype=np.float32))
        whole = Suggester(
            features=GivenFeatures(4),
            model=XRLinear().fit(X, labels),
            label_ids=["a", "b"],
            label_names=["A", "B"],
            frequencies=LabelFrequencies.of(labels),
        )
        whole.save(tmp_path / "classifier")
        loaded = larix.load(tmp_path / "classifier")
        assert [row[0].label for row in loaded.suggest(X[:2], top_k=1)] == ["a", "b"]
        with pytest.raises(TypeError, match="not on texts"):
            loaded.suggest(["a text"])


def test_labels_are_kept_as_written(suggester, folder):
    assert json.loads((folder / "labels.json").read_bytes())["names"] == suggester.label_names


def test_several_trees_are_kept_explained_and_taught(suggester, tmp_path):
    X = suggester.rows(TEXTS)
    several = Suggester(
        features=suggester.features, model=Ensemble.of([XRLinear(random_state=s).fit(X, Y) for s in (0, 1)]),
        label_ids=LABELS, label_names=LABELS, frequencies=LabelFrequencies.of(Y),
    )  # fmt: skip
    several.save(tmp_path / "several")
    loaded = larix.load(tmp_path / "several")
    assert loaded.suggest(TEXTS) == several.suggest(TEXTS)
    (told,) = loaded.explain("a broken wrist")
    assert (told["label"], told["rule"], len(told["trees"])) == ("bone", "average", 2)
    assert told["score"] == pytest.approx(np.mean([tree["score"] for tree in told["trees"]]))
    wiser = loaded.learn(["a volcano erupts", "old volcano"], [["geology"], ["geology"]])
    assert wiser.suggest(["volcano"], top_k=1)[0][0].label == "geology"
    assert all(model.tree_.n_labels == len(LABELS) + 1 for model in wiser.model.models_)
