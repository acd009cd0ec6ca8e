import subprocess
import sys
from dataclasses import dataclass

import pytest
from sklearn.base import clone as sklearn_clone
from sklearn.exceptions import NotFittedError

from larix import Ensemble, TextFeatures, XRLinear
from larix.xmc.estimator import Estimator, check_is_fitted, clone


@dataclass(frozen=True)
class Size:
    width: int = 1


class Inner(Estimator):
    def __init__(self, *, size=Size(), n_threads=None):
        self.size = size
        self.n_threads = n_threads


class Outer(Estimator):
    def __init__(self, inner=None, *, weights=(1, 2)):
        self.inner = inner
        self.weights = weights


def test_parameters_of_estimators_within_have_their_names():
    outer = Outer(Inner(n_threads=2))
    assert outer.get_params(deep=False) == {"inner": outer.inner, "weights": (1, 2)}
    assert outer.get_params()["inner__n_threads"] == 2
    assert outer.set_params(inner__n_threads=3, weights=()) is outer
    assert (outer.inner.n_threads, outer.weights) == (3, ())


def test_an_unknown_parameter_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="'thread' is no parameter of Inner; it has n_threads, size"):
        Inner().set_params(thread=1)


def test_the_text_is_the_call_without_defaults():
    assert repr(Outer(Inner(n_threads=2))) == "Outer(inner=Inner(n_threads=2))"


@pytest.mark.parametrize("copied", [clone, sklearn_clone])
def test_a_clone_has_the_arguments_and_nothing_learnt(copied):
    model = Ensemble([XRLinear(n_threads=2), XRLinear(random_state=1)])
    model.models_ = []
    own = copied(model)
    assert [m.get_params() for m in own.models] == [m.get_params() for m in model.models]
    assert own.models[0] is not model.models[0]
    with pytest.raises(NotFittedError, match="this Ensemble is not fitted yet"):
        check_is_fitted(own)
    check_is_fitted(model)


def test_neither_scikit_learn_nor_pandas_is_imported_for_a_prediction():
    code = (
        "import sys, numpy as np\nfrom larix import TextFeatures, XRLinear\n"
        "X = TextFeatures().fit_transform(['chest pain', 'back pain'])\n"
        "XRLinear().fit(X, np.eye(2)).predict(X)\n"
        "print(*{'sklearn', 'pandas', 'scipy.stats'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_text_features_are_cloned_unfitted():
    features = TextFeatures().fit(["a few words"])
    assert not hasattr(clone(features), "vocabularies_")
