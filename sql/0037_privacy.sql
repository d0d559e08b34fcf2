-- What the rights of data subjects leave behind: requests and receipts of erasure, suppressions, restrictions and holds.

-- An erased account leaves a shell, so that its id is never used again and its receipts keep their tenant.
ALTER TABLE users ADD COLUMN erased_at timestamptz;
ALTER TABLE users ADD CONSTRAINT users_erased_check CHECK (erased_at IS NULL OR deleted_at IS NOT NULL);
COMMENT ON COLUMN users.erased_at IS
    'When everything of it was erased. What remains is this shell without personal data, whose id is known to nobody but operators.';
GRANT SELECT (erased_at) ON users TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr;
GRANT UPDATE (deleted_at) ON users TO pmcrm_gdpr;
GRANT UPDATE (erased_at) ON users TO pmcrm_service;


CREATE TABLE erasure_requests (
    user_id uuid NOT NULL REFERENCES users (id),
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    contact_id uuid,
    requested_at timestamptz NOT NULL DEFAULT now(),
    deadline_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    erased_at timestamptz,
    audit_entry_id uuid,
    revision integer NOT NULL DEFAULT 1,
    suppression_count integer NOT NULL DEFAULT 0 CHECK (suppression_count >= 0),
    state text NOT NULL CHECK (state IN ('PENDING', 'RUNNING', 'COMPLETED', 'CANCELLED')),
    reason text CHECK (reason <> ''),
    row_counts jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(row_counts) = 'object'),
    PRIMARY KEY (user_id, id),
    CHECK ((state = 'COMPLETED') = (erased_at IS NOT NULL))
);
COMMENT ON TABLE erasure_requests IS
    'Erasures of contacts and of accounts, and when they are completed their receipts. They outlive what was erased, and hold no personal data then.';
-- NOTE: no ON DELETE CASCADE and no foreign key to contacts: a receipt stays when what it is for is gone.
COMMENT ON COLUMN erasure_requests.contact_id IS 'The contact; NULL for the account.';
COMMENT ON COLUMN erasure_requests.deadline_at IS 'One month after the request (GDPR Art. 12).';
COMMENT ON COLUMN erasure_requests.reason IS 'In the user''s words; erased with the account.';
COMMENT ON COLUMN erasure_requests.row_counts IS 'Table → rows that were removed, or emptied of personal data. Grows with each batch.';

CREATE UNIQUE INDEX erasure_requests_open_key ON erasure_requests (user_id)
    WHERE contact_id IS NULL AND state IN ('PENDING', 'RUNNING');
CREATE INDEX erasure_requests_requested_idx ON erasure_requests (user_id, requested_at, id);

ALTER TABLE erasure_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON erasure_requests
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
CREATE TRIGGER touch BEFORE UPDATE ON erasure_requests FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON erasure_requests
    -- NOTE: without the reason, which is erased, and without the counts, which grow with each of many batches.
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'erasure_requests', 'user_id', 'id', 'updated_at', 'revision', 'reason', 'row_counts'
    );
GRANT SELECT, INSERT (user_id, id, contact_id, deadline_at, state, reason, row_counts, suppression_count, erased_at, audit_entry_id),
    UPDATE (updated_at, state, reason, row_counts, suppression_count, erased_at, audit_entry_id)
    ON erasure_requests TO pmcrm_gdpr, pmcrm_service;

CREATE TABLE erasure_state_changes (
    user_id uuid NOT NULL,
    erasure_id uuid NOT NULL,
    position smallint NOT NULL CHECK (position > 0),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL CHECK (state IN ('PENDING', 'RUNNING', 'COMPLETED', 'CANCELLED')),
    cause text NOT NULL CHECK (cause IN (
        'requested', 'user_deleted', 'cancelled', 'user_undeleted', 'grace_period_over', 'held', 'released', 'erased'
    )),
    PRIMARY KEY (user_id, erasure_id, position),
    FOREIGN KEY (user_id, erasure_id) REFERENCES erasure_requests (user_id, id)
);
COMMENT ON TABLE erasure_state_changes IS 'Every state that an erasure has been in, and what brought it there.';

ALTER TABLE erasure_state_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure_state_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON erasure_state_changes
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
GRANT SELECT, INSERT (user_id, erasure_id, position, state, cause) ON erasure_state_changes TO pmcrm_gdpr, pmcrm_service;
-- NOTE: nobody may update or delete them.


