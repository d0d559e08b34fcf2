"""How asking the provider can fail. Callers go on without it, or tell their caller."""

from __future__ import annotations


class ProviderError(Exception):
    """The provider gave no answer that can be used. The text holds no key, no address and nothing that was sent."""


class ProviderUnavailable(ProviderError):
    """It could not be reached, was overloaded, refused the key, or had no quota left, however often it was asked."""


class ProviderAnswerInvalid(ProviderError):
    """It answered with something that is no answer: no JSON, a wrong shape, a wrong count, a vector that is none."""


class ProviderRefused(ProviderAnswerInvalid):
    """It refuses this very request, such as for a text that is too long for its model: asking again is of no use."""
