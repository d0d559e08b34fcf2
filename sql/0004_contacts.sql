-- Contacts: the people whom a user knows. Columns are named for the fields of pmcrm.contacts.v1.Contact.

CREATE TABLE contacts (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    source_created_at timestamptz,
    source_updated_at timestamptz,
    revision integer NOT NULL DEFAULT 1,
    keep_in_touch_days smallint CHECK (keep_in_touch_days BETWEEN 1 AND 3650),
    birthday_year smallint CHECK (birthday_year BETWEEN 1 AND 9999),
    birthday_month smallint CHECK (birthday_month BETWEEN 1 AND 12),
    birthday_day smallint CHECK (birthday_day BETWEEN 1 AND 31),
    anniversary_year smallint CHECK (anniversary_year BETWEEN 1 AND 9999),
    anniversary_month smallint CHECK (anniversary_month BETWEEN 1 AND 12),
    anniversary_day smallint CHECK (anniversary_day BETWEEN 1 AND 31),
    processing_restricted boolean NOT NULL DEFAULT false,
    display_name text NOT NULL,
    sort_name text COLLATE app.name_order NOT NULL,
    given_name text CHECK (given_name <> ''),
    family_name text CHECK (family_name <> ''),
    additional_names text CHECK (additional_names <> ''),
    honorific_prefixes text CHECK (honorific_prefixes <> ''),
    honorific_suffixes text CHECK (honorific_suffixes <> ''),
    phonetic_given_name text CHECK (phonetic_given_name <> ''),
    phonetic_family_name text CHECK (phonetic_family_name <> ''),
    nickname text CHECK (nickname <> ''),
    organization_name text CHECK (organization_name <> ''),
    job_title text CHECK (job_title <> ''),
    notes text CHECK (notes <> ''),
    photo_uri text CHECK (photo_uri <> ''),
    emails jsonb CHECK (jsonb_typeof(emails) = 'array' AND emails <> '[]'),
    phones jsonb CHECK (jsonb_typeof(phones) = 'array' AND phones <> '[]'),
    addresses jsonb CHECK (jsonb_typeof(addresses) = 'array' AND addresses <> '[]'),
    urls jsonb CHECK (jsonb_typeof(urls) = 'array' AND urls <> '[]'),
    im_handles jsonb CHECK (jsonb_typeof(im_handles) = 'array' AND im_handles <> '[]'),
    custom_fields jsonb CHECK (jsonb_typeof(custom_fields) = 'object' AND custom_fields <> '{}'),
    extra_properties text[] CHECK (extra_properties <> '{}'),
    source_uid text CHECK (source_uid <> ''),
    source_hash bytea,
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE contacts IS
    'The people whom a user knows. What is absent is NULL, never an empty text or list. Strength, last and next contact are in contact_strengths.';
COMMENT ON COLUMN contacts.deleted_at IS 'When it was deleted; purged a grace period later.';
COMMENT ON COLUMN contacts.source_created_at IS 'When the record was made where it came from.';
COMMENT ON COLUMN contacts.source_updated_at IS 'When the record last changed where it came from.';
COMMENT ON COLUMN contacts.revision IS 'Counts changes; the etag is made from it.';
COMMENT ON COLUMN contacts.keep_in_touch_days IS 'How often to be in touch, in days; NULL for no cadence.';
COMMENT ON COLUMN contacts.birthday_year IS 'Year, month and day are each optional, as in google.type.Date.';
COMMENT ON COLUMN contacts.processing_restricted IS 'GDPR Art. 18: not to be used, only kept.';
COMMENT ON COLUMN contacts.sort_name IS
    'What the contact is sorted by. Store app.fold of it: where the server has no ICU, folding alone puts émile before Zeta.';
COMMENT ON COLUMN contacts.emails IS 'JSON array of objects keyed as pmcrm.contacts.v1.Email; so the other lists.';
COMMENT ON COLUMN contacts.phones IS 'JSON array of objects keyed as pmcrm.contacts.v1.Phone: value as typed, e164 where it is known.';
COMMENT ON COLUMN contacts.extra_properties IS 'Lines of an imported card that no column holds; exported again.';
COMMENT ON COLUMN contacts.source_uid IS 'The record''s id where it came from; unique among the tenant''s living contacts.';
COMMENT ON COLUMN contacts.source_hash IS 'Digest of the imported record: the same record again changes nothing.';

CREATE INDEX contacts_name_idx ON contacts (user_id, sort_name, id);
CREATE INDEX contacts_created_idx ON contacts (user_id, created_at, id);
CREATE UNIQUE INDEX contacts_source_uid_key ON contacts (user_id, source_uid)
    WHERE deleted_at IS NULL AND source_uid IS NOT NULL;
-- Look-up by e-mail address and phone number, for app.find_contacts alone: behind row-level security no query could use
-- it. jsonb_path_ops keeps four bytes per value, so that neither keys nor arrays of them need columns.
CREATE INDEX contacts_keys_idx ON contacts USING gin (
    user_id,
    (lower(jsonb_path_query_array(emails, '$[*].value')::text)::jsonb) jsonb_path_ops,
    (jsonb_path_query_array(phones, '$[*].e164')) jsonb_path_ops
) WITH (gin_pending_list_limit = 256);

ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contacts
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
CREATE POLICY search ON contacts FOR SELECT TO pmcrm_search USING (true);
-- GDPR Art. 18: a restricted contact is out of reach for what analyses contacts.
CREATE POLICY restriction ON contacts AS RESTRICTIVE FOR SELECT TO pmcrm_insights USING (NOT processing_restricted);

CREATE TRIGGER touch BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON contacts
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'contacts', 'user_id', 'id', 'updated_at', 'revision', 'sort_name', 'source_hash'
    );

