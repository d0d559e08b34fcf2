"""Reads vectors out of the provider's answer, and takes none that cannot be compared with others."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from services.insights.embedding.vectors import unit
from services.insights.provider.failures import ProviderAnswerInvalid
from shared.settings import MOST_DIMENSIONS

# What is beyond it is infinite in the half precision in which vectors are kept.
LARGEST_NUMBER = 65_504


def read_vectors(answer: bytes, count: int, dimensions: int | None) -> list[list[float]]:
    """The vectors of an answer to `count` texts, in the order of the texts, scaled to length 1.

    Only a vector's direction is ever compared, and at length 1 half precision loses none: a number of a thousandth of
    the others' size is kept, and nothing becomes infinite or all zero. dimensions: how long each must be; None: all of
    one length. Raises ProviderAnswerInvalid.
    """
    data = _member(read_json(answer), "data")
    if not isinstance(data, list):
        _invalid("it holds no list of vectors")
    if len(data) != count:
        _invalid(f"{len(data)} vectors for {count} texts")
    vectors: list[list[float] | None] = [None] * count
    for item in data:
        index = _member(item, "index")
        if type(index) is not int or not 0 <= index < count or vectors[index] is not None:
            _invalid("a vector's index is none of a text's, or another's")
        vectors[index] = _direction(_member(item, "embedding"))
    found = [vector for vector in vectors if vector is not None]
    lengths = {len(vector) for vector in found}
    if len(lengths) > 1 or (dimensions is not None and lengths != {dimensions}):
        _invalid("its vectors are not all as long as they should be")
    return found


def read_json(answer: bytes | str) -> Any:
    """What an answer says in JSON, in which NaN and infinities are none. Raises ProviderAnswerInvalid."""
    try:
        return json.loads(answer, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ProviderAnswerInvalid("the provider's answer is not JSON") from None


def _direction(numbers: object) -> list[float]:
    if not isinstance(numbers, list):
        _invalid("a vector is not a list of numbers")
    if not 0 < len(numbers) <= MOST_DIMENSIONS:
        _invalid(f"a vector has {len(numbers)} numbers")
    for number in numbers:
        if type(number) is not float and type(number) is not int:
            _invalid("a vector is not a list of numbers")
        # A comparison with NaN is false.
        if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
            _invalid("a vector holds a number that is not finite in half precision")
    return unit(numbers)


def _member(value: object, name: str) -> object:
    if not isinstance(value, dict) or name not in value:
        _invalid(f"{name} is missing")
    return value[name]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _invalid(problem: str) -> NoReturn:
    raise ProviderAnswerInvalid(f"the provider's answer cannot be used: {problem}")
