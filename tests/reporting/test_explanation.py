from io import StringIO

import pytest

from larix.reporting import render_explanation


def step(level, **changes):
    features = [
        {"feature": "wrist", "value": 0.5, "weight": 2.0, "amount": 1.0},
        {"feature": "left", "value": 0.2, "weight": -0.5, "amount": -0.1},
    ]
    return {
        "level": level, "node": 3, "rank": 1, "kept": True, "n_labels": 40, "labels": ["Wrist", "Hand"],
        "margin": 0.75, "factor": 0.9, "score": 0.9 ** (level + 1), "bias": -0.15, "features": features,
        "other_features": {"n": 7, "amount": 0.0},
    } | changes  # fmt: skip


def path(**changes):
    steps = [step(0), step(1, n_labels=1, labels=["Wrist"])]
    return {"slot": 1, "cluster": 3, "wins": True, "found": True, "score": 0.81, "steps": steps} | changes


def explanation(*paths, **changes):
    return {
        "label": "S62",
        "name": "Fracture of wrist",
        "score": 0.72,
        "trees": [{"score": 0.81, "rank": 1, "paths": paths}],
        "rule": None,
        "votes": {"share": 0.4, "weight": 0.1},
        "nearest": [{"document": "S62.1: [b]broken[/b]", "cosine": 0.91}],
    } | changes


@pytest.fixture
def printed():
    from rich.console import Console

    def text(content):
        console = Console(file=StringIO(), width=120)
        console.print(render_explanation(content))
        return console.file.getvalue()

    return text


def test_each_of_several_trees_is_told(printed):
    trees = [{"score": 0.81, "rank": 1, "paths": [path()]}, {"score": None, "rank": None, "paths": [path()]}]
    text = printed(explanation(trees=trees, rule="rank_average"))
    assert "tree 1: " in text
    assert "tree 2: " in text
    assert "scores of the 2 trees become one by rank_average" in text


def test_it_tells_path_features_votes_and_documents(printed):
    text = printed(explanation(path()))
    for words in (
        "S62  Fracture of wrist  0.720",
        "tree: 0.810 = 0.900 x 0.900",
        "level 1, rank 1: margin +0.75, 40 labels such as Wrist; Hand",
        "bias -0.15  wrist +1.00  left -0.10  7 others +0.00",
        "level 2, rank 1: margin +0.75\n",
        "40.0 % of their votes, which count 10 %",
        "0.91  S62.1: [b]broken[/b]",
    ):
        assert words in text


def test_a_lost_path_tells_where(printed):
    steps = [step(0, rank=12, kept=False), step(1, rank=None, kept=False)]
    text = printed(explanation(path(found=False, steps=steps), score=None, votes=None, nearest=[]))
    for words in (
        "not suggested",
        "tree, not reached by the search",
        "rank 12, left by the search",
        "not looked at",
    ):
        assert words in text
    assert "votes" not in text


def test_slots_are_told_apart_and_logarithms_are_no_product(printed):
    text = printed(explanation(path(), path(cluster=5, wins=False, score=-0.2)))
    assert "tree, slot in cluster 3, the best: 0.810 = 0.900 x 0.900" in text
    assert "tree, slot in cluster 5: -0.200\n" in text


def test_a_label_without_a_place_says_so(printed):
    assert "no training document has this label" in printed(explanation())
