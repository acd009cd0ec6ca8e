import numpy as np
from scipy.sparse import csr_array

from larix.reporting import Example, Suggested, pick_examples, pick_worst_labels
from larix.xmc.label_quality import LabelQuality

P = csr_array([[0.9, 0.5, 0.0], [0.0, 0.25, 0.75], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0]])
Y = csr_array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]])
TEXTS = ["zero", "one", "two", "three", "four"]
IDS, NAMES = ["a", "b", "c"], ["ant", "bee", "cow"]


def test_examples_are_split_by_their_first_suggestion():
    right, wrong = pick_examples(P, Y, TEXTS, IDS, NAMES)
    assert right == [
        Example(
            "zero",
            (Suggested("a", "ant", np.float32(0.9), True), Suggested("b", "bee", 0.5, False)),
            missed=(("c", "cow"),),
        ),
        Example("two", (Suggested("a", "ant", 0.5, True),)),
    ]
    assert wrong == [Example("one", (Suggested("c", "cow", 0.75, False), Suggested("b", "bee", 0.25, True)))]


def test_suggestions_below_the_top_are_missed():
    right, wrong = pick_examples(P, Y, TEXTS, IDS, NAMES, top_k=1)
    assert [len(example.suggestions) for example in right + wrong] == [1, 1, 1]
    assert wrong[0].missed == (("b", "bee"),)


def test_the_draw_depends_on_the_seed_alone():
    rng = np.random.default_rng(0)
    Y = csr_array((rng.random((60, 4)) < 0.4).astype(float))
    P = csr_array(rng.random((60, 4)))
    texts = [str(i) for i in range(60)]

    def draw(seed):
        return pick_examples(P, Y, texts, "abcd", "wxyz", n=4, random_state=seed)

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert [len(kind) for kind in draw(1)] == [4, 4]
    for kind in draw(1):
        assert kind == sorted(kind, key=lambda example: int(example.text))


def test_long_texts_are_cut_and_missing_ones_numbered():
    right, _ = pick_examples(P, Y, ["word " * 100] * 5, IDS, NAMES, max_characters=12)
    assert right[0].text == "word word wo …"
    right, _ = pick_examples(P, Y, None, IDS, NAMES)
    assert [example.text for example in right] == ["document 1", "document 3"]


def test_worst_labels_carry_their_names_and_counts():
    quality = LabelQuality(
        5, np.array([7, 8, 9]), np.array([4, 6, 2]), np.array([1, 2, 3]), np.array([1, 1, 2])
    )
    rows = pick_worst_labels(quality, IDS, NAMES)
    assert [
        (row.label, row.name, row.n_training, row.n_true, row.n_predicted, row.n_correct) for row in rows
    ] == [
        ("b", "bee", 8, 6, 2, 1),
        ("a", "ant", 7, 4, 1, 1),
    ]
    assert rows[1].recall == 0.25
