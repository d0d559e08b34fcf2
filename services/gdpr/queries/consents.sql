-- The contact that an id stands for, deleted or not.
PREPARE standing_contact (uuid, uuid) AS
SELECT c.id
FROM contacts AS c
WHERE c.user_id = $1 AND c.id = (
    SELECT coalesce(
        (SELECT r.survivor_id FROM contact_redirects AS r WHERE r.user_id = $1 AND r.contact_id = $2), $2
    )
);

-- A contact and those merged into it: all whose declarations count for it.
PREPARE persons_of_contact (uuid, uuid) AS
SELECT $2 AS id
WHERE $1 IS NOT NULL
UNION ALL
SELECT r.contact_id
FROM contact_redirects AS r
WHERE r.user_id = $1 AND r.survivor_id = $2;

-- Takes hold of the contact that an id stands for, deleted or not, and answers it when it lives; see app.lock_contacts.
PREPARE hold_contact (uuid, uuid) AS
SELECT contact_id
FROM app.lock_contacts(ARRAY[$2])
WHERE $1 IS NOT NULL;

-- One declaration after the other, where no contact is there to be held: those of the user, or of a purged contact.
PREPARE lock_declarer (uuid, uuid) AS
SELECT pg_advisory_xact_lock(hashtextextended('consents ' || $1 || ' ' || $2, 0));

-- Records a declaration.
PREPARE create_consent (
    uuid, uuid, uuid, uuid, timestamptz, text, text, text, text, bytea, text, inet, text, text
) AS
INSERT INTO consent_records (
    user_id, id, contact_id, withdrawn_consent_id, expires_at, type, purpose, legal_basis, text_version, text_hash, source,
    ip_address, user_agent, note
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- Gets one declaration, and whether it has been withdrawn.
PREPARE get_consent (uuid, uuid) AS
SELECT *, EXISTS (
    SELECT FROM consent_records AS w WHERE w.user_id = $1 AND w.withdrawn_consent_id = $2
) AS withdrawn
FROM consent_rows
WHERE user_id = $1 AND id_key = $2;

-- Whether a person has ever declared anything for a purpose.
PREPARE has_declared (uuid, uuid[], text) AS
SELECT true
FROM consent_records
WHERE user_id = $1 AND subject_id = ANY ($2) AND purpose = $3
LIMIT 1;

-- The moment that is asked about, now when $2 is NULL, and whether it is yet to come.
PREPARE moment (uuid, timestamptz) AS
SELECT coalesce($2, clock_timestamp()) AS at, coalesce($2 > clock_timestamp(), false) AS ahead
WHERE $1 IS NOT NULL;

-- What held for a person and a purpose at a moment, and which declaration decided it.
PREPARE consent_status (uuid, uuid, text, timestamptz) AS
SELECT status, consent_id
FROM app.consent_status($1, ARRAY[$2], $4, $3);


-- Pages of declarations. The parameters are the same in all of them, but for the persons, whom those of everybody do not
-- have:
--   $1 tenant   $2, $3 position and id of the last row shown, NULL for the first page   $4 limit   $5 offset
--   $6 purpose   $7 type   $8 persons
-- A NULL filter filters nothing. The scalar subqueries are there because behind row-level security coalesce() is in no
-- index condition, and a parameter is.

-- Everybody's, oldest first.
PREPARE list_consents (uuid, text, uuid, integer, integer, text, text) AS
SELECT *, create_time::text AS position
FROM consent_rows
WHERE user_id = $1
    AND (create_time, id_key) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 IS NULL OR purpose = $6) AND ($7 IS NULL OR type = $7)
ORDER BY create_time, id_key
LIMIT $4 OFFSET $5;

-- Everybody's, newest first.
PREPARE list_consents_desc (uuid, text, uuid, integer, integer, text, text) AS
SELECT *, create_time::text AS position
FROM consent_rows
WHERE user_id = $1
    AND (create_time, id_key) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 IS NULL OR purpose = $6) AND ($7 IS NULL OR type = $7)
ORDER BY create_time DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- One person's, oldest first.
PREPARE list_consents_of (uuid, text, uuid, integer, integer, text, text, uuid[]) AS
SELECT *, create_time::text AS position
FROM consent_rows
WHERE user_id = $1 AND subject_id = ANY ($8)
    AND (create_time, id_key) > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 IS NULL OR purpose = $6) AND ($7 IS NULL OR type = $7)
ORDER BY create_time, id_key
LIMIT $4 OFFSET $5;

-- One person's, newest first.
PREPARE list_consents_of_desc (uuid, text, uuid, integer, integer, text, text, uuid[]) AS
SELECT *, create_time::text AS position
FROM consent_rows
WHERE user_id = $1 AND subject_id = ANY ($8)
    AND (create_time, id_key) < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 IS NULL OR purpose = $6) AND ($7 IS NULL OR type = $7)
ORDER BY create_time DESC, id_key DESC
LIMIT $4 OFFSET $5;

-- How many declarations a list has in all; of everybody when the persons are NULL.
PREPARE count_consents (uuid, text, text, uuid[]) AS
SELECT count(*)
FROM consent_rows
WHERE user_id = $1
    AND ($2 IS NULL OR purpose = $2) AND ($3 IS NULL OR type = $3) AND ($4 IS NULL OR subject_id = ANY ($4));
