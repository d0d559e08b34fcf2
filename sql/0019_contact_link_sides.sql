-- Links as they look from either contact: what lists, exports and searches of ties read.

-- Stored once, shown twice: seen from the other side the contacts change places and a directed type turns round.
CREATE VIEW contact_link_sides WITH (security_invoker = true) AS
SELECT
    side.user_id,
    side.id AS link_key,
    side.contact_id AS contact_key,
    side.as_stored,
    related.deleted AS related_deleted,
    related.processing_restricted AS related_restricted,
    side.id::text AS id,
    side.contact_id::text AS contact_id,
    side.related_contact_id::text AS related_contact_id,
    related.summary AS related_contact,
    side.type,
    -- As pmcrm.contacts.v1.ContactLinkType numbers them.
    array_position(ARRAY[
        'SPOUSE', 'PARTNER', 'SIBLING', 'RELATIVE', 'FRIEND', 'ACQUAINTANCE', 'COLLEAGUE', 'NEIGHBOR', 'OTHER',
        'PARENT', 'CHILD', 'MANAGER', 'REPORT', 'INTRODUCED_BY', 'INTRODUCED', 'ASSISTANT', 'ASSISTED'
    ], side.type)::smallint AS type_order,
    side.label,
    side.start_year,
    side.start_month,
    side.start_day,
    side.notes,
    side.created_at AS create_time,
    side.updated_at AS update_time,
    side.deleted_at AS delete_time,
    side.revision::text AS etag
FROM (
    SELECT
        user_id, id, contact_id, related_contact_id, type, true AS as_stored, label, start_year, start_month, start_day,
        notes, created_at, updated_at, deleted_at, revision
    FROM contact_links
    UNION ALL
    SELECT
        user_id, id, related_contact_id, contact_id,
        CASE type
            WHEN 'PARENT' THEN 'CHILD'
            WHEN 'MANAGER' THEN 'REPORT'
            WHEN 'INTRODUCED_BY' THEN 'INTRODUCED'
            WHEN 'ASSISTANT' THEN 'ASSISTED'
            ELSE type
        END,
        false, label, start_year, start_month, start_day, notes, created_at, updated_at, deleted_at, revision
    FROM contact_links
) AS side
JOIN contact_summaries AS related ON related.user_id = side.user_id AND related.contact_id = side.related_contact_id;
COMMENT ON VIEW contact_link_sides IS
    'Each link twice, from either contact, under the field names of pmcrm.contacts.v1.ContactLink; `as_stored` marks the side on which it is kept.';
GRANT SELECT ON contact_link_sides TO pmcrm_contacts;
