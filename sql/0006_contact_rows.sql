-- How a contact is answered: contacts and contact_strengths as one row, its columns named for the fields of
-- pmcrm.contacts.v1.Contact, so that every statement that returns contacts is `SELECT *` and a mapping is one call.

CREATE FUNCTION app.holds_words(
    words text[], display_name text, nickname text, organization_name text, emails jsonb
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT coalesce(bool_and(strpos(haystack, app.fold(word)) > 0), true)
        FROM
            app.fold(concat_ws(
                ' ', display_name, nickname, organization_name,
                (SELECT string_agg(email ->> 'value', ' ') FROM jsonb_array_elements(emails) AS email)
            )) AS haystack,
            unnest(words) AS word
    $$;
COMMENT ON FUNCTION app.holds_words(text[], text, text, text, jsonb) IS
    'Whether each of the words occurs in one of the texts, whatever the case and accents.';
GRANT EXECUTE ON FUNCTION app.holds_words(text[], text, text, text, jsonb) TO pmcrm_contacts;

-- What sorts after every name, which the first page of a list by name backwards begins below.
DO $end$
DECLARE
    -- U+FFFF has the highest weight in Unicode's order; U+10FFFF is the last code point. One more of them than the
    -- longest name has characters.
    last_text text := CASE
        WHEN (SELECT collprovider FROM pg_catalog.pg_collation WHERE collname = 'name_order') = 'i'
            THEN repeat(U&'\FFFF', 501)
        ELSE repeat(U&'\+10FFFF', 501)
    END;
BEGIN
    EXECUTE format(
        'CREATE FUNCTION app.name_order_end() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT %L $$',
        last_text
    );
END
$end$;
COMMENT ON FUNCTION app.name_order_end() IS 'A text that sorts after every name in app.name_order.';
GRANT EXECUTE ON FUNCTION app.name_order_end() TO pmcrm_contacts;

CREATE VIEW contact_rows WITH (security_invoker = true) AS
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
    -- Those never contacted sort before everybody else, and still have a place that a page can begin after.
    coalesce(s.last_contact_at, '-infinity') AS last_contact_order,
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
    c.revision::text AS etag
FROM contacts AS c
JOIN contact_strengths AS s ON s.user_id = c.user_id AND s.contact_id = c.id;
COMMENT ON VIEW contact_rows IS
    'Contacts as they are answered. id is text for the answer; sort_name, last_contact_order and the two keys are what lists are ordered by: the key of the table whose index holds the order.';
GRANT SELECT ON contact_rows TO pmcrm_contacts;
-- For SELECT … FOR NO KEY UPDATE alone: a join cannot be updated.
GRANT UPDATE ON contact_rows TO pmcrm_contacts;
