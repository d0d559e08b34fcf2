import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.gdpr.v1 import consent_pb2 as _consent_pb2
from pmcrm.type.v1 import consent_status_pb2 as _consent_status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordConsentRequest(_message.Message):
    __slots__ = ("consent", "request_id")
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    consent: _consent_pb2.Consent
    request_id: str
    def __init__(self, consent: _Optional[_Union[_consent_pb2.Consent, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class WithdrawConsentRequest(_message.Message):
    __slots__ = ("id", "contact_id", "purpose", "source", "note", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    contact_id: str
    purpose: str
    source: str
    note: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., contact_id: _Optional[str] = ..., purpose: _Optional[str] = ..., source: _Optional[str] = ..., note: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ListConsentsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "skip", "order_by", "read_mask", "include_total_size", "contact_id", "user_only", "purpose", "type")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ONLY_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    skip: int
    order_by: str
    read_mask: _field_mask_pb2.FieldMask
    include_total_size: bool
    contact_id: str
    user_only: bool
    purpose: str
    type: _consent_pb2.ConsentType
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ..., order_by: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., include_total_size: _Optional[bool] = ..., contact_id: _Optional[str] = ..., user_only: _Optional[bool] = ..., purpose: _Optional[str] = ..., type: _Optional[_Union[_consent_pb2.ConsentType, str]] = ...) -> None: ...

class ListConsentsResponse(_message.Message):
    __slots__ = ("consents", "next_page_token", "total_size")
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    consents: _containers.RepeatedCompositeFieldContainer[_consent_pb2.Consent]
    next_page_token: str
    total_size: int
    def __init__(self, consents: _Optional[_Iterable[_Union[_consent_pb2.Consent, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class CheckConsentRequest(_message.Message):
    __slots__ = ("contact_id", "purpose", "at_time")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    purpose: str
    at_time: _timestamp_pb2.Timestamp
    def __init__(self, contact_id: _Optional[str] = ..., purpose: _Optional[str] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CheckConsentResponse(_message.Message):
    __slots__ = ("allowed", "status", "consent", "at_time")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    status: _consent_status_pb2.ConsentStatus
    consent: _consent_pb2.Consent
    at_time: _timestamp_pb2.Timestamp
    def __init__(self, allowed: _Optional[bool] = ..., status: _Optional[_Union[_consent_status_pb2.ConsentStatus, str]] = ..., consent: _Optional[_Union[_consent_pb2.Consent, _Mapping]] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
