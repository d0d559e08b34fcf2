-- Behind row-level security an expression over a column is no index condition, since it might betray what it reads: what
-- pages of a list begin after is a column.
ALTER TABLE contact_strengths
    ADD COLUMN last_contact_order timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(last_contact_at, '-infinity')) STORED;
COMMENT ON COLUMN contact_strengths.last_contact_order IS
    'last_contact_at, and for those never contacted what sorts before everybody else.';
DROP INDEX contact_strengths_last_contact_idx;
CREATE INDEX contact_strengths_last_contact_idx ON contact_strengths (user_id, last_contact_order, contact_id);
DROP TRIGGER audit ON contact_strengths;
CREATE TRIGGER audit AFTER UPDATE OF pinned ON contact_strengths
    FOR EACH ROW WHEN (OLD.pinned IS DISTINCT FROM NEW.pinned)
    EXECUTE FUNCTION app.audit_row(
        'contact_strengths', 'user_id', 'contact_id', 'computed', 'strength', 'last_contact_at', 'last_contact_order',
        'next_contact_at'
    );


-- What hangs on a contact, as its answer shows it. Correlated subqueries and not joins: they are run for the rows that are
-- answered and for no others.

CREATE OR REPLACE VIEW contact_rows WITH (security_invoker = true) AS
SELECT
    c.user_id,
    c.id AS id_key,
    c.id::text AS id,
    c.given_name,
    c.family_name,
    c.additional_names,
    c.honorific_prefixes,
    c.honorific_suffixes,
    c.phonetic_given_name,
    c.phonetic_family_name,
    c.nickname,
    c.display_name,
    c.sort_name,
    c.emails,
    c.phones,
    c.addresses,
    c.urls,
    c.im_handles,
    c.birthday_year,
    c.birthday_month,
    c.birthday_day,
    c.anniversary_year,
    c.anniversary_month,
    c.anniversary_day,
    c.organization_name,
    c.job_title,
    c.notes,
    c.custom_fields,
    s.contact_id AS strengths_key,
    s.strength AS relationship_strength,
    s.pinned IS NOT NULL AS relationship_strength_pinned,
    s.last_contact_at AS last_contact_time,
    s.last_contact_order,
    s.next_contact_at AS next_contact_time,
    c.keep_in_touch_days,
    c.processing_restricted,
    c.source_uid,
    c.source_created_at AS source_create_time,
    c.source_updated_at AS source_update_time,
    c.photo_uri,
    c.extra_properties,
    c.created_at AS create_time,
    c.updated_at AS update_time,
    c.deleted_at AS delete_time,
    c.revision::text AS etag,
    (
        SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', coalesce(t.color, ''))
            ORDER BY t.sort_name, t.id)
        FROM contact_tags AS ct
        JOIN tags AS t ON t.user_id = ct.user_id AND t.id = ct.tag_id
        WHERE ct.user_id = c.user_id AND ct.contact_id = c.id AND t.deleted_at IS NULL
    ) AS tags,
    (
        SELECT jsonb_build_object('id', o.id, 'name', o.name, 'job_title', coalesce(e.job_title, ''))
        FROM contact_employments AS e
        JOIN organizations AS o ON o.user_id = e.user_id AND o.id = e.organization_id
        WHERE e.user_id = c.user_id AND e.contact_id = c.id
            AND e.is_current AND e.deleted_at IS NULL AND o.deleted_at IS NULL
        ORDER BY e.start_order DESC NULLS LAST, e.id DESC
        LIMIT 1
    ) AS current_organization,
    -- Only a deleted contact can have been merged.
    CASE WHEN c.deleted_at IS NOT NULL THEN (
        SELECT r.survivor_id::text FROM contact_redirects AS r WHERE r.user_id = c.user_id AND r.contact_id = c.id
    ) END AS merged_into_id,
    CASE WHEN c.deleted_at IS NOT NULL THEN (
        SELECT r.merge_id::text FROM contact_redirects AS r WHERE r.user_id = c.user_id AND r.contact_id = c.id
    ) END AS merge_id
FROM contacts AS c
JOIN contact_strengths AS s ON s.user_id = c.user_id AND s.contact_id = c.id;

-- As much of a contact as other resources show of it: pmcrm.type.v1.ContactSummary.
CREATE VIEW contact_summaries WITH (security_invoker = true) AS
SELECT
    c.user_id,
    c.id AS contact_id,
    c.deleted_at IS NOT NULL AS deleted,
    c.processing_restricted,
    c.sort_name,
    jsonb_build_object(
        'id', c.id,
        'display_name', c.display_name,
        'organization', coalesce(
            (
                SELECT o.name
                FROM contact_employments AS e
                JOIN organizations AS o ON o.user_id = e.user_id AND o.id = e.organization_id
                WHERE e.user_id = c.user_id AND e.contact_id = c.id
                    AND e.is_current AND e.deleted_at IS NULL AND o.deleted_at IS NULL
                ORDER BY e.start_order DESC NULLS LAST, e.id DESC
                LIMIT 1
            ),
            c.organization_name,
            ''
        )
    ) AS summary
FROM contacts AS c;
COMMENT ON VIEW contact_summaries IS
    'Contacts as other resources show them: `summary` is a JSON object keyed as pmcrm.type.v1.ContactSummary.';
GRANT SELECT ON contact_summaries TO pmcrm_contacts;
