"""Several whole classifiers as one: suggesting, explaining, learning, saving, loading."""

import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

import larix
from larix import (
    DocumentMemory,
    Refinement,
    Suggester,
    SuggesterEnsemble,
    TextFeatures,
    XRLinear,
    combine_predictions,
)
from larix.serving.evaluation import evaluate_suggester
from larix.serving.explained import reasons
from larix.serving.given_features import GivenFeatures
from larix.serving.model_card import ModelCard
from larix.xmc.conformal import ConformalThreshold
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.persistence import ModelFolderError
from larix.xmc.text_features import TextFeaturesParams
from tests.conftest import tiny_documents

DOCUMENTS = tiny_documents()
TEXTS = [document["text"] for document in DOCUMENTS]
LABELS = sorted({label for document in DOCUMENTS for label in document["labels"]})
Y = sp.csr_array([[float(label in document["labels"]) for label in LABELS] for document in DOCUMENTS])
ASKED = ["a broken wrist", "bad cough", "ξψω"]


def make_member(features: TextFeatures, *, seed: int = 0) -> Suggester:
    X = features.fit_transform(TEXTS)
    return Suggester(
        features=features,
        model=XRLinear(random_state=seed).fit(X, Y),
        label_ids=LABELS,
        label_names=[label.upper() for label in LABELS],
        frequencies=LabelFrequencies.of(Y),
        card=ModelCard(corpus={"name": "tiny", "n_train": len(TEXTS)}),
        refinement=Refinement(memory=DocumentMemory().fit(X, Y, TEXTS)),
    )


@pytest.fixture(scope="module")
def words():
    return make_member(TextFeatures(TextFeaturesParams(char=None)))


@pytest.fixture(scope="module")
def characters():
    return make_member(TextFeatures(TextFeaturesParams(word=None)), seed=1)


@pytest.fixture(scope="module")
def ensemble(words, characters):
    return SuggesterEnsemble([words, characters], names=["words", "characters"])


@pytest.fixture
def folder(ensemble, tmp_path):
    ensemble.save(tmp_path / "ensemble")
    return tmp_path / "ensemble"


def with_labels(member: Suggester, label_ids: list[str]) -> Suggester:
    return Suggester(
        features=member.features,
        model=member.model,
        label_ids=label_ids,
        label_names=member.label_names,
        frequencies=member.frequencies,
    )


@pytest.mark.parametrize(
    "rule", ["average", "rank_average", "sigmoid_average", "softmax_average", "round_robin"]
)
def test_members_of_other_features_are_joined_by_each_rule(words, characters, rule):
    ensemble = SuggesterEnsemble([words, characters], rule=rule)
    own = [member.predict(TEXTS) for member in (words, characters)]
    expected = combine_predictions(own, rule, top_k=3)
    found = ensemble.predict(TEXTS, top_k=3)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.data, expected.data)


def test_two_equal_members_say_what_one_says(words):
    twice = SuggesterEnsemble([words, words])
    assert twice.suggest(TEXTS) == words.suggest(TEXTS)


def test_the_first_labels_do_not_depend_on_how_many_are_asked_for(ensemble):
    for few, many in zip(ensemble.suggest(ASKED, top_k=1), ensemble.suggest(ASKED, top_k=5), strict=True):
        assert few == many[:1]


def test_more_labels_than_members_give_by_themselves(ensemble):
    assert ensemble.top_k == 10
    assert np.diff(ensemble.predict(ASKED).indptr).max() == 10
    assert np.diff(ensemble.predict(ASKED, top_k=15).indptr).max() == 15


def test_a_wider_search_is_one_of_all_members(ensemble, words, characters):
    own = [member.predict(TEXTS, beam_size=1) for member in (words, characters)]
    found = ensemble.predict(TEXTS, beam_size=1)
    np.testing.assert_array_equal(found.data, combine_predictions(own, top_k=10).data)


def test_thresholds_of_members_do_not_apply_and_a_given_one_does(words):
    P = words.predict(TEXTS)
    threshold = ConformalThreshold(guarantee="precision", level=0.9).fit(P, Y)
    strict = Suggester(
        features=words.features, model=words.model, label_ids=LABELS, label_names=LABELS,
        frequencies=words.frequencies, refinement=replace(words.refinement, threshold=threshold),
    )  # fmt: skip
    ensemble = SuggesterEnsemble([strict, strict])
    assert sum(map(len, strict.suggest(TEXTS))) < 5 * len(TEXTS)
    assert [len(row) for row in ensemble.suggest(TEXTS)] == [5] * len(TEXTS)
    shown = [suggested.score for row in ensemble.suggest(TEXTS, threshold=0.5) for suggested in row]
    assert min(shown) >= 0.5


def test_it_tells_labels_names_and_frequencies(ensemble, words):
    assert (ensemble.label_ids, ensemble.label_names) == (words.label_ids, words.label_names)
    np.testing.assert_array_equal(ensemble.frequencies.counts, words.frequencies.counts)
    assert ensemble.takes_texts


def test_the_reasons_of_every_member_are_told(ensemble, words, characters):
    (why,) = ensemble.explain("a broken wrist")
    best = ensemble.suggest(["a broken wrist"], top_k=1)[0][0]
    assert (why["label"], why["name"], why["score"]) == (best.label, best.name, best.score)
    assert why["rule"] == "average"
    assert [member["member"] for member in why["members"]] == ["words", "characters"]
    assert np.mean([member["score"] for member in why["members"]]) == pytest.approx(best.score)
    for member, told in zip((words, characters), why["members"], strict=True):
        (own,) = member.explain("a broken wrist", labels=[best.label])
        assert told["trees"] == own["trees"]
        assert told["nearest"] == own["nearest"]
    assert json.loads(json.dumps(why)) == why


