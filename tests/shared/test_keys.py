"""Key rings, and the keys that a data directory gets once."""

import base64
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shared.keys import KEY_RINGS, Key, KeyRing, KeysError, local_keys

ONE = base64.b64encode(b"1" * 32).decode()
TWO = base64.b64encode(b"\xff" * 32).decode()


def test_the_first_key_of_a_ring_writes_and_all_read():
    ring = KeyRing.parse(f"new:{ONE}, old:{TWO}")
    assert ring.writing == Key("new", b"1" * 32)
    assert ring.find("old") == b"\xff" * 32
    assert ring.find("other") is None
    assert [key.id for key in ring] == ["new", "old"]


def test_both_alphabets_of_base64_are_read():
    assert KeyRing.parse("k:" + TWO.replace("/", "_").replace("+", "-")) == KeyRing.parse(f"k:{TWO}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "key 1 does not read `id:base64`"),
        (ONE, "key 1 does not read"),
        (f"k 1:{ONE}", "key 1 does not read"),
        (f"k1:{ONE},", "key 2 does not read"),
        (f"{'k' * 33}:{ONE}", "key 1 does not read"),
        (f"k1:{ONE},k1:{TWO}", "two keys have the same id"),
        ("k1:***", "key 1 is not base64"),
        ("k1:" + base64.b64encode(b"1" * 31).decode(), "key 1 has 31 bytes where 32 are needed"),
    ],
)
def test_a_ring_that_cannot_be_read_says_why_without_the_key(text, says):
    with pytest.raises(ValueError, match=says) as caught:
        KeyRing.parse(text)
    assert ONE[:10] not in str(caught.value)


def test_the_keys_are_made_once_and_stay(tmp_path):
    first = local_keys(tmp_path)
    again = local_keys(tmp_path)
    assert again.values == first.values
    assert local_keys(tmp_path / "other").values != first.values
    for name in KEY_RINGS:
        assert len(KeyRing.parse(first.environment()[name])) == 1
    assert len(first.operator_key) >= 32


def test_the_file_is_its_owners_alone(tmp_path):
    path = local_keys(tmp_path / "new" / "folder").path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.parent.stat().st_mode & stat.S_IWOTH
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.env"]


def test_each_role_has_a_password_of_its_own_that_stays(tmp_path):
    keys = local_keys(tmp_path)
    assert keys.password("pmcrm_contacts") == local_keys(tmp_path).password("pmcrm_contacts")
    assert keys.password("pmcrm_contacts") != keys.password("pmcrm_gdpr")
    assert len(keys.password("pmcrm_contacts")) == 43


def test_no_key_shows_in_the_representation_or_in_what_settings_get(tmp_path):
    keys = local_keys(tmp_path)
    assert keys.operator_key not in repr(keys)
    assert not any("EMBEDDED" in name for name in keys.environment())


def test_a_key_that_an_older_version_did_not_know_is_added(tmp_path):
    before = local_keys(tmp_path)
    kept = [line for line in before.path.read_text().splitlines(keepends=True) if "SEAL" not in line]
    before.path.write_text("".join(kept))
    after = local_keys(tmp_path)
    assert {name: value for name, value in after.values.items() if "SEAL" not in name} == {
        name: value for name, value in before.values.items() if "SEAL" not in name
    }
    assert "PMCRM_SEAL_KEYS" in after.values
    assert local_keys(tmp_path).values == after.values
    assert stat.S_IMODE(after.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[: len(text) // 2], "cut short"),
        (lambda text: "", "cut short"),
        (lambda text: text.replace("PMCRM_SEAL_KEYS=k1:", "PMCRM_SEAL_KEYS=k1:*"), "PMCRM_SEAL_KEYS in .* is damaged"),
        (lambda text: text.replace("PMCRM_OPERATOR_KEY=", "PMCRM OPERATOR KEY"), "Line 3 of .* is damaged"),
        (lambda text: "\x00\xff" + text, "Line 1 of .* is damaged"),
    ],
)
def test_a_damaged_file_is_left_alone_and_said_to_be_damaged(tmp_path, damage, says):
    path = local_keys(tmp_path).path
    damaged = damage(path.read_text())
    path.write_text(damaged)
    with pytest.raises(KeysError, match=says) as caught:
        local_keys(tmp_path)
    assert "Nothing has been changed" in str(caught.value)
    assert path.read_text() == damaged


def test_keys_that_are_gone_are_not_replaced_while_their_database_is_there(tmp_path):
    local_keys(tmp_path).path.unlink()
    (tmp_path / "postgres").mkdir()
    with pytest.raises(KeysError, match=r"keys of the database in .* are gone"):
        local_keys(tmp_path)
    assert not (tmp_path / "keys.env").exists()


def test_of_many_first_starts_one_makes_the_keys_that_all_use(tmp_path):
    program = (
        "import sys, pathlib; from shared.keys import local_keys; "
        "print(local_keys(pathlib.Path(sys.argv[1])).operator_key)"
    )
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(6)
    ]
    assert len({start.communicate()[0] for start in starts}) == 1
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == ["keys.env"]
