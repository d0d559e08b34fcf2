"""The one family of errors: what a handler raises, and the status that a caller receives for it.

A handler raises meaning (`NotFound("CONTACT_NOT_FOUND", …)`); only this module knows gRPC's codes. Every answer
is a `google.rpc.Status` with one `ErrorInfo` (domain `pmcrm`, a reason out of `pmcrm.type.v1.ErrorReason`) and, for
bad input, one `BadRequest.FieldViolation` for each bad field. Messages hold ids and reasons, never what somebody typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

DOMAIN = "pmcrm"

# Bytes of a status. It travels in trailing metadata, of which clients take 8 KiB: beyond that a caller would hear
# RESOURCE_EXHAUSTED from its own library instead of what is wrong. Details travel in base64, a third longer.
MESSAGE_LIMIT = 1000
DETAILS_LIMIT = 3500
LONGEST_FIELD = 120
SEPARATOR = 8


@dataclass(frozen=True, slots=True)
class Violation:
    """One bad field: its path as the request spells it (`contact.emails[1].value`), and what is wrong with it."""

    field: str
    description: str


class RpcError(Exception):
    """A failure that the caller is meant to understand.

    reason: a value of `pmcrm.type.v1.ErrorReason` without its prefix.
    message: a sentence for the developer of the calling program; holds no personal data.
    metadata: values that the program may want to read, such as the id that was asked for.
    """

    code: grpc.StatusCode = grpc.StatusCode.INTERNAL

    def __init__(self, reason: str, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata

    def details(self) -> list[Message]:
        """What the status carries beside its code and message; the first is always the `ErrorInfo`."""
        return [error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=self.metadata)]

    def status(self) -> status_pb2.Status:
        """The `google.rpc.Status` that goes into `grpc-status-details-bin`."""
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in self.details():
            packed = any_pb2.Any()
            packed.Pack(detail)
            status.details.append(packed)
        return status


class InvalidArgument(RpcError):
    """The request is wrong whatever the state of the system; names every bad field at once, as far as there is room."""

    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, violations: Sequence[Violation], reason: str = "FIELD_INVALID") -> None:
        super().__init__(reason, _sentence(violations))
        self.violations = tuple(violations)

    def details(self) -> list[Message]:
        bad = error_details_pb2.BadRequest()
        for violation in _fitting(self.violations, DETAILS_LIMIT):
            bad.field_violations.add(field=violation.field, description=violation.description)
        return [*super().details(), bad]


def _sentence(violations: Sequence[Violation]) -> str:
    named = _fitting(violations, MESSAGE_LIMIT)
    rest = f"; and {len(violations) - len(named)} more" if len(named) < len(violations) else ""
    return "; ".join(f"{v.field}: {v.description}" for v in named) + rest


def _fitting(violations: Sequence[Violation], limit: int) -> list[Violation]:
    """The first violations that together take at most `limit` bytes; always one, cut short where it must be."""
    fitting: list[Violation] = []
    for violation in violations:
        limit -= len(violation.field.encode()) + len(violation.description.encode()) + SEPARATOR
        if limit < 0:
            break
        fitting.append(violation)
    if violations and not fitting:
        fitting.append(Violation(violations[0].field[:LONGEST_FIELD], violations[0].description[:LONGEST_FIELD]))
    return fitting


class NotFound(RpcError):
    """The tenant has no such row; another tenant's row gets the same answer."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExists(RpcError):
    """What the call would bring about is there already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class FailedPrecondition(RpcError):
    """The state of the system forbids the call; repeating it helps only after the state has changed."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Aborted(RpcError):
    """Another write came first; read again and repeat."""

    code = grpc.StatusCode.ABORTED


class PermissionDenied(RpcError):
    """The caller is known, and may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED


class Unauthenticated(RpcError):
    """The call names no tenant that the service could act for."""

    code = grpc.StatusCode.UNAUTHENTICATED


class Unavailable(RpcError):
    """The same call may succeed later. Nothing was changed."""

    code = grpc.StatusCode.UNAVAILABLE


class UnknownOutcome(RpcError):
    """The connection was lost while committing. Not UNAVAILABLE, which callers' libraries repeat by themselves."""

    code = grpc.StatusCode.UNKNOWN

    def __init__(self) -> None:
        super().__init__("UNKNOWN_OUTCOME", "the connection was lost while committing; repeat with the same request_id")


class DeadlineExceeded(RpcError):
    """The time for the call ran out on the server's side; nothing was changed."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class Unimplemented(RpcError):
    """The contract has this, the service does not have it yet."""

    code = grpc.StatusCode.UNIMPLEMENTED


class Internal(RpcError):
    """A defect of the service: the caller learns the request id and nothing else."""

    code = grpc.StatusCode.INTERNAL

    def __init__(self, request_id: str) -> None:
        super().__init__("INTERNAL", f"internal error, request id {request_id}", request_id=request_id)


class ResourceExhausted(RpcError):
    """The service has too much to do; says after how many seconds to try again."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, reason: str, message: str, retry_after: float) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after

    def details(self) -> list[Message]:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(self.retry_after * 1e9))
        return [*super().details(), error_details_pb2.RetryInfo(retry_delay=delay)]


class ChangedMeanwhile(Exception):
    """Raised inside of a mutation that finds something changed by another one; the mutation is run again."""


# The transaction came to nothing because of another one; the same transaction may be run again.
UNDONE_BY_CONCURRENCY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, ChangedMeanwhile)


def as_rpc_error(error: BaseException, request_id: str) -> RpcError:
    """The error a caller hears for any exception: itself, what a database failure means, or a bare INTERNAL."""
    if isinstance(error, RpcError):
        return error
    if isinstance(error, UNDONE_BY_CONCURRENCY):
        return Aborted("CONCURRENT_CHANGE", "another call changed the same data at the same time")
    if isinstance(error, asyncpg.LockNotAvailableError):
        return Unavailable("DATABASE_BUSY", "a row was locked by another call for too long")
    if isinstance(error, asyncpg.QueryCanceledError | TimeoutError):
        return DeadlineExceeded("DEADLINE_EXCEEDED", "the call took longer than the server allows")
    if isinstance(error, asyncpg.InsufficientResourcesError):
        return Unavailable("DATABASE_UNAVAILABLE", "the database is out of disk, memory or connections")
    return Internal(request_id)
