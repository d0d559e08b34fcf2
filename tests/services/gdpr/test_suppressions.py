"""What keeps erased people from coming back by an import or a synchronisation, and what lets them."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.interactions.v1.interaction_pb2 import Participant

from services.contacts.service import SERVICE as CONTACTS
from services.gdpr.service import SERVICE as GDPR
from shared.keys import KeyRing
from shared.suppression.addresses import EMAIL, addresses_of, email_address, entries_of, hashes_of, phone_address
from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.transfers import CSV, VCARD, Imported, card, imported
from tests.services.gdpr.canaries import rows_of_tenant
from tests.services.gdpr.conftest import GdprClient
from tests.services.gdpr.erasing import Erasing
from tests.services.interactions.interaction_calls import Log
from tests.suite import SUPPRESSION_KEYS, Client, Metadata, connected, failure, new_request_id, running, settings_for

ADA: dict[str, Any] = {
    "given_name": "Ada",
    "emails": [{"value": "Ada@EXAMPLE.com"}],
    "phones": [{"value": "020 7946 0000"}],
}
CARDS = (
    card("UID:1", "FN:Ada by mail", "EMAIL:aDa@example.COM", "NOTE:came back")
    + card("UID:2", "FN:Ada by phone", "TEL:+44 20 7946 0000", "NOTE:came back", "ORG:Returners", "CATEGORIES:returned")
    + card("UID:3", "FN:Bertha", "EMAIL:bertha@example.com")
    + card("FN:Ada without uid", "EMAIL:other@example.com", "EMAIL:ada@example.com", "NOTE:came back")
)
TABLE = b"First Name,E-mail 1 - Value,Notes\r\nAda,ada@example.com,came back\r\nBertha,bertha@example.com,\r\n"


def counted(done: Imported) -> tuple[int, int, int, int, int]:
    counts = done.summary
    return counts.created, counts.updated, counts.unchanged, counts.suppressed, counts.failed


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.parse(SUPPRESSION_KEYS)


async def test_an_import_leaves_erased_people_out_and_keeps_nothing_of_them(
    client: Client, book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    await erasing.erase((await book.create(**ADA)).id)
    for created, unchanged in ((1, 0), (0, 1)):
        done = await imported(client, book.tenant, CARDS, format=VCARD)
        assert counted(done) == (created, 0, unchanged, 3, 0)
        assert done.progress[-1].processed == 4
        assert "Ada" not in str(done.failures) + str(done.notices)
    everything = "\n".join(await rows_of_tenant(as_superuser, erasing.user_id))
    for word in ("came back", "Returners", "returned", "Ada", "ada@example.com"):
        assert word not in everything
    assert await book.names() == ["Bertha"]
    entry = await as_superuser.fetchval(
        "SELECT new_values FROM audit_logs WHERE user_id = $1 AND action = 'IMPORT' LIMIT 1", erasing.user_id
    )
    assert entry["suppressed"] == 3


async def test_a_dry_run_counts_them_as_well(client: Client, book: Book, erasing: Erasing) -> None:
    await erasing.erase((await book.create(**ADA)).id)
    assert counted(await imported(client, book.tenant, CARDS, format=VCARD, dry_run=True)) == (1, 0, 0, 3, 0)


async def test_tables_are_read_the_same_way(client: Client, book: Book, erasing: Erasing) -> None:
    await erasing.erase((await book.create(**ADA)).id)
    assert counted(await imported(client, book.tenant, TABLE, format=CSV)) == (1, 0, 0, 1, 0)


async def test_a_record_of_a_contact_that_is_there_is_imported_as_ever(
    client: Client, book: Book, erasing: Erasing
) -> None:
    await erasing.erase((await book.create(**ADA)).id)
    await imported(client, book.tenant, card("UID:9", "FN:Grace", "EMAIL:grace@example.com"), format=VCARD)
    again = card("UID:9", "FN:Grace", "EMAIL:grace@example.com", "EMAIL:ada@example.com")
    assert counted(await imported(client, book.tenant, again, format=VCARD)) == (0, 1, 0, 0, 0)


async def test_other_tenants_may_know_the_same_person(client: Client, book: Book, bobs: Book, erasing: Erasing) -> None:
    await erasing.erase((await book.create(**ADA)).id)
    assert counted(await imported(client, bobs.tenant, CARDS, format=VCARD)) == (4, 0, 0, 0, 0)
    assert (await bobs.create(**ADA, source_uid="sync-1")).given_name == "Ada"


async def test_a_synchronised_contact_is_refused_and_one_by_hand_is_not(book: Book, erasing: Erasing) -> None:
    await erasing.erase((await book.create(**ADA)).id)
    request_id = new_request_id()
    told = await failure(book.create(**ADA, source_uid="sync-1", request_id=request_id))
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CONTACT_SUPPRESSED")
    assert "example" not in f"{told.message} {told.status}"
    told = await failure(
        book.create_many({"given_name": "Bertha", "source_uid": "b"}, ADA, {**ADA, "source_uid": "sync-1"})
    )
    assert (told.reason, told.metadata["index"]) == ("CONTACT_SUPPRESSED", "2")
    assert await book.names() == []
    assert (await book.create(given_name="Bertha", source_uid="sync-2")).given_name == "Bertha"
    assert (await book.create(**ADA)).given_name == "Ada", "the user's own decision"


async def test_a_new_participant_is_refused_as_a_contact_would_be(book: Book, log: Log, erasing: Erasing) -> None:
    await erasing.erase((await book.create(**ADA)).id)
    synchronised = Participant(new_contact=Contact(**ADA, source_uid="sync-1"))
    assert (await failure(log.create(synchronised, subject="Lunch"))).reason == "CONTACT_SUPPRESSED"
    made = await log.create(Participant(new_contact=Contact(given_name="Bertha")), subject="Lunch")
    told = await failure(log.update(made.id, "participants", participants=[synchronised]))
    assert told.reason == "CONTACT_SUPPRESSED"
    assert await book.names() == ["Bertha"]


@pytest.mark.parametrize("of", ["receipt_id", "email", "phone"])
async def test_a_suppression_that_is_removed_lets_the_person_back(
    client: Client, book: Book, erasing: Erasing, of: str
) -> None:
    receipt = await erasing.erase((await book.create(**ADA)).id)
    assert receipt.suppression_count == 2
    value = {"receipt_id": receipt.id, "email": "ADA@example.com", "phone": "+44 20 7946-0000"}[of]
    request_id = new_request_id()
    removed = 2 if of == "receipt_id" else 1
    assert await erasing.remove_suppression(**{of: value}, request_id=request_id) == removed
    assert await erasing.remove_suppression(**{of: value}, request_id=request_id) == removed, "the same answer"
    assert (await failure(erasing.remove_suppression(**{of: value}))).reason == "SUPPRESSION_NOT_FOUND"
    told = await failure(erasing.remove_suppression(email="else@example.com", request_id=request_id))
    assert told.reason == "REQUEST_ID_REUSED"
    back = {
        "email": card("UID:1", "FN:Ada", "EMAIL:ada@example.com"),
        "phone": card("UID:1", "FN:A", "TEL:+442079460000"),
    }
    assert counted(await imported(client, book.tenant, back.get(of, back["email"]), format=VCARD))[0] == 1


async def test_who_was_erased_twice_is_let_back_by_one_call(book: Book, erasing: Erasing) -> None:
    for _ in range(2):
        await erasing.erase((await book.create(**ADA)).id)
    assert await erasing.remove_suppression(email="ada@example.com") == 2


async def test_one_of_two_erasures_still_keeps_them_away(book: Book, erasing: Erasing) -> None:
    receipts = [await erasing.erase((await book.create(**ADA)).id) for _ in range(2)]
    await erasing.remove_suppression(receipt_id=receipts[0].id)
    assert (await failure(book.create(**ADA, source_uid="sync-1"))).reason == "CONTACT_SUPPRESSED"


async def test_what_removes_nothing_says_why(book: Book, erasing: Erasing, bobs_erasing: Erasing) -> None:
    receipt = await erasing.erase((await book.create(**ADA)).id)
    for arguments, field in (
        ({"receipt_id": "x"}, "receipt_id"),
        ({"email": "ada"}, "email"),
        ({"phone": "020 7946 0000"}, "phone"),
    ):
        told = await failure(erasing.remove_suppression(**arguments))
        assert (told.reason, list(told.violations)) == ("FIELD_INVALID", [field])
    assert set((await failure(erasing.remove_suppression())).violations) == {"receipt_id", "email", "phone"}
    answers = []
    for stranger in ({"receipt_id": receipt.id}, {"receipt_id": random_id()}, {"email": "ada@example.com"}):
        told = await failure(bobs_erasing.remove_suppression(**stranger))
        answers.append((told.code, told.reason, told.message, str(told.status)))
    assert len(set(answers)) == 1
    assert answers[0][:2] == (grpc.StatusCode.NOT_FOUND, "SUPPRESSION_NOT_FOUND")
    assert await erasing.remove_suppression(receipt_id=receipt.id) == 2


async def test_without_keys_only_receipts_remove_anything(
    book: Book, database: Database, erasing: Erasing, alice: Metadata
) -> None:
    receipt = await erasing.erase((await book.create(**ADA)).id)
    async with (
        running(GDPR, settings_for(database, suppression_keys=None)) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        keyless = Erasing(GdprClient(channel).subjects, alice)
        told = await failure(keyless.remove_suppression(email="ada@example.com"))
        assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SUPPRESSION_NOT_CONFIGURED")
        assert await keyless.remove_suppression(receipt_id=receipt.id) == 2


async def test_a_new_key_knows_whom_older_ones_suppressed(
    book: Book, database: Database, erasing: Erasing, as_superuser: Connection
) -> None:
    await erasing.erase((await book.create(**ADA)).id)
    rotated = KeyRing.parse("s2:" + "C" * 43 + "=," + SUPPRESSION_KEYS)
    async with (
        running(CONTACTS, settings_for(database, suppression_keys=rotated)) as contacts,
        connected(contacts) as client,
        running(GDPR, settings_for(database, suppression_keys=rotated)) as gdpr,
        grpc.aio.insecure_channel(f"127.0.0.1:{gdpr.port}") as channel,
    ):
        newer, later = Book(client, book.tenant), Erasing(GdprClient(channel).subjects, book.tenant)
        assert (await failure(newer.create(**ADA, source_uid="sync-1"))).reason == "CONTACT_SUPPRESSED"
        await later.erase((await newer.create(given_name="Grace", emails=[{"value": "grace@example.com"}])).id)
        keys = await erasing.ids(as_superuser, "SELECT key_id FROM suppressions WHERE user_id = $1")
        assert keys == {"s1", "s2"}
        assert await later.remove_suppression(email="ada@example.com") == 1


async def test_erasing_and_importing_at_the_same_time_brings_nobody_back(
    client: Client, book: Book, erasing: Erasing, as_superuser: Connection
) -> None:
    content = card("UID:1", "FN:Ada", "EMAIL:ada@example.com")
    for _ in range(3):
        await imported(client, book.tenant, content, format=VCARD)
        found = await as_superuser.fetchval("SELECT id FROM contacts WHERE user_id = $1", erasing.user_id)
        changed = card("UID:1", "FN:Ada", "EMAIL:ada@example.com", "NOTE:new")
        await asyncio.gather(erasing.erase(str(found)), imported(client, book.tenant, changed, format=VCARD))
        assert await book.names(show_deleted=True) == []
        await erasing.remove_suppression(email="ada@example.com")


def test_hashes_are_of_the_tenant_the_kind_and_the_key(ring: KeyRing) -> None:
    tenant, other = uuid.uuid4(), uuid.uuid4()
    ada = email_address("Ada@example.com")
    assert ada == email_address("aDA@example.com")
    [entry] = entries_of(ring, tenant, [ada, email_address("ada@example.com")])
    assert (entry.kind, entry.key_id, len(entry.hash)) == (EMAIL, "s1", 32)
    assert hashes_of(ring, tenant, [ada]) == {entry.hash}
    assert hashes_of(ring, other, [ada]) != {entry.hash}
    assert hashes_of(ring, tenant, [phone_address("ada@example.com")]) != {entry.hash}
    assert hashes_of(KeyRing.parse("s1:" + "C" * 43 + "="), tenant, [ada]) != {entry.hash}


def test_numbers_that_could_not_be_read_are_not_hashed() -> None:
    record = {"emails": None, "phones": [{"value": "112", "e164": None}, {"value": "x", "e164": ""}, {"value": "y"}]}
    assert addresses_of(record) == []
    assert addresses_of({}) == []
