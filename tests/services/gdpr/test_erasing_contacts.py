"""EraseContact: what it reaches, what stays, what it refuses, and what its receipt says."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.contacts.v1.contact_link_pb2 import ContactLink
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from pmcrm.gdpr.v1.erasure_pb2 import ErasureReceipt, ErasureState

from services.gdpr.service import SERVICE as GDPR
from tests.postgres import Connection, Database, bound
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.merge_calls import merge, unmerge
from tests.services.contacts.organization_calls import restrict
from tests.services.gdpr.audit_calls import Trail, seal, seal_from_the_start
from tests.services.gdpr.canaries import every_row, rows_of_tenant
from tests.services.gdpr.conftest import GdprClient
from tests.services.gdpr.consent_calls import Declarations
from tests.services.gdpr.erasing import EMPTY, NAMED, Erasing, counts, row_of
from tests.services.interactions.interaction_calls import Log
from tests.services.interactions.reminder_calls import KEEP_IN_TOUCH, Reminding
from tests.suite import Failure, Metadata, failure, new_request_id, running, settings_for

WHO: Metadata = (("x-actor", "Grace"), ("x-client-ip", "192.0.2.77"), ("x-client-user-agent", "a browser"))


async def is_gone(book: Book, contact_id: str) -> bool:
    told = await failure(book.get(contact_id))
    return (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")


async def test_an_erased_contact_is_gone_from_every_answer(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Adamantine", emails=[{"value": "ada@example.com"}], notes="likes engines")
    await book.update(ada.id, "notes", notes="likes looms")
    receipt = await erasing.erase(ada.id, metadata=WHO)
    assert await is_gone(book, ada.id)
    found = await book.stub.SearchContacts(contacts_pb.SearchContactsRequest(query="Adamantine"), metadata=book.tenant)
    assert list(found.results) == []
    assert await book.names(show_deleted=True) == []
    everything = "\n".join(await every_row(as_superuser))
    for word in ("damantine", "ada@example.com", "likes engines", "likes looms"):
        assert word not in everything
        assert word.encode().hex() not in everything
    assert (receipt.contact_id, receipt.user_id) == (ada.id, str(erasing.user_id))
    assert counts(receipt, "contacts", "contact_strengths") == [1, 1]
    assert receipt.suppression_count == 1


@pytest.mark.parametrize("state", ["deleted", "restricted"])
async def test_a_deleted_or_restricted_contact_is_erased_as_well(
    book: Book, erasing: Erasing, as_superuser: Connection, state: str
) -> None:
    ada = await book.create(given_name="Ada")
    if state == "deleted":
        await book.delete(ada.id)
    else:
        async with bound(as_superuser, erasing.user_id):
            await restrict(as_superuser, ada.id)
    assert counts(await erasing.erase(ada.id), "contacts") == [1]
    assert await is_gone(book, ada.id)


async def test_the_id_of_a_merged_contact_erases_the_survivor_with_all_that_were_merged(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    ada, augusta, countess, other = [
        await book.create(given_name=name, emails=[{"value": f"{name}@example.com"}])
        for name in ("Ada", "Augusta", "Countess", "Other")
    ]
    await merge(book, augusta.id, countess.id)
    await merge(book, ada.id, augusta.id)
    receipt = await erasing.erase(countess.id)
    assert receipt.contact_id == ada.id
    assert counts(receipt, "contacts", "contact_redirects", "contact_merges") == [3, 2, 2]
    assert receipt.suppression_count == 3
    for contact in (ada, augusta, countess):
        assert await is_gone(book, contact.id)
    assert await book.names(show_deleted=True) == ["Other"]
    everything = "\n".join(await rows_of_tenant(as_superuser, erasing.user_id))
    assert "Countess" not in everything
    assert "Other" in everything
    ids = await as_superuser.fetchval(
        "SELECT erased_contact_ids FROM erasure_requests WHERE user_id = $1", erasing.user_id
    )
    assert {str(each) for each in ids} == {ada.id, augusta.id, countess.id}
    assert other.id not in {str(each) for each in ids}


async def test_what_an_undone_merge_left_with_another_is_erased(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    grace = await book.create(given_name="Grace", emails=[{"value": "grace@example.com"}])
    ada = await book.create(given_name="Ada", emails=[{"value": "adas-own@example.com"}])
    merged = await merge(book, grace.id, ada.id, request_id=new_request_id())
    await book.update(grace.id, "nickname", nickname="Amazing")
    await unmerge(book, merged.merge_id)
    assert "adas-own@example.com" in await erasing.log_text(as_superuser)
    await erasing.erase(ada.id)
    everything = "\n".join(await rows_of_tenant(as_superuser, erasing.user_id))
    assert "adas-own@example.com" not in everything
    assert b"adas-own@example.com".hex() not in everything
    assert [each.value for each in (await book.get(grace.id)).emails] == ["grace@example.com"]
    assert await erasing.ids(as_superuser, EMPTY) == await erasing.ids(as_superuser, NAMED)


async def test_a_shared_interaction_stays_without_the_contact_and_a_sole_one_without_text(
    book: Book, log: Log, erasing: Erasing, as_superuser: Connection
) -> None:
    ada, grace = await book.create(given_name="Ada"), await book.create(given_name="Grace")
    shared = await log.create(ada, grace, subject="Lunch of three", body="The three of us", source_uid="s-1")
    sole = await log.create(
        ada,
        subject="Tête-à-tête",
        body="Secretly happy about looms",
        location="her garden",
        channel="a path",
        topics=["looms"],
        custom_fields={"mood": "shy"},
        source_uid="s-2",
        thread_uid="t-2",
    )
    await log.update(sole.id, "body", body="Secretly happy about engines")
    receipt = await erasing.erase(ada.id)
    assert counts(receipt, "interaction_participants", "interactions") == [2, 1]
    kept = await log.get(shared.id)
    assert (kept.subject, kept.body, kept.source_uid) == ("Lunch of three", "The three of us", "s-1")
    assert [each.contact_id for each in kept.participants] == [grace.id]
    emptied = await log.get(sole.id)
    assert list(emptied.participants) == []
    told = emptied.subject, emptied.body, emptied.location, emptied.channel, list(emptied.topics), emptied.source_uid
    assert told == ("", "", "", "", [], "")
    assert not emptied.HasField("custom_fields")
    assert not emptied.HasField("sentiment")
    assert emptied.occur_time == sole.occur_time
    everything = "\n".join(await rows_of_tenant(as_superuser, erasing.user_id))
    for word in ("Tête", "Secretly", "garden", "looms"):
        assert word not in everything
    assert "Lunch of three" in everything


async def test_a_reminder_about_nobody_else_goes_and_another_loses_the_contact(
    book: Book, reminding: Reminding, erasing: Erasing
) -> None:
    ada, grace = await book.create(given_name="Ada", keep_in_touch_days=30), await book.create(given_name="Grace")
    both = await reminding.create(title="Dinner", contact_ids=[ada.id, grace.id])
    alone = await reminding.create(title="Call", contact_ids=[ada.id])
    cadence = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id])
    nobody = await reminding.create(title="Taxes")
    receipt = await erasing.erase(ada.id)
    assert counts(receipt, "reminders", "reminder_contacts") == [2, 3]
    assert list((await reminding.get(both.id)).contact_ids) == [grace.id]
    assert (await reminding.get(nobody.id)).title == "Taxes"
    for reminder in (alone, cadence):
        assert (await failure(reminding.get(reminder.id))).reason == "REMINDER_NOT_FOUND"


async def link(book: Book, one: Contact, other: Contact, notes: str) -> None:
    made = ContactLink(contact_id=one.id, related_contact_id=other.id, type="CONTACT_LINK_TYPE_FRIEND", notes=notes)
    await book.stub.LinkContacts(contacts_pb.LinkContactsRequest(link=made), metadata=book.tenant)


async def test_links_go_from_both_sides_with_what_the_log_says_of_them(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    ada, grace, anna = [await book.create(given_name=name) for name in ("Ada", "Grace", "Anna")]
    await link(book, grace, ada, "met at the fair")
    await link(book, ada, anna, "at school")
    await link(book, grace, anna, "neither of them")
    # An entry about Grace that says something of Ada.
    await as_superuser.execute("UPDATE contact_links SET notes = 'quarrelled' WHERE notes = 'met at the fair'")
    assert "met at the fair" in await erasing.log_text(as_superuser)
    receipt = await erasing.erase(ada.id)
    assert counts(receipt, "contact_links") == [2]
    everything = "\n".join(await rows_of_tenant(as_superuser, erasing.user_id))
    for words in ("met at the fair", "quarrelled", "at school"):
        assert words not in everything
    assert "neither of them" in everything


async def test_merges_of_others_forget_ties_to_the_contact(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    ada, grace, anna = [await book.create(given_name=name) for name in ("Ada", "Grace", "Anna")]
    for one in (grace, anna):
        await link(book, one, ada, "at her place")
    merged = await merge(book, grace.id, anna.id)
    rows = "SELECT coalesce(string_agg(kept::text, ' '), '') FROM contact_merge_rows WHERE user_id = $1"
    assert "at her place" in await as_superuser.fetchval(rows, erasing.user_id), "the dropped link"
    await erasing.erase(ada.id)
    assert "at her place" not in "\n".join(await rows_of_tenant(as_superuser, erasing.user_id))
    await unmerge(book, merged.merge_id)
    assert (await book.get(anna.id)).given_name == "Anna", "the merge can still be undone"


async def test_the_proof_of_consent_stays_and_holds_nothing_personal(
    book: Book, declarations: Declarations, erasing: Erasing, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada")
    given = await declarations.record(ada.id, note="on paper, by Ada", source="the fair", metadata=WHO)
    await declarations.record("", note="the user's own", metadata=WHO)
    receipt = await erasing.erase(ada.id)
    assert counts(receipt, "consent_records", "consent_states") == [1, 1]
    row = await row_of(as_superuser, "SELECT * FROM consent_records WHERE id = $1", given.id)
    assert (row["type"], row["purpose"], row["legal_basis"]) == ("CONSENT", given.purpose, "CONSENT")
    assert (row["text_version"], row["created_at"] is not None) == ("2026-03", True)
    assert [row[column] for column in ("ip_address", "user_agent", "note", "source")] == [None] * 4
    own = await row_of(
        as_superuser, "SELECT * FROM consent_records WHERE user_id = $1 AND contact_id IS NULL", erasing.user_id
    )
    assert (own["note"], str(own["ip_address"])) == ("the user's own", "192.0.2.77")
    about_ada = await as_superuser.fetch(
        "SELECT actor, client_ip FROM audit_logs WHERE subject_id = $1", uuid.UUID(ada.id)
    )
    assert {tuple(each) for each in about_ada} == {(None, None)}


async def test_the_log_names_exactly_the_entries_that_were_emptied(
    book: Book, log: Log, erasing: Erasing, as_superuser: Connection
) -> None:
    ada, grace = await book.create(given_name="Ada"), await book.create(given_name="Grace")
    for contact in (ada, grace):
        await book.update(contact.id, "notes", notes=f"about {contact.given_name}")
        await log.create(contact, subject="Lunch")
    before = {row["id"]: row["digest"] for row in await as_superuser.fetch("SELECT id, digest FROM audit_logs")}
    receipt = await erasing.erase(ada.id)
    emptied = await erasing.ids(as_superuser, EMPTY)
    assert emptied == await erasing.ids(as_superuser, NAMED)
    assert counts(receipt, "audit_logs") == [len(emptied)]
    entry = await row_of(as_superuser, "SELECT * FROM audit_logs WHERE id = $1", receipt.audit_entry_id)
    assert (entry["action"], str(entry["subject_id"]), str(entry["row_id"])) == ("ERASE", ada.id, receipt.id)
    assert entry["new_values"]["receipt"] == receipt.id
    assert [entry[column] for column in ("actor", "client_ip", "user_agent", "old_values")] == [None] * 4
    valid = (
        "SELECT app.audit_digest(salt, old_values, new_values, actor, client_ip, user_agent) = digest FROM audit_logs"
    )
    whole = await as_superuser.fetch(f"{valid} WHERE user_id = $1 AND erased_by IS NULL", erasing.user_id)
    assert {row[0] for row in whole} == {True}
    after = {row["id"]: row["digest"] for row in await as_superuser.fetch("SELECT id, digest FROM audit_logs")}
    assert before.items() <= after.items(), "digests stay, which seals cover"
    assert "about Grace" in await erasing.log_text(as_superuser)


async def test_many_emptied_entries_are_named_by_several(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada")
    await as_superuser.execute(
        """
        INSERT INTO audit_logs (user_id, subject_id, table_name, action, role_name, salt, digest)
        SELECT $1, $2, 'contacts', 'UPDATE', 'pmcrm_contacts', sha256(''), sha256('') FROM generate_series(1, 10001)
        """,
        erasing.user_id,
        ada.id,
    )
    receipt = await erasing.erase(ada.id)
    sizes = await as_superuser.fetch(
        """
        SELECT id, jsonb_array_length(new_values -> 'entries') AS named FROM audit_logs
        WHERE user_id = $1 AND action = 'ERASE' ORDER BY at
        """,
        erasing.user_id,
    )
    assert sizes[0]["named"] == 10_000
    assert sum(row["named"] for row in sizes) == receipt.row_counts["audit_logs"] > 10_000
    assert str(sizes[0]["id"]) == receipt.audit_entry_id
    assert await erasing.ids(as_superuser, EMPTY) == await erasing.ids(as_superuser, NAMED)


async def test_the_receipt_counts_what_is_gone_from_each_table(
    book: Book, log: Log, reminding: Reminding, declarations: Declarations, erasing: Erasing, as_superuser: Connection
) -> None:
    ada, grace = await book.create(given_name="Ada"), await book.create(given_name="Grace")
    await log.create(ada, grace, subject="Lunch")
    await log.create(ada, subject="Call")
    await reminding.due(title="Write", contact_ids=[ada.id])
    await declarations.record(ada.id, purpose="ai_processing", note="by phone")
    await as_superuser.execute(
        "INSERT INTO processing_restrictions (user_id, contact_id, note) VALUES ($1, $2, 'once')",
        erasing.user_id,
        ada.id,
    )

    async def sizes() -> dict[str, int]:
        tables = await as_superuser.fetch(
            """
            SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'user_id'
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            """
        )
        return {
            table: await as_superuser.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", erasing.user_id)
            for (table,) in tables
        }

    before = await sizes()
    receipt = await erasing.erase(ada.id)
    after = await sizes()
    gone = {table: before[table] - after[table] for table in before if before[table] > after[table]}
    emptied = {"interactions": 1, "consent_records": 1, "audit_logs": receipt.row_counts["audit_logs"]}
    assert dict(receipt.row_counts) == gone | emptied


async def test_a_repeat_gives_the_receipt_again_and_older_answers_are_forgotten(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    first, second, other = new_request_id(), new_request_id(), new_request_id()
    ada = await book.create(given_name="Ada", request_id=first)
    await book.create(given_name="Grace", request_id=other)
    receipt = await erasing.erase(ada.id, second)
    assert await erasing.erase(ada.id, second) == receipt
    told = await failure(book.create(given_name="Ada", request_id=first))
    assert told.reason == "REQUEST_ID_REUSED"
    assert (await book.create(given_name="Grace", request_id=other)).given_name == "Grace"
    assert counts(receipt, "idempotency_keys") == [1]
    told = await failure(erasing.erase(random_id(), second))
    assert told.reason == "REQUEST_ID_REUSED"
    keys = await as_superuser.fetch("SELECT answer FROM idempotency_keys WHERE user_id = $1", erasing.user_id)
    assert not any(b"Ada" in row["answer"] for row in keys)


def alike(told: Failure, contact_id: str) -> tuple[object, ...]:
    """An answer but for the id that was asked for."""
    return told.code, told.message.replace(contact_id, "ID"), str(told.status).replace(contact_id, "ID")


async def test_an_erased_anothers_and_a_random_id_are_answered_alike(
    book: Book, bobs: Book, erasing: Erasing, bobs_erasing: Erasing, as_superuser: Connection
) -> None:
    erased, bobs_contact = await book.create(given_name="Ada"), await bobs.create(given_name="Ada")
    await erasing.erase(erased.id)
    before = await rows_of_tenant(as_superuser, bobs_erasing.user_id)
    ids = [erased.id, bobs_contact.id, random_id()]
    answers = [alike(await failure(erasing.erase(each)), each) for each in ids]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] is grpc.StatusCode.NOT_FOUND
    assert await rows_of_tenant(as_superuser, bobs_erasing.user_id) == before
    assert counts(await bobs_erasing.erase(bobs_contact.id), "contacts") == [1], "the owner's same call works"


async def test_another_tenant_with_the_same_data_keeps_all_of_it(
    book: Book, bobs: Book, erasing: Erasing, bobs_erasing: Erasing, as_superuser: Connection
) -> None:
    mine = await book.create(given_name="Ada", emails=[{"value": "ada@example.com"}], source_uid="uid-9")
    await bobs.create(given_name="Ada", emails=[{"value": "ada@example.com"}], source_uid="uid-9")
    before = await rows_of_tenant(as_superuser, bobs_erasing.user_id)
    await erasing.erase(mine.id)
    assert await rows_of_tenant(as_superuser, bobs_erasing.user_id) == before


@pytest.mark.parametrize("what", ["contact", "merged", "tenant"])
async def test_a_legal_hold_forbids_it(book: Book, erasing: Erasing, as_superuser: Connection, what: str) -> None:
    ada, augusta = await book.create(given_name="Ada"), await book.create(given_name="Augusta")
    await merge(book, ada.id, augusta.id)
    await erasing.hold(as_superuser, {"contact": ada.id, "merged": augusta.id, "tenant": None}[what])
    before = await rows_of_tenant(as_superuser, erasing.user_id)
    told = await failure(erasing.erase(ada.id))
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LEGAL_HOLD")
    assert await rows_of_tenant(as_superuser, erasing.user_id) == before


async def test_a_released_hold_and_one_on_another_contact_forbid_nothing(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    ada, grace = await book.create(given_name="Ada"), await book.create(given_name="Grace")
    await erasing.hold(as_superuser, ada.id, released=True)
    await erasing.hold(as_superuser, grace.id)
    assert counts(await erasing.erase(ada.id), "contacts", "legal_holds") == [1, 1]
    reasons = await as_superuser.fetch(
        "SELECT contact_id::text, reason FROM legal_holds WHERE user_id = $1", erasing.user_id
    )
    assert {tuple(row) for row in reasons} == {(ada.id, "erased"), (grace.id, "file 17")}


async def test_without_keys_nothing_is_erased(book: Book, database: Database, alice: Metadata) -> None:
    ada = await book.create(given_name="Ada")
    async with (
        running(GDPR, settings_for(database, suppression_keys=None)) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        told = await failure(Erasing(GdprClient(channel).subjects, alice).erase(ada.id))
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SUPPRESSION_NOT_CONFIGURED")
    assert (await book.get(ada.id)).given_name == "Ada"


async def test_a_malformed_id_is_refused(erasing: Erasing) -> None:
    told = await failure(erasing.erase("ada"))
    assert (told.reason, list(told.violations)) == ("FIELD_INVALID", ["contact_id"])


async def test_the_erasure_is_a_request_with_a_deadline_and_a_history(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    receipt = await erasing.erase((await book.create(given_name="Ada")).id)
    request = await row_of(as_superuser, "SELECT * FROM erasure_requests WHERE id = $1", receipt.id)
    assert (request["state"], str(request["contact_id"])) == ("COMPLETED", receipt.contact_id)
    assert 28 <= (request["deadline_at"] - request["requested_at"]).days <= 31
    changes = await as_superuser.fetch(
        "SELECT state, cause FROM erasure_state_changes WHERE erasure_id = $1 ORDER BY position", receipt.id
    )
    assert [tuple(row) for row in changes] == [("PENDING", "requested"), ("COMPLETED", "erased")]
    asked = pb.GetErasureRequestRequest(id=receipt.id)
    told = await erasing.stub.GetErasureRequest(asked, metadata=erasing.tenant)
    assert told.receipt == receipt
    assert (told.state, told.contact_id) == (ErasureState.ERASURE_STATE_COMPLETED, receipt.contact_id)
    assert [change.cause for change in told.history] == ["requested", "erased"]


async def test_of_erasures_merges_and_changes_at_the_same_time_none_is_half_done(
    book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    for _ in range(4):
        ada = await book.create(given_name="Ada", notes="half-done")
        augusta = await book.create(given_name="Augusta", notes="half-done")
        done = await asyncio.gather(
            erasing.erase(ada.id),
            erasing.erase(ada.id),
            merge(book, ada.id, augusta.id),
            book.update(ada.id, "nickname", nickname="half-done"),
            return_exceptions=True,
        )
        receipts = [each for each in done if isinstance(each, ErasureReceipt)]
        assert len(receipts) == 1, "one erases, the other finds nothing"
        for each in done:
            if isinstance(each, grpc.aio.AioRpcError):
                assert Failure(each).reason in ("CONTACT_NOT_FOUND", "CONCURRENT_CHANGE")
        survivors = 1 if counts(receipts[0], "contacts") == [1] else 0
        rows = await rows_of_tenant(as_superuser, erasing.user_id)
        assert sum(row.startswith("contacts ") for row in rows) == survivors
        if survivors:
            await erasing.erase(augusta.id)
        assert "half-done" not in "\n".join(await rows_of_tenant(as_superuser, erasing.user_id))


async def test_the_log_still_verifies(
    book: Book, log: Log, trail: Trail, erasing: Erasing, database: Database, as_superuser: Connection
) -> None:
    # What was written a moment ago is not sealed yet.
    age = "UPDATE audit_logs SET at = at - $2::interval WHERE user_id = $1 AND at > now() - interval '1 minute'"
    ada = await book.create(given_name="Ada")
    await book.update(ada.id, "notes", notes="shy")
    await log.create(ada, subject="Lunch")
    await as_superuser.execute(age, erasing.user_id, timedelta(hours=2))
    await seal_from_the_start(database)
    await book.update(ada.id, "notes", notes="not shy")
    receipt = await erasing.erase(ada.id)
    answer = await trail.verify()
    assert answer.valid, "what names the emptied entries is not sealed itself yet"
    assert 0 < answer.erased_entries < receipt.row_counts["audit_logs"]
    await as_superuser.execute("SELECT pg_sleep(1.1)")
    await seal(database)
    answer = await trail.verify()
    assert (answer.valid, answer.erased_entries) == (True, receipt.row_counts["audit_logs"])
    assert answer.unsealed_entries == 0
