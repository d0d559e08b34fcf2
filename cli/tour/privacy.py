"""What people may ask for: everything that is held about them, to be forgotten, and proof of both."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile

import asyncpg
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1.contact_pb2 import Contact, Email
from pmcrm.gdpr.v1 import audit_service_pb2 as audit_pb
from pmcrm.gdpr.v1 import data_subject_service_pb2 as subjects_pb

from cli.reaching import Metadata
from cli.tour.telling import Teller
from shared.audit_sealing import seal_audit
from shared.settings import Settings, SettingsError
from shared.startup import ready_database

CARD = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:forgotten-1\r\nFN:Emil Erased\r\nEMAIL:emil.erased@example.com\r\nEND:VCARD\r\n"
)

# So long after an entry was written it can be sealed.
SEALABLE_SECONDS = 1.5


async def export_everything(tour: Teller, tenant: Metadata) -> None:
    """All that is held about an account, in one archive whose manifest proves that nothing is missing."""
    tour.step("Everything that is held, in one archive", "ExportData: a zip, and its manifest")
    archive, manifest = io.BytesIO(), None
    async for part in tour.suite.data_subjects.ExportData(subjects_pb.ExportDataRequest(), metadata=tenant):
        if part.HasField("manifest"):
            manifest = part.manifest
        else:
            archive.write(part.chunk)
    if manifest is None:
        tour.expect(False, "an export ends with its manifest")
        return
    for name, table in sorted(manifest.tables.items()):
        if table.row_count:
            tour.say(f"{name:<26} {table.row_count:>5} rows  {table.sha256[:16]}…")
    digest = hashlib.sha256(archive.getvalue()).hexdigest()
    tour.say(f"{len(archive.getvalue())} bytes, SHA-256 {digest[:16]}…, as the manifest says")
    tour.expect(digest == manifest.archive_sha256, "the archive is the one that the manifest names")
    with zipfile.ZipFile(archive) as files:
        right = [
            name for name, sha256 in manifest.files.items() if hashlib.sha256(files.read(name)).hexdigest() == sha256
        ]
    tour.expect(len(right) == len(manifest.files), "every file is as the manifest says")


async def forget_somebody(tour: Teller, tenant: Metadata) -> None:
    """A contact is erased at once, with a receipt, and does not come back with the next import."""
    tour.step("Somebody wants to be forgotten", "EraseContact, ImportContacts of the same person again")
    made = await _imported(tour, tenant)
    found = await tour.suite.contacts.SearchContacts(pb.SearchContactsRequest(query="Emil Erased"), metadata=tenant)
    contact = found.results[0].contact
    receipt = await tour.suite.data_subjects.EraseContact(
        subjects_pb.EraseContactRequest(contact_id=contact.id), metadata=tenant
    )
    counts = ", ".join(f"{table} {count}" for table, count in sorted(receipt.row_counts.items()))
    tour.say(f"receipt {receipt.id}: {counts}")
    again = await _imported(tour, tenant)
    tour.say(
        f"imported before: {made.created} made; imported again: {again.created} made, {again.suppressed} suppressed"
    )
    tour.expect((again.created, again.suppressed) == (0, 1), "who was erased does not come back")
    same = Contact(given_name="Emil", family_name="Erased", emails=[Email(value="emil.erased@example.com")])
    by_hand = await tour.suite.contacts.CreateContact(pb.CreateContactRequest(contact=same), metadata=tenant)
    tour.say("made by hand, the person may come back: it is the user's own decision")
    await tour.suite.contacts.DeleteContact(pb.DeleteContactRequest(id=by_hand.id), metadata=tenant)


async def _imported(tour: Teller, tenant: Metadata) -> transfer_pb.ImportSummary:
    options = transfer_pb.ImportOptions(format=transfer_pb.IMPORT_FORMAT_VCARD)
    requests = [transfer_pb.ImportContactsRequest(options=options), transfer_pb.ImportContactsRequest(chunk=CARD)]
    events = [event async for event in tour.suite.contacts.ImportContacts(iter(requests), metadata=tenant)]
    summary: transfer_pb.ImportSummary = events[-1].summary
    return summary


async def verify_the_log(tour: Teller, tenant: Metadata) -> None:
    """Every change of the tour stands in a log that shows tampering, erased values included."""
    tour.step("Nobody has tampered with the log of all that", "VerifyAuditLog, after sealing")
    sealed = await _seal(tour.suite.settings)
    checked = await tour.suite.audit.VerifyAuditLog(audit_pb.VerifyAuditLogRequest(), metadata=tenant)
    if not sealed:
        tour.say("not sealed from here, without DATABASE_URL_SERVICE; `pmcrm worker` seals every minute")
    tour.say(
        f"valid: {checked.entries_checked} sealed entries, {checked.erased_entries} of them emptied by the erasure, "
        f"{checked.unsealed_entries} not sealed yet"
    )
    tour.say(f"head: {checked.head[:40]}… to be kept elsewhere")
    tour.expect(checked.valid, f"the log is valid, and not {checked.problem_detail}")
    tour.expect(checked.erased_entries > 0 or not sealed, "the log tells what an erasure took")


async def _seal(settings: Settings) -> bool:
    """Seals as `pmcrm maintenance seal-audit` does; False where the database cannot be reached from here."""
    await asyncio.sleep(SEALABLE_SECONDS)
    try:
        async with ready_database(settings, []) as ready:
            conn = await asyncpg.connect(ready.database_url_for("service"), timeout=10)
            try:
                await seal_audit(conn, ready.key_ring("seal_keys"))
            finally:
                await conn.close()
    except SettingsError:
        return False
    return True
