import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder.pictures import colours


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=8))
def test_the_fewest_of_8_10_12_14_16_bits_are_used(values: list[int]) -> None:
    bits = max(8, max(values).bit_length() + max(values).bit_length() % 2)
    expected = [value // 2 ** (bits - 8) for value in values]
    assert colours.upper_bits(np.array(values, np.uint16)).tolist() == expected


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.uint32, np.float32])
def test_levels_of_8_bits_stay_what_they_are_in_every_type(kind: type) -> None:
    values = np.arange(256)[None]
    np.testing.assert_array_equal(colours.grey_of(values.astype(kind))[0], np.arange(256))


def test_large_unsigned_values_are_stretched() -> None:
    values = np.array([[0, 2**31, 2**32 - 1]], np.uint32)
    assert colours.grey_of(values).tolist() == [[0, 128, 255]]
