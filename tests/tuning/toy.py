"""A study of a formula, which needs no data and no training: one process at work on it.

python -m tests.tuning.toy FOLDER [SECONDS_A_TRIAL]
"""

import sys
import time
from pathlib import Path

from larix.tuning.objectives import check_objectives
from larix.tuning.product_store import ProductStore
from larix.tuning.space import SearchSpace
from larix.tuning.study import Budget, Measured, Plan, run_study
from tests.tuning.test_product_store import matrix

SPACE = SearchSpace.of(
    {
        "tree": {
            "x": {"kind": "float", "low": 0.0, "high": 1.0},
            "kind_of_tree": {"kind": "categorical", "choices": ["flat", "deep"]},
            "depth": {"kind": "int", "low": 1, "high": 9, "when": {"tree.kind_of_tree": "deep"}},
        },
        "search": {"beam": {"kind": "int", "low": 1, "high": 400}},
    },
    lambda path: path.startswith("search."),
)
AS_IT_IS = {"tree.x": 0.5, "tree.kind_of_tree": "flat", "search.beam": 20}


def plan(n_trials=40, **changes):
    """A study of quality against cost, five trials a training."""
    options = {"name": "toy", "seed": 3, "first": AS_IT_IS, "setup": {"documents": "none"}, **changes}
    budget = options.pop("budget", Budget(n_trials))
    objectives = check_objectives(options.pop("objectives", ("P@1", "inner_products")))
    return Plan(space=SPACE, objectives=objectives, budget=budget, **options)


class Formula:
    """Measures drawn values by a formula, and trains by writing a matrix."""

    def __init__(self, folder, seconds=0.0):
        self.store, self.seconds, self.trained = ProductStore(folder / "products", max_mb=100), seconds, []

    def __call__(self, drawn):
        training = SPACE.of_training(drawn)

        def make():
            self.trained.append(training)
            return {"matrix": matrix()}

        made = self.store.get("tree", training, make).made
        time.sleep(self.seconds)
        if drawn["tree.x"] > 0.95:
            raise ValueError("x must not exceed 0.95")
        quality = drawn["tree.x"] * (1 - 1 / drawn["search.beam"]) - 0.01 * drawn.get("tree.depth", 0)
        return Measured({"P@1": quality, "inner_products": 10.0 * drawn["search.beam"]}, ("tree",) * made)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    run_study(plan(), Formula(folder, float(sys.argv[2])), folder)
