"""The outermost layer: any exception becomes a clean status.

grpcio sends the text of an unhandled exception to the caller; here a caller hears only what `shared.errors` says, and
the log holds where it happened, not what it was about: exception texts can quote what a person typed.
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
import structlog

from shared.caller import caller, read_metadata
from shared.errors import Internal, as_rpc_error
from shared.layers import Context, Handler, Method
from shared.telemetry import where

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
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, grpc.aio.AbortError) or _is_cancelled(error):
                raise
            failure = as_rpc_error(error, who.request_id)
            if isinstance(failure, Internal):
                log.error("internal_error", method=method.name, request_id=who.request_id, **where(error))
            trailers = ((DETAILS_KEY, failure.status().SerializeToString()), ("x-request-id", who.request_id))
            await context.abort(failure.code, failure.message, trailers)

    return answer


def _is_cancelled(error: BaseException) -> bool:
    """Whether the call itself was cancelled. A cancelled task that a handler waited for is a failure like any other."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
