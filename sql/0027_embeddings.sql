-- Embeddings of contacts and interactions, and the queue by which they follow changes. Of whom nothing may be embedded,
-- nothing is here: triggers remove it in the transaction in which a permission ends.

CREATE TABLE embeddings (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    contact_id uuid,
    interaction_id uuid,
    subject_id uuid NOT NULL GENERATED ALWAYS AS (coalesce(contact_id, interaction_id)) STORED,
    embedded_at timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz NOT NULL DEFAULT 'infinity',
    dimensions smallint NOT NULL CHECK (dimensions > 0),
    model text NOT NULL CHECK (model <> ''),
    content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
    embedding halfvec NOT NULL,
    PRIMARY KEY (user_id, subject_id, model),
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, interaction_id) REFERENCES interactions (user_id, id) ON DELETE CASCADE,
    CHECK (num_nonnulls(contact_id, interaction_id) = 1),
    CHECK (vector_dims(embedding) = dimensions),
    -- A vector of zeros has no direction: its distance to everything is NaN.
    CHECK (l2_norm(embedding) > 0)
);
-- An exact search reads all vectors of a tenant, so they stay in the row as far as a page has room (about 3 900 dimensions).
ALTER TABLE embeddings ALTER COLUMN embedding SET STORAGE MAIN, SET (toast_tuple_target = 8160);
COMMENT ON TABLE embeddings IS
    'Vectors of what contacts and interactions say, one for each model. Derived, and not audited. Vectors of different models are never compared.';
COMMENT ON COLUMN embeddings.subject_id IS 'contact_id or interaction_id, whichever it is of.';
COMMENT ON COLUMN embeddings.valid_until IS 'When the first permission on which it rests ends; from then on it counts for nothing.';
COMMENT ON COLUMN embeddings.model IS 'What made it, as EmbeddingModel.name.';
COMMENT ON COLUMN embeddings.content_hash IS 'SHA-256 of the text: what has not changed is not embedded again.';

