"""Of which text embeddings are made."""

from __future__ import annotations

from services.insights.embedding.texts import LONGEST, ContactParts, contact_text, content_hash, interaction_text


def parts(**fields: object) -> ContactParts:
    nothing = {"job_title": None, "organization_name": None, "employments": (), "tags": (), "notes": None}
    return ContactParts(**(nothing | fields))  # type: ignore[arg-type]


def test_a_contact_is_what_it_does_and_what_is_noted_of_it() -> None:
    text = contact_text(
        parts(
            job_title="Luthier",
            organization_name="Old Card",
            employments=[("Head of strings", "Violins Ltd"), (None, "Conservatory")],
            tags=["music", "chess"],
            notes="Met at the fair.",
        )
    )
    assert text == (
        "Works as: Luthier\nWorks at: Violins Ltd, as Head of strings; Conservatory\nTags: music; chess\n"
        "Notes: Met at the fair."
    )


def test_the_organization_of_the_card_counts_without_a_current_employment() -> None:
    assert contact_text(parts(organization_name="Old Card")) == "Works at: Old Card"


def test_an_interaction_is_subject_topics_and_body() -> None:
    assert interaction_text("Lunch", ["boats"], "He sails.") == "Subject: Lunch\nTopics: boats\nNotes: He sails."


def test_what_has_no_letter_and_no_digit_says_nothing() -> None:
    assert contact_text(parts(notes=" …!? ", tags=["★"], job_title="--")) == ""
    assert interaction_text(None, [], "\n") == ""
    assert contact_text(parts(notes="7")) == "Notes: 7"


def test_a_long_text_is_cut() -> None:
    assert len(contact_text(parts(notes="word " * LONGEST))) == LONGEST


def test_the_hash_tells_texts_apart() -> None:
    assert len(content_hash("a")) == 32
    assert content_hash("a") == content_hash("a") != content_hash("b")
