"""Clocks and memory."""

import sys
import time

import numpy as np
import pytest

from benchmarks.adapters.rows import sparse_rows
from benchmarks.measurement import folder_mb, measured


def test_waiting_costs_wall_seconds_and_hardly_any_cpu():
    with measured() as cost:
        time.sleep(0.05)
    assert cost.wall_s >= 0.05
    assert cost.cpu_s < 0.04


def test_peak_counts_memory_that_is_given_back():
    with measured() as cost:
        np.ones(40 * 2**17)  # 40 MB
    assert cost.peak_mb >= cost.resident_before_mb + 30


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets an earlier peak")
def test_peak_before_is_forgotten():
    np.ones(100 * 2**17)
    with measured() as cost:
        pass
    assert cost.peak_mb < cost.resident_before_mb + 50


def test_folder_is_summed_over_subfolders(tmp_path):
    (tmp_path / "sub").mkdir()
    for path in (tmp_path / "a", tmp_path / "sub" / "b"):
        path.write_bytes(bytes(2**19))
    assert folder_mb(tmp_path) == 1


def test_lists_of_pairs_become_rows_in_order():
    found = sparse_rows([[(2, 0.5), (0, 0.25)], [], [(1, 1.0)]], 3)
    assert found.shape == (3, 3)
    assert found.indices.tolist() == [2, 0, 1]
    assert found.toarray().tolist() == [[0.25, 0, 0.5], [0, 0, 0], [0, 1, 0]]
