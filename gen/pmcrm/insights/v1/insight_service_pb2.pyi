import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.insights.v1 import insight_pb2 as _insight_pb2
from pmcrm.insights.v1 import provider_outcome_pb2 as _provider_outcome_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateInsightsRequest(_message.Message):
    __slots__ = ("types", "contact_ids", "use_provider", "request_id")
    TYPES_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_FIELD_NUMBER: _ClassVar[int]
    USE_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    types: _containers.RepeatedScalarFieldContainer[_insight_pb2.InsightType]
    contact_ids: _containers.RepeatedScalarFieldContainer[str]
    use_provider: bool
    request_id: str
    def __init__(self, types: _Optional[_Iterable[_Union[_insight_pb2.InsightType, str]]] = ..., contact_ids: _Optional[_Iterable[str]] = ..., use_provider: _Optional[bool] = ..., request_id: _Optional[str] = ...) -> None: ...

class GenerateInsightsResponse(_message.Message):
    __slots__ = ("created", "unchanged", "superseded", "suppressed", "insights", "provider_outcome", "as_of_time")
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    INSIGHTS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    created: int
    unchanged: int
    superseded: int
    suppressed: int
    insights: _containers.RepeatedCompositeFieldContainer[_insight_pb2.Insight]
    provider_outcome: _provider_outcome_pb2.ProviderOutcome
    as_of_time: _timestamp_pb2.Timestamp
    def __init__(self, created: _Optional[int] = ..., unchanged: _Optional[int] = ..., superseded: _Optional[int] = ..., suppressed: _Optional[int] = ..., insights: _Optional[_Iterable[_Union[_insight_pb2.Insight, _Mapping]]] = ..., provider_outcome: _Optional[_Union[_provider_outcome_pb2.ProviderOutcome, str]] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetInsightRequest(_message.Message):
    __slots__ = ("id", "read_mask")
    ID_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    id: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, id: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class ListInsightsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "skip", "order_by", "show_deleted", "read_mask", "include_total_size", "types", "statuses", "contact_id", "min_confidence", "show_expired")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    SHOW_DELETED_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SHOW_EXPIRED_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    skip: int
    order_by: str
    show_deleted: bool
    read_mask: _field_mask_pb2.FieldMask
    include_total_size: bool
    types: _containers.RepeatedScalarFieldContainer[_insight_pb2.InsightType]
    statuses: _containers.RepeatedScalarFieldContainer[_insight_pb2.InsightStatus]
    contact_id: str
    min_confidence: float
    show_expired: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., order_by: _Optional[str] = ..., show_deleted: _Optional[bool] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., include_total_size: _Optional[bool] = ..., types: _Optional[_Iterable[_Union[_insight_pb2.InsightType, str]]] = ..., statuses: _Optional[_Iterable[_Union[_insight_pb2.InsightStatus, str]]] = ..., contact_id: _Optional[str] = ..., min_confidence: _Optional[float] = ..., show_expired: _Optional[bool] = ...) -> None: ...

class ListInsightsResponse(_message.Message):
    __slots__ = ("insights", "next_page_token", "total_size")
    INSIGHTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    insights: _containers.RepeatedCompositeFieldContainer[_insight_pb2.Insight]
    next_page_token: str
    total_size: int
    def __init__(self, insights: _Optional[_Iterable[_Union[_insight_pb2.Insight, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class ActionInsightRequest(_message.Message):
    __slots__ = ("id", "note", "etag", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    note: str
    etag: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., note: _Optional[str] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DismissInsightRequest(_message.Message):
    __slots__ = ("id", "reason", "etag", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    reason: str
    etag: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., reason: _Optional[str] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...
