"""How a model does by the senses of labels, where the corpus knows them."""

from typing import Any

from larix.corpora import Corpus
from larix.xmc.sense_recall import sense_recall
from larix.xmc.sense_separation import sense_separation
from larix.xmc.sparse import CSR
from larix.xmc.xr_linear import XRLinear

_K = 10


def told_of_senses(model: XRLinear, corpus: Corpus, X: CSR) -> dict[str, Any]:
    """Recall of single, dominant and minor senses, and the share of labels whose clusters separate senses.

    Nothing for a corpus without senses. X has the features of its test documents.
    """
    senses, known, owners = corpus.test.senses, corpus.train.senses, corpus.sense_labels
    if senses is None or known is None or owners is None:
        return {}
    recall = sense_recall(model.predict(X, top_k=_K), senses, known, owners, k=_K)
    matcher, _ = model.to_stages()
    separation = sense_separation(model.tree_, matcher.predict(X), senses, owners)
    return {"sense_recall": recall.to_dict(), "sense_separation": separation.to_dict()}
