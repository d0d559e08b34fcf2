from pmcrm.contacts.v1 import contact_pb2 as _contact_pb2
from pmcrm.type.v1 import contact_summary_pb2 as _contact_summary_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DuplicateReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DUPLICATE_REASON_UNSPECIFIED: _ClassVar[DuplicateReason]
    DUPLICATE_REASON_SAME_PHONE: _ClassVar[DuplicateReason]
    DUPLICATE_REASON_SAME_EMAIL: _ClassVar[DuplicateReason]
    DUPLICATE_REASON_SIMILAR_EMAIL: _ClassVar[DuplicateReason]
    DUPLICATE_REASON_SIMILAR_NAME_SAME_ORGANIZATION: _ClassVar[DuplicateReason]
    DUPLICATE_REASON_SIMILAR_NAME_SAME_BIRTHDAY: _ClassVar[DuplicateReason]
    DUPLICATE_REASON_SAME_NAME: _ClassVar[DuplicateReason]

class UnmergeProblemKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNMERGE_PROBLEM_KIND_UNSPECIFIED: _ClassVar[UnmergeProblemKind]
    UNMERGE_PROBLEM_KIND_GONE: _ClassVar[UnmergeProblemKind]
    UNMERGE_PROBLEM_KIND_EDITED: _ClassVar[UnmergeProblemKind]
    UNMERGE_PROBLEM_KIND_REFERENCE_GONE: _ClassVar[UnmergeProblemKind]
    UNMERGE_PROBLEM_KIND_TAKEN: _ClassVar[UnmergeProblemKind]
DUPLICATE_REASON_UNSPECIFIED: DuplicateReason
DUPLICATE_REASON_SAME_PHONE: DuplicateReason
DUPLICATE_REASON_SAME_EMAIL: DuplicateReason
DUPLICATE_REASON_SIMILAR_EMAIL: DuplicateReason
DUPLICATE_REASON_SIMILAR_NAME_SAME_ORGANIZATION: DuplicateReason
DUPLICATE_REASON_SIMILAR_NAME_SAME_BIRTHDAY: DuplicateReason
DUPLICATE_REASON_SAME_NAME: DuplicateReason
UNMERGE_PROBLEM_KIND_UNSPECIFIED: UnmergeProblemKind
UNMERGE_PROBLEM_KIND_GONE: UnmergeProblemKind
UNMERGE_PROBLEM_KIND_EDITED: UnmergeProblemKind
UNMERGE_PROBLEM_KIND_REFERENCE_GONE: UnmergeProblemKind
UNMERGE_PROBLEM_KIND_TAKEN: UnmergeProblemKind

class FindDuplicateContactsRequest(_message.Message):
    __slots__ = ("contact_id", "min_score", "max_candidates")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    min_score: float
    max_candidates: int
    def __init__(self, contact_id: _Optional[str] = ..., min_score: _Optional[float] = ..., max_candidates: _Optional[int] = ...) -> None: ...

class FindDuplicateContactsResponse(_message.Message):
    __slots__ = ("candidate", "progress")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    candidate: DuplicateCandidate
    progress: DuplicateProgress
    def __init__(self, candidate: _Optional[_Union[DuplicateCandidate, _Mapping]] = ..., progress: _Optional[_Union[DuplicateProgress, _Mapping]] = ...) -> None: ...

class DuplicateCandidate(_message.Message):
    __slots__ = ("contact", "duplicate", "score", "evidence")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_summary_pb2.ContactSummary
    duplicate: _contact_summary_pb2.ContactSummary
    score: float
    evidence: _containers.RepeatedCompositeFieldContainer[DuplicateEvidence]
    def __init__(self, contact: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., duplicate: _Optional[_Union[_contact_summary_pb2.ContactSummary, _Mapping]] = ..., score: _Optional[float] = ..., evidence: _Optional[_Iterable[_Union[DuplicateEvidence, _Mapping]]] = ...) -> None: ...

class DuplicateEvidence(_message.Message):
    __slots__ = ("reason", "weight", "detail")
    REASON_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: DuplicateReason
    weight: float
    detail: str
    def __init__(self, reason: _Optional[_Union[DuplicateReason, str]] = ..., weight: _Optional[float] = ..., detail: _Optional[str] = ...) -> None: ...

class DuplicateProgress(_message.Message):
    __slots__ = ("contacts_processed", "contacts_total")
    CONTACTS_PROCESSED_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    contacts_processed: int
    contacts_total: int
    def __init__(self, contacts_processed: _Optional[int] = ..., contacts_total: _Optional[int] = ...) -> None: ...

class MergeContactsRequest(_message.Message):
    __slots__ = ("id", "duplicate_ids", "etag", "request_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_IDS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    duplicate_ids: _containers.RepeatedScalarFieldContainer[str]
    etag: str
    request_id: str
    def __init__(self, id: _Optional[str] = ..., duplicate_ids: _Optional[_Iterable[str]] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class MergeContactsResponse(_message.Message):
    __slots__ = ("contact", "merge_id", "moved_counts", "dropped_counts")
    class MovedCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class DroppedCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    MOVED_COUNTS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_COUNTS_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_pb2.Contact
    merge_id: str
    moved_counts: _containers.ScalarMap[str, int]
    dropped_counts: _containers.ScalarMap[str, int]
    def __init__(self, contact: _Optional[_Union[_contact_pb2.Contact, _Mapping]] = ..., merge_id: _Optional[str] = ..., moved_counts: _Optional[_Mapping[str, int]] = ..., dropped_counts: _Optional[_Mapping[str, int]] = ...) -> None: ...

class UnmergeContactsRequest(_message.Message):
    __slots__ = ("merge_id", "request_id")
    MERGE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    merge_id: str
    request_id: str
    def __init__(self, merge_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UnmergeContactsResponse(_message.Message):
    __slots__ = ("contact", "restored_contacts", "problems")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    RESTORED_CONTACTS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    contact: _contact_pb2.Contact
    restored_contacts: _containers.RepeatedCompositeFieldContainer[_contact_pb2.Contact]
    problems: _containers.RepeatedCompositeFieldContainer[UnmergeProblem]
    def __init__(self, contact: _Optional[_Union[_contact_pb2.Contact, _Mapping]] = ..., restored_contacts: _Optional[_Iterable[_Union[_contact_pb2.Contact, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[UnmergeProblem, _Mapping]]] = ...) -> None: ...

class UnmergeProblem(_message.Message):
    __slots__ = ("kind", "entity", "entity_id", "contact_id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    kind: UnmergeProblemKind
    entity: str
    entity_id: str
    contact_id: str
    def __init__(self, kind: _Optional[_Union[UnmergeProblemKind, str]] = ..., entity: _Optional[str] = ..., entity_id: _Optional[str] = ..., contact_id: _Optional[str] = ...) -> None: ...
