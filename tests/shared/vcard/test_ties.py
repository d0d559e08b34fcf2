"""What a card says of tags, organizations and other contacts, and what is written of them."""

from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pmcrm.contacts.v1.contact_pb2 import Contact, ContactTag, CurrentOrganization

from shared.contact_ties import MOST_WRITTEN_BYTES, Employment, Relation, Ties
from shared.imported_record import ImportedRecord
from shared.partial_date import DateParts
from shared.vcard.importing import CardImporter
from shared.vcard.writing import CardWriter, write_card
from tests.shared.any_contact import contacts, differences, stored
from tests.shared.any_ties import EMPLOYMENTS, RELATIONS, TAGS

VERSIONS = pytest.mark.parametrize("version", ["3.0", "4.0"])
ID = uuid.UUID("0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04")
UIDS = st.sampled_from(["urn:x:1", "card 1", "a,b;c\\d", str(ID), f"urn:uuid:{ID}", "https://example.org/a?b=c,d"])


def read(octets: bytes) -> ImportedRecord:
    importer = CardImporter("GB")
    [found] = importer.feed(octets) + importer.close()
    assert isinstance(found, ImportedRecord), found
    return found


def without_lines(ties: Ties) -> Ties:
    return ties._replace(relations=tuple(relation._replace(lines=()) for relation in ties.relations))


def said(*lines: str) -> Ties:
    return without_lines(read("\n".join(["BEGIN:VCARD", "VERSION:4.0", "FN:A", *lines, "END:VCARD\n"]).encode()).ties)


@VERSIONS
@given(
    contact=contacts(),
    tags=TAGS,
    employments=st.lists(EMPLOYMENTS, max_size=3),
    relations=st.lists(st.tuples(RELATIONS, UIDS), max_size=3, unique_by=lambda found: (found[0].type, found[1])),
)
@settings(max_examples=300)
def test_any_ties_survive_being_written_and_read(
    version: str,
    contact: Contact,
    tags: list[str],
    employments: list[Employment],
    relations: list[tuple[Relation, str]],
) -> None:
    named = tuple(relation._replace(uid=uid) for relation, uid in relations)
    named += (Relation("FRIEND", contact_id=ID, label="by its id"),)
    ties = Ties(tuple(employments), has_history=True, relations=named)
    shown = Contact()
    shown.CopyFrom(contact)
    shown.tags.extend(ContactTag(name=name) for name in tags)
    if employments:
        shown.current_organization.CopyFrom(CurrentOrganization(name=employments[0].organization, job_title="Shown"))
    record = read(write_card(shown, version, ties))
    assert not record.left_out
    assert differences(contact, stored(record.record)) == {}
    assert list(record.categories) == tags
    assert record.ties.employments == ties.employments
    assert without_lines(record.ties).relations == ties.relations


def test_what_other_programs_show_stands_beside_and_is_passed_over() -> None:
    contact = Contact(display_name="Ada", given_name="Ada")
    contact.current_organization.name, contact.current_organization.job_title = "Example", "Analyst"
    ties = Ties(
        (Employment("Example", "Analyst", is_current=True, start=DateParts(2019, 3)),),
        has_history=True,
        relations=(Relation("PARENT", uid=str(ID), label="mum"), Relation("OTHER", uid="x", label="emergency")),
    )
    assert write_card(contact, "4.0", ties).decode().replace("\r\n ", "").split("\r\n")[3:-2] == [
        "FN:Ada",
        *("ORG;X-PMCRM-CURRENT=TRUE:Example", "TITLE;X-PMCRM-CURRENT=TRUE:Analyst"),
        'X-PMCRM-EMPLOYMENT:{"organization":"Example"\\,"job_title":"Analyst"\\,"start":"2019-03"\\,"current":true}',
        f"RELATED;TYPE=parent;X-PMCRM-LINK=TRUE:urn:uuid:{ID}",
        f'X-PMCRM-LINK:{{"type":"PARENT"\\,"uid":"{ID}"\\,"label":"mum"}}',
        "RELATED;TYPE=emergency;X-PMCRM-LINK=TRUE:x",
        'X-PMCRM-LINK:{"type":"OTHER"\\,"uid":"x"\\,"label":"emergency"}',
    ]


def test_what_stands_beside_counts_where_another_program_has_thrown_our_lines_away() -> None:
    lines = ("ORG;X-PMCRM-CURRENT=TRUE:Example", f"RELATED;TYPE=parent;X-PMCRM-LINK=TRUE:urn:uuid:{ID}")
    ties = said(*lines)
    assert ties.employments == (Employment("Example", is_current=True),)
    assert ties.relations == (Relation("PARENT", f"urn:uuid:{ID}", ID),)


def test_a_card_of_a_contact_without_employments_says_so_where_it_would_be_read_as_one() -> None:
    contact = Contact(display_name="Ada", organization_name="Example")
    octets = write_card(contact, "3.0", Ties(has_history=True))
    assert b"\r\nORG:Example\r\n" in octets
    assert b"\r\nX-PMCRM-EMPLOYMENT:null\r\n" in octets
    assert read(octets).ties == Ties(has_history=True)


def test_organizations_in_several_languages_are_one() -> None:
    ties = said("ORG;ALTID=1;LANGUAGE=en:Example", "ORG;ALTID=1;LANGUAGE=de:Beispiel", "ORG:Other")
    assert [employment.organization for employment in ties.employments] == ["Example", "Other"]


def test_lines_of_tags_and_ties_that_a_contact_keeps_are_seen_by_other_programs_and_stay_lines() -> None:
    lines = ["CATEGORIES:a,b", f"item3.RELATED;TYPE=friend:urn:uuid:{ID}", "item3.X-ABLabel:Pal"]
    octets = write_card(Contact(display_name="A", extra_properties=lines), "4.0")
    assert b"\r\nCATEGORIES;X-PMCRM-EXTRA=TRUE:a,b\r\n" in octets
    assert b"\r\nitem3.RELATED;X-PMCRM-EXTRA=TRUE;TYPE=friend:urn:uuid:" in octets
    record = read(octets)
    assert (record.categories, record.ties.relations) == ((), ())
    assert record.record["extra_properties"] == lines


def test_more_than_a_file_takes_is_left_out_and_counted() -> None:
    notes = "\x01" * 10_000  # seven bytes each in a card
    employments = tuple(Employment(f"Firm {number}", notes=notes) for number in range(100))
    relations = tuple(Relation("FRIEND", uid=f"urn:x:{number}", notes=notes) for number in range(10))
    writer = CardWriter("4.0")
    octets = writer.written(Contact(display_name="A"), Ties(employments, has_history=True, relations=relations))
    assert writer.left_out == {"employments": 1, "links": 1}
    assert len(octets) < 1.1 * MOST_WRITTEN_BYTES
    assert 40 < len(read(octets).ties.employments) < 100


def test_a_card_of_nothing_but_ties_takes_linear_time() -> None:
    lines = [f"ORG:Firm {number}\nTITLE:x\nitem{number}.RELATED:urn:x:{number}" for number in range(1_300)]
    started = time.process_time()
    said(*lines)
    assert time.process_time() - started < 5
