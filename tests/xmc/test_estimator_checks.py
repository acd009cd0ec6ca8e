"""scikit-learn's own checks of an estimator."""

import pytest
from sklearn.utils.estimator_checks import check_estimator

from larix import ClusteringParams, XRLinear

EXCEPTIONS = {
    "check_dtype_object": "arrays of Python objects are refused",
    "check_parameters_default_constructible": "parameters are frozen dataclasses",
}


# the contract is kept without the base class, which takes a second and 130 MB to import
@pytest.mark.filterwarnings("ignore:Estimator XRLinear does not inherit:UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.EstimatorCheckFailedWarning")
@pytest.mark.parametrize(
    "model",
    [
        XRLinear(),
        XRLinear(clustering=ClusteringParams(branching=2, max_leaf_size=2), ranker_negatives="tfn+man"),
    ],
    ids=["default", "deep"],
)
def test_an_estimator_keeps_scikit_learns_contract(model):
    results = check_estimator(model, expected_failed_checks=EXCEPTIONS, on_fail=None, on_skip=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert not failed
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(EXCEPTIONS)
