import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.insights.v1 import provider_outcome_pb2 as _provider_outcome_pb2
from pmcrm.type.v1 import contact_summary_pb2 as _contact_summary_pb2
from pmcrm.type.v1 import error_reason_pb2 as _error_reason_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchTarget(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_TARGET_UNSPECIFIED: _ClassVar[SearchTarget]
    SEARCH_TARGET_CONTACTS: _ClassVar[SearchTarget]
    SEARCH_TARGET_INTERACTIONS: _ClassVar[SearchTarget]

class EmbeddingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EMBEDDING_KIND_UNSPECIFIED: _ClassVar[EmbeddingKind]
    EMBEDDING_KIND_LEXICAL: _ClassVar[EmbeddingKind]
    EMBEDDING_KIND_SEMANTIC: _ClassVar[EmbeddingKind]
SEARCH_TARGET_UNSPECIFIED: SearchTarget
SEARCH_TARGET_CONTACTS: SearchTarget
SEARCH_TARGET_INTERACTIONS: SearchTarget
EMBEDDING_KIND_UNSPECIFIED: EmbeddingKind
EMBEDDING_KIND_LEXICAL: EmbeddingKind
EMBEDDING_KIND_SEMANTIC: EmbeddingKind

class EmbeddingModel(_message.Message):
    __slots__ = ("name", "kind", "dimensions")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: EmbeddingKind
    dimensions: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[EmbeddingKind, str]] = ..., dimensions: _Optional[int] = ...) -> None: ...

