import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.document_names import DocumentNames


@given(st.lists(st.text(max_size=5)), st.lists(st.text(max_size=5)))
def test_names_come_back_also_when_joined(first, second):
    names = DocumentNames.of(first) + DocumentNames.of(second)
    assert [names[i] for i in range(len(names))] == first + second


def test_a_name_that_is_not_there_is_an_error():
    for number in (-1, 2):
        with pytest.raises(IndexError, match=f"there are 2 names, but number {number} was asked for"):
            DocumentNames.of(["a", ""])[number]


@pytest.mark.parametrize("ends", [[2, 1, 3], [-1, 3], [2], []])
def test_ends_that_do_not_rise_to_the_last_letter_are_refused(ends):
    with pytest.raises(ValueError, match="names must end in rising places up to 3"):
        DocumentNames(np.frombuffer(b"abc", np.uint8), np.array(ends, np.int64))
