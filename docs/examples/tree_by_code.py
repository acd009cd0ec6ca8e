"""Label indexing by the structure of the codes themselves, in place of clustering.

ICD-10-CM codes carry a hierarchy: S62.1 lies in the category S62, and that below the letter S.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from kedro.pipeline import Pipeline, node

from larix import LabelTree
from larix.corpora import Corpus


def grow_tree_of_codes(corpus: Corpus) -> LabelTree:
    """Codes below their three-character category, categories below their first letter."""
    categories, codes_below = _grouped([code[:3] for code in corpus.label_ids])
    letters, categories_below = _grouped([category[0] for category in categories])
    _, letters_below = _grouped(["root" for _ in letters])
    return LabelTree.from_chain([letters_below, categories_below, codes_below])


def _grouped(parents: Sequence[str]) -> tuple[list[str], sp.csr_array]:
    """The distinct parents, and the matrix that says which child has which of them."""
    names, parent = np.unique(parents, return_inverse=True)
    ones, children = np.ones(len(parents), np.float32), np.arange(len(parents))
    return names.tolist(), sp.csr_array((ones, (children, parent)), shape=(len(parents), len(names)))


def create_pipeline() -> Pipeline:
    """The stage: corpus -> label_tree."""
    return Pipeline(
        [node(grow_tree_of_codes, "corpus", "label_tree", name="grow_tree_of_codes")],
        tags="label_indexing",
    )
