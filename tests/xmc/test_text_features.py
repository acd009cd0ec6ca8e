import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from larix.xmc.text_features import NgramParams, TextFeatures, TextFeaturesParams

alphabet = st.sampled_from("aabbc ïßİ_9-.,\t\n 漢\U0001f600")
corpora = st.lists(st.text(alphabet, max_size=25), min_size=1, max_size=8)
WORDS = TextFeaturesParams(word=NgramParams(shortest=1, longest=3), char=None)
CHARS = TextFeaturesParams(word=None, char=NgramParams(analyzer="char_wb", shortest=2, longest=4))


def sklearn_rows(params, texts, queries):
    (part,) = params.parts
    vectorizer = TfidfVectorizer(
        analyzer=part.analyzer, ngram_range=(part.shortest, part.longest), sublinear_tf=part.sublinear_tf,
        min_df=part.min_df, lowercase=part.lowercase,
    ).fit(texts)  # fmt: skip
    return vectorizer.transform(queries), vectorizer.vocabulary_


@given(texts=corpora, queries=corpora)
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("params", [WORDS, CHARS], ids=["words", "characters"])
def test_rows_are_those_of_scikit_learn(params, texts, queries):
    try:
        expected, vocabulary = sklearn_rows(params, texts, queries)
    except ValueError:
        with pytest.raises(ValueError, match="no n-gram is left"):
            TextFeatures(params).fit(texts)
        return
    features = TextFeatures(params).fit(texts)
    names = [name.strip("‹›") for name in features.feature_names()]
    assert sorted(names) == sorted(vocabulary)
    ours = features.transform(queries).toarray()
    np.testing.assert_allclose(ours, expected.toarray()[:, [vocabulary[name] for name in names]], atol=1e-6)


def test_options_are_those_of_scikit_learn():
    texts = ["The cat sat", "the cat the cat ran", "A dog ran", "a bird sang"] * 3 + ["once only"]
    part = NgramParams(longest=2, min_df=2, sublinear_tf=False, lowercase=False)
    features = TextFeatures(TextFeaturesParams(word=part, char=None)).fit(texts)
    expected, vocabulary = sklearn_rows(TextFeaturesParams(word=part, char=None), texts, texts)
    order = [vocabulary[name] for name in features.feature_names()]
    np.testing.assert_allclose(features.transform(texts).toarray(), expected.toarray()[:, order], atol=1e-6)


def test_fitting_and_transforming_at_once_gives_the_same_bytes():
    texts = [f"text number {i} of {i % 7} kinds" for i in range(2500)]
    features = TextFeatures()
    at_once, later = features.fit_transform(texts), features.transform(texts)
    assert at_once.data.tobytes() == later.data.tobytes()
    assert np.array_equal(at_once.indices, later.indices)


def test_bytes_do_not_depend_on_threads():
    texts = [f"text number {i} of {i % 7} kinds" for i in range(2500)]
    rows = [TextFeatures(n_threads=n).fit_transform(texts) for n in (1, 2)]
    assert rows[0].data.tobytes() == rows[1].data.tobytes()
    assert rows[0].indices.tobytes() == rows[1].indices.tobytes()


def test_features_are_ordered_by_document_frequency():
    features = TextFeatures(TextFeaturesParams(word=NgramParams(longest=1), char=None))
    features.fit(["rare common", "common usual", "common usual"])
    assert features.feature_names() == ["common", "usual", "rare"]


def test_characters_of_any_length_are_spelled():
    text = "aß漢\U0001f600\ud800z"  # one to four bytes, and half a pair
    part = NgramParams(analyzer="char_wb", shortest=3, longest=3)
    features = TextFeatures(TextFeaturesParams(word=None, char=part)).fit([text])
    padded = f" {text} "
    assert features.feature_names() == [f"‹{padded[i : i + 3]}›" for i in range(len(padded) - 2)]


def test_names_of_word_pairs_leave_out_what_stands_between():
    part = NgramParams(shortest=2, longest=2)
    features = TextFeatures(TextFeaturesParams(word=part, char=None)).fit(["Über-a  größe,\nx y, 漢字"])
    assert features.feature_names() == ["über größe", "größe 漢字"]


def test_max_features_keeps_the_most_frequent():
    part = NgramParams(longest=1, max_features=2)
    features = TextFeatures(TextFeaturesParams(word=part, char=None)).fit(
        ["rare common", "common usual", "usual"]
    )
    assert features.feature_names() == ["common", "usual"]


def test_parts_are_weighted_and_joined_to_unit_rows():
    params = TextFeaturesParams(
        word=NgramParams(longest=1, weight=3.0), char=NgramParams(analyzer="char_wb", shortest=3, longest=3)
    )
    X = TextFeatures(params).fit_transform(["chest pain", "back pain"])
    np.testing.assert_allclose(np.sqrt(X.multiply(X).sum(1)), 1, rtol=1e-6)
    np.testing.assert_allclose(sp.csr_array(X)[:, :3].multiply(X[:, :3]).sum(1), 0.9, rtol=1e-5)


def test_unknown_and_empty_texts_give_empty_rows():
    features = TextFeatures(WORDS).fit(["some words"])
    assert features.transform(["", "zzz", "  \n"]).nnz == 0
    assert features.transform([]).shape == (0, features.n_features_)


@pytest.mark.parametrize("params", [TextFeaturesParams(), WORDS, CHARS])
def test_saved_features_give_the_same_bytes(params, tmp_path):
    texts = ["Ménière's disease", "naïve café", "plain text"]
    features = TextFeatures(params).fit(texts)
    features.save(tmp_path / "features")
    loaded = TextFeatures.load(tmp_path / "features")
    assert loaded.transform(texts).data.tobytes() == features.transform(texts).data.tobytes()
    assert loaded.feature_names() == features.feature_names()
    assert loaded.params == params


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TextFeatures().fit("one text"), TypeError, "one string; put it in a list"),
        (lambda: TextFeatures().fit(["a", None]), TypeError, "text 1 is NoneType"),
        (lambda: TextFeaturesParams(word=None, char=None), ValueError, "at least one part"),
        (
            lambda: NgramParams(analyzer="words"),
            ValueError,
            "analyzer must be one of word, char_wb, but is 'words'",
        ),
        (lambda: NgramParams(shortest=3, longest=2), ValueError, "rise from at least 1, but are 3 to 2"),
        (lambda: NgramParams(min_df=0), ValueError, "must be positive"),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
