-- What people have declared about the processing of their data, and what holds by it. Columns are named for the fields of
-- pmcrm.gdpr.v1.Consent; values of enums are theirs without the prefix.

CREATE TABLE consent_records (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    contact_id uuid,
    subject_id uuid NOT NULL GENERATED ALWAYS AS (coalesce(contact_id, user_id)) STORED,
    withdrawn_consent_id uuid,
    withdrawn_subject_id uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    type text NOT NULL CHECK (type IN ('CONSENT', 'EXPLICIT_CONSENT', 'PARENTAL_CONSENT', 'OBJECTION', 'WITHDRAWAL')),
    purpose text NOT NULL CHECK (purpose ~ '^[a-z0-9_.-]{1,100}$'),
    legal_basis text NOT NULL CHECK (legal_basis IN (
        'CONSENT', 'CONTRACT', 'LEGAL_OBLIGATION', 'VITAL_INTERESTS', 'PUBLIC_TASK', 'LEGITIMATE_INTERESTS'
    )),
    text_version text CHECK (text_version <> ''),
    text_hash bytea CHECK (length(text_hash) = 32),
    source text CHECK (source <> ''),
    ip_address inet,
    user_agent text CHECK (user_agent <> ''),
    note text CHECK (note <> ''),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, withdrawn_consent_id) REFERENCES consent_records (user_id, id),
    CHECK ((type = 'WITHDRAWAL') = (withdrawn_consent_id IS NOT NULL)),
    CHECK ((type = 'WITHDRAWAL') = (withdrawn_subject_id IS NOT NULL)),
    CHECK (expires_at IS NULL OR type IN ('CONSENT', 'EXPLICIT_CONSENT', 'PARENTAL_CONSENT'))
);
COMMENT ON TABLE consent_records IS
    'Every declaration of the user and of contacts, only ever added. What a merged contact declared stays under its id, and counts for the one that survived.';
COMMENT ON COLUMN consent_records.contact_id IS 'Who declared it; NULL for the user.';
-- NOTE: no foreign key to contacts: that processing was permitted has to be proved when the contact is gone.
COMMENT ON COLUMN consent_records.subject_id IS 'contact_id, and for the user its own id.';
COMMENT ON COLUMN consent_records.withdrawn_consent_id IS 'The declaration that a WITHDRAWAL withdraws.';
COMMENT ON COLUMN consent_records.withdrawn_subject_id IS
    'Whose declaration a WITHDRAWAL withdraws: its own, or one of somebody who was merged into it then. Set by trigger.';
COMMENT ON COLUMN consent_records.created_at IS 'The clock, not the beginning of the transaction: declarations of one person are in the order in which they were made.';
COMMENT ON COLUMN consent_records.expires_at IS 'Until when a permission holds; NULL for ever.';
COMMENT ON COLUMN consent_records.text_hash IS 'SHA-256 of the text that the person saw, in UTF-8.';

CREATE INDEX consent_records_subject_idx ON consent_records (user_id, subject_id, purpose, created_at, id);
CREATE INDEX consent_records_created_idx ON consent_records (user_id, created_at, id);
-- Nobody withdraws a declaration twice, however many try at once.
CREATE UNIQUE INDEX consent_records_withdrawn_idx ON consent_records (user_id, withdrawn_consent_id)
    WHERE withdrawn_consent_id IS NOT NULL;
CREATE INDEX consent_records_withdrawn_subject_idx
    ON consent_records (user_id, withdrawn_subject_id, purpose, created_at, id)
    WHERE withdrawn_subject_id IS NOT NULL;

ALTER TABLE consent_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE consent_records FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consent_records
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE FUNCTION app.name_withdrawn_subject() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        -- Of no other purpose and no withdrawal: then it stays NULL, which the table refuses.
        NEW.withdrawn_subject_id := (
            SELECT c.subject_id FROM public.consent_records AS c
            WHERE c.user_id = NEW.user_id AND c.id = NEW.withdrawn_consent_id
                AND c.purpose = NEW.purpose AND c.type <> 'WITHDRAWAL'
        );
        RETURN NEW;
    END
    $$;