GRANT SELECT, INSERT ON contacts TO pmcrm_contacts;
GRANT UPDATE (
    updated_at, deleted_at, source_created_at, source_updated_at, keep_in_touch_days,
    birthday_year, birthday_month, birthday_day, anniversary_year, anniversary_month, anniversary_day,
    display_name, sort_name, given_name, family_name, additional_names, honorific_prefixes, honorific_suffixes,
    phonetic_given_name, phonetic_family_name, nickname, organization_name, job_title, notes, photo_uri,
    emails, phones, addresses, urls, im_handles, custom_fields, extra_properties, source_uid, source_hash
) ON contacts TO pmcrm_contacts;
-- NOTE: update of processing_restricted is not granted to pmcrm_contacts, because only the gdpr service restricts and lifts;
-- nor of user_id, id, created_at and revision, which never change by hand. Delete is granted to no service: deleting sets
-- deleted_at, and the purge runs as pmcrm_service.
GRANT SELECT (user_id, id, deleted_at, emails, phones, source_uid) ON contacts TO pmcrm_search;
GRANT SELECT, DELETE ON contacts TO pmcrm_service;


-- Which of the tenant's living contacts have one of these e-mail addresses, phone numbers or source uids. PL/pgSQL, owned
-- by pmcrm_search: jsonb operators are not leakproof, so a plain query behind row-level security would read every row.
CREATE FUNCTION app.find_contacts(emails text[], phones text[], source_uids text[])
    RETURNS TABLE (kind text, key text, contact_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
    -- A generic plan would not know how many keys are asked for. Index scans off: by the primary key alone, each key would
    -- read every contact of the tenant.
    SET plan_cache_mode = force_custom_plan
    SET enable_indexscan = off
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY
            SELECT 'email', asked.key, c.id
            FROM unnest(emails) AS asked (key)
            CROSS JOIN public.contacts AS c
            WHERE c.user_id = v_user
              AND lower(jsonb_path_query_array(c.emails, '$[*].value')::text)::jsonb @> jsonb_build_array(lower(asked.key))
              AND c.deleted_at IS NULL
            UNION ALL
            SELECT 'phone', asked.key, c.id
            FROM unnest(phones) AS asked (key)
            CROSS JOIN public.contacts AS c
            WHERE c.user_id = v_user
              AND jsonb_path_query_array(c.phones, '$[*].e164') @> jsonb_build_array(asked.key)
              AND c.deleted_at IS NULL
            UNION ALL
            SELECT 'source_uid', c.source_uid, c.id
            FROM public.contacts AS c
            WHERE c.user_id = v_user AND c.source_uid = ANY (source_uids) AND c.deleted_at IS NULL;
    END
    $$;
COMMENT ON FUNCTION app.find_contacts(text[], text[], text[]) IS
    'Which living contacts of the bound tenant have one of these e-mail addresses (in any case), E.164 numbers or source uids: (kind, key as asked, contact_id), kind being email, phone or source_uid. Raises without a tenant.';
GRANT CREATE ON SCHEMA app TO pmcrm_search;
ALTER FUNCTION app.find_contacts(text[], text[], text[]) OWNER TO pmcrm_search;
REVOKE CREATE ON SCHEMA app FROM pmcrm_search;
SET LOCAL ROLE pmcrm_search;
GRANT EXECUTE ON FUNCTION app.find_contacts(text[], text[], text[]) TO pmcrm_contacts;
SET LOCAL ROLE pmcrm_owner;


-- What is computed about a contact. Apart from it, because recomputing must touch neither etag nor audit nor wide rows.
CREATE TABLE contact_strengths (
    user_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    last_contact_at timestamptz,
    next_contact_at timestamptz,
    computed smallint NOT NULL DEFAULT 1 CHECK (computed BETWEEN 1 AND 10),
    pinned smallint CHECK (pinned BETWEEN 1 AND 10),
    strength smallint NOT NULL GENERATED ALWAYS AS (coalesce(pinned, computed)) STORED,
    PRIMARY KEY (user_id, contact_id),
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE contact_strengths IS
    'Strength, last and next contact of each contact; every contact has a row, made by trigger. Derived but for `pinned`, which alone is audited.';
COMMENT ON COLUMN contact_strengths.computed IS 'Relationship strength by the published formula, 1 to 10.';
COMMENT ON COLUMN contact_strengths.pinned IS 'Relationship strength set by hand; NULL when it was not.';
COMMENT ON COLUMN contact_strengths.strength IS 'What is shown: pinned, else computed.';
COMMENT ON COLUMN contact_strengths.last_contact_at IS 'The newest interaction; NULL when there is none.';
COMMENT ON COLUMN contact_strengths.next_contact_at IS
    'last_contact_at, else the contact''s created_at, plus keep_in_touch_days; NULL without a cadence.';

CREATE INDEX contact_strengths_strength_idx ON contact_strengths (user_id, strength, contact_id);
-- Those never contacted sort before everybody else. An expression, since a page cannot begin after a NULL.
CREATE INDEX contact_strengths_last_contact_idx
    ON contact_strengths (user_id, (coalesce(last_contact_at, '-infinity')), contact_id);

ALTER TABLE contact_strengths ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_strengths FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_strengths
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

-- What a person sets by hand is an edit like any other; the rest is computed.
CREATE TRIGGER audit AFTER UPDATE OF pinned ON contact_strengths
    FOR EACH ROW WHEN (OLD.pinned IS DISTINCT FROM NEW.pinned)
    EXECUTE FUNCTION app.audit_row(
        'contact_strengths', 'user_id', 'contact_id', 'computed', 'strength', 'last_contact_at', 'next_contact_at'
    );

GRANT SELECT, INSERT (user_id, contact_id, next_contact_at), UPDATE (pinned, next_contact_at)
    ON contact_strengths TO pmcrm_contacts;
-- NOTE: computed and last_contact_at are not granted to pmcrm_contacts: interactions make them.
GRANT SELECT ON contact_strengths TO pmcrm_service;

CREATE FUNCTION app.add_days(at timestamptz, days integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT at + make_interval(hours => 24 * days) $$;
COMMENT ON FUNCTION app.add_days(timestamptz, integer) IS 'So many times 24 hours later, whatever the session''s time zone.';
GRANT EXECUTE ON FUNCTION app.add_days(timestamptz, integer) TO pmcrm_contacts, pmcrm_service;

-- AFTER INSERT statement trigger. The rows go through arrays: on Citus a transition table can be read, but not used in a
-- statement on a distributed table.
CREATE FUNCTION app.add_contact_strengths() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
    DECLARE
        added record;
    BEGIN
        FOR added IN
            SELECT user_id, array_agg(id) AS ids, array_agg(app.add_days(created_at, keep_in_touch_days)) AS next
            FROM added_contacts
            GROUP BY user_id
        LOOP
            INSERT INTO contact_strengths (user_id, contact_id, next_contact_at)
            SELECT added.user_id, row.id, row.next FROM unnest(added.ids, added.next) AS row (id, next);
        END LOOP;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.add_contact_strengths() IS 'Gives each new contact its row in contact_strengths.';
CREATE TRIGGER strengths AFTER INSERT ON contacts REFERENCING NEW TABLE AS added_contacts
    FOR EACH STATEMENT EXECUTE FUNCTION app.add_contact_strengths();

CREATE FUNCTION app.move_next_contact() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
    BEGIN
        UPDATE contact_strengths
        SET next_contact_at = app.add_days(coalesce(last_contact_at, NEW.created_at), NEW.keep_in_touch_days)
        WHERE user_id = NEW.user_id AND contact_id = NEW.id;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.move_next_contact() IS 'Reckons next_contact_at anew when a contact''s cadence has changed.';
CREATE TRIGGER next_contact AFTER UPDATE OF keep_in_touch_days ON contacts
    FOR EACH ROW WHEN (OLD.keep_in_touch_days IS DISTINCT FROM NEW.keep_in_touch_days)
    EXECUTE FUNCTION app.move_next_contact();
