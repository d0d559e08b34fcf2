"""Every environment variable that pmcrm reads, with its default and what it means.

A secret may also come from a file: NAME_FILE holds the path of a file with the value of NAME.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.keys import KeyRing
from shared.setting_values import Count, Endpoint, HeaderSecret, ModelName, OperatorKey, Port, Ring, Url, lower

PREFIX = "PMCRM_"
FILE_SUFFIX = "_FILE"
# What a halfvec can hold.
MOST_DIMENSIONS = 16_000
SERVICES = ("contacts", "interactions", "insights", "gdpr")
# In the order of their metrics ports.
MEASURED = (*SERVICES, "worker")

Service = Literal["contacts", "interactions", "insights", "gdpr"]


class SettingsError(Exception):
    """A setting is missing or cannot be used. The text names its variable and holds no secret."""


def _default_data_dir() -> Path:
    """`.pmcrm` in the project that this code is part of; in the current directory when it is installed apart."""
    project = Path(__file__).resolve().parent.parent
    return (project if (project / "pyproject.toml").exists() else Path.cwd()) / ".pmcrm"


class _Environment(EnvSettingsSource):
    """The environment, with the contents of NAME_FILE as NAME for secrets."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        values = dict(super()._load_env_vars())
        for name, field in Settings.model_fields.items():
            if not is_secret(field):
                continue
            variable = variable_of(name)
            path = os.environ.get(variable + FILE_SUFFIX)
            if not path:
                continue
            if os.environ.get(variable):
                raise SettingsError(f"{variable} and {variable}{FILE_SUFFIX} are both set: unset one of them.")
            try:
                values[variable.lower()] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not text"
                raise SettingsError(f"{variable}{FILE_SUFFIX}: {path} cannot be read ({reason}).") from None
        return values


