from itertools import product

from tests.pairs import all_pairs

FACTORS: list[list[object]] = [["a", "b", "c"], [1, 2, 3], ["x", "y"], [True, False]]


def test_every_two_values_meet_in_few_combinations() -> None:
    chosen = all_pairs(FACTORS, lambda _: True)
    for first, second in product(range(4), range(4)):
        if first < second:
            met = {(combination[first], combination[second]) for combination in chosen}
            assert met == set(product(FACTORS[first], FACTORS[second]))
    assert len(chosen) <= 12


def test_what_cannot_be_is_left_out_and_the_rest_still_meets() -> None:
    chosen = all_pairs(FACTORS, lambda combination: combination[0] != "a" or combination[1] == 1)
    assert {(one[0], one[1]) for one in chosen} == {("a", 1), *product("bc", [1, 2, 3])}
