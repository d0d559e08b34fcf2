"""Asks the provider's text model for a few words, as a JSON object."""

from __future__ import annotations

from typing import Any

from services.insights.provider.client import ProviderClient
from services.insights.provider.failures import ProviderAnswerInvalid
from services.insights.provider.vectors import read_json
from shared.settings import Settings

LARGEST_ANSWER = 256 * 1024


class ProviderWriter:
    """Answers by the provider's model for texts. model: the provider's name for it."""

    def __init__(self, client: ProviderClient, model: str) -> None:
        self._client = client
        self._model = model

    @classmethod
    def of(cls, settings: Settings, client: ProviderClient | None) -> ProviderWriter | None:
        """The writer that the settings name; None without a provider or a model of it for texts."""
        if client is None or settings.ai_text_model is None:
            return None
        return cls(client, settings.ai_text_model)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model

    async def write(self, task: str, data: str) -> dict[str, Any]:
        """The JSON object that the model answers.

        task: what it shall do, in our words alone. data: what it shall do it with, in JSON.
        Raises ProviderUnavailable, ProviderAnswerInvalid.
        """
        body = {
            "model": self._model,
            "messages": [{"role": "system", "content": task}, {"role": "user", "content": data}],
            "response_format": {"type": "json_object"},
        }
        answer = read_json(await self._client.post("/chat/completions", body, limit=LARGEST_ANSWER))
        try:
            content = answer["choices"][0]["message"]["content"]
        except (LookupError, TypeError):
            content = None
        if not isinstance(content, str):
            raise ProviderAnswerInvalid("the provider's answer holds no message")
        written = read_json(content)
        if not isinstance(written, dict):
            raise ProviderAnswerInvalid("the provider's message is no JSON object")
        return written
