"""Learn word vectors from the training texts of a run, as `label_text.source: word_vectors` reads them.

    kedro run --pipelines=ingestion
    python docs/tools/learn_word_vectors.py data data/word_vectors

Latent semantic analysis (Deerwester et al., Indexing by latent semantic analysis, JASIS 1990): the right
singular vectors of the TF-IDF matrix of words, times their singular values.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

import larix


def main() -> None:
    """Write `vectors.npy` and `vocabulary.txt`."""
    parser = argparse.ArgumentParser(description="Learn word vectors from the training texts of a run.")
    parser.add_argument("data", type=Path, help="data folder of the run, such as data")
    parser.add_argument("folder", type=Path, help="where to write the vectors")
    parser.add_argument("--dimensions", type=int, default=100)
    arguments = parser.parse_args()
    texts = list(larix.load(arguments.data / "03_primary/corpus").train.texts)
    vectorizer = TfidfVectorizer(token_pattern=r"\w+", min_df=2, max_df=0.1, sublinear_tf=True)
    svd = TruncatedSVD(arguments.dimensions, random_state=0).fit(vectorizer.fit_transform(texts))
    vectors = (svd.components_ * svd.singular_values_[:, None]).T
    arguments.folder.mkdir(parents=True, exist_ok=True)
    np.save(arguments.folder / "vectors.npy", vectors.astype(np.float32))
    words = "\n".join(vectorizer.get_feature_names_out())
    (arguments.folder / "vocabulary.txt").write_text(words + "\n", encoding="utf-8")
    print(f"{arguments.folder}: {len(vectors):,} words, {vectors.shape[1]} dimensions")


if __name__ == "__main__":
    main()
