import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.label_senses import sense_ranks
from larix.xmc.sense_recall import GROUPS, sense_recall
from larix.xmc.sparse import check_csr

# Label 0 has senses 0 and 1, label 1 has sense 2, label 2 has senses 3, 4 and 5, the last without training.
SENSE_LABELS = [0, 0, 1, 2, 2, 2]
TRAIN = [[1, 0, 1, 0, 0, 0], [0, 1, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0]]


def recalls(P, test, k=1):
    found = sense_recall(P, test, TRAIN, SENSE_LABELS, k=k).to_dict()
    return {group: (values["occurrences"], values[f"R@{k}"]) for group, values in found.items()}


def slow_groups(test, train, sense_labels):
    """{(document, label): group} from the definitions."""
    n_train = train.sum(axis=0)
    groups = {}
    for row, sense in zip(*np.nonzero(test), strict=True):
        label = sense_labels[sense]
        seen = [s for s in np.flatnonzero(sense_labels == label) if n_train[s]]
        if not n_train[sense]:
            group = "unseen"
        elif len(seen) == 1:
            group = "single"
        else:
            group = "dominant" if max(seen, key=lambda s: (n_train[s], -s)) == sense else "minor"
        key = int(row), int(label)
        groups[key] = min(group, groups.get(key, "unseen"), key=GROUPS.index)
    return groups


def test_occurrences_are_grouped_by_what_training_shows():
    P = [[0.9, 0.1, 0.0], [0.9, 0.0, 0.1], [0.1, 0.8, 0.9]]
    # Document 0: label 0 in its minor sense, found. Document 1: label 0 in its dominant sense, found, and
    # label 2 in an unseen sense, missed. Document 2: label 1, missed.
    test = [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 1], [0, 0, 1, 0, 0, 0]]
    assert recalls(P, test) == {
        "single": (1, 0.0), "dominant": (1, 1.0), "minor": (1, 1.0), "unseen": (1, 0.0)
    }  # fmt: skip
    assert recalls(P, test, k=2)["unseen"] == (1, 1.0)


def test_of_equal_senses_the_first_is_dominant():
    assert recalls([[0, 0, 1]], [[0, 0, 0, 1, 0, 0]])["dominant"] == (1, 1.0)
    assert recalls([[0, 0, 1]], [[0, 0, 0, 0, 1, 0]])["minor"] == (1, 1.0)


def test_an_occurrence_in_two_senses_counts_once_for_the_better_known():
    found = recalls([[1, 0, 0]], [[1, 1, 0, 0, 0, 0]])
    assert found == {"single": (0, None), "dominant": (1, 1.0), "minor": (0, None), "unseen": (0, None)}


@given(st.integers(0, 10_000))
def test_groups_follow_their_definitions(seed):
    rng = np.random.default_rng(seed)
    sense_labels = rng.integers(0, 3, rng.integers(1, 9))
    test, train = (rng.random((n, len(sense_labels))) < 0.3 for n in (6, 4))
    P = rng.random((6, 3)) * (rng.random((6, 3)) < 0.6)
    result = sense_recall(P, test, train, sense_labels, k=2)
    groups = zip(result.rows.tolist(), result.labels.tolist(), result.group.tolist(), strict=True)
    assert {(row, label): GROUPS[group] for row, label, group in groups} == slow_groups(
        test, train, sense_labels
    )
    ranked = [np.flatnonzero(row)[np.argsort(-row[row > 0])][:2].tolist() for row in P]
    assert result.found.tolist() == [
        label in ranked[row] for row, label in zip(result.rows, result.labels, strict=True)
    ]


def test_ranks_fall_with_the_number_of_documents():
    senses = check_csr([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1]])
    assert sense_ranks(senses, np.array([0, 0, 0, 1])).tolist() == [1, 0, -1, 0]
    assert sense_ranks(senses, np.array([1, 0, 1, 0])).tolist() == [0, 0, -1, 1]


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="senses_test must have 1 rows"):
        sense_recall([[1.0, 0]], [[1], [1]], [[1]], [0])
    with pytest.raises(ValueError, match="senses_train must have 1 columns"):
        sense_recall([[1.0, 0]], [[1]], [[1, 0]], [0])
    with pytest.raises(ValueError, match="sense_labels must name one of 2 labels"):
        sense_recall([[1.0, 0]], [[1]], [[1]], [2])