COMMENT ON FUNCTION app.name_withdrawn_subject() IS 'BEFORE INSERT row trigger: whose declaration is withdrawn.';
CREATE TRIGGER withdrawn_subject BEFORE INSERT ON consent_records
    FOR EACH ROW WHEN (NEW.type = 'WITHDRAWAL') EXECUTE FUNCTION app.name_withdrawn_subject();

-- As before, and an entry about a declaration is about whoever made it, the user or a contact.
GRANT CREATE ON SCHEMA app TO pmcrm_audit;
SET LOCAL ROLE pmcrm_audit;
DO $audit$
DECLARE
    before text := (SELECT prosrc FROM pg_catalog.pg_proc WHERE oid = 'app.audit_row()'::regprocedure);
    known text := 'subject := NEW.contact_id;';
BEGIN
    IF strpos(before, known) = 0 THEN
        RAISE EXCEPTION 'app.audit_row() is not the one that this migration knows';
    END IF;
    EXECUTE format(
        $function$
            CREATE OR REPLACE FUNCTION app.audit_row() RETURNS trigger
                LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS %L
        $function$,
        replace(before, known, known || $branch$
        ELSIF TG_ARGV[2] = 'subject_id' THEN
            subject := NEW.subject_id;$branch$)
    );
END
$audit$;
SET LOCAL ROLE pmcrm_owner;
REVOKE CREATE ON SCHEMA app FROM pmcrm_audit;

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON consent_records
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('consent_records', 'user_id', 'subject_id');

GRANT SELECT, INSERT (
    user_id, id, contact_id, withdrawn_consent_id, expires_at, type, purpose, legal_basis, text_version, text_hash, source,
    ip_address, user_agent, note
) ON consent_records TO pmcrm_gdpr;
-- NOTE: created_at is not granted: it is the server's. Nor is update or delete to any service: the history is only added to.
GRANT SELECT ON consent_records TO pmcrm_service;

CREATE VIEW consent_rows WITH (security_invoker = true) AS
SELECT
    c.user_id,
    c.id AS id_key,
    c.subject_id,
    c.id::text AS id,
    c.contact_id::text AS contact_id,
    'CONSENT_TYPE_' || c.type AS type,
    c.purpose,
    'LEGAL_BASIS_' || c.legal_basis AS legal_basis,
    c.text_version,
    encode(c.text_hash, 'hex') AS text_hash,
    c.source,
    host(c.ip_address) AS ip_address,
    c.user_agent,
    c.note,
    c.expires_at AS expire_time,
    c.withdrawn_consent_id::text AS withdrawn_consent_id,
    (
        SELECT 'CONSENT_TYPE_' || w.type
        FROM consent_records AS w
        WHERE w.user_id = c.user_id AND w.id = c.withdrawn_consent_id
    ) AS withdrawn_type,
    c.created_at AS create_time
FROM consent_records AS c;
COMMENT ON VIEW consent_rows IS
    'Declarations under the field names of pmcrm.gdpr.v1.Consent; withdrawn_type is the type of what a WITHDRAWAL withdraws.';
GRANT SELECT ON consent_rows TO pmcrm_gdpr;

GRANT SELECT (user_id, id, deleted_at, processing_restricted) ON contacts TO pmcrm_gdpr;