def test_a_label_that_members_do_not_name_has_no_score(ensemble):
    named = ensemble.explain("a broken wrist", labels=LABELS)
    for why in named:
        scores = [member["score"] for member in why["members"]]
        assert (why["score"] is None) == (scores == [None, None])
    assert None in [why["score"] for why in named]
    with pytest.raises(ValueError, match=f"the classifier knows {len(LABELS)} labels, but not 'hair'"):
        ensemble.explain("a broken wrist", labels=["hair"])


def test_reasons_are_those_of_the_suggestions(ensemble):
    (row,) = ensemble.suggest(["a broken wrist"], top_k=2)
    found = reasons(ensemble, "a broken wrist", row)
    assert [set(why) for why in found] == [{"rule", "members"}] * 2
    assert [member["score"] for member in found[0]["members"]] != [None, None]


def test_all_members_learn(ensemble):
    texts = ["purple spaceship landed", "a spaceship in orbit", "engine of the spaceship"]
    wiser = ensemble.learn(texts, [["space"]] * 3, names={"space": "Space travel"})
    assert wiser.suggest(["spaceship in orbit"], top_k=1)[0][0].name == "Space travel"
    assert wiser.label_ids == [*LABELS, "space"]
    assert ensemble.label_ids == LABELS


def test_threads_are_those_of_all_members(words, characters):
    SuggesterEnsemble([words, characters]).limit_threads(1)
    assert [member.model.n_threads for member in (words, characters)] == [1, 1]


def test_a_loaded_ensemble_says_the_same(ensemble, folder):
    loaded = larix.load(folder)
    assert isinstance(loaded, SuggesterEnsemble)
    assert loaded.suggest(TEXTS) == ensemble.suggest(TEXTS)
    assert (loaded.names, loaded.rule, loaded.card) == (ensemble.names, ensemble.rule, ensemble.card)
    assert loaded.explain(TEXTS[0]) == ensemble.explain(TEXTS[0])


def test_members_keep_their_order_beyond_ten(words, characters, tmp_path):
    names = [str(number) for number in range(12)]
    many = SuggesterEnsemble([words] * 2 + [characters] + [words] * 9, names=names, rule="round_robin")
    many.save(tmp_path / "many")
    loaded = larix.load(tmp_path / "many")
    assert loaded.names == names
    n_features = [member.features.n_features_ for member in loaded.members]
    assert n_features.index(characters.features.n_features_) == 2


def test_an_ensemble_may_be_a_member(ensemble, words, tmp_path):
    nested = SuggesterEnsemble([ensemble, words], names=["both", "words"])
    nested.save(tmp_path / "nested")
    loaded = larix.load(tmp_path / "nested")
    assert loaded.suggest(ASKED) == nested.suggest(ASKED)
    (why,) = loaded.explain("a broken wrist")
    assert [member["member"] for member in why["members"][0]["members"]] == ["words", "characters"]


def test_a_member_in_the_folder_is_a_classifier_by_itself(folder, words):
    assert larix.load(folder / "member_0").suggest(ASKED) == words.suggest(ASKED)


def test_the_model_card_names_members_and_rule(folder):
    card = (folder / "MODEL_CARD.md").read_text().splitlines()
    assert card[0] == "# Model card: extreme multi-label classifier for tiny"
    for line in ("- rule: average", "- member_0: words", "- member_1: characters", "- n_train: 96"):
        assert line in card


def test_a_damaged_file_of_a_member_is_named(folder):
    file = folder / "member_1" / "model" / "arrays.safetensors"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"member_1/model/arrays.safetensors is damaged"):
        larix.load(folder)


def test_other_labels_are_refused_with_the_first_that_differs(words, characters):
    swapped = with_labels(characters, [*LABELS[:2], LABELS[3], LABELS[2], *LABELS[4:]])
    with pytest.raises(
        ValueError, match=f"label 3 is '{LABELS[2]}' in words and '{LABELS[3]}' in others; tr"
    ):
        SuggesterEnsemble([words, swapped], names=["words", "others"])
    wiser = words.learn(["a spaceship"], [["space"]])
    with pytest.raises(
        ValueError, match=f"label {len(LABELS) + 1} is 'space' in member_0 and none in member_1"
    ):
        SuggesterEnsemble([wiser, words])


def test_what_makes_no_ensemble_is_refused(words):
    with pytest.raises(ValueError, match="at least one member, but has none"):
        SuggesterEnsemble([])
    with pytest.raises(ValueError, match="names must be given for 1 members, but are 2"):
        SuggesterEnsemble([words], names=["a", "b"])
    with pytest.raises(ValueError, match="rule must be one of"):
        SuggesterEnsemble([words], rule="median")


def test_members_of_feature_rows_take_rows():
    X = sp.csr_array(np.eye(4, dtype=np.float32))
    labels = sp.csr_array(np.eye(4, 2, dtype=np.float32))
    rows = Suggester(
        features=GivenFeatures(4), model=XRLinear().fit(X, labels), label_ids=["a", "b"],
        label_names=["A", "B"], frequencies=LabelFrequencies.of(labels),
    )  # fmt: skip
    ensemble = SuggesterEnsemble([rows, rows])
    assert not ensemble.takes_texts
    assert ensemble.suggest(X) == rows.suggest(X)


def test_it_is_evaluated_as_any_classifier(words):
    twice = SuggesterEnsemble([words, words])
    assert evaluate_suggester(twice, TEXTS, Y).metrics == evaluate_suggester(words, TEXTS, Y).metrics
