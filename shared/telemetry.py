"""Logs and counts each RPC: method, code, duration, request id, tenant id. Never names, e-mails or notes."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import traceback
from typing import Any

import structlog

from shared.caller import caller
from shared.errors import as_rpc_error
from shared.layers import Context, Handler, Layer, Method
from shared.metrics import Metrics

log = structlog.get_logger()


def measuring(metrics: Metrics) -> Layer:
    """The layer that observes each call's duration and code, and logs it."""

    def layer(handler: Handler, method: Method) -> Handler:
        async def measure(request: Any, context: Context) -> Any:
            started = time.perf_counter()
            code = "OK"
            reason = None
            try:
                return await handler(request, context)
            except asyncio.CancelledError:
                code = "CANCELLED"
                raise
            except Exception as error:
                failure = as_rpc_error(error, "")
                code, reason = failure.code.name, failure.reason
                raise
            finally:
                seconds = time.perf_counter() - started
                metrics.observe_rpc(method.name, code, seconds)
                # A successful call is a debug line: at thousands a second the log would cost more than the call.
                if code != "OK" or log_level <= logging.DEBUG:
                    _log_call(method.name, code, reason, seconds)

        return measure

    return layer


log_level = logging.INFO


def configure_logging(level: str, form: str) -> None:
    """Structured logs on standard error.

    level: `debug`, `info`, `warning` or `error`; every RPC is logged at debug, failures at info, defects at error.
    form: `json`, `console`, or `auto`: console on a terminal, else JSON.
    """
    global log_level
    log_level = logging.getLevelNamesMapping()[level.upper()]
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(log_level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[LibraryLines()], level=max(log_level, logging.WARNING), force=True)


class LibraryLines(logging.Handler):
    """What libraries log, as lines of ours without their arguments and exception texts, which can quote people."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the unfilled first line of a message, and where its exception was raised."""
        error = record.exc_info[1] if record.exc_info else None
        log.log(
            record.levelno,
            "library",
            logger=record.name,
            text=str(record.msg).partition("\n")[0],
            **({} if error is None else where(error)),
        )


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


def _log_call(method: str, code: str, reason: str | None, seconds: float) -> None:
    who = caller.get()
    write = log.debug if code == "OK" else log.info
    write(
        "rpc",
        method=method,
        code=code,
        reason=reason,
        milliseconds=round(seconds * 1000, 2),
        request_id=who.request_id,
        tenant=None if who.tenant is None else str(who.tenant),
    )
