"""Key rings, and the keys that a suite on the embedded database makes for itself once."""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from shared.data_dir import give_to_owner, make_data_dir

KEY_BYTES = 32
KEY_RINGS = ("PMCRM_PAGE_TOKEN_KEYS", "PMCRM_ENCRYPTION_KEYS", "PMCRM_SUPPRESSION_KEYS", "PMCRM_SEAL_KEYS")
FILE_NAME = "keys.env"
DATABASE_FOLDER = "postgres"

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_LINE = re.compile(r"(PMCRM_[A-Z_]+)=(\S+)")
_PASSWORDS = "PMCRM_EMBEDDED_SECRET"
_NAMES = ("PMCRM_OPERATOR_KEY", *KEY_RINGS, _PASSWORDS)
_HEADER = """\
# The keys of the suite on this folder's embedded database: whoever has them can read all of its data.
# Made once. Keep this file with the database: without it, what was encrypted stays so.
"""
# The last line of a whole file: a file that was cut short is told from one that an older version wrote.
_TRAILER = "# end of keys"


class KeysError(Exception):
    """The generated keys cannot be used; the text says what to do and holds no key."""


class Key(NamedTuple):
    """One key of a ring: `id` is written beside what it protects, `secret` is KEY_BYTES long."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key(id={self.id!r})"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id, at least one. The first one writes; all of them read, so that a key can be replaced in place."""

    keys: tuple[Key, ...]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Reads `id:base64,id:base64`. Raises ValueError, whose text never holds a part of the value."""
        keys = tuple(_key(place, part.strip()) for place, part in enumerate(text.split(","), start=1))
        if len({key.id for key in keys}) < len(keys):
            raise ValueError("two keys have the same id")
        return cls(keys)

    @property
    def writing(self) -> Key:
        """The key that protects what is written from now on."""
        return self.keys[0]

    def find(self, key_id: str) -> bytes | None:
        """The secret with this id; None when the ring does not have it (any more)."""
        return next((key.secret for key in self.keys if key.id == key_id), None)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)

    def __len__(self) -> int:
        return len(self.keys)


def _key(place: int, text: str) -> Key:
    key_id, colon, encoded = text.partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise ValueError(
            f"key {place} does not read `id:base64`, with an id of at most 32 letters, digits, hyphens and underscores"
        )
    try:
        secret = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        raise ValueError(f"key {place} is not base64 after its colon") from None
    if len(secret) != KEY_BYTES:
        raise ValueError(f"key {place} has {len(secret)} bytes where {KEY_BYTES} are needed (openssl rand -base64 32)")
    return Key(key_id, secret)


@dataclass(frozen=True, slots=True)
class LocalKeys:
    """The keys in a data directory's keys.env."""

    path: Path
    values: Mapping[str, str] = field(repr=False)

    @property
    def operator_key(self) -> str:
        return self.values["PMCRM_OPERATOR_KEY"]

    def environment(self) -> dict[str, str]:
        """What the file has to say to settings, by variable name."""
        return {name: value for name, value in self.values.items() if name != _PASSWORDS}

    def password(self, role: str) -> str:
        """The password of a database role on the embedded server: 43 characters that need no quoting anywhere."""
        digest = hmac.digest(self.values[_PASSWORDS].encode(), role.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def local_keys(data_dir: Path) -> LocalKeys:
    """Reads the keys of a data directory, which it makes on the first call (file mode 0600).

    A key that is there is never changed. Names that an older version did not know are added.
    Raises KeysError when the file cannot be read or written, or is damaged.
    """
    path = data_dir / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if (data_dir / DATABASE_FOLDER).is_dir():
            raise KeysError(
                f"The keys of the database in {data_dir} are gone: {path} is missing. {_advice(path)}"
            ) from None
        return LocalKeys(path, _write_new(path, {}))
    except (OSError, UnicodeDecodeError) as error:
        raise KeysError(f"The keys in {path} cannot be read ({_reason(error)}). {_advice(path)}") from None
    values = _parse(path, text)
    if set(_NAMES) - set(values):
        values = _write_new(path, values, replacing=True)
    return LocalKeys(path, values)


def _parse(path: Path, text: str) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines()]
    if _TRAILER not in lines:
        raise KeysError(f"The keys in {path} are cut short. {_advice(path)}")
    values: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[1] in values:
            raise KeysError(f"Line {number} of {path} is damaged. {_advice(path)}")
        values[match[1]] = match[2]
    for name in KEY_RINGS:
        try:
            KeyRing.parse(values.get(name) or _new_value(name))
        except ValueError as error:
            raise KeysError(f"{name} in {path} is damaged: {error}. {_advice(path)}") from None
    return values


def _write_new(path: Path, values: Mapping[str, str], *, replacing: bool = False) -> dict[str, str]:
    """Writes the file in one step: `values`, and new ones for the names that are missing from them."""
    whole = {name: values.get(name) or _new_value(name) for name in _NAMES} | dict(values)
    text = _HEADER + "".join(f"{name}={value}\n" for name, value in whole.items()) + _TRAILER + "\n"
    unfinished = path.with_name(f"{FILE_NAME}.{secrets.token_hex(8)}")
    try:
        make_data_dir(path.parent)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            give_to_owner(file.fileno(), path.parent)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replacing:
            unfinished.replace(path)
        else:
            # link() fails where replace() would overwrite: of two first starts, one makes the keys that both use.
            os.link(unfinished, path)
    except FileExistsError:
        return dict(local_keys(path.parent).values)
    except OSError as error:
        raise KeysError(f"The keys cannot be written to {path} ({_reason(error)}).") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return whole


def _new_value(name: str) -> str:
    if name in KEY_RINGS:
        return "k1:" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return secrets.token_urlsafe(KEY_BYTES)


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "permission denied: it belongs to another user"
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not text"


def _advice(path: Path) -> str:
    return (
        "Put back a copy of the file, or, to begin with an empty database and new keys, move the folder "
        f"{path.parent} away. Nothing has been changed."
    )
