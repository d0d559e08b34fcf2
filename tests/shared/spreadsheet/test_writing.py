"""CSV holds what it can, and says what it cannot."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pmcrm.contacts.v1.contact_pb2 import Contact, ContactTag

from shared.contact_ties import NO_TIES, Employment, Relation, Ties
from shared.imported_record import ImportedRecord
from shared.spreadsheet.importing import TableImporter
from shared.spreadsheet.writing import TableWriter
from tests.shared.any_contact import accepted, contacts, differences, stored
from tests.shared.any_ties import EMPLOYMENTS, RELATIONS

ID = "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"
LISTS = ("emails", "phones", "addresses", "urls", "im_handles")


def written(*people: Contact, ties: Ties = NO_TIES) -> tuple[bytes, dict[str, int]]:
    sizes = {field: max(len(getattr(contact, field)) for contact in people) for field in LISTS}
    sizes["anniversary"] = int(any(contact.HasField("anniversary") for contact in people))
    keys = sorted({key for contact in people for key in contact.custom_fields.fields})
    if ties != NO_TIES:
        sizes |= {"id": 1, "employments": 1, "links": 1}
    writer = TableWriter(sizes, keys)
    return writer.header() + b"".join(writer.written(contact, ties) for contact in people), writer.left_out


def read(octets: bytes) -> list[Contact]:
    importer = TableImporter()
    found = importer.feed(octets) + importer.close()
    assert importer.left_out == ()
    return [stored(part.record) for part in found if isinstance(part, ImportedRecord)]


@given(contact=contacts())
@settings(max_examples=300)
def test_every_field_survives_or_is_named_as_left_out(contact: Contact) -> None:
    octets, left_out = written(contact)
    found = read(octets)
    lost = differences(contact, found[0] if found else Contact()).keys() - {"relationship_strength_pinned"}
    assert lost == left_out.keys()


def test_an_ordinary_contact_survives_whole() -> None:
    contact = accepted(
        {
            "given_name": "Ada",
            "family_name": "Lovelace",
            "display_name": "The Countess",
            "emails": [{"value": "ada@example.org", "label": "work"}, {"value": "a@example.com", "primary": True}],
            "phones": [{"value": "+44 20 7946 0123", "label": "mobile"}],
            "addresses": [{"street": "1 Test Street", "locality": "Sampletown", "label": "home"}],
            "urls": [{"value": "https://example.org/a,b", "label": "homepage"}],
            "im_handles": [{"value": "@ada:example.org", "label": "matrix"}],
            "birthday": {"month": 12, "day": 10},
            "anniversary": {"year": 1835, "month": 7, "day": 8},
            "notes": 'Two\nlines, "quoted"',
            "custom_fields": {"shirt size": "M"},
        }
    )
    octets, left_out = written(contact)
    assert left_out == {}
    [found] = read(octets)
    assert differences(contact, found) == {}


def test_what_csv_cannot_hold_is_counted_by_field() -> None:
    people = [
        accepted({"given_name": "A", "keep_in_touch_days": 3, "custom_fields": {"age": 3}}),
        accepted({"given_name": "B", "keep_in_touch_days": 3, "phones": [{"value": "112", "region": "DE"}]}),
        accepted({"given_name": "C"}),
    ]
    assert written(*people)[1] == {"keep_in_touch_days": 2, "custom_fields": 1, "phones": 1}


def test_the_columns_are_googles() -> None:
    octets, _ = written(Contact(display_name="A", given_name="A", tags=[ContactTag(name="x"), ContactTag(name="y")]))
    assert octets.decode().split("\r\n") == [
        (
            "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,Name Prefix,"
            "Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,"
            "Photo,Labels"
        ),
        "A,,,,,,,,,,,,,,,,x ::: y",
        "",
    ]


@given(
    employments=st.lists(EMPLOYMENTS, max_size=3),
    relations=st.lists(RELATIONS, max_size=3, unique_by=lambda relation: relation.type),
    organization=st.sampled_from(["", "Example", "Other"]),
)
@settings(max_examples=200)
def test_any_ties_survive(employments: list[Employment], relations: list[Relation], organization: str) -> None:
    contact = Contact(id=ID, given_name="Ada", display_name="Ada", organization_name=organization)
    if employments:
        contact.current_organization.name = employments[0].organization
    ties = Ties(tuple(employments), has_history=True, relations=tuple(relations))
    octets, left_out = written(contact, ties=ties)
    assert left_out == {}
    importer = TableImporter()
    [found] = importer.feed(octets) + importer.close()
    assert isinstance(found, ImportedRecord)
    assert (found.record["organization_name"] or "", str(found.contact_id)) == (organization, ID)
    plain = [employment._replace(is_shown=False) for employment in found.ties.employments]
    assert (plain, found.ties.has_history) == (employments, bool(employments or organization))
    assert [relation._replace(lines=()) for relation in found.ties.relations] == relations


def test_cells_that_hold_no_ties_are_named() -> None:
    importer = TableImporter()
    content = "First Name,Last Name,Name Prefix,pmcrm.employments,pmcrm.links,pmcrm.id\nAda,,,{},[[]],x\n"
    [found] = importer.feed(content.encode()) + importer.close()
    assert isinstance(found, ImportedRecord)
    assert [left.field for left in found.left_out] == ["pmcrm.employments", "pmcrm.links"]
    assert (found.ties, found.contact_id) == (Ties(), None)
