import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from pmcrm.type.v1 import contact_summary_pb2 as _contact_summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StrengthFactor(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRENGTH_FACTOR_UNSPECIFIED: _ClassVar[StrengthFactor]
    STRENGTH_FACTOR_INTERACTIONS: _ClassVar[StrengthFactor]
    STRENGTH_FACTOR_DIVERSITY: _ClassVar[StrengthFactor]
    STRENGTH_FACTOR_RECIPROCITY: _ClassVar[StrengthFactor]

class IntroductionReasonType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INTRODUCTION_REASON_TYPE_UNSPECIFIED: _ClassVar[IntroductionReasonType]
    INTRODUCTION_REASON_TYPE_SHARED_TAGS: _ClassVar[IntroductionReasonType]
    INTRODUCTION_REASON_TYPE_SHARED_TOPICS: _ClassVar[IntroductionReasonType]
    INTRODUCTION_REASON_TYPE_SHARED_ORGANIZATION: _ClassVar[IntroductionReasonType]
    INTRODUCTION_REASON_TYPE_SIMILAR_TEXT: _ClassVar[IntroductionReasonType]
    INTRODUCTION_REASON_TYPE_COMMON_ACQUAINTANCE: _ClassVar[IntroductionReasonType]
STRENGTH_FACTOR_UNSPECIFIED: StrengthFactor
STRENGTH_FACTOR_INTERACTIONS: StrengthFactor
STRENGTH_FACTOR_DIVERSITY: StrengthFactor
STRENGTH_FACTOR_RECIPROCITY: StrengthFactor
INTRODUCTION_REASON_TYPE_UNSPECIFIED: IntroductionReasonType
INTRODUCTION_REASON_TYPE_SHARED_TAGS: IntroductionReasonType
INTRODUCTION_REASON_TYPE_SHARED_TOPICS: IntroductionReasonType
INTRODUCTION_REASON_TYPE_SHARED_ORGANIZATION: IntroductionReasonType
INTRODUCTION_REASON_TYPE_SIMILAR_TEXT: IntroductionReasonType
INTRODUCTION_REASON_TYPE_COMMON_ACQUAINTANCE: IntroductionReasonType

class ExplainRelationshipStrengthRequest(_message.Message):
    __slots__ = ("contact_id", "as_of_time", "page_size", "page_token", "skip")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    as_of_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    skip: int
    def __init__(self, contact_id: _Optional[str] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., skip: _Optional[int] = ...) -> None: ...

class ExplainRelationshipStrengthResponse(_message.Message):
    __slots__ = ("contact", "strength", "pinned", "computed_strength", "score", "parts", "formula_version", "as_of_time", "contributions", "next_page_token", "contribution_count")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    COMPUTED_STRENGTH_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    FORMULA_VERSION_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_summary_pb2.ContactSummary
    strength: int
    pinned: bool
    computed_strength: int
    score: float
    parts: _containers.RepeatedCompositeFieldContainer[StrengthPart]
    formula_version: str
    as_of_time: _timestamp_pb2.Timestamp
    contributions: _containers.RepeatedCompositeFieldContainer[StrengthContribution]
    next_page_token: str
    contribution_count: int
    def __init__(self, contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., strength: _Optional[int] = ..., pinned: _Optional[bool] = ..., computed_strength: _Optional[int] = ..., score: _Optional[float] = ..., parts: _Optional[_Iterable[_Union[StrengthPart, _Mapping]]] = ..., formula_version: _Optional[str] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., contributions: _Optional[_Iterable[_Union[StrengthContribution, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., contribution_count: _Optional[int] = ...) -> None: ...

class StrengthPart(_message.Message):
    __slots__ = ("factor", "value", "interaction_count", "description")
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    factor: StrengthFactor
    value: float
    interaction_count: int
    description: str
    def __init__(self, factor: _Optional[_Union[StrengthFactor, str]] = ..., value: _Optional[float] = ..., interaction_count: _Optional[int] = ..., description: _Optional[str] = ...) -> None: ...

class StrengthContribution(_message.Message):
    __slots__ = ("interaction_id", "factor", "value", "weight", "decay", "occur_time")
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    interaction_id: str
    factor: StrengthFactor
    value: float
    weight: float
    decay: float
    occur_time: _timestamp_pb2.Timestamp
    def __init__(self, interaction_id: _Optional[str] = ..., factor: _Optional[_Union[StrengthFactor, str]] = ..., value: _Optional[float] = ..., weight: _Optional[float] = ..., decay: _Optional[float] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetNetworkSummaryRequest(_message.Message):
    __slots__ = ("months", "time_zone", "top_count")
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    TOP_COUNT_FIELD_NUMBER: _ClassVar[int]
    months: int
    time_zone: str
    top_count: int
    def __init__(self, months: _Optional[int] = ..., time_zone: _Optional[str] = ..., top_count: _Optional[int] = ...) -> None: ...

class GetNetworkSummaryResponse(_message.Message):
    __slots__ = ("contact_count", "organization_count", "interaction_count", "link_count", "never_contacted_count", "overdue_count", "strength_bands", "tags", "months", "going_quiet", "most_improved", "as_of_time")
    CONTACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_COUNT_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    LINK_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEVER_CONTACTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_BANDS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    GOING_QUIET_FIELD_NUMBER: _ClassVar[int]
    MOST_IMPROVED_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    contact_count: int
    organization_count: int
    interaction_count: int
    link_count: int
    never_contacted_count: int
    overdue_count: int
    strength_bands: _containers.RepeatedCompositeFieldContainer[StrengthBand]
    tags: _containers.RepeatedCompositeFieldContainer[TagCount]
    months: _containers.RepeatedCompositeFieldContainer[MonthSummary]
    going_quiet: _containers.RepeatedCompositeFieldContainer[QuietContact]
    most_improved: _containers.RepeatedCompositeFieldContainer[ImprovedContact]
    as_of_time: _timestamp_pb2.Timestamp
    def __init__(self, contact_count: _Optional[int] = ..., organization_count: _Optional[int] = ..., interaction_count: _Optional[int] = ..., link_count: _Optional[int] = ..., never_contacted_count: _Optional[int] = ..., overdue_count: _Optional[int] = ..., strength_bands: _Optional[_Iterable[_Union[StrengthBand, _Mapping]]] = ..., tags: _Optional[_Iterable[_Union[TagCount, _Mapping]]] = ..., months: _Optional[_Iterable[_Union[MonthSummary, _Mapping]]] = ..., going_quiet: _Optional[_Iterable[_Union[QuietContact, _Mapping]]] = ..., most_improved: _Optional[_Iterable[_Union[ImprovedContact, _Mapping]]] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StrengthBand(_message.Message):
    __slots__ = ("min_strength", "max_strength", "contact_count")
    MIN_STRENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_STRENGTH_FIELD_NUMBER: _ClassVar[int]
    CONTACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    min_strength: int
    max_strength: int
    contact_count: int
    def __init__(self, min_strength: _Optional[int] = ..., max_strength: _Optional[int] = ..., contact_count: _Optional[int] = ...) -> None: ...

class TagCount(_message.Message):
    __slots__ = ("tag_id", "name", "contact_count")
    TAG_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    tag_id: str
    name: str
    contact_count: int
    def __init__(self, tag_id: _Optional[str] = ..., name: _Optional[str] = ..., contact_count: _Optional[int] = ...) -> None: ...

class MonthSummary(_message.Message):
    __slots__ = ("year", "month", "interaction_count", "contact_count", "new_contact_count")
    YEAR_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEW_CONTACT_COUNT_FIELD_NUMBER: _ClassVar[int]
    year: int
    month: int
    interaction_count: int
    contact_count: int
    new_contact_count: int
    def __init__(self, year: _Optional[int] = ..., month: _Optional[int] = ..., interaction_count: _Optional[int] = ..., contact_count: _Optional[int] = ..., new_contact_count: _Optional[int] = ...) -> None: ...

class QuietContact(_message.Message):
    __slots__ = ("contact", "last_contact_time", "days_since", "usual_days")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    LAST_CONTACT_TIME_FIELD_NUMBER: _ClassVar[int]
    DAYS_SINCE_FIELD_NUMBER: _ClassVar[int]
    USUAL_DAYS_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_summary_pb2.ContactSummary
    last_contact_time: _timestamp_pb2.Timestamp
    days_since: int
    usual_days: int
    def __init__(self, contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., last_contact_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., days_since: _Optional[int] = ..., usual_days: _Optional[int] = ...) -> None: ...

class ImprovedContact(_message.Message):
    __slots__ = ("contact", "strength_before", "strength_now")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_BEFORE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_NOW_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_summary_pb2.ContactSummary
    strength_before: int
    strength_now: int
    def __init__(self, contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., strength_before: _Optional[int] = ..., strength_now: _Optional[int] = ...) -> None: ...

class SuggestIntroductionsRequest(_message.Message):
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

class SuggestIntroductionsResponse(_message.Message):
    __slots__ = ("introductions", "next_page_token")
    INTRODUCTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    introductions: _containers.RepeatedCompositeFieldContainer[Introduction]
    next_page_token: str
    def __init__(self, introductions: _Optional[_Iterable[_Union[Introduction, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Introduction(_message.Message):
    __slots__ = ("first", "second", "score", "reasons", "path")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    first: _contact_summary_pb2.ContactSummary
    second: _contact_summary_pb2.ContactSummary
    score: float
    reasons: _containers.RepeatedCompositeFieldContainer[IntroductionReason]
    path: _containers.RepeatedCompositeFieldContainer[PathStep]
    def __init__(self, first: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., second: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., score: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[IntroductionReason, _Mapping]]] = ..., path: _Optional[_Iterable[_Union[PathStep, _Mapping]]] = ...) -> None: ...

class IntroductionReason(_message.Message):
    __slots__ = ("type", "weight", "detail")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    type: IntroductionReasonType
    weight: float
    detail: str
    def __init__(self, type: _Optional[_Union[IntroductionReasonType, str]] = ..., weight: _Optional[float] = ..., detail: _Optional[str] = ...) -> None: ...

class PathStep(_message.Message):
    __slots__ = ("from_contact", "to_contact", "link_id", "organization_id", "interaction_id")
    FROM_CONTACT_FIELD_NUMBER: _ClassVar[int]
    TO_CONTACT_FIELD_NUMBER: _ClassVar[int]
    LINK_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_ID_FIELD_NUMBER: _ClassVar[int]
    from_contact: _contact_summary_pb2.ContactSummary
    to_contact: _contact_summary_pb2.ContactSummary
    link_id: str
    organization_id: str
    interaction_id: str
    def __init__(self, from_contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., to_contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., link_id: _Optional[str] = ..., organization_id: _Optional[str] = ..., interaction_id: _Optional[str] = ...) -> None: ...
