"""Comments promise failures that exist, each under the one code that belongs to it."""

from __future__ import annotations

import re

import grpc
import pytest

from tests.contracts.described import PROTOS, Rpc, failures, field_types, messages, reasons, rpcs, service_comments

CODES = {code.name for code in grpc.StatusCode}

# Any call can meet these, so services say them once. RetentionService needs no tenant.
COMMON = {
    "TENANT_MISSING",
    "TENANT_MALFORMED",
    "TENANT_AMBIGUOUS",
    "TENANT_UNKNOWN",
    "TENANT_MISMATCH",
    "TOKEN_INVALID",
    "USER_CLOSED",
    "OVERLOADED",
    "RATE_LIMITED",
    "DATABASE_UNAVAILABLE",
    "DATABASE_BUSY",
    "UNKNOWN_OUTCOME",
    "CONCURRENT_CHANGE",
    "DEADLINE_EXCEEDED",
    "NOT_BUILT",
    "INTERNAL",
}
WITHOUT_TENANT = {"pmcrm.gdpr.v1.RetentionService"}

# Never the status of a call: they stand in the events of an import, one per record.
IN_EVENTS = re.compile(r"IMPORT_(RECORD_|\w+_LEFT_OUT)")


@pytest.mark.parametrize("rpc", rpcs(), ids=str)
def test_every_rpc_says_what_it_does_and_how_it_fails(rpc: Rpc):
    promise, _, failing = rpc.comment.partition("Fails with:\n")
    assert promise.strip().endswith(".")
    listed = [line for line in failing.splitlines() if line.startswith("- ")]
    assert len(listed) == len(failures(failing)) > 0


@pytest.mark.parametrize("rpc", rpcs(), ids=str)
def test_every_promised_failure_has_a_reason_and_its_code(rpc: Rpc):
    for code, reason in rpc.failures():
        assert reasons()[reason][0] == code, f"{rpc} promises {code} {reason}"


@pytest.mark.parametrize("service", service_comments())
def test_every_service_says_what_any_call_can_fail_with(service: str):
    said = failures(service_comments()[service])
    for code, reason in said:
        assert reasons()[reason][0] == code, f"{service} promises {code} {reason}"
    if service not in WITHOUT_TENANT:
        assert {reason for _, reason in said} >= COMMON


@pytest.mark.parametrize("rpc", rpcs(), ids=str)
def test_arguments_that_can_fail_are_promised_to(rpc: Rpc):
    fields, promised = field_types(messages()[rpc.method.input_type]).keys(), {reason for _, reason in rpc.failures()}
    if "request_id" in fields:
        assert "REQUEST_ID_REUSED" in promised
    if "page_token" in fields:
        assert "PAGE_TOKEN_INVALID" in promised
    if "etag" in fields or "update_mask" in fields:
        assert "ETAG_MISMATCH" in promised
    if rpc.name.startswith("Undelete"):
        assert any(reason.endswith("_NOT_DELETED") for reason in promised)


@pytest.mark.parametrize("reason", reasons())
def test_every_reason_has_a_code_and_an_example(reason: str):
    code, comment = reasons()[reason]
    assert code in CODES - {"OK"}
    assert re.search(r"^Example: \S", comment, re.MULTILINE)


def test_every_reason_is_promised_somewhere():
    promised = {reason for rpc in rpcs() for _, reason in rpc.failures()}
    for comment in service_comments().values():
        promised |= {reason for _, reason in failures(comment)}
    assert {reason for reason in reasons() if reason not in promised and not IN_EVENTS.match(reason)} == set()


def test_comments_fit_the_page():
    long = [
        f"{path.relative_to(PROTOS)}:{number}"
        for path in PROTOS.rglob("*.proto")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []
