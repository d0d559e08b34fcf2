import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vcard.lines import MOST_PROPERTIES, BadCardError, read_properties


def one(content: str | bytes):
    (found,) = read_properties(content.encode() if isinstance(content, str) else content)
    return found


def test_a_property_is_taken_apart():
    found = one("item1.TEL;type=CELL,voice;TYPE=pref;X-A=b:+1 202:5")
    assert (found.group, found.name, found.value) == ("item1", "TEL", "+1 202:5")
    assert found.types == ["cell", "voice", "pref"]
    assert found.parameters["X-A"] == ["b"]


def test_parameters_may_be_quoted_and_bare():
    assert one('ADR;LABEL="1 Test Street; x:y, z";HOME:;;').parameters == {
        "LABEL": ["1 Test Street; x:y, z"],
        "TYPE": ["HOME"],
    }
    assert one('TEL;TYPE="voice,home":1').types == ["voice", "home"]
    assert one('N;SORT-AS="a","b,c":x').parameters == {"SORT-AS": ["a", "b,c"]}
    assert one("ADR;LABEL=a^nb^^c^'d^':x").parameters == {"LABEL": ['a\nb^c"d"']}


def test_an_unclosed_quote_is_dropped():
    assert one('TEL;TYPE="home:12').parameters == {"TYPE": ["home"]}


def test_folded_lines_are_joined_inside_a_character_too():
    octets = "NOTE:Zoë and 山田\n".encode()
    for cut in range(6, len(octets) - 1):
        for fold in (b"\n ", b"\n\t"):
            assert one(octets[:cut] + fold + octets[cut:]).value == "Zoë and 山田"


def test_quoted_printable_is_decoded_with_its_soft_breaks_and_charset():
    assert one("NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Zo=C3=AB=0D=0Aline=\n two=3D").value == "Zoë\nline two="
    assert one("N;CHARSET=windows-1251;QUOTED-PRINTABLE:=C0=E4=E0;x").value == "Ада;x"
    assert one("NOTE;QUOTED-PRINTABLE:Zo=EB").value == "Zoë"
    assert one("NOTE;CHARSET=idna;ENCODING=quoted-printable:a=62").value == "ab"


def test_a_soft_break_before_an_empty_line_ends_the_value():
    assert [found.value for found in read_properties(b"NOTE;QUOTED-PRINTABLE:a=\n\nTEL:1")] == ["a", "1"]


@pytest.mark.parametrize("charset", ["shift_jis", "euc-jp", "iso-2022-jp", "utf-8"])
def test_values_are_read_in_the_charset_they_name(charset):
    assert one(b"FN;CHARSET=" + charset.encode() + b":" + "山田 ソ".encode(charset)).value == "山田 ソ"


def test_utf_8_is_believed_more_than_what_a_line_says():
    assert one("FN;CHARSET=windows-1251:Ада".encode()).value == "Ада"


def test_a_line_that_is_not_utf_8_is_windows_1252_and_the_others_are_not():
    values = [found.value for found in read_properties("FN:Zoë\n".encode("cp1252") + "NOTE:Žák\n".encode())]
    assert values == ["Zoë", "Žák"]


@pytest.mark.parametrize("line", ["no colon", ":x", "A B:x", "Ü:x", ";a:x", "a..b:x"])
def test_a_line_that_is_no_property_makes_a_bad_card(line):
    with pytest.raises(BadCardError, match="property 2 of the card is not of the form NAME:value"):
        read_properties(f"FN:x\n{line}\n".encode())


def test_too_many_properties_make_a_bad_card():
    with pytest.raises(BadCardError) as refused:
        read_properties(b"X:y\n" * (MOST_PROPERTIES + 1))
    assert refused.value.code == "IMPORT_RECORD_TOO_LARGE"


def test_a_decoded_property_can_be_written_as_a_line_again():
    assert one("item1.X-A;TYPE=b:c\\,d").as_line() == "item1.X-A;TYPE=b:c\\,d"
    assert one("X-A;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8;HOME:a=0D=0Ab").as_line() == "X-A;HOME:a\\nb"


@pytest.mark.parametrize(
    "hostile",
    [
        *("A;B" + "=" * 100_000, "A;" * 100_000 + ":", 'A;B="' + 'x"' * 100_001 + ":", 'A;B="' * 50_000 + ":"),
        *(
            "A:" + "\\" * 200_001,
            "A;B=" + '","' * 100_000 + ":",
            "A;" + 'a"b' * 100_000 + ":x",
            "A:x\n" + " \n" * 100_000,
        ),
        *("A;QUOTED-PRINTABLE:" + "=\n" * 100_000, "A;QUOTED-PRINTABLE:x" + "\n " * 100_000, 'A;"="="' * 30_000 + ":"),
    ],
)
def test_hostile_lines_take_linear_time(hostile):
    started = time.process_time()
    try:
        for found in read_properties(hostile.encode()):
            assert isinstance(found.types, list)
    except BadCardError:
        pass
    assert time.process_time() - started < 5  # well under a second; minutes where a step is quadratic


@given(st.binary(max_size=200) | st.text(alphabet=';:,"=\\^\n\tAN%é ', max_size=100).map(str.encode))
def test_any_bytes_give_properties_or_a_bad_card(content: bytes):
    try:
        properties = read_properties(content)
    except BadCardError:
        return
    for found in properties:
        found.as_line().encode()
