"""What an import's first message asks for, checked, and the importer that reads its file."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

import phonenumbers
from pmcrm.contacts.v1 import contact_transfer_pb2 as pb

from shared.caller import caller
from shared.charsets import known_charset
from shared.errors import InvalidArgument, Violation
from shared.fields import uuid_value
from shared.imported_record import FileImporter
from shared.spreadsheet.importing import TableImporter, UnknownColumnsError
from shared.spreadsheet.places import place_of
from shared.text import checked_line
from shared.vcard.importing import CardImporter
from shared.violations import Violations

LABEL_LIMIT = 200
MAPPING_LIMIT = 500

# As much of a file as is needed to tell what it is; blank lines before it are passed over.
TELLING_BYTES = 64
# Blank lines and all, what a file is must show within so much of it.
HEAD_LIMIT = 64 * 1024

_BLANK = re.compile(rb"[\0\xef\xbb\xbf\xff\xfe \t\r\n]*+")


@dataclass(frozen=True, slots=True)
class Options:
    """Checked options. request_id: None when repeats of this import are not to be known."""

    format: pb.ImportFormat
    mapping: dict[str, str]
    region: str
    charset: str
    dry_run: bool
    label: str
    request_id: uuid.UUID | None


def read_options(options: pb.ImportOptions) -> Options:
    """Checks the options. Raises InvalidArgument naming each bad one."""
    violations = Violations()
    region = options.default_region or caller.get().default_region or ""
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        violations.add("options.default_region", "must be two letters of ISO 3166-1 such as AT")
    if options.format not in pb.ImportFormat.values():
        violations.add("options.format", "must be one of the formats")
    mapping = dict(options.csv_mapping)
    if mapping and options.format == pb.IMPORT_FORMAT_VCARD:
        violations.add("options.csv_mapping", "goes with CSV alone")
    if len(mapping) > MAPPING_LIMIT:
        violations.add("options.csv_mapping", f"must name at most {MAPPING_LIMIT} columns")
    label = checked_line(options.label, "options.label", LABEL_LIMIT, violations)
    violations.raise_if_any()
    _check_targets(mapping)
    charset = known_charset(options.charset) if options.charset else ""
    if charset is None:
        violation = Violation("options.charset", "is not the name of a known character set")
        raise InvalidArgument([violation], "IMPORT_CHARSET_INVALID")
    return Options(
        format=options.format,
        mapping=mapping,
        region=region,
        charset=charset,
        dry_run=options.dry_run,
        label=label,
        request_id=uuid_value(options.request_id, "options.request_id") if options.request_id else None,
    )


def tells_enough(head: bytes, options: Options) -> bool:
    """Whether so much of a file shows what it is."""
    return options.format != pb.IMPORT_FORMAT_UNSPECIFIED or _told(head) >= TELLING_BYTES or len(head) >= HEAD_LIMIT


def importer_for(head: bytes, options: Options) -> tuple[FileImporter, pb.ImportFormat]:
    """What reads a file that begins so, and its format. Raises InvalidArgument when it cannot be one that is known."""
    if options.format == pb.IMPORT_FORMAT_VCARD or (options.format == pb.IMPORT_FORMAT_UNSPECIFIED and _is_vcard(head)):
        return CardImporter(options.region, options.charset), pb.IMPORT_FORMAT_VCARD
    if options.format == pb.IMPORT_FORMAT_UNSPECIFIED and not _told(head):
        raise format_unknown()
    return TableImporter(options.region, options.charset, options.mapping), pb.IMPORT_FORMAT_CSV


def unknown_columns(error: UnknownColumnsError, options: Options) -> InvalidArgument:
    """What a caller hears whose CSV file has other columns than those of a known program or of the mapping."""
    if not options.mapping and options.format == pb.IMPORT_FORMAT_UNSPECIFIED:
        return format_unknown()
    if not options.mapping:
        wanted = "is needed: the file's columns are not those of Google, Outlook or LinkedIn"
        return InvalidArgument([Violation("options.csv_mapping", wanted)], "IMPORT_MAPPING_INVALID")
    return InvalidArgument([_of_column(name, "the file has no such column") for name in error.missing], _MAPPING)


def format_unknown() -> InvalidArgument:
    """What a caller hears who did not give the format of a file that does not show it."""
    reason = "was not given, and the file is neither vCard nor a CSV file of Google, Outlook or LinkedIn"
    return InvalidArgument([Violation("options.format", reason)], "IMPORT_FORMAT_UNKNOWN")


_MAPPING = "IMPORT_MAPPING_INVALID"


def _check_targets(mapping: dict[str, str]) -> None:
    bad = [_of_column(column, "no such target") for column, target in mapping.items() if not place_of(target, column)]
    if bad:
        raise InvalidArgument(sorted(bad, key=lambda violation: violation.field), _MAPPING)


def _of_column(column: str, description: str) -> Violation:
    return Violation(f"options.csv_mapping[{column}]", description)


def _told(head: bytes) -> int:
    """How many bytes of a file's head tell something: not blank lines before it, byte order marks, UTF-16's zeros."""
    blank = _BLANK.match(head)
    return len(head[blank.end() if blank else 0 :].replace(b"\0", b""))


def _is_vcard(head: bytes) -> bool:
    blank = _BLANK.match(head)
    rest = head[blank.end() if blank else 0 :]
    return rest[:HEAD_LIMIT].replace(b"\0", b"").upper().startswith(b"BEGIN:VCARD")
