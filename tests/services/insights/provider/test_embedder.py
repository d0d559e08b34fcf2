"""Embeddings by the provider: how texts are sent, and which answers are vectors."""

from __future__ import annotations

import json
import math
import random
import struct

import pytest

from services.insights.provider.client import ProviderClient
from services.insights.provider.embedder import CHARACTERS_PER_REQUEST, READ_AT_ONCE, ProviderEmbedder
from services.insights.provider.failures import ProviderAnswerInvalid, ProviderRefused, ProviderUnavailable
from services.insights.provider.vectors import LARGEST_NUMBER, read_vectors
from shared.settings import MOST_DIMENSIONS, Settings
from tests.services.insights.provider_server import (
    EMBEDDING_MODEL,
    breaks_off_unannounced,
    chat_completion,
    embeddings,
    letters,
    says,
    status,
)


def length(vector: list[float]) -> float:
    return math.sqrt(math.fsum(number * number for number in vector))


def direction(vector: list[float]) -> list[float]:
    return [number / length(vector) for number in vector]


async def test_each_text_gets_its_vector_of_length_1_in_the_order_of_the_texts(provider, connect):
    texts = ["Ada likes chess", "Grace sails", "zzz", "Ada likes chess"]
    vectors = await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed(texts)
    assert vectors == [pytest.approx(direction(letters(text))) for text in texts]
    [request] = provider.requests
    assert request.body == {"model": EMBEDDING_MODEL, "input": texts, "encoding_format": "float"}


async def test_no_texts_are_no_request(provider, connect):
    assert await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed([]) == []
    assert provider.requests == []


async def test_any_text_arrives_as_it_is(provider, connect):
    texts = ["naïve café", "陳大文", "a\nb\t\"'\\", "🦉", "x" * 20_000]
    await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed(texts)
    assert provider.requests[0].body["input"] == texts


async def test_texts_go_in_batches_by_number(provider, connect):
    provider.embed = lambda text: [1.0, float(text)]
    vectors = await ProviderEmbedder(connect(), EMBEDDING_MODEL, batch_size=3).embed([str(n) for n in range(1, 8)])
    assert [request.body["input"] for request in provider.requests] == [["1", "2", "3"], ["4", "5", "6"], ["7"]]
    assert [vector[1] / vector[0] for vector in vectors] == pytest.approx(range(1, 8))