-- What holds now, by person and purpose: a digest of the history, made by trigger, so that it costs no look into that.
CREATE TABLE consent_states (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    contact_id uuid,
    subject_id uuid NOT NULL GENERATED ALWAYS AS (coalesce(contact_id, user_id)) STORED,
    purpose text NOT NULL,
    status text NOT NULL CHECK (status IN ('GRANTED', 'WITHDRAWN', 'OBJECTED')),
    expires_at timestamptz NOT NULL DEFAULT 'infinity',
    consent_id uuid NOT NULL,
    PRIMARY KEY (user_id, subject_id, purpose),
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE consent_states IS
    'What the newest declarations of people bring about, by purpose. Derived from consent_records by trigger, and not audited. Merged contacts have none of their own.';
COMMENT ON COLUMN consent_states.expires_at IS 'From when on GRANTED means EXPIRED.';
COMMENT ON COLUMN consent_states.consent_id IS 'The declaration that decided it.';

CREATE INDEX consent_states_contact_idx ON consent_states (user_id, contact_id) WHERE contact_id IS NOT NULL;

ALTER TABLE consent_states ENABLE ROW LEVEL SECURITY;
ALTER TABLE consent_states FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consent_states
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

GRANT SELECT ON consent_states TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr;
-- NOTE: writing is granted to no service: the trigger below does it, as pmcrm_owner.
GRANT SELECT, DELETE ON consent_states TO pmcrm_service;


-- Reads the newest declarations alone, however many there are: one after the other, from the end of the index.
CREATE FUNCTION app.consent_status(tenant uuid, subjects uuid[], as_of timestamptz, only_purpose text DEFAULT NULL)
    RETURNS TABLE (subject_id uuid, purpose text, status text, expires_at timestamptz, consent_id uuid)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, public, pg_temp
    AS $$
    #variable_conflict use_column
    DECLARE
        persons uuid[];
        since timestamptz;
        standing record;
        withdrawal record;
    BEGIN
        FOR subject_id IN SELECT DISTINCT unnest(subjects) LOOP
            persons := ARRAY(
                SELECT subject_id
                UNION ALL
                SELECT r.contact_id FROM contact_redirects AS r WHERE r.user_id = tenant AND r.survivor_id = subject_id
            );
            FOR purpose IN
                SELECT only_purpose WHERE only_purpose IS NOT NULL
                UNION
                SELECT c.purpose FROM consent_records AS c
                WHERE only_purpose IS NULL AND c.user_id = tenant AND c.subject_id = ANY (persons)
            LOOP
                -- An objection that is withdrawn counts for nothing, and so does its withdrawal: what was before it holds again.
                SELECT newest.* INTO standing
                FROM unnest(persons) AS person (id)
                CROSS JOIN LATERAL (
                    SELECT c.id, c.type, c.created_at, c.expires_at
                    FROM consent_records AS c
                    WHERE c.user_id = tenant AND c.subject_id = person.id AND c.purpose = consent_status.purpose
                        AND c.created_at <= as_of AND c.type <> 'WITHDRAWAL'
                        AND (c.type <> 'OBJECTION' OR NOT EXISTS (
                            SELECT FROM consent_records AS w
                            WHERE w.user_id = tenant AND w.withdrawn_consent_id = c.id AND w.created_at <= as_of
                        ))
                    ORDER BY c.created_at DESC, c.id DESC
                    LIMIT 1
                ) AS newest
                ORDER BY newest.created_at DESC, newest.id DESC
                LIMIT 1;
                since := coalesce(standing.created_at, '-infinity');
                -- A withdrawal counts for who made it and for whose declaration it withdraws: undoing a merge loses none.
                SELECT newest.* INTO withdrawal
                FROM unnest(persons) AS person (id)
                CROSS JOIN LATERAL (
                    SELECT c.id, c.created_at
                    FROM (
                        SELECT w.id, w.created_at, w.withdrawn_consent_id
                        FROM consent_records AS w
                        WHERE w.user_id = tenant AND w.subject_id = person.id AND w.purpose = consent_status.purpose
                            AND w.created_at BETWEEN since AND as_of
                        UNION ALL
                        SELECT w.id, w.created_at, w.withdrawn_consent_id
                        FROM consent_records AS w
                        WHERE w.user_id = tenant AND w.withdrawn_subject_id = person.id
                            AND w.purpose = consent_status.purpose AND w.created_at BETWEEN since AND as_of
                    ) AS c
                    JOIN consent_records AS o ON o.user_id = tenant AND o.id = c.withdrawn_consent_id
                    WHERE o.type <> 'OBJECTION' AND (c.created_at > since OR standing.id IS NULL OR c.id > standing.id)
                    ORDER BY c.created_at DESC, c.id DESC
                    LIMIT 1
                ) AS newest
                ORDER BY newest.created_at DESC, newest.id DESC
                LIMIT 1;
                IF standing.id IS NULL AND withdrawal.id IS NULL THEN
                    CONTINUE;
                END IF;
                -- An objection that stands is not ended by the withdrawal of a permission that was given before it.
                IF standing.type = 'OBJECTION' THEN
                    status := 'OBJECTED';
                ELSIF withdrawal.id IS NOT NULL THEN
                    status := 'WITHDRAWN';
                ELSIF standing.expires_at <= as_of THEN
                    status := 'EXPIRED';
                ELSE
                    status := 'GRANTED';
                END IF;
                consent_id := CASE status WHEN 'WITHDRAWN' THEN withdrawal.id ELSE standing.id END;
                expires_at := CASE status WHEN 'WITHDRAWN' THEN NULL ELSE standing.expires_at END;
                RETURN NEXT;
            END LOOP;
        END LOOP;
    END
    $$;
COMMENT ON FUNCTION app.consent_status(uuid, uuid[], timestamptz, text) IS
    'What held for people at a moment, by purpose, and which declaration decided it: status is GRANTED, WITHDRAWN, OBJECTED or EXPIRED. A contact''s includes what was declared by those merged into it, as contacts are merged now. A user is asked for by its own id. No row where nothing was declared, or where nothing is left of it.';
GRANT EXECUTE ON FUNCTION app.consent_status(uuid, uuid[], timestamptz, text) TO pmcrm_gdpr, pmcrm_service;

-- Owned by pmcrm_owner, so that nobody else may write what is derived; FORCE ROW LEVEL SECURITY keeps it to the bound tenant.
CREATE FUNCTION app.refresh_consent_states(tenant uuid, subjects uuid[], only_purpose text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_subjects uuid[];
        v_purposes text[];
        v_statuses text[];
        v_expiries timestamptz[];
        v_consents uuid[];
    BEGIN
        PERFORM app.check_tenant(tenant);
        -- Who was merged has no state of its own.
        SELECT array_agg(s.subject_id), array_agg(s.purpose),
            array_agg(CASE s.status WHEN 'EXPIRED' THEN 'GRANTED' ELSE s.status END),
            array_agg(coalesce(s.expires_at, 'infinity')), array_agg(s.consent_id)
        INTO v_subjects, v_purposes, v_statuses, v_expiries, v_consents
        FROM app.consent_status(tenant, subjects, 'infinity', only_purpose) AS s
        WHERE NOT EXISTS (
            SELECT FROM public.contact_redirects AS r WHERE r.user_id = tenant AND r.contact_id = s.subject_id
        ) AND (s.subject_id = tenant OR EXISTS (
            SELECT FROM public.contacts AS c WHERE c.user_id = tenant AND c.id = s.subject_id
        ));
        DELETE FROM public.consent_states AS old
        WHERE old.user_id = tenant AND old.subject_id = ANY (subjects)
            AND (only_purpose IS NULL OR old.purpose = only_purpose) AND NOT EXISTS (
            SELECT FROM unnest(v_subjects, v_purposes) AS new (subject_id, purpose)
            WHERE new.subject_id = old.subject_id AND new.purpose = old.purpose
        );
        INSERT INTO public.consent_states AS old (user_id, contact_id, purpose, status, expires_at, consent_id)
        SELECT tenant, nullif(new.subject_id, tenant), new.purpose, new.status, new.expires_at, new.consent_id
        FROM unnest(v_subjects, v_purposes, v_statuses, v_expiries, v_consents)
            AS new (subject_id, purpose, status, expires_at, consent_id)
        ON CONFLICT (user_id, subject_id, purpose) DO UPDATE
        SET status = EXCLUDED.status, expires_at = EXCLUDED.expires_at, consent_id = EXCLUDED.consent_id
        WHERE (old.status, old.expires_at, old.consent_id)
            IS DISTINCT FROM (EXCLUDED.status, EXCLUDED.expires_at, EXCLUDED.consent_id);
    END
    $$;
COMMENT ON FUNCTION app.refresh_consent_states(uuid, uuid[], text) IS
    'Derives what holds for people anew, by one purpose or all; a user is named by its own id. Raises unless the transaction is bound to the tenant.';
-- NOTE: execute is granted to nobody: the triggers below call it.

CREATE FUNCTION app.is_bound(tenant uuid) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        IF app.current_user_id() IS NOT NULL THEN
            PERFORM app.check_tenant(tenant);
        END IF;
        RETURN app.current_user_id() IS NOT NULL;
    END
    $$;
COMMENT ON FUNCTION app.is_bound(uuid) IS
    'Whether the transaction is bound to the tenant; false when it is bound to none, as migrations are. Raises when it is bound to another.';

CREATE FUNCTION app.derive_consent_states() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        PERFORM app.refresh_consent_states(
            NEW.user_id,
            ARRAY(
                SELECT coalesce(r.survivor_id, declared.subject_id)
                FROM (
                    SELECT NEW.subject_id
                    UNION
                    SELECT w.subject_id FROM public.consent_records AS w
                    WHERE w.user_id = NEW.user_id AND w.id = NEW.withdrawn_consent_id
                ) AS declared (subject_id)
                LEFT JOIN public.contact_redirects AS r
                    ON r.user_id = NEW.user_id AND r.contact_id = declared.subject_id
            ),
            NEW.purpose
        );
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.derive_consent_states() IS 'AFTER INSERT row trigger: what holds by a declaration, at once.';
CREATE TRIGGER states AFTER INSERT ON consent_records FOR EACH ROW EXECUTE FUNCTION app.derive_consent_states();

CREATE FUNCTION app.move_consent_states() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        -- What is deleted with its tenant needs no deriving.
        IF TG_OP = 'DELETE' AND NOT app.is_bound(OLD.user_id) THEN
            RETURN NULL;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            PERFORM app.refresh_consent_states(OLD.user_id, ARRAY[OLD.contact_id, OLD.survivor_id]);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            PERFORM app.refresh_consent_states(NEW.user_id, ARRAY[NEW.contact_id, NEW.survivor_id]);
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.move_consent_states() IS
    'AFTER row trigger on contact_redirects: what a merged contact declared counts for the one that survived.';
CREATE TRIGGER consents AFTER INSERT OR UPDATE OR DELETE ON contact_redirects
    FOR EACH ROW EXECUTE FUNCTION app.move_consent_states();


-- pmcrm itself obeys one purpose.
CREATE FUNCTION app.ai_permissions(tenant uuid, ids uuid[]) RETURNS TABLE (contact_id uuid, until timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, public, pg_temp
    AS $$
    #variable_conflict use_column
    DECLARE
        of_user record;
    BEGIN
        SELECT s.status, s.expires_at INTO of_user
        FROM consent_states AS s
        WHERE s.user_id = tenant AND s.subject_id = tenant AND s.purpose = 'ai_processing';
        IF of_user.status <> 'GRANTED' OR of_user.expires_at <= clock_timestamp() THEN
            RETURN;
        END IF;
        RETURN QUERY
            SELECT s.subject_id, least(s.expires_at, of_user.expires_at)
            FROM (SELECT DISTINCT unnest(ids)) AS asked (id)
            JOIN consent_states AS s ON s.user_id = tenant AND s.subject_id = asked.id AND s.purpose = 'ai_processing'
            JOIN contacts AS c ON c.user_id = tenant AND c.id = asked.id
            WHERE s.status = 'GRANTED' AND s.expires_at > clock_timestamp() AND NOT c.processing_restricted;
    END
    $$;
COMMENT ON FUNCTION app.ai_permissions(uuid, uuid[]) IS
    'Of which contacts something may go into embeddings and to an AI provider, and until when: those who have consented to ai_processing and are not restricted, unless the user has objected, has withdrawn, or has let its consent expire. Deleted contacts among them.';
GRANT EXECUTE ON FUNCTION app.ai_permissions(uuid, uuid[]) TO pmcrm_insights, pmcrm_service;


-- A merge leaves what holds for each contact to the trigger on contact_redirects.
DO $references$
DECLARE
    listed text := (SELECT prosrc FROM pg_catalog.pg_proc WHERE oid = 'app.contact_references()'::regprocedure);
BEGIN
    EXECUTE format(
        $function$
            CREATE OR REPLACE FUNCTION app.contact_references()
                RETURNS TABLE (
                    table_name text, column_name text, handling text, kind text, same text[], living text
                )
                LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
                AS %L
        $function$,
        rtrim(listed, E' \n') || $row$,
            ('consent_states', 'contact_id', 'STAYS', NULL, NULL, NULL)
        $row$
    );
END
$references$;
