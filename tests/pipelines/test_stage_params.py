"""Parameters of stages are built from plain mappings."""

import pytest

from larix.pipelines.ensemble.params import EnsembleParams
from larix.pipelines.evaluation.nodes import EvaluationParams
from larix.pipelines.inference.nodes import InferenceParams
from larix.pipelines.label_indexing.nodes import LabelIndexingParams
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.params import CalibrationParams, RefinementParams, ThresholdParams
from larix.pipelines.reporting.nodes import ReportingParams
from larix.pipelines.vectorization.nodes import VectorizationParams
from larix.xmc.clustering import ClusteringParams
from larix.xmc.linear_solver import SolverParams
from larix.xmc.text_features import NgramParams

ALL = [
    EnsembleParams,
    EvaluationParams,
    InferenceParams,
    LabelIndexingParams,
    MatcherTrainingParams,
    RankingParams,
    RefinementParams,
    ReportingParams,
    VectorizationParams,
]


@pytest.mark.parametrize("kind", ALL)
def test_defaults_stand_by_themselves(kind):
    assert kind() == kind()


def test_mappings_become_parameter_objects():
    params = RankingParams(solver={"Cp": 2.0})
    assert params.solver == SolverParams(Cp=2.0)
    assert LabelIndexingParams(clustering={"branching": 8}).clustering == ClusteringParams(branching=8)


def test_levels_may_differ_in_some_values():
    params = MatcherTrainingParams(solver={"Cp": [4.0, 2.0], "loss": "hinge"})
    assert params.solver == (SolverParams(Cp=4.0, loss="hinge"), SolverParams(Cp=2.0, loss="hinge"))
    assert MatcherTrainingParams(solver=[{"Cp": 4.0}, {}]).solver == (SolverParams(Cp=4.0), SolverParams())
    with pytest.raises(ValueError, match="one value for each level, but have 2 for Cp, 3 for Cn"):
        MatcherTrainingParams(solver={"Cp": [1.0, 2.0], "Cn": [1.0, 2.0, 3.0]})


def test_a_part_may_be_left_out():
    params = VectorizationParams(word={"longest": 1}, char=None)
    assert params.word == NgramParams(longest=1)
    assert params.char is None


def test_parts_of_the_refinement_are_built_or_left_out():
    params = RefinementParams(memory=None, threshold={"guarantee": "recall", "level": 0.5})
    assert params.memory is None
    assert params.calibration == CalibrationParams()
    assert params.threshold == ThresholdParams("recall", 0.5)
    assert params.learns_from_held_out
    assert not RefinementParams(calibration=None).learns_from_held_out


def test_a_misspelt_key_names_the_nearest():
    with pytest.raises(TypeError, match="solver has no key 'max_itr'; did you mean 'max_iter'"):
        RankingParams(solver={"max_itr": 3})


def test_values_are_checked_where_they_belong():
    with pytest.raises(ValueError, match="Cp must be positive"):
        RankingParams(solver={"Cp": -1})
    with pytest.raises(ValueError, match=r"weight must lie in 0\.\.1, but is 2"):
        RefinementParams(memory={"weight": 2})
    with pytest.raises(ValueError, match="held_out_share must lie between 0 and 1, but is 1"):
        RefinementParams(held_out_share=1)
    with pytest.raises(ValueError, match=r"memory_weights must lie in 0\.\.1, but are \[0\.1, 3\]"):
        RefinementParams(memory_weights=(0.1, 3))
    with pytest.raises(ValueError, match="excerpt_length must not be negative, but is -1"):
        RefinementParams(excerpt_length=-1)
    with pytest.raises(ValueError, match="n_examples must be at least 1, but is 0"):
        ReportingParams(n_examples=0)
    with pytest.raises(ValueError, match="top_k must be at least 1, but is 0"):
        InferenceParams(top_k=0)
