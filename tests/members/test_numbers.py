"""Member numbers: unique without looking, and hard to get wrong (A7)."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.numbers import ALPHABET, LARGEST, number_of, read_number

IDS = st.integers(0, LARGEST)


def test_it_works():
    number = number_of(1)
    assert number.startswith("SK-") and len(number) == 11
    assert read_number(number) == number


def test_neighbours_do_not_look_like_neighbours_and_none_comes_twice():
    numbers = [number_of(member_id) for member_id in range(20_000)]
    assert len(set(numbers)) == 20_000
    assert len({number[:6] for number in numbers[:100]}) > 90


@given(IDS, IDS)
def test_two_ids_have_two_numbers(one: int, other: int):
    assert (number_of(one) == number_of(other)) == (one == other)


@pytest.mark.parametrize("outside", [-1, LARGEST + 1])
def test_an_id_that_does_not_fit_is_refused(outside: int):
    with pytest.raises(ValueError):
        number_of(outside)


@given(IDS, st.integers(0, 7), st.sampled_from(ALPHABET))
def test_any_wrong_character_is_noticed(member_id: int, place: int, wrong: str):
    body = number_of(member_id)[3:]
    typed = body[:place] + wrong + body[place + 1 :]
    assert (read_number(typed) is None) == (typed != body)


@given(IDS)
def test_any_two_swapped_characters_are_noticed(member_id: int):
    body = number_of(member_id)[3:]
    for one, other in combinations(range(8), 2):
        swapped = list(body)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert (read_number("".join(swapped)) is None) == (body[one] != body[other])


def test_numbers_are_read_as_people_type_them():
    number = next(n for n in map(number_of, range(10_000)) if "0" in n and "1" in n)
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in number)
    for typed in (
        number.lower(),
        number.replace("-", ""),
        number[3:],
        f"  {number[:5]} {number[5:]} ",
        number.replace("0", "O").replace("1", "l"),
        number.replace("0", "o").replace("1", "I"),
        full_width,
    ):
        assert read_number(typed) == number


def test_a_body_that_begins_like_the_prefix_is_read():
    number = next(n for n in map(number_of, range(10_000)) if n.startswith("SK-SK"))
    assert read_number(number[3:]) == number


@pytest.mark.parametrize(
    "text", ["", "SK-", "13800138000", "SK-UUUUUUUU", "SK-12345678901", "客客客客客客客客"]
)
def test_what_is_no_number_is_none(text: str):
    assert read_number(text) is None
