-- Gets one contact, deleted or not.
PREPARE get_contact (uuid, uuid) AS
SELECT *
FROM contact_rows
WHERE user_id = $1 AND id_key = $2;

-- Gets several contacts, deleted or not, in no order.
PREPARE get_contacts (uuid, uuid[]) AS
SELECT *
FROM contact_rows
WHERE user_id = $1 AND id_key = ANY ($2);

-- Gets a living contact and locks it until the transaction ends, so that what is read is what the update changes.
PREPARE lock_contact (uuid, uuid) AS
SELECT *
FROM contact_rows
WHERE user_id = $1 AND id_key = $2 AND delete_time IS NULL
FOR NO KEY UPDATE;

-- Counts what a list would show; the filters are those of list_contacts.sql.
PREPARE count_contacts (
    uuid, boolean, boolean, boolean, smallint, timestamptz, timestamptz, text[], uuid[], uuid[], uuid
) AS
SELECT count(*)
FROM contact_rows
WHERE user_id = $1
    AND ($2 OR delete_time IS NULL)
    AND ($3 OR NOT processing_restricted)
    AND ($4 OR (
        ($5 IS NULL OR relationship_strength >= $5)
        AND ($6 IS NULL OR last_contact_time >= $6)
        AND ($7 IS NULL OR last_contact_time < $7)
        AND ($9 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($9)
            GROUP BY contact_id HAVING count(*) = cardinality($9)
        ))
        AND ($10 IS NULL OR id_key IN (
            SELECT contact_id FROM carried_tags WHERE user_id = $1 AND tag_id = ANY ($10)
        ))
        AND ($11 IS NULL OR id_key IN (
            SELECT contact_id FROM current_employments WHERE user_id = $1 AND organization_id = $11
        ))
        AND ($8 IS NULL OR app.holds_words(
            $8, display_name, nickname, concat_ws(' ', organization_name, current_organization ->> 'name'), emails
        ))
    ));

-- Creates contacts. Their ids are chosen by the caller of the statement, since RETURNING promises no order.
PREPARE create_contacts (uuid, jsonb) AS
INSERT INTO contacts (
    user_id, id, given_name, family_name, additional_names, honorific_prefixes, honorific_suffixes,
    phonetic_given_name, phonetic_family_name, nickname, display_name, sort_name, emails, phones, addresses, urls,
    im_handles, birthday_year, birthday_month, birthday_day, anniversary_year, anniversary_month, anniversary_day,
    organization_name, job_title, notes, photo_uri, custom_fields, extra_properties, keep_in_touch_days, source_uid,
    source_hash, source_created_at, source_updated_at
)
SELECT
    $1, id, given_name, family_name, additional_names, honorific_prefixes, honorific_suffixes,
    phonetic_given_name, phonetic_family_name, nickname, display_name, app.fold(sort_name), emails, phones, addresses,
    urls, im_handles, birthday_year, birthday_month, birthday_day, anniversary_year, anniversary_month,
    anniversary_day, organization_name, job_title, notes, photo_uri, custom_fields, extra_properties,
    keep_in_touch_days, source_uid, source_hash::bytea, source_created_at, source_updated_at
FROM jsonb_to_recordset($2) AS given (
    id uuid, given_name text, family_name text, additional_names text, honorific_prefixes text,
    honorific_suffixes text, phonetic_given_name text, phonetic_family_name text, nickname text, display_name text,
    sort_name text, emails jsonb, phones jsonb, addresses jsonb, urls jsonb, im_handles jsonb,
    birthday_year smallint, birthday_month smallint, birthday_day smallint, anniversary_year smallint,
    anniversary_month smallint, anniversary_day smallint, organization_name text, job_title text, notes text,
    photo_uri text, custom_fields jsonb, extra_properties text[], keep_in_touch_days smallint, source_uid text,
    source_hash text, source_created_at timestamptz, source_updated_at timestamptz
)
RETURNING id;

-- Replaces what a caller may write of one contact.
PREPARE update_contact (uuid, uuid, jsonb) AS
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
FROM jsonb_to_record($3) AS given (
    given_name text, family_name text, additional_names text, honorific_prefixes text, honorific_suffixes text,
    phonetic_given_name text, phonetic_family_name text, nickname text, display_name text, sort_name text,
    emails jsonb, phones jsonb, addresses jsonb, urls jsonb, im_handles jsonb, birthday_year smallint,
    birthday_month smallint, birthday_day smallint, anniversary_year smallint, anniversary_month smallint,
    anniversary_day smallint, organization_name text, job_title text, notes text, photo_uri text, custom_fields jsonb,
    extra_properties text[], keep_in_touch_days smallint, source_uid text, source_hash text,
    source_created_at timestamptz, source_updated_at timestamptz
)
WHERE contacts.user_id = $1 AND contacts.id = $2
RETURNING contacts.id;

-- Pins the strength of contacts by hand, or releases it where the value is 0.
PREPARE pin_strengths (uuid, uuid[], smallint[]) AS
UPDATE contact_strengths SET pinned = nullif(given.strength, 0)
FROM unnest($2, $3) AS given (contact_id, strength)
WHERE contact_strengths.user_id = $1 AND contact_strengths.contact_id = given.contact_id
RETURNING contact_strengths.contact_id;

-- Deletes a contact that is locked.
PREPARE delete_contact (uuid, uuid) AS
UPDATE contacts SET deleted_at = now()
WHERE user_id = $1 AND id = $2
RETURNING id;

-- Brings back a deleted contact that is locked.
PREPARE undelete_contact (uuid, uuid) AS
UPDATE contacts SET deleted_at = NULL
WHERE user_id = $1 AND id = $2
RETURNING id;