class Settings(BaseSettings):
    """What the environment says. Immutable, picklable (workers receive it), and silent about secrets in its repr."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, populate_by_name=True, frozen=True, hide_input_in_errors=True
    )

    database_url: Url = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL as the role of the service that runs; `{service}` in it stands for the service's name "
        "when one process runs several. Unset, as the two below: an embedded PostgreSQL in PMCRM_DATA_DIR.",
    )
    database_url_service: Url = Field(
        None,
        validation_alias="DATABASE_URL_SERVICE",
        description="PostgreSQL as pmcrm_service, which works across tenants: operator RPCs and jobs.",
    )
    database_url_owner: Url = Field(
        None,
        validation_alias="DATABASE_URL_OWNER",
        description="PostgreSQL as pmcrm_owner: migrations, VACUUM, REINDEX. The services do not need it.",
    )
    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="The folder of the embedded database and of the keys that were made for it.",
    )
    embedded_port: Port = Field(0, description="The embedded database's port on 127.0.0.1; 0: picked once and kept.")

    host: str = Field("127.0.0.1", min_length=1, description="The address that the services listen on.")
    contacts_port: Port = Field(50051, description="The contacts service's port; 0 picks a free one.")
    interactions_port: Port = Field(50052, description="The interactions service's port; 0 picks a free one.")
    insights_port: Port = Field(50053, description="The insights service's port; 0 picks a free one.")
    gdpr_port: Port = Field(50054, description="The gdpr service's port; 0 picks a free one.")
    metrics_port: Annotated[int, Field(ge=0, le=65535 - 4)] | None = Field(
        None,
        description="Prometheus metrics over HTTP, on this port for contacts and the next four for interactions, "
        "insights, gdpr and the worker; 0: free ports. Unset: off.",
    )

    workers: Count = Field(1, description="Processes per service; they share its port.")
    pool_size: Count = Field(10, description="Database connections per process and service.")
    max_in_flight: Count = Field(200, description="RPCs at once per process; more get RESOURCE_EXHAUSTED at once.")
    drain_seconds: Annotated[float, Field(ge=0)] = Field(
        30, description="Seconds that calls in flight may still take after SIGTERM."
    )
    statement_cache: bool = Field(
        True, description="Connections keep their prepared statements; false behind a PgBouncer older than 1.21."
    )

    operator_key: OperatorKey = Field(
        None, description="What x-operator-key must hold to open operator RPCs. Unset: they are closed."
    )
    page_token_keys: Ring = Field(None, description="Key ring that seals page tokens.")
    encryption_keys: Ring = Field(None, description="Key ring that encrypts integrations' tokens.")
    suppression_keys: Ring = Field(None, description="Key ring that hashes erased contacts' addresses.")
    seal_keys: Ring = Field(None, description="Key ring that seals the audit log.")
    trust_tenant_header: bool = Field(
        False,
        description="Believe x-tenant-id beyond loopback too. Only for a network in which every caller is trusted.",
    )

    ai_base_url: Endpoint = Field(
        None,
        description="Where an OpenAI-compatible provider answers `/embeddings` and `/chat/completions`, such as "
        "https://ai.example.com/v1. Unset: nothing is sent to any provider.",
    )
    ai_key: HeaderSecret = Field(None, description="The provider's key, sent as a bearer token; unset: none is sent.")
    ai_embedding_model: ModelName = Field(
        None, description="The provider's model for embeddings. Unset: they are lexical, made without the provider."
    )
    ai_embedding_dimensions: Annotated[int, Field(ge=1, le=MOST_DIMENSIONS)] | None = Field(
        None, description="Numbers per embedding to ask the provider for; unset: as many as its model has by itself."
    )
    ai_text_model: ModelName = Field(
        None, description="The provider's model that words insights. Unset: they are worded by the rules."
    )
    ai_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        30, description="Seconds after which a request to the provider is given up, its repetitions included."
    )
    ai_attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        3, description="How often a request to the provider is sent, at most, while it is overloaded or out of reach."
    )
    ai_batch_size: Annotated[int, Field(ge=1, le=2048)] = Field(
        64, description="Texts per request for embeddings, at most."
    )
    ai_concurrency: Count = Field(4, description="Requests to the provider at once per process, at most.")

    vector_index_threshold: Count = Field(
        50_000,
        description="Embeddings of one tenant beyond which `pmcrm maintenance vector-indexes` gives it an index of its "
        "own; up to there, every search compares all of them.",
    )

    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = Field(
        "info", description="The least severe log line that is written."
    )
    log_format: Annotated[Literal["json", "console", "auto"], BeforeValidator(lower)] = Field(
        "auto", description="Log lines as JSON or for reading; auto: for reading when stderr is a terminal."
    )

    delete_grace_days: Count = Field(90, description="Days from a deletion to the purge, in which it can be undone.")
    request_id_hours: Count = Field(24, description="Hours for which the answer to a request_id is remembered.")

    # The embedded database has a password per role, which one URL with {service} in it cannot say.
    _role_urls: Mapping[str, SecretStr] = PrivateAttr(default_factory=dict)
    _generated: Mapping[str, SecretStr] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls)

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        for name, needed in (
            ("ai_embedding_model", "ai_base_url"),
            ("ai_text_model", "ai_base_url"),
            ("ai_embedding_dimensions", "ai_embedding_model"),
        ):
            if getattr(self, name) is not None and getattr(self, needed) is None:
                raise ValueError(f"{variable_of(name)} is set, and {variable_of(needed)} is not: set both or neither.")
        return self

    @classmethod
    def load(cls, **values: Any) -> Self:
        """Reads the environment; `values` (by field name) win over it. Raises SettingsError for the first bad one."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError(_sentence(error)) from None

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one: no URL of another is set."""
        return self.database_url is None and self.database_url_service is None and self.database_url_owner is None

    def port(self, service: str) -> int:
        """The service's gRPC port; 0 picks a free one."""
        port: int = getattr(self, f"{service}_port")
        return port

    def metrics_port_of(self, service: str) -> int | None:
        """The metrics port of a service or the worker; 0 picks a free one, None means no metrics."""
        return self.metrics_port + MEASURED.index(service) if self.metrics_port else self.metrics_port

    def database_url_for(self, role: str) -> str:
        """The URL for a service's role (its name), for "service" (across tenants) or for "owner".

        Raises SettingsError when the variable that would say it is not set.
        """
        if role in self._role_urls:
            return self._role_urls[role].get_secret_value()
        name = {"service": "database_url_service", "owner": "database_url_owner"}.get(role, "database_url")
        url: SecretStr | None = getattr(self, name)
        if url is None:
            raise SettingsError(f"{variable_of(name)} is not set, and is needed to reach the database as {role}.")
        return url.get_secret_value().replace("{service}", role)

    def with_role_urls(self, urls: Mapping[str, str]) -> Self:
        """These settings with the given URL for each role: services' names, "service", "owner"."""
        copy = self.model_copy()
        copy._role_urls = {role: SecretStr(url) for role, url in urls.items()}
        return copy

    def filled_from(self, values: Mapping[str, str]) -> Self:
        """These settings, with those that are unset taken from `values` by variable name (the generated keys)."""
        unset = {name for name in type(self).model_fields if getattr(self, name) is None}
        found = {name: values[variable_of(name)] for name in unset if variable_of(name) in values}
        loaded = type(self).load(**found)
        copy = self.model_copy(update={name: getattr(loaded, name) for name in found})
        copy._generated = {**self._generated, **{variable_of(name): SecretStr(text) for name, text in found.items()}}
        return copy

    def secrets_of_embedded(self) -> dict[str, str]:
        """What a child process has to be told by variables, because this one's environment does not say it.

        The generated keys and DATABASE_URL_SERVICE; DATABASE_URL is the caller's, for the service that the child runs.
        """
        told = {name: value.get_secret_value() for name, value in self._generated.items()}
        if "service" in self._role_urls:
            told["DATABASE_URL_SERVICE"] = self.database_url_for("service")
        return told

    def key_ring(self, name: str) -> KeyRing:
        """The key ring of a field such as "page_token_keys". Raises SettingsError when it is not set."""
        ring: KeyRing | None = getattr(self, name)
        if ring is None:
            raise SettingsError(
                f"{variable_of(name)} is not set. Make a key with `openssl rand -base64 32`; set it as `k1:<the key>`."
            )
        return ring


def variable_of(name: str) -> str:
    """The environment variable of a field."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else PREFIX + name.upper()


def is_secret(field: FieldInfo) -> bool:
    return field.annotation in (SecretStr | None, KeyRing | None)


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong, for a person; never the value, which may be a secret."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = str(problem["loc"][0]) if problem["loc"] else ""
    variable = variable_of(place) if place in Settings.model_fields else place
    message = problem["msg"].removeprefix("Value error, ")
    if not place:
        return message
    return f"{variable} cannot be used: {message[:1].lower()}{message[1:]}."
