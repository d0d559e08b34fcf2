import pytest

from shared.contact_names import composed_display_name, sort_name

NOTHING = dict.fromkeys(
    (
        *("given_name", "family_name", "additional_names", "honorific_prefixes", "honorific_suffixes", "nickname"),
        *("organization_name", "emails", "phones", "phonetic_given_name", "phonetic_family_name"),
    )
)


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({"given_name": "Ada", "family_name": "Lovelace"}, "Ada Lovelace"),
        (
            {"honorific_prefixes": "Dr.", "given_name": "Ada", "additional_names": "Augusta", "family_name": "King"}
            | {"honorific_suffixes": "MSc", "nickname": "Addie"},
            "Dr. Ada Augusta King MSc",
        ),
        ({"given_name": "Ada"}, "Ada"),
        ({"family_name": "Lovelace"}, "Lovelace"),
        ({"given_name": "太郎", "family_name": "山田"}, "山田太郎"),
        ({"given_name": "さくら", "family_name": "佐々木"}, "佐々木さくら"),
        ({"given_name": "민준", "family_name": "김"}, "김민준"),
        ({"given_name": "伟", "family_name": "王", "honorific_suffixes": "博士"}, "王伟 博士"),
        ({"given_name": "Wei", "family_name": "王"}, "Wei 王"),
        ({"nickname": "Addie", "organization_name": "Example"}, "Addie"),
        ({"organization_name": "Example", "emails": [{"value": "a@example.com"}]}, "Example"),
        ({"emails": [{"value": "a@example.com"}], "phones": [{"value": "+1"}]}, "a@example.com"),
        ({"phones": [{"value": "+1"}]}, "+1"),
        ({}, ""),
    ],
)
def test_a_display_name_is_composed_of_what_is_known(known, shown):
    assert composed_display_name(NOTHING | known) == shown


def test_a_composed_name_is_cut_at_its_limit():
    assert len(composed_display_name(NOTHING | {"given_name": "a" * 499 + " b", "family_name": "c"})) == 499


def test_contacts_sort_by_display_name_or_by_how_it_is_read():
    assert sort_name(NOTHING | {"display_name": "Ada Lovelace", "family_name": "Lovelace"}) == "Ada Lovelace"
    read = {"display_name": "山田太郎", "phonetic_given_name": "タロウ", "phonetic_family_name": "ヤマダ"}
    assert sort_name(NOTHING | read) == "ヤマダタロウ"
