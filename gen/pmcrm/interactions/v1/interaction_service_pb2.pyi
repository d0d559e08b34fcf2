import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.interactions.v1 import interaction_pb2 as _interaction_pb2
from pmcrm.type.v1 import search_mode_pb2 as _search_mode_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateInteractionRequest(_message.Message):
    __slots__ = ("interaction", "request_id")
    INTERACTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    interaction: _interaction_pb2.Interaction
    request_id: str
    def __init__(self, interaction: _Optional[_Union[_interaction_pb2.Interaction, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetInteractionRequest(_message.Message):
    __slots__ = ("id", "read_mask")
    ID_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    id: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, id: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class ListInteractionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "skip", "order_by", "show_deleted", "read_mask", "include_total_size", "contact_id", "contact_ids_all", "contact_ids_any", "types", "direction", "occur_after", "occur_before", "thread_uid", "integration_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    SHOW_DELETED_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_ALL_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_ANY_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    OCCUR_AFTER_FIELD_NUMBER: _ClassVar[int]
    OCCUR_BEFORE_FIELD_NUMBER: _ClassVar[int]
    THREAD_UID_FIELD_NUMBER: _ClassVar[int]
    INTEGRATION_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    skip: int
    order_by: str
    show_deleted: bool
    read_mask: _field_mask_pb2.FieldMask
    include_total_size: bool
    contact_id: str
    contact_ids_all: _containers.RepeatedScalarFieldContainer[str]
    contact_ids_any: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[_interaction_pb2.InteractionType]
    direction: _interaction_pb2.InteractionDirection
    occur_after: _timestamp_pb2.Timestamp
    occur_before: _timestamp_pb2.Timestamp
    thread_uid: str
    integration_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., order_by: _Optional[str] = ..., show_deleted: _Optional[bool] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., include_total_size: _Optional[bool] = ..., contact_id: _Optional[str] = ..., contact_ids_all: _Optional[_Iterable[str]] = ..., contact_ids_any: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[_Union[_interaction_pb2.InteractionType, str]]] = ..., direction: _Optional[_Union[_interaction_pb2.InteractionDirection, str]] = ..., occur_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., occur_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., thread_uid: _Optional[str] = ..., integration_id: _Optional[str] = ...) -> None: ...

class ListInteractionsResponse(_message.Message):
    __slots__ = ("interactions", "next_page_token", "total_size")
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    interactions: _containers.RepeatedCompositeFieldContainer[_interaction_pb2.Interaction]
    next_page_token: str
    total_size: int
    def __init__(self, interactions: _Optional[_Iterable[_Union[_interaction_pb2.Interaction, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class UpdateInteractionRequest(_message.Message):
    __slots__ = ("interaction", "update_mask", "request_id")
    INTERACTION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    interaction: _interaction_pb2.Interaction
    update_mask: _field_mask_pb2.FieldMask
    request_id: str
    def __init__(self, interaction: _Optional[_Union[_interaction_pb2.Interaction, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteInteractionRequest(_message.Message):
    __slots__ = ("id", "etag", "allow_missing", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    etag: str
    allow_missing: bool
    request_id: str
    def __init__(self, id: _Optional[str] = ..., etag: _Optional[str] = ..., allow_missing: _Optional[bool] = ..., request_id: _Optional[str] = ...) -> None: ...

class UndeleteInteractionRequest(_message.Message):
    __slots__ = ("id", "etag", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    etag: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class BatchCreateInteractionsRequest(_message.Message):
    __slots__ = ("requests", "request_id")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[CreateInteractionRequest]
    request_id: str
    def __init__(self, requests: _Optional[_Iterable[_Union[CreateInteractionRequest, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class BatchCreateInteractionsResponse(_message.Message):
    __slots__ = ("interactions",)
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    interactions: _containers.RepeatedCompositeFieldContainer[_interaction_pb2.Interaction]
    def __init__(self, interactions: _Optional[_Iterable[_Union[_interaction_pb2.Interaction, _Mapping]]] = ...) -> None: ...

class SearchInteractionsRequest(_message.Message):
    __slots__ = ("query", "mode", "page_size", "page_token", "skip", "read_mask", "contact_ids_all", "contact_ids_any", "types", "direction", "occur_after", "occur_before")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_ALL_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_ANY_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    OCCUR_AFTER_FIELD_NUMBER: _ClassVar[int]
    OCCUR_BEFORE_FIELD_NUMBER: _ClassVar[int]
    query: str
    mode: _search_mode_pb2.SearchMode
    page_size: int
    page_token: str
    skip: int
    read_mask: _field_mask_pb2.FieldMask
    contact_ids_all: _containers.RepeatedScalarFieldContainer[str]
    contact_ids_any: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[_interaction_pb2.InteractionType]
    direction: _interaction_pb2.InteractionDirection
    occur_after: _timestamp_pb2.Timestamp
    occur_before: _timestamp_pb2.Timestamp
    def __init__(self, query: _Optional[str] = ..., mode: _Optional[_Union[_search_mode_pb2.SearchMode, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., contact_ids_all: _Optional[_Iterable[str]] = ..., contact_ids_any: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[_Union[_interaction_pb2.InteractionType, str]]] = ..., direction: _Optional[_Union[_interaction_pb2.InteractionDirection, str]] = ..., occur_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., occur_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SearchInteractionsResponse(_message.Message):
    __slots__ = ("results", "next_page_token")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[InteractionSearchResult]
    next_page_token: str
    def __init__(self, results: _Optional[_Iterable[_Union[InteractionSearchResult, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class InteractionSearchResult(_message.Message):
    __slots__ = ("interaction", "score", "matched_fields", "fuzzy")
    INTERACTION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    FUZZY_FIELD_NUMBER: _ClassVar[int]
    interaction: _interaction_pb2.Interaction
    score: float
    matched_fields: _containers.RepeatedScalarFieldContainer[str]
    fuzzy: bool
    def __init__(self, interaction: _Optional[_Union[_interaction_pb2.Interaction, _Mapping]] = ..., score: _Optional[float] = ..., matched_fields: _Optional[_Iterable[str]] = ..., fuzzy: _Optional[bool] = ...) -> None: ...