CREATE INDEX embeddings_contact_idx ON embeddings (user_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX embeddings_interaction_idx ON embeddings (user_id, interaction_id) WHERE interaction_id IS NOT NULL;
CREATE INDEX embeddings_expiry_idx ON embeddings (valid_until) WHERE valid_until < 'infinity';

ALTER TABLE embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE embeddings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON embeddings
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

GRANT SELECT, INSERT, DELETE ON embeddings TO pmcrm_insights, pmcrm_service;
GRANT UPDATE (embedded_at, valid_until, dimensions, content_hash, embedding) ON embeddings TO pmcrm_insights, pmcrm_service;


CREATE TABLE embedding_models (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT now(),
    dimensions smallint NOT NULL CHECK (dimensions > 0),
    next_dimensions smallint CHECK (next_dimensions > 0),
    kind text NOT NULL CHECK (kind IN ('LEXICAL', 'SEMANTIC')),
    next_kind text CHECK (next_kind IN ('LEXICAL', 'SEMANTIC')),
    model text NOT NULL CHECK (model <> ''),
    next_model text CHECK (next_model <> model),
    PRIMARY KEY (user_id),
    CHECK ((next_model IS NULL) = (next_kind IS NULL)),
    CHECK (next_dimensions IS NULL OR next_model IS NOT NULL)
);
COMMENT ON TABLE embedding_models IS
    'By which model each tenant is searched. It changes when the embeddings of the next model are complete, and until then searches go on with the old one. Without a row nothing was embedded yet.';
COMMENT ON COLUMN embedding_models.next_model IS 'What new embeddings are made by while it is another one; NULL when none is coming.';
COMMENT ON COLUMN embedding_models.next_dimensions IS 'As soon as the first embedding of the next model is there.';

ALTER TABLE embedding_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE embedding_models FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON embedding_models
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

GRANT SELECT, INSERT, UPDATE (since, dimensions, next_dimensions, kind, next_kind, model, next_model), DELETE
    ON embedding_models TO pmcrm_insights, pmcrm_service;


CREATE TABLE embedding_queue (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    subject_id uuid NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    generation integer NOT NULL DEFAULT 1,
    attempts smallint NOT NULL DEFAULT 0,
    kind text NOT NULL CHECK (kind IN ('CONTACT', 'INTERACTION')),
    PRIMARY KEY (user_id, kind, subject_id)
);
COMMENT ON TABLE embedding_queue IS
    'What has to be embedded, or embedded anew. A worker claims rows with FOR UPDATE SKIP LOCKED by moving due_at ahead, and removes those whose generation is still the one that it claimed; one that is killed leaves them to the next. Holds ids alone.';
COMMENT ON COLUMN embedding_queue.subject_id IS 'A contact''s or an interaction''s id; without a foreign key, since what is gone is simply taken off.';
COMMENT ON COLUMN embedding_queue.due_at IS 'When it may be worked on: at once, at the end of a worker''s lease, or at the next attempt.';
COMMENT ON COLUMN embedding_queue.generation IS 'Counts changes: a change while an older text is being embedded is not lost.';
COMMENT ON COLUMN embedding_queue.attempts IS 'How often it has failed since the last change.';

CREATE INDEX embedding_queue_due_idx ON embedding_queue (due_at, user_id);
CREATE INDEX embedding_queue_tenant_idx ON embedding_queue (user_id, due_at);

ALTER TABLE embedding_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE embedding_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON embedding_queue
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

GRANT SELECT, INSERT, UPDATE (queued_at, due_at, generation, attempts), DELETE
    ON embedding_queue TO pmcrm_insights, pmcrm_service;


-- The triggers' functions belong to pmcrm_owner, so that every service may cause what it has no right to; FORCE ROW LEVEL
-- SECURITY keeps them to the bound tenant. Most tenants have embedded nothing, and cost one look into an index.
CREATE FUNCTION app.may_embed(tenant uuid) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        RETURN app.is_bound(tenant) AND (
            EXISTS (SELECT FROM public.consent_states AS s WHERE s.user_id = tenant)
            OR EXISTS (SELECT FROM public.embeddings AS e WHERE e.user_id = tenant)
        );
    END
    $$;
COMMENT ON FUNCTION app.may_embed(uuid) IS
    'Whether the tenant that the transaction is bound to has embeddings, or somebody who may have consented to some. False when it is bound to none: what changes texts of all tenants queues them itself. Raises when it is bound to another.';
-- NOTE: execute of this and the next three functions is granted to nobody: triggers call them as their owner.

CREATE FUNCTION app.queue_embeddings(tenant uuid, of_kind text, ids uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        -- In the order of ids, so that two transactions that queue the same do not wait for each other.
        INSERT INTO public.embedding_queue AS q (user_id, kind, subject_id)
        SELECT tenant, of_kind, given.id FROM (SELECT DISTINCT unnest(ids)) AS given (id) ORDER BY given.id
        ON CONFLICT (user_id, kind, subject_id) DO UPDATE
        SET generation = q.generation + 1, attempts = 0, queued_at = EXCLUDED.queued_at, due_at = EXCLUDED.due_at;
    END
    $$;
COMMENT ON FUNCTION app.queue_embeddings(uuid, text, uuid[]) IS 'Has contacts or interactions of the bound tenant embedded anew.';

CREATE FUNCTION app.requeue_contacts(tenant uuid, ids uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        permitted uuid[];
    BEGIN
        SELECT coalesce(array_agg(c.id), '{}') INTO permitted
        FROM app.ai_permissions(tenant, ids) AS p
        JOIN public.contacts AS c ON c.user_id = tenant AND c.id = p.contact_id
        WHERE c.deleted_at IS NULL;
        DELETE FROM public.embeddings AS e
        WHERE e.user_id = tenant AND e.contact_id = ANY (ids) AND e.contact_id <> ALL (permitted);
        DELETE FROM public.embedding_queue AS q
        WHERE q.user_id = tenant AND q.kind = 'CONTACT' AND q.subject_id = ANY (ids) AND q.subject_id <> ALL (permitted);
        PERFORM app.queue_embeddings(tenant, 'CONTACT', permitted);
    END
    $$;
COMMENT ON FUNCTION app.requeue_contacts(uuid, uuid[]) IS
    'Has those of the contacts embedded anew that are living and may be, and removes the embeddings of the others at once.';

CREATE FUNCTION app.requeue_interactions(tenant uuid, ids uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        contacts uuid[];
        permitted uuid[];
    BEGIN
        SELECT array_agg(DISTINCT p.contact_id) INTO contacts
        FROM public.interaction_participants AS p
        WHERE p.user_id = tenant AND p.interaction_id = ANY (ids);
        SELECT coalesce(array_agg(p.contact_id), '{}') INTO contacts FROM app.ai_permissions(tenant, contacts) AS p;
        SELECT coalesce(array_agg(found.interaction_id), '{}') INTO permitted
        FROM (
            SELECT p.interaction_id
            FROM public.interaction_participants AS p
            WHERE p.user_id = tenant AND p.interaction_id = ANY (ids)
            GROUP BY p.interaction_id
            HAVING bool_and(p.contact_id = ANY (contacts)) AND NOT bool_or(p.deleted)
        ) AS found;
        DELETE FROM public.embeddings AS e
        WHERE e.user_id = tenant AND e.interaction_id = ANY (ids) AND e.interaction_id <> ALL (permitted);
        DELETE FROM public.embedding_queue AS q
        WHERE q.user_id = tenant AND q.kind = 'INTERACTION' AND q.subject_id = ANY (ids) AND q.subject_id <> ALL (permitted);
        PERFORM app.queue_embeddings(tenant, 'INTERACTION', permitted);
    END
    $$;
COMMENT ON FUNCTION app.requeue_interactions(uuid, uuid[]) IS
    'Has those of the interactions embedded anew that are living and in which none took part of whom nothing may be embedded; removes the embeddings of the others at once.';


-- What a contact's text is made of: itself, its current employments with the names of the organizations, its tags.
CREATE FUNCTION app.embed_changed_contact() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        restriction_changes boolean := NEW.processing_restricted <> OLD.processing_restricted;
        unbound boolean := restriction_changes AND app.current_user_id() IS NULL;
    BEGIN
        -- A restriction holds at once, whoever sets it, a person at psql's prompt included.
        IF unbound THEN
            EXECUTE format('SET LOCAL app.current_user_id = %L', NEW.user_id);
        END IF;
        IF app.may_embed(NEW.user_id) THEN
            PERFORM app.requeue_contacts(NEW.user_id, ARRAY[NEW.id]);
            IF restriction_changes THEN
                PERFORM app.requeue_interactions(NEW.user_id, ARRAY(
                    SELECT p.interaction_id FROM public.interaction_participants AS p
                    WHERE p.user_id = NEW.user_id AND p.contact_id = NEW.id
                ));
            END IF;
        END IF;
        IF unbound THEN
            SET LOCAL app.current_user_id = '';
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.embed_changed_contact() IS
    'AFTER UPDATE row trigger: a contact''s embedding follows its text; a restriction reaches its interactions as well, and needs no bound tenant. Raises when another tenant is bound.';
CREATE TRIGGER embed AFTER UPDATE OF job_title, organization_name, notes, deleted_at, processing_restricted ON contacts
    FOR EACH ROW WHEN (
        (OLD.job_title, OLD.organization_name, OLD.notes, OLD.deleted_at IS NULL, OLD.processing_restricted)
        IS DISTINCT FROM
        (NEW.job_title, NEW.organization_name, NEW.notes, NEW.deleted_at IS NULL, NEW.processing_restricted)
    )
    EXECUTE FUNCTION app.embed_changed_contact();

CREATE FUNCTION app.embed_contacts_of_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        changed record;
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            FOR changed IN SELECT o.user_id, array_agg(DISTINCT o.contact_id) AS ids FROM old_rows AS o GROUP BY o.user_id
            LOOP
                IF app.may_embed(changed.user_id) THEN
                    PERFORM app.requeue_contacts(changed.user_id, changed.ids);
                END IF;
            END LOOP;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            FOR changed IN SELECT n.user_id, array_agg(DISTINCT n.contact_id) AS ids FROM new_rows AS n GROUP BY n.user_id
            LOOP
                IF app.may_embed(changed.user_id) THEN
                    PERFORM app.requeue_contacts(changed.user_id, changed.ids);
                END IF;
            END LOOP;
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.embed_contacts_of_changed() IS
    'AFTER statement trigger on what hangs on contacts: their embeddings follow. Raises when another tenant is bound.';
CREATE TRIGGER embed_added AFTER INSERT ON contact_employments REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_contacts_of_changed();
CREATE TRIGGER embed_changed AFTER UPDATE ON contact_employments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_contacts_of_changed();
CREATE TRIGGER embed_removed AFTER DELETE ON contact_employments REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_contacts_of_changed();
CREATE TRIGGER embed_added AFTER INSERT ON contact_tags REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_contacts_of_changed();
CREATE TRIGGER embed_changed AFTER UPDATE ON contact_tags REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_contacts_of_changed();
CREATE TRIGGER embed_removed AFTER DELETE ON contact_tags REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_contacts_of_changed();

CREATE FUNCTION app.embed_contacts_of_renamed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        IF NOT app.may_embed(NEW.user_id) THEN
            RETURN NULL;
        END IF;
        IF TG_ARGV[0] = 'tags' THEN
            PERFORM app.requeue_contacts(NEW.user_id, ARRAY(
                SELECT t.contact_id FROM public.contact_tags AS t WHERE t.user_id = NEW.user_id AND t.tag_id = NEW.id
            ));
        ELSE
            PERFORM app.requeue_contacts(NEW.user_id, ARRAY(
                SELECT DISTINCT e.contact_id FROM public.contact_employments AS e
                WHERE e.user_id = NEW.user_id AND e.organization_id = NEW.id AND e.is_current AND e.deleted_at IS NULL
            ));
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.embed_contacts_of_renamed() IS
    'AFTER UPDATE row trigger on tags and organizations, whose table is its argument: the embeddings of who carries the tag or works there follow its name.';
CREATE TRIGGER embed AFTER UPDATE OF name, deleted_at ON tags
    FOR EACH ROW WHEN ((OLD.name, OLD.deleted_at IS NULL) IS DISTINCT FROM (NEW.name, NEW.deleted_at IS NULL))
    EXECUTE FUNCTION app.embed_contacts_of_renamed('tags');
CREATE TRIGGER embed AFTER UPDATE OF name, deleted_at ON organizations
    FOR EACH ROW WHEN ((OLD.name, OLD.deleted_at IS NULL) IS DISTINCT FROM (NEW.name, NEW.deleted_at IS NULL))
    EXECUTE FUNCTION app.embed_contacts_of_renamed('organizations');

-- Whether an interaction is deleted stands with its participants too, whose trigger sees that.
CREATE FUNCTION app.embed_changed_interaction() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        IF app.may_embed(NEW.user_id) THEN
            PERFORM app.requeue_interactions(NEW.user_id, ARRAY[NEW.id]);
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.embed_changed_interaction() IS 'AFTER UPDATE row trigger: an interaction''s embedding follows its text.';
CREATE TRIGGER embed AFTER UPDATE OF subject, body, topics, computed_topics ON interactions
    FOR EACH ROW WHEN (
        (OLD.subject, OLD.body, OLD.topics, OLD.computed_topics)
        IS DISTINCT FROM (NEW.subject, NEW.body, NEW.topics, NEW.computed_topics)
    )
    EXECUTE FUNCTION app.embed_changed_interaction();

CREATE FUNCTION app.embed_interactions_of_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        changed record;
    BEGIN
        IF TG_OP = 'INSERT' THEN
            FOR changed IN SELECT n.user_id, array_agg(DISTINCT n.interaction_id) AS ids FROM new_rows AS n GROUP BY n.user_id
            LOOP
                IF app.may_embed(changed.user_id) THEN
                    PERFORM app.requeue_interactions(changed.user_id, changed.ids);
                END IF;
            END LOOP;
        ELSIF TG_OP = 'DELETE' THEN
            FOR changed IN SELECT o.user_id, array_agg(DISTINCT o.interaction_id) AS ids FROM old_rows AS o GROUP BY o.user_id
            LOOP
                IF app.may_embed(changed.user_id) THEN
                    PERFORM app.requeue_interactions(changed.user_id, changed.ids);
                END IF;
            END LOOP;
        ELSE
            FOR changed IN
                WITH before AS (SELECT user_id, interaction_id, contact_id, deleted FROM old_rows),
                after AS (SELECT user_id, interaction_id, contact_id, deleted FROM new_rows)
                SELECT p.user_id, array_agg(DISTINCT p.interaction_id) AS ids
                FROM ((TABLE before EXCEPT TABLE after) UNION ALL (TABLE after EXCEPT TABLE before)) AS p
                GROUP BY p.user_id
            LOOP
                IF app.may_embed(changed.user_id) THEN
                    PERFORM app.requeue_interactions(changed.user_id, changed.ids);
                END IF;
            END LOOP;
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.embed_interactions_of_changed() IS
    'AFTER statement trigger on participants: who takes part decides whether an interaction is embedded. Raises when another tenant is bound.';
CREATE TRIGGER embed_added AFTER INSERT ON interaction_participants REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_interactions_of_changed();
CREATE TRIGGER embed_changed AFTER UPDATE ON interaction_participants REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_interactions_of_changed();
CREATE TRIGGER embed_removed AFTER DELETE ON interaction_participants REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.embed_interactions_of_changed();

CREATE FUNCTION app.embed_permitted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        tenant uuid;
        subject uuid;
        contacts uuid[];
    BEGIN
        IF TG_OP = 'DELETE' THEN
            tenant := OLD.user_id;
            subject := OLD.subject_id;
        ELSE
            tenant := NEW.user_id;
            subject := NEW.subject_id;
        END IF;
        IF NOT app.is_bound(tenant) THEN
            RETURN NULL;
        END IF;
        IF subject <> tenant THEN
            contacts := ARRAY[subject];
        ELSE
            -- The user's own declaration decides about everybody. Whoever is embedding some of them has hold of their
            -- states; what that has written is seen by the statements after this one.
            PERFORM FROM public.consent_states AS s
            WHERE s.user_id = tenant AND s.purpose = 'ai_processing' AND s.contact_id IS NOT NULL
            ORDER BY s.subject_id
            FOR UPDATE;
            contacts := ARRAY(
                SELECT s.subject_id FROM public.consent_states AS s
                WHERE s.user_id = tenant AND s.purpose = 'ai_processing' AND s.contact_id IS NOT NULL
            );
        END IF;
        PERFORM app.requeue_contacts(tenant, contacts);
        PERFORM app.requeue_interactions(tenant, ARRAY(
            SELECT DISTINCT p.interaction_id FROM public.interaction_participants AS p
            WHERE p.user_id = tenant AND p.contact_id = ANY (contacts)
        ));
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.embed_permitted() IS
    'AFTER row trigger on consent_states of ai_processing: what is permitted is embedded, and what is no longer is removed at once. Raises when another tenant is bound; without one, when rows go with their tenant, it does nothing.';
CREATE TRIGGER embed_granted AFTER INSERT OR UPDATE ON consent_states
    FOR EACH ROW WHEN (NEW.purpose = 'ai_processing') EXECUTE FUNCTION app.embed_permitted();
CREATE TRIGGER embed_forgotten AFTER DELETE ON consent_states
    FOR EACH ROW WHEN (OLD.purpose = 'ai_processing') EXECUTE FUNCTION app.embed_permitted();


-- What writes embeddings. Owned by pmcrm_owner, so that it may take hold of rows that its callers have no right to change.
CREATE FUNCTION app.hold_embeddable(contact_ids uuid[], interaction_ids uuid[])
    RETURNS TABLE (kind text, subject_id uuid, until timestamptz)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp
    AS $$
    #variable_conflict use_column
    DECLARE
        v_user uuid := app.current_user_id();
        involved uuid[];
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT array_agg(p.contact_id) || contact_ids INTO involved
        FROM public.interaction_participants AS p
        WHERE p.user_id = v_user AND p.interaction_id = ANY (interaction_ids);
        -- Deletions, restrictions, merges and changes of participants wait for these, declarations for the states. Each
        -- statement is a new one: it sees what was committed while the one before it waited.
        PERFORM FROM public.contacts AS c
        WHERE c.user_id = v_user AND c.id = ANY (involved)
        ORDER BY c.id
        FOR NO KEY UPDATE;
        PERFORM FROM public.consent_states AS s
        WHERE s.user_id = v_user AND s.subject_id = ANY (involved) AND s.purpose = 'ai_processing'
        ORDER BY s.subject_id
        FOR SHARE;
        RETURN QUERY
            SELECT 'CONTACT', c.id, p.until
            FROM app.ai_permissions(v_user, contact_ids) AS p
            JOIN public.contacts AS c ON c.user_id = v_user AND c.id = p.contact_id
            WHERE c.deleted_at IS NULL
            UNION ALL
            -- Who has come to take part meanwhile is not held, and counts as not permitted: its change is queued.
            SELECT 'INTERACTION', i.interaction_id, min(p.until)
            FROM public.interaction_participants AS i
            LEFT JOIN app.ai_permissions(v_user, involved) AS p ON p.contact_id = i.contact_id
            WHERE i.user_id = v_user AND i.interaction_id = ANY (interaction_ids)
            GROUP BY i.interaction_id
            HAVING count(*) = count(p.contact_id) AND NOT bool_or(i.deleted);
    END
    $$;
COMMENT ON FUNCTION app.hold_embeddable(uuid[], uuid[]) IS
    'Which of these living contacts and interactions of the bound tenant may be embedded, and until when. Until the transaction ends nobody deletes, restricts or merges contacts that they are of, changes who takes part, or withdraws, without waiting for it. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.hold_embeddable(uuid[], uuid[]) TO pmcrm_insights, pmcrm_service;

-- What texts are read through.
GRANT SELECT ON current_employments TO pmcrm_insights, pmcrm_service;

-- NOTE: pmcrm_insights does not see contacts whose processing is restricted; making embeddings anew counts them.
CREATE FUNCTION app.contacts_to_embed(after uuid, most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 500 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY
            SELECT c.id FROM public.contacts AS c
            WHERE c.user_id = v_user AND c.id > after AND c.deleted_at IS NULL
            ORDER BY c.id
            LIMIT most;
    END
    $$;
COMMENT ON FUNCTION app.contacts_to_embed(uuid, integer) IS
    'The bound tenant''s next living contacts after an id, restricted ones among them; all when no number is given. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.contacts_to_embed(uuid, integer) TO pmcrm_insights, pmcrm_service;


-- A merge deletes the merged contact, and its embeddings with that; those of the survivor follow its text.
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
            ('embeddings', 'contact_id', 'STAYS', NULL, NULL, NULL)
        $row$
    );
END
$references$;
