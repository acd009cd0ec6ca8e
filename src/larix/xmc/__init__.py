"""The mathematics of extreme multi-label classification, free of any platform.

numpy, scipy, scikit-learn and numba only; torch inside `transformer`. Letters used throughout:
X (N x D) instances, Y (N x L) labels, Z (L x d) label representations, C the label tree,
M (N x K) cluster scores, W weights of a level, P (N x L) predictions.
"""
