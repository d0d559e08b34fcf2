"""What the values of settings may look like: each a type with its check, which never repeats the value."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from shared.keys import KeyRing

SHORTEST_OPERATOR_KEY = 16
LONGEST_MODEL_NAME = 200


def _url(value: object) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str):
        if not text.startswith(("postgresql://", "postgres://")):
            raise ValueError("it does not begin with postgresql://")
        if "{" in text.replace("{service}", ""):
            raise ValueError("the only placeholder that a URL may hold is {service}")
    return value


def _ring(value: object) -> object:
    return KeyRing.parse(value) if isinstance(value, str) else value


def _long_enough(value: object) -> object:
    if isinstance(value, str) and len(value) < SHORTEST_OPERATOR_KEY:
        raise ValueError(f"it is shorter than {SHORTEST_OPERATOR_KEY} characters")
    return value


def lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _endpoint(value: object) -> object:
    """An http(s) URL without credentials, query and fragment, and without a slash at its end."""
    if not isinstance(value, str):
        return value
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("it holds characters that no URL may hold as they are")
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("it is no URL") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("it does not begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("it names no host")
    if "@" in parts.netloc:
        raise ValueError("it holds a user name or a password: the key has a setting of its own")
    if parts.query or parts.fragment:
        raise ValueError("it holds a ? or a #, after which no path can be added")
    return value.rstrip("/")


def _header_secret(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[!-~]+", value):
        raise ValueError("it holds spaces or characters that no HTTP header may hold")
    return value


def _model_name(value: object) -> object:
    if isinstance(value, str) and (not value.isprintable() or value != value.strip()):
        raise ValueError("it holds control characters, or begins or ends with a space")
    return value


Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=1)]
Url = Annotated[SecretStr | None, BeforeValidator(_url)]
Ring = Annotated[KeyRing | None, NoDecode, BeforeValidator(_ring)]
OperatorKey = Annotated[SecretStr | None, BeforeValidator(_long_enough)]
Endpoint = Annotated[str | None, BeforeValidator(_endpoint)]
HeaderSecret = Annotated[SecretStr | None, BeforeValidator(_header_secret)]
ModelName = Annotated[Annotated[str, Field(max_length=LONGEST_MODEL_NAME)] | None, BeforeValidator(_model_name)]
