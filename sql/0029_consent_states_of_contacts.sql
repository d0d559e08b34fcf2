-- What a contact has declared, in its answer: from what is kept of it as holding, and not from the history.

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
    ) END AS merge_id,
    (
        SELECT jsonb_object_agg(
            st.purpose,
            'CONSENT_STATUS_' || CASE WHEN st.status = 'GRANTED' AND st.expires_at <= now() THEN 'EXPIRED' ELSE st.status END
        )
        FROM consent_states AS st
        WHERE st.user_id = c.user_id AND st.subject_id = c.id
    ) AS consent_state
FROM contacts AS c
JOIN contact_strengths AS s ON s.user_id = c.user_id AND s.contact_id = c.id;