class QueryVector(_message.Message):
    __slots__ = ("model", "values")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    model: str
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, model: _Optional[str] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class SemanticSearchRequest(_message.Message):
    __slots__ = ("query", "page_size", "page_token", "skip", "target", "vector", "min_score", "contact_id", "occur_after", "occur_before")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    OCCUR_AFTER_FIELD_NUMBER: _ClassVar[int]
    OCCUR_BEFORE_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    page_token: str
    skip: int
    target: SearchTarget
    vector: QueryVector
    min_score: float
    contact_id: str
    occur_after: _timestamp_pb2.Timestamp
    occur_before: _timestamp_pb2.Timestamp
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., target: _Optional[_Union[SearchTarget, str]] = ..., vector: _Optional[_Union[QueryVector, _Mapping]] = ..., min_score: _Optional[float] = ..., contact_id: _Optional[str] = ..., occur_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., occur_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SemanticSearchResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "model", "pending_count", "not_permitted_count")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PENDING_COUNT_FIELD_NUMBER: _ClassVar[int]
    NOT_PERMITTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SemanticSearchResult]
    next_page_token: str
    model: EmbeddingModel
    pending_count: int
    not_permitted_count: int
    def __init__(self, results: _Optional[_Iterable[_Union[SemanticSearchResult, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., model: _Optional[_Union[EmbeddingModel, _Mapping]] = ..., pending_count: _Optional[int] = ..., not_permitted_count: _Optional[int] = ...) -> None: ...

class SemanticSearchResult(_message.Message):
    __slots__ = ("contact", "interaction_id", "score", "participants")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_summary_pb2.ContactSummary
    interaction_id: str
    score: float
    participants: _containers.RepeatedCompositeFieldContainer[_contact_summary_pb2.ContactSummary]
    def __init__(self, contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., interaction_id: _Optional[str] = ..., score: _Optional[float] = ..., participants: _Optional[_Iterable[_Union[_contact_summary_pb2.ContactSummary, _Mapping]]] = ...) -> None: ...

class HybridSearchRequest(_message.Message):
    __slots__ = ("query", "page_size", "page_token", "skip", "target", "contact_id", "occur_after", "occur_before")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    OCCUR_AFTER_FIELD_NUMBER: _ClassVar[int]
    OCCUR_BEFORE_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    page_token: str
    skip: int
    target: SearchTarget
    contact_id: str
    occur_after: _timestamp_pb2.Timestamp
    occur_before: _timestamp_pb2.Timestamp
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., target: _Optional[_Union[SearchTarget, str]] = ..., contact_id: _Optional[str] = ..., occur_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., occur_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class HybridSearchResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "model", "provider_outcome", "pending_count", "not_permitted_count")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PENDING_COUNT_FIELD_NUMBER: _ClassVar[int]
    NOT_PERMITTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[HybridSearchResult]
    next_page_token: str
    model: EmbeddingModel
    provider_outcome: _provider_outcome_pb2.ProviderOutcome
    pending_count: int
    not_permitted_count: int
    def __init__(self, results: _Optional[_Iterable[_Union[HybridSearchResult, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., model: _Optional[_Union[EmbeddingModel, _Mapping]] = ..., provider_outcome: _Optional[_Union[_provider_outcome_pb2.ProviderOutcome, str]] = ..., pending_count: _Optional[int] = ..., not_permitted_count: _Optional[int] = ...) -> None: ...

class HybridSearchResult(_message.Message):
    __slots__ = ("contact", "interaction_id", "score", "text_rank", "trigram_rank", "vector_rank", "participants")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TEXT_RANK_FIELD_NUMBER: _ClassVar[int]
    TRIGRAM_RANK_FIELD_NUMBER: _ClassVar[int]
    VECTOR_RANK_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_summary_pb2.ContactSummary
    interaction_id: str
    score: float
    text_rank: int
    trigram_rank: int
    vector_rank: int
    participants: _containers.RepeatedCompositeFieldContainer[_contact_summary_pb2.ContactSummary]
    def __init__(self, contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., interaction_id: _Optional[str] = ..., score: _Optional[float] = ..., text_rank: _Optional[int] = ..., trigram_rank: _Optional[int] = ..., vector_rank: _Optional[int] = ..., participants: _Optional[_Iterable[_Union[_contact_summary_pb2.ContactSummary, _Mapping]]] = ...) -> None: ...

class FindSimilarContactsRequest(_message.Message):
    __slots__ = ("contact_id", "page_size", "page_token", "skip", "min_score")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    page_size: int
    page_token: str
    skip: int
    min_score: float
    def __init__(self, contact_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., min_score: _Optional[float] = ...) -> None: ...

class FindSimilarContactsResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "model")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SimilarContact]
    next_page_token: str
    model: EmbeddingModel
    def __init__(self, results: _Optional[_Iterable[_Union[SimilarContact, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., model: _Optional[_Union[EmbeddingModel, _Mapping]] = ...) -> None: ...

class SimilarContact(_message.Message):
    __slots__ = ("contact", "score")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_summary_pb2.ContactSummary
    score: float
    def __init__(self, contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., score: _Optional[float] = ...) -> None: ...

class ReindexEmbeddingsRequest(_message.Message):
    __slots__ = ("target", "contact_ids", "force", "request_id")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    target: SearchTarget
    contact_ids: _containers.RepeatedScalarFieldContainer[str]
    force: bool
    request_id: str
    def __init__(self, target: _Optional[_Union[SearchTarget, str]] = ..., contact_ids: _Optional[_Iterable[str]] = ..., force: _Optional[bool] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReindexEmbeddingsResponse(_message.Message):
    __slots__ = ("progress", "failure", "summary")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    progress: ReindexProgress
    failure: ReindexFailure
    summary: ReindexSummary
    def __init__(self, progress: _Optional[_Union[ReindexProgress, _Mapping]] = ..., failure: _Optional[_Union[ReindexFailure, _Mapping]] = ..., summary: _Optional[_Union[ReindexSummary, _Mapping]] = ...) -> None: ...

class ReindexProgress(_message.Message):
    __slots__ = ("processed", "total")
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    processed: int
    total: int
    def __init__(self, processed: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class ReindexFailure(_message.Message):
    __slots__ = ("contact_id", "interaction_id", "reason", "code")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    interaction_id: str
    reason: str
    code: _error_reason_pb2.ErrorReason
    def __init__(self, contact_id: _Optional[str] = ..., interaction_id: _Optional[str] = ..., reason: _Optional[str] = ..., code: _Optional[_Union[_error_reason_pb2.ErrorReason, str]] = ...) -> None: ...

class ReindexSummary(_message.Message):
    __slots__ = ("embedded", "unchanged", "empty", "not_permitted", "failed", "model")
    EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    EMPTY_FIELD_NUMBER: _ClassVar[int]
    NOT_PERMITTED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    embedded: int
    unchanged: int
    empty: int
    not_permitted: int
    failed: int
    model: EmbeddingModel
    def __init__(self, embedded: _Optional[int] = ..., unchanged: _Optional[int] = ..., empty: _Optional[int] = ..., not_permitted: _Optional[int] = ..., failed: _Optional[int] = ..., model: _Optional[_Union[EmbeddingModel, _Mapping]] = ...) -> None: ...
