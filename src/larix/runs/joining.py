"""What runs on the same test documents would have scored together."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from larix.runs.record import RunRecord
from larix.runs.test_documents import check_same_documents, find_corpus, propensity, shared_cutoffs
from larix.xmc.ensemble import Rule, combine_predictions
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.matrix_folder import load_csr
from larix.xmc.metrics import evaluate


def evaluate_together(runs: Sequence[RunRecord]) -> Mapping[str, Mapping[str, Any]]:
    """Join the predictions that runs keep, by each rule, and measure them.

    Parameters
    ----------
    runs : sequence of RunRecord

    Returns
    -------
    mapping of str to mapping
        For each rule what `larix.xmc.metrics.Evaluation.to_dict` gives.

    Raises
    ------
    ValueError
        If the runs have other test documents, or no cut-off of a metric in common.
    NoRunError, FileNotFoundError
        If predictions are gone, or the corpus is no longer that of the runs.
    """
    check_same_documents(*runs)
    corpus = find_corpus(*runs)
    predictions = [load_csr(run.path("predictions")) for run in runs]
    Y_true, frequencies = corpus.test.labels, LabelFrequencies.of(corpus.train.labels)
    ks, recall_ks = shared_cutoffs(*runs)
    joined = {rule: combine_predictions(predictions, rule) for rule in get_args(Rule)}
    return {
        rule: evaluate(P, Y_true, frequencies, ks, recall_ks, propensity=propensity(runs[0])).to_dict()
        for rule, P in joined.items()
    }
