-- Restrictions of processing: whether a contact's holds, and on what ground and since when.

-- Takes hold of the living contact that an id stands for; see app.lock_contacts.
PREPARE hold_restrictable (uuid, uuid) AS
SELECT contact_id, processing_restricted
FROM app.lock_contacts(ARRAY[$2])
WHERE $1 IS NOT NULL;

-- Restricts or releases a contact and those merged into it, which are the same person's, if they are not so already: only
-- then their etags move.
PREPARE set_processing_restricted (uuid, uuid, boolean) AS
UPDATE contacts SET processing_restricted = $3
WHERE user_id = $1
    AND id = ANY (
        array_append(
            (SELECT array_agg(r.contact_id) FROM contact_redirects AS r WHERE r.user_id = $1 AND r.survivor_id = $2), $2
        )
    )
    AND processing_restricted <> $3;

-- Writes down why a contact is restricted, for the first time or again; when the restriction stands already ($5), it
-- stays as old as it is.
PREPARE record_restriction (uuid, uuid, text, text, boolean) AS
INSERT INTO processing_restrictions AS r (user_id, contact_id, restricted_at, reason, note)
VALUES ($1, $2, now(), $3, $4)
ON CONFLICT (user_id, contact_id) DO UPDATE SET
    restricted_at = CASE WHEN $5 AND r.lifted_at IS NULL THEN r.restricted_at ELSE excluded.restricted_at END,
    lifted_at = NULL,
    reason = excluded.reason,
    note = excluded.note;

-- Writes down that a restriction was lifted. What is said about that takes the place of what was said before.
PREPARE record_lifting (uuid, uuid, text) AS
UPDATE processing_restrictions SET lifted_at = now(), note = coalesce($3, note)
WHERE user_id = $1 AND contact_id = $2;

-- The restriction of a contact as it is, or was last; `restricted` is what holds.
PREPARE get_restriction (uuid, uuid) AS
SELECT
    c.id::text AS contact_id,
    c.processing_restricted AS restricted,
    'RESTRICTION_REASON_' || r.reason AS reason,
    r.note,
    r.restricted_at AS restrict_time,
    r.lifted_at AS lift_time
FROM contacts AS c
LEFT JOIN processing_restrictions AS r ON r.user_id = $1 AND r.contact_id = c.id
WHERE c.user_id = $1 AND c.id = $2;