-- DeleteUser and RequestErasure are one state machine: whoever closes an account makes a request, whoever opens it cancels
-- that. A service that writes the request itself, because it knows more of it, does so before it changes the user.
CREATE FUNCTION app.follow_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        request uuid;
        requested timestamptz;
        reached text;
    BEGIN
        -- The purge makes up for it.
        IF NOT app.is_bound(NEW.id) THEN
            RETURN NULL;
        END IF;
        SELECT e.id, e.requested_at, e.state INTO request, requested, reached FROM public.erasure_requests AS e
        WHERE e.user_id = NEW.id AND e.contact_id IS NULL AND e.state IN ('PENDING', 'RUNNING');
        IF NEW.deleted_at IS NULL AND reached = 'RUNNING' THEN
            RAISE EXCEPTION 'the account is being erased' USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        -- An older request is of an account that was opened again without a bound tenant.
        IF request IS NOT NULL AND (NEW.deleted_at IS NULL OR requested < NEW.deleted_at) THEN
            UPDATE public.erasure_requests AS e SET state = 'CANCELLED' WHERE e.user_id = NEW.id AND e.id = request;
            INSERT INTO public.erasure_state_changes (user_id, erasure_id, position, state, cause)
            SELECT NEW.id, request, max(c.position) + 1, 'CANCELLED', 'user_undeleted'
            FROM public.erasure_state_changes AS c
            WHERE c.user_id = NEW.id AND c.erasure_id = request;
            request := NULL;
        END IF;
        IF NEW.deleted_at IS NOT NULL AND request IS NULL THEN
            INSERT INTO public.erasure_requests (user_id, requested_at, deadline_at, state)
            VALUES (NEW.id, NEW.deleted_at, NEW.deleted_at + interval '1 month', 'PENDING')
            RETURNING id INTO request;
            INSERT INTO public.erasure_state_changes (user_id, erasure_id, position, state, cause)
            VALUES (NEW.id, request, 1, 'PENDING', 'user_deleted');
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.follow_account() IS
    'AFTER UPDATE row trigger on users: closing an account is a request to erase it, opening it again cancels that, and is refused (object_not_in_prerequisite_state) once erasing has begun. Without a bound tenant it does nothing, and the purge makes the request that is missing.';
CREATE TRIGGER erasure AFTER UPDATE OF deleted_at ON users
    FOR EACH ROW WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION app.follow_account();


CREATE TABLE suppressions (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    erasure_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL CHECK (kind IN ('EMAIL', 'PHONE')),
    key_id text NOT NULL CHECK (key_id <> ''),
    PRIMARY KEY (user_id, hash, erasure_id),
    FOREIGN KEY (user_id, erasure_id) REFERENCES erasure_requests (user_id, id)
);
COMMENT ON TABLE suppressions IS
    'What keeps an erased contact from coming back by an import or a synchronisation: keyed hashes of its e-mail addresses and E.164 numbers, never of names.';
COMMENT ON COLUMN suppressions.hash IS
    'HMAC-SHA256, with the key `key_id` of PMCRM_SUPPRESSION_KEYS, over tenant, kind and the normalised address or number.';
CREATE INDEX suppressions_erasure_idx ON suppressions (user_id, erasure_id);

ALTER TABLE suppressions ENABLE ROW LEVEL SECURITY;
ALTER TABLE suppressions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON suppressions
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
GRANT SELECT, INSERT, DELETE ON suppressions TO pmcrm_gdpr, pmcrm_service;
GRANT SELECT (user_id, hash) ON suppressions TO pmcrm_contacts, pmcrm_interactions;


CREATE TABLE processing_restrictions (
    user_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    restricted_at timestamptz NOT NULL DEFAULT now(),
    lifted_at timestamptz,
    reason text CHECK (reason IN ('ACCURACY_CONTESTED', 'UNLAWFUL_PROCESSING', 'LEGAL_CLAIMS', 'OBJECTION_PENDING')),
    note text CHECK (note <> ''),
    PRIMARY KEY (user_id, contact_id),
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE processing_restrictions IS
    'Why and since when the processing of contacts is, or was last, restricted (GDPR Art. 18). What holds is contacts.processing_restricted.';

ALTER TABLE processing_restrictions ENABLE ROW LEVEL SECURITY;
ALTER TABLE processing_restrictions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON processing_restrictions
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON processing_restrictions
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('processing_restrictions', 'user_id', 'contact_id');
GRANT SELECT, INSERT (user_id, contact_id, restricted_at, reason, note), UPDATE (restricted_at, lifted_at, reason, note)
    ON processing_restrictions TO pmcrm_gdpr;
GRANT SELECT, DELETE ON processing_restrictions TO pmcrm_service;
GRANT UPDATE (processing_restricted) ON contacts TO pmcrm_gdpr;


CREATE TABLE legal_holds (
    user_id uuid NOT NULL REFERENCES users (id),
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    contact_id uuid,
    placed_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    reason text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE legal_holds IS 'What must not be purged, erased or dropped for now: a tenant, or one of its contacts. Operators place and release them.';
-- NOTE: no foreign key to contacts, because what is held is never removed, and a released hold stays when the contact is gone.
COMMENT ON COLUMN legal_holds.contact_id IS 'The contact; NULL for the whole tenant.';
CREATE INDEX legal_holds_contact_idx ON legal_holds (user_id, contact_id) WHERE released_at IS NULL;
-- Operators name a hold by its id alone.
CREATE INDEX legal_holds_id_idx ON legal_holds (id);

ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE legal_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON legal_holds
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON legal_holds
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('legal_holds', 'user_id', 'id');
GRANT SELECT ON legal_holds TO pmcrm_gdpr;
GRANT SELECT, INSERT (user_id, id, contact_id, reason), UPDATE (released_at) ON legal_holds TO pmcrm_service;


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
            ('processing_restrictions', 'contact_id', 'STAYS', NULL, NULL, NULL)
        $row$
    );
END
$references$;
