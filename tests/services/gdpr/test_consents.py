"""RecordConsent: what people declare is kept as they declared it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.gdpr.v1.consent_pb2 import Consent, ConsentType, LegalBasis

from tests.postgres import Connection, bound
from tests.services.contacts.calls import NOBODY, Book
from tests.services.gdpr.consent_calls import (
    GRANTED,
    OBJECTED,
    OBJECTION,
    PURPOSE,
    WITHDRAWAL,
    WITHDRAWN,
    Declarations,
    a_time,
)
from tests.suite import failure, new_request_id, tenant_of

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
HASH = "0123456789abcdef" * 4


async def test_what_was_recorded_is_what_is_kept(declarations: Declarations, book: Book) -> None:
    contact = await book.create(given_name="Ada")
    made = await declarations.record(
        contact.id,
        type=ConsentType.CONSENT_TYPE_EXPLICIT_CONSENT,
        purpose="health-data.v_2",
        legal_basis=LegalBasis.LEGAL_BASIS_LEGITIMATE_INTERESTS,
        text_version=" 2026-03 ",
        text_hash=HASH.upper(),
        source="web_form",
        ip_address="2001:0DB8::1",
        user_agent="Browser/1.0",
        note="two\r\nlines",
        expire_time=a_time(TOMORROW),
        status=WITHDRAWN,
        id=NOBODY,
        withdrawn_consent_id=NOBODY,
    )
    assert (await declarations.page(contact_id=contact.id)).consents == [made]
    assert made.create_time.ToDatetime(UTC) > TOMORROW - timedelta(days=2)
    assert made.id != NOBODY
    kept = Consent(
        contact_id=contact.id,
        type=ConsentType.CONSENT_TYPE_EXPLICIT_CONSENT,
        purpose="health-data.v_2",
        legal_basis=LegalBasis.LEGAL_BASIS_LEGITIMATE_INTERESTS,
        text_version="2026-03",
        text_hash=HASH,
        source="web_form",
        ip_address="2001:db8::1",
        user_agent="Browser/1.0",
        note="two\nlines",
        expire_time=a_time(TOMORROW),
        status=GRANTED,
        id=made.id,
        create_time=made.create_time,
    )
    assert made == kept


async def test_what_is_not_said_has_its_meaning(declarations: Declarations) -> None:
    made = await declarations.record()
    assert (made.contact_id, made.type, made.legal_basis) == (
        "",
        ConsentType.CONSENT_TYPE_CONSENT,
        LegalBasis.LEGAL_BASIS_CONSENT,
    )
    assert (made.ip_address, made.user_agent) == ("", "")
    assert not made.HasField("expire_time")


async def test_address_and_program_are_of_the_metadata_where_they_are_not_given(declarations: Declarations) -> None:
    behind = (("x-client-ip", "192.0.2.7"), ("x-client-user-agent", "Browser/2.0"))
    made = await declarations.record(metadata=behind)
    assert (made.ip_address, made.user_agent) == ("192.0.2.7", "Browser/2.0")
    told = await declarations.record(metadata=behind, ip_address="198.51.100.1", user_agent="Form")
    assert (told.ip_address, told.user_agent) == ("198.51.100.1", "Form")
    withdrawn = await declarations.withdraw(metadata=behind, purpose=PURPOSE)
    assert (withdrawn.ip_address, withdrawn.user_agent) == ("192.0.2.7", "Browser/2.0")
    assert (await declarations.record(metadata=(("x-client-ip", "somewhere"),))).ip_address == ""


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"purpose": ""}, "purpose"),
        ({"purpose": "x" * 101}, "purpose"),
        ({"purpose": "Newsletter"}, "purpose"),
        ({"purpose": "news letter"}, "purpose"),
        ({"purpose": "news\n"}, "purpose"),
        ({"purpose": "a\0"}, "purpose"),
        ({"text_version": ""}, "text_version"),
        ({"text_version": " "}, "text_version"),
        ({"text_version": "", "type": ConsentType.CONSENT_TYPE_PARENTAL_CONSENT}, "text_version"),
        ({"text_version": "", "type": ConsentType.CONSENT_TYPE_EXPLICIT_CONSENT}, "text_version"),
        ({"text_version": "x" * 101}, "text_version"),
        ({"text_version": "a\0b"}, "text_version"),
        ({"type": WITHDRAWAL}, "type"),
        ({"type": 77}, "type"),
        ({"legal_basis": 77}, "legal_basis"),
        ({"text_hash": HASH[1:]}, "text_hash"),
        ({"text_hash": "g" * 64}, "text_hash"),
        ({"source": "x" * 101}, "source"),
        ({"source": "a\nb"}, "source"),
        ({"ip_address": "192.0.2.256"}, "ip_address"),
        ({"ip_address": "192.0.2.0/24"}, "ip_address"),
        ({"ip_address": "fe80::1%eth0"}, "ip_address"),
        ({"ip_address": "a\0"}, "ip_address"),
        ({"user_agent": "x" * 1_001}, "user_agent"),
        ({"user_agent": "a\0b"}, "user_agent"),
        ({"note": "x" * 1_001}, "note"),
        ({"note": "a\0b"}, "note"),
        ({"expire_time": Timestamp(seconds=1)}, "expire_time"),
        ({"expire_time": Timestamp(seconds=10**12)}, "expire_time"),
        ({"expire_time": a_time(TOMORROW), "type": OBJECTION}, "expire_time"),
        ({"contact_id": "Ada"}, "contact_id"),
    ],
)
async def test_what_breaks_a_rule_is_refused_by_its_field(
    declarations: Declarations, fields: dict[str, Any], bad: str
) -> None:
    refused = await failure(declarations.record(**fields))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [f"consent.{bad}"]
    assert (await declarations.page()).consents == []


async def test_all_that_is_wrong_is_told_at_once_and_none_of_it_repeated(declarations: Declarations) -> None:
    refused = await failure(declarations.record(purpose="Ada!", text_version="", ip_address="Ada", note="Ada" * 999))
    assert set(refused.violations) == {f"consent.{f}" for f in ("purpose", "text_version", "ip_address", "note")}
    assert "Ada" not in str(refused.status)


async def test_limits_are_what_is_taken(declarations: Declarations) -> None:
    longest = "f" * 4 + ":ffff" * 7
    made = await declarations.record(
        purpose="x" * 100, text_version="é" * 100, source="s" * 100, ip_address=longest, user_agent="u" * 1_000,
        note="n" * 1_000,
    )  # fmt: skip
    assert (made.ip_address, len(made.user_agent), len(made.note)) == (longest, 1_000, 1_000)
    assert (await declarations.record(type=OBJECTION, text_version="")).status == OBJECTED


@pytest.mark.parametrize("deleted", [False, True])
async def test_nobody_records_for_a_contact_that_is_not_there(
    declarations: Declarations, book: Book, deleted: bool
) -> None:
    contact_id = (await book.create(given_name="Ada")).id if deleted else NOBODY
    if deleted:
        await book.delete(contact_id)
    refused = await failure(declarations.record(contact_id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    assert refused.metadata == {"id": contact_id}
    # The user's own id names no contact.
    assert (await failure(declarations.record(tenant_of(declarations.tenant)))).reason == "CONTACT_NOT_FOUND"


async def test_a_restricted_contact_declares_and_withdraws(
    declarations: Declarations, book: Book, as_superuser: Connection
) -> None:
    contact = await book.create(given_name="Ada")
    async with bound(as_superuser, uuid.UUID(tenant_of(declarations.tenant))) as conn:
        await conn.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", contact.id)
    made = await declarations.record(contact.id)
    assert await declarations.status(contact.id) == GRANTED
    await declarations.withdraw(id=made.id)
    assert (await declarations.check(contact.id)).status == WITHDRAWN
    assert len((await declarations.page(contact_id=contact.id)).consents) == 2


async def test_a_repeated_request_is_answered_once(declarations: Declarations) -> None:
    request_id = new_request_id()
    made = await declarations.record(request_id=request_id)
    assert await declarations.record(request_id=request_id) == made
    other = await failure(declarations.record(request_id=request_id, note="other"))
    assert (other.code, other.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    request_id = new_request_id()
    withdrawn = await declarations.withdraw(id=made.id, request_id=request_id)
    assert await declarations.withdraw(id=made.id, request_id=request_id) == withdrawn
    other = await failure(declarations.withdraw(purpose=PURPOSE, request_id=request_id))
    assert (other.code, other.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    assert (await declarations.page()).consents == [withdrawn, made]


async def test_declarations_are_audited_by_whom_they_are_of_and_without_what_they_say(
    declarations: Declarations, book: Book, as_superuser: Connection
) -> None:
    contact = await book.create(given_name="Ada")
    actor = (("x-actor", "clerk"), ("x-client-ip", "192.0.2.9"))
    made = await declarations.record(contact.id, metadata=actor, note="a secret note")
    own = await declarations.record()
    withdrawn = await declarations.withdraw(id=made.id)
    rows = await as_superuser.fetch(
        "SELECT row_id::text, action, subject_id::text, actor, host(client_ip) AS ip, new_values FROM audit_logs"
        " WHERE user_id = $1 AND table_name = 'consent_records' ORDER BY at",
        tenant_of(declarations.tenant),
    )
    assert [(row["row_id"], row["action"], row["subject_id"]) for row in rows] == [
        (made.id, "INSERT", contact.id),
        (own.id, "INSERT", tenant_of(declarations.tenant)),
        (withdrawn.id, "INSERT", contact.id),
    ]
    assert (rows[0]["actor"], rows[0]["ip"]) == ("clerk", "192.0.2.9")
    assert {row["new_values"] for row in rows} == {None}
