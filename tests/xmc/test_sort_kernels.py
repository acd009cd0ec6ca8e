import numpy as np
import pytest

from larix.xmc.sort_kernels import enlarged, kth_smallest, stable_order


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 17, 33, 100, 1000])
@pytest.mark.parametrize("n_kinds", [1, 3, 10**6])
def test_order_is_that_of_a_stable_sort(n, n_kinds):
    keys = np.random.default_rng(n).integers(0, n_kinds, n)
    assert np.array_equal(stable_order(keys), np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("n", [1, 2, 7, 100])
@pytest.mark.parametrize("n_kinds", [1, 3, 10**6])
def test_every_position_has_the_value_of_the_sorted_array(n, n_kinds):
    values = np.random.default_rng(n).integers(-n_kinds, n_kinds, n).astype(np.float32)
    before = values.copy()
    assert [kth_smallest(values, k) for k in range(n)] == np.sort(values).tolist()
    assert np.array_equal(values, before)


def test_an_enlarged_array_begins_with_the_old_one():
    values = np.arange(3)
    assert enlarged(values)[:3].tolist() == [0, 1, 2]
    assert len(enlarged(values)) == 6
