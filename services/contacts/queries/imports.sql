-- Lets the imports of one tenant write one batch at a time, so that two of the same file make each contact once.
PREPARE lock_imports (uuid) AS
SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1, 0));

-- The living contacts that came from records with these ids ($2), or with this content and no id ($3), or are themselves
-- these ($4); those of merged contacts stand for their survivors. row_id: whose source_hash it is, a merged one's where
-- one was merged. Living ones first, then those merged last. has_lines: whether extra properties may name other contacts.
PREPARE imported_contacts (uuid, text[], bytea[], uuid[]) AS
SELECT
    source_uid, NULL::bytea AS content, NULL::uuid AS asked, id AS row_id, source_hash, id AS contact_id,
    processing_restricted, extra_properties IS NOT NULL AS has_lines, NULL::timestamptz AS merged_at
FROM contacts
WHERE user_id = $1 AND deleted_at IS NULL AND source_uid = ANY ($2)
UNION ALL
SELECT NULL, source_hash, NULL, id, source_hash, id, processing_restricted, extra_properties IS NOT NULL, NULL
FROM contacts
WHERE user_id = $1 AND deleted_at IS NULL AND source_uid IS NULL AND source_hash = ANY ($3)
UNION ALL
SELECT NULL, NULL, id, id, source_hash, id, processing_restricted, extra_properties IS NOT NULL, NULL
FROM contacts
WHERE user_id = $1 AND deleted_at IS NULL AND id = ANY ($4)
UNION ALL
SELECT
    m.source_uid, CASE WHEN m.source_uid IS NULL THEN m.source_hash END, r.contact_id, m.id, m.source_hash, s.id,
    s.processing_restricted, s.extra_properties IS NOT NULL, r.created_at
FROM contact_redirects AS r
JOIN contacts AS s ON s.user_id = $1 AND s.id = r.survivor_id AND s.deleted_at IS NULL
LEFT JOIN contacts AS m ON m.user_id = $1 AND m.id = r.contact_id
WHERE r.user_id = $1
    AND (
        r.contact_id = ANY ($4)
        OR m.source_uid = ANY ($2)
        OR (m.source_uid IS NULL AND m.source_hash = ANY ($3))
    )
ORDER BY merged_at DESC NULLS FIRST, row_id;

-- Takes hold of those of these contacts that live, until the transaction ends, as app.lock_contacts does: in the order of
-- their ids. One that was merged since the look-up is missing, as is one that was deleted.
PREPARE hold_imported (uuid, uuid[]) AS
SELECT id, processing_restricted
FROM contacts
WHERE user_id = $1 AND id = ANY ($2) AND deleted_at IS NULL
ORDER BY id
FOR NO KEY UPDATE;

-- Replaces what a caller may write of contacts, a batch at once. Not for one contact: planned for as many rows as a record set
-- may have, it reads all of a small tenant's, where update_contact goes through the key.
PREPARE update_contacts (uuid, jsonb) AS
UPDATE contacts SET
    given_name = given.given_name,
    family_name = given.family_name,
    additional_names = given.additional_names,
    honorific_prefixes = given.honorific_prefixes,
    honorific_suffixes = given.honorific_suffixes,
    phonetic_given_name = given.phonetic_given_name,
    phonetic_family_name = given.phonetic_family_name,
    nickname = given.nickname,
    display_name = given.display_name,
    sort_name = app.fold(given.sort_name),
    emails = given.emails,
    phones = given.phones,
    addresses = given.addresses,
    urls = given.urls,
    im_handles = given.im_handles,
    birthday_year = given.birthday_year,
    birthday_month = given.birthday_month,
    birthday_day = given.birthday_day,
    anniversary_year = given.anniversary_year,
    anniversary_month = given.anniversary_month,
    anniversary_day = given.anniversary_day,
    organization_name = given.organization_name,
    job_title = given.job_title,
    notes = given.notes,
    photo_uri = given.photo_uri,
    custom_fields = given.custom_fields,
    extra_properties = given.extra_properties,
    keep_in_touch_days = given.keep_in_touch_days,
    source_uid = given.source_uid,
    source_hash = coalesce(given.source_hash::bytea, contacts.source_hash),
    source_created_at = given.source_created_at,
    source_updated_at = given.source_updated_at
FROM jsonb_to_recordset($2) AS given (
    id uuid, given_name text, family_name text, additional_names text, honorific_prefixes text,
    honorific_suffixes text, phonetic_given_name text, phonetic_family_name text, nickname text, display_name text,
    sort_name text, emails jsonb, phones jsonb, addresses jsonb, urls jsonb, im_handles jsonb,
    birthday_year smallint, birthday_month smallint, birthday_day smallint, anniversary_year smallint,
    anniversary_month smallint, anniversary_day smallint, organization_name text, job_title text, notes text,
    photo_uri text, custom_fields jsonb, extra_properties text[], keep_in_touch_days smallint, source_uid text,
    source_hash text, source_created_at timestamptz, source_updated_at timestamptz
)
WHERE contacts.user_id = $1 AND contacts.id = given.id
RETURNING contacts.id;

-- Remembers what the records that contacts came from, deleted ones too, said last.
PREPARE remember_records (uuid, uuid[], bytea[]) AS
UPDATE contacts SET source_hash = given.source_hash
FROM unnest($2, $3) AS given (id, source_hash)
WHERE contacts.user_id = $1 AND contacts.id = given.id
RETURNING contacts.id;

-- Leaves an entry for a whole import in the audit log.
PREPARE audit_import (uuid, jsonb) AS
SELECT app.audit_event('IMPORT', 'contacts', $1, $2);

-- What a request id was used for, and the answer that its caller got; claims nothing.
PREPARE earlier_import (uuid, uuid) AS
SELECT method, body_hash, answer
FROM idempotency_keys
WHERE user_id = $1 AND request_id = $2;
