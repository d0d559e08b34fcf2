"""The outermost layer: any exception becomes a clean status.

grpcio sends the text of an unhandled exception to the caller; here a caller hears only what `shared.errors` says, and
the log holds where it happened, not what it was about: exception texts can quote what a person typed.
"""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import grpc.aio
import structlog

from shared.caller import caller, read_metadata
from shared.errors import Internal, as_rpc_error
from shared.layers import Context, Handler, Method

log = structlog.get_logger()

DETAILS_KEY = "grpc-status-details-bin"


def answering(handler: Handler, method: Method) -> Handler:
    """Sets up the call's `Caller`, echoes its request id, and turns what is raised inside into a status."""

    async def answer(request: Any, context: Context) -> Any:
        who = read_metadata(context.invocation_metadata() or ())
        caller.set(who)
        context.set_trailing_metadata((("x-request-id", who.request_id),))
        try:
            return await handler(request, context)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:  # noqa: BLE001 - the outermost layer: nothing may pass to grpcio
            failure = as_rpc_error(error, who.request_id)
            if isinstance(failure, Internal):
                log.error("internal_error", method=method.name, request_id=who.request_id, **where(error))
            trailers = ((DETAILS_KEY, failure.status().SerializeToString()), ("x-request-id", who.request_id))
            await context.abort(failure.code, failure.message, trailers)

    return answer


def where(error: BaseException) -> dict[str, object]:
    """The type of an exception and the lines that it came through, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    facts: dict[str, object] = {
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }
    if sqlstate := getattr(error, "sqlstate", None):
        facts["sqlstate"] = sqlstate
    return facts