async def test_texts_go_in_batches_by_characters_and_a_long_one_goes_alone(provider, connect):
    provider.embed = lambda text: [1.0]
    half, long = "h" * (CHARACTERS_PER_REQUEST // 2), "l" * (CHARACTERS_PER_REQUEST + 1)
    await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed([half, half, "a", long, "b", half])
    sent = [[len(text) for text in request.body["input"]] for request in provider.requests]
    assert sent == [[len(half), len(half)], [1], [len(long)], [1, len(half)]]


async def test_dimensions_are_asked_for_and_are_part_of_the_name(provider, connect):
    client = connect()
    embedder = ProviderEmbedder(client, EMBEDDING_MODEL, 8)
    [vector] = await embedder.embed(["Ada"])
    assert vector == pytest.approx(direction(letters("Ada")[:8]))
    assert provider.requests[0].body["dimensions"] == 8
    assert (embedder.name, embedder.kind) == (f"{EMBEDDING_MODEL}@8", "SEMANTIC")
    assert ProviderEmbedder(client, EMBEDDING_MODEL).name == EMBEDDING_MODEL


async def test_a_provider_that_ignores_the_dimensions_is_not_believed(provider, connect):
    provider.fail_with(says(embeddings([1.0, 2.0, 3.0])))
    with pytest.raises(ProviderAnswerInvalid, match="as long as they should"):
        await ProviderEmbedder(connect(), EMBEDDING_MODEL, 2).embed(["Ada"])


async def test_answers_are_put_in_order_by_their_index(provider, connect):
    provider.fail_with(says(embeddings([0.0, 1.0], [1.0, 0.0], [1.0, 1.0], indexes=[2, 0, 1])))
    vectors = await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed(["a", "b", "c"])
    assert vectors == [[1.0, 0.0], pytest.approx([math.sqrt(0.5)] * 2), [0.0, 1.0]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"data": [',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"null",
        [],
        {},
        {"data": None},
        {"data": {}},
        {"data": [None, None]},
        {"data": [[1.0], [2.0]]},
        {"error": {"message": "overloaded"}},
        chat_completion("hello"),
        embeddings(),
        embeddings([1.0, 2.0]),
        embeddings([1.0, 2.0], [1.0, 2.0], [1.0, 2.0]),
        embeddings([1.0, 2.0], [1.0, 2.0], indexes=[0, 0]),
        embeddings([1.0, 2.0], [1.0, 2.0], indexes=[1, 2]),
        embeddings([1.0, 2.0], [1.0, 2.0], indexes=[-1, 0]),
        embeddings([1.0, 2.0], [1.0, 2.0], indexes=["0", "1"]),
        embeddings([1.0, 2.0], [1.0, 2.0], indexes=[False, True]),
        embeddings([1.0, 2.0], [1.0, 2.0], indexes=[0.0, 1.0]),
        embeddings([1.0, 2.0], [1.0, 2.0], indexes=[None, None]),
        embeddings([1.0, 2.0], [1.0, 2.0, 3.0]),
        embeddings([1.0, 2.0], []),
        embeddings([], []),
        embeddings([1.0, 2.0], [0.0, 0.0]),
        embeddings([1.0, 2.0], [0, -0.0]),
        embeddings([1.0, 2.0], [1.0, float("nan")]),
        embeddings([1.0, 2.0], [1.0, float("inf")]),
        embeddings([1.0, 2.0], [1.0, float("-inf")]),
        embeddings([1.0, 2.0], [1.0, 10**400]),
        embeddings([1.0, 2.0], [1.0, LARGEST_NUMBER + 1]),
        embeddings([1.0, 2.0], [1.0, -LARGEST_NUMBER - 1]),
        embeddings([1.0, 2.0], [1.0, "2.0"]),
        embeddings([1.0, 2.0], [1.0, None]),
        embeddings([1.0, 2.0], [1.0, True]),
        embeddings([1.0, 2.0], [1.0, [2.0]]),
        embeddings([1.0, 2.0], {"0": 1.0, "1": 2.0}),
        embeddings([1.0, 2.0], "AACAPwAAAEA="),
        embeddings([1.0, 2.0], None),
        embeddings([1.0] * (MOST_DIMENSIONS + 1), [1.0] * (MOST_DIMENSIONS + 1)),
        b'{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1, 1e999]}]}',
        b'{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1, ' + b"9" * 5000 + b"]}]}",
    ],
    ids=lambda body: repr(body)[:60],
)
async def test_what_is_not_a_vector_for_each_text_is_no_answer(provider, connect, body: object):
    provider.fail_with(says(body))
    embedder = ProviderEmbedder(connect(), EMBEDDING_MODEL)
    with pytest.raises(ProviderAnswerInvalid):
        await embedder.embed(["Ada", "Grace"])
    assert len(provider.requests) == 1, "nonsense is not asked for again"
    assert len(await embedder.embed(["Ada", "Grace"])) == 2


async def test_half_an_answer_is_no_answer(provider, connect):
    provider.fail_with(breaks_off_unannounced)
    with pytest.raises(ProviderAnswerInvalid, match="not JSON"):
        await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed(["Ada"])


async def test_batches_with_vectors_of_different_lengths_are_no_answer(provider, connect):
    provider.fail_with(says(embeddings([1.0, 2.0])), says(embeddings([1.0, 2.0, 3.0])))
    with pytest.raises(ProviderAnswerInvalid, match="not all of one length"):
        await ProviderEmbedder(connect(), EMBEDDING_MODEL, batch_size=1).embed(["Ada", "Grace"])


async def test_a_large_answer_is_read_as_a_small_one_is(provider, connect):
    numbers = [random.uniform(-1, 1) for _ in range(2_000)]
    provider.embed = lambda text: numbers
    texts = ["Ada", "Grace"]
    assert len(json.dumps(embeddings(numbers, numbers))) > READ_AT_ONCE
    assert await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed(texts) == [pytest.approx(direction(numbers))] * 2
    provider.fail_with(says(embeddings(numbers, [math.nan] * len(numbers))))
    with pytest.raises(ProviderAnswerInvalid):
        await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed(texts)


async def test_the_largest_vectors_find_room_in_an_answer(provider, connect):
    provider.embed = lambda text: [-0.12345678901234568] * MOST_DIMENSIONS
    [vector] = await ProviderEmbedder(connect(), EMBEDDING_MODEL, MOST_DIMENSIONS).embed(["Ada"])
    assert len(vector) == MOST_DIMENSIONS


@pytest.mark.parametrize(
    "numbers",
    [
        [5e-324, 0.0],
        [1e-300, -1e-300],
        [1e-9, 2e-9, 3e-9],
        [LARGEST_NUMBER, -LARGEST_NUMBER],
        [1, 2, 3],
        [1.0] * MOST_DIMENSIONS,
    ],
    ids=lambda numbers: repr(numbers[:3]),
)
def test_what_is_kept_in_half_precision_has_the_direction_of_what_was_answered(numbers: list[float]):
    [vector] = read_vectors(json.dumps(embeddings(numbers)).encode(), 1, None)
    assert length(vector) == pytest.approx(1)
    kept = struct.unpack(f"{len(vector)}e", struct.pack(f"{len(vector)}e", *vector))
    largest = max(numbers, key=abs)
    scaled = [number / largest for number in numbers]
    assert math.fsum(a * b for a, b in zip(kept, scaled, strict=True)) == pytest.approx(length(scaled), rel=1e-3)


async def test_a_text_that_is_refused_alone_is_shortened_until_the_model_takes_it(provider, connect):
    provider.fail_with(status(413), status(400))
    text = "".join(chr(ord("a") + n % 26) for n in range(8_001))
    [vector] = await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed([text])
    assert [request.body["input"] for request in provider.requests] == [[text], [text[:4_000]], [text[:2_000]]]
    assert vector == pytest.approx(direction(letters(text[:2_000])))


async def test_a_text_that_is_always_refused_is_given_up(provider, connect):
    provider.fail_with(status(422), times=None)
    with pytest.raises(ProviderRefused):
        await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed(["x" * 8_000])
    assert [len(request.body["input"][0]) for request in provider.requests] == [8_000, 4_000, 2_000, 1_000, 500]


async def test_several_texts_that_are_refused_are_told_apart_from_nonsense_and_are_not_shortened(provider, connect):
    provider.fail_with(status(400))
    with pytest.raises(ProviderRefused):
        await ProviderEmbedder(connect(), EMBEDDING_MODEL).embed(["x" * 8_000, "Ada"])
    assert len(provider.requests) == 1


async def test_an_unknown_model_is_unavailable(provider, connect):
    with pytest.raises(ProviderUnavailable, match="404"):
        await ProviderEmbedder(connect(), "another").embed(["Ada"])


async def test_settings_make_the_embedder(provider):
    settings = Settings.load(**provider.settings_values(ai_embedding_dimensions=4, ai_batch_size=1))
    client = ProviderClient.of(settings)
    embedder = ProviderEmbedder.of(settings, client)
    assert client is not None
    assert embedder is not None
    assert [len(vector) for vector in await embedder.embed(["Ada", "Grace"])] == [4, 4]
    assert len(provider.requests) == 2
    await client.aclose()


def test_without_a_provider_or_a_model_of_it_there_is_no_embedder(provider, connect, monkeypatch):
    for variable in ("PMCRM_AI_BASE_URL", "PMCRM_AI_EMBEDDING_MODEL"):
        monkeypatch.delenv(variable, raising=False)
    assert ProviderEmbedder.of(Settings.load(), None) is None
    assert ProviderEmbedder.of(Settings.load(ai_base_url=provider.url), connect()) is None
