"""Whether runs were measured on the same test documents."""

import hashlib
import json

import numpy as np

from larix.xmc.sparse import CSR


def digest_of_test_set(Y: CSR) -> str:
    """SHA-256 of which labels which test documents have: equal for runs whose predictions can be compared."""
    digest = hashlib.sha256(json.dumps([int(size) for size in Y.shape]).encode())
    for part in (Y.indptr, Y.indices):
        digest.update(np.ascontiguousarray(part, "<i8").tobytes())
    return digest.hexdigest()
