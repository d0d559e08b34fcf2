-- Insights: what rules have found in a tenant's data, what became of it, and whom it is about.

CREATE TABLE ai_insights (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    superseded_by_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    as_of timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    resolved_at timestamptz,
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    revision integer NOT NULL DEFAULT 1,
    restricted boolean NOT NULL DEFAULT false,
    type text NOT NULL CHECK (type IN (
        'OVERDUE', 'LOSING_TOUCH', 'BIRTHDAY', 'FOLLOW_UP', 'JOB_CHANGE', 'DUPLICATE', 'INTRODUCTION'
    )),
    status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'ACTIONED', 'DISMISSED', 'SUPERSEDED')),
    rule text NOT NULL CHECK (rule <> ''),
    rule_version text NOT NULL CHECK (rule_version <> ''),
    title text NOT NULL CHECK (title <> ''),
    body text NOT NULL,
    wording text NOT NULL DEFAULT 'RULE' CHECK (wording IN ('RULE', 'PROVIDER')),
    model text CHECK (model <> ''),
    resolve_note text CHECK (resolve_note <> ''),
    resolve_actor text CHECK (resolve_actor <> ''),
    said bytea NOT NULL CHECK (length(said) = 32),
    finding text[] NOT NULL,
    finding_key bytea NOT NULL CHECK (length(finding_key) = 32),
    evidence jsonb NOT NULL CHECK (jsonb_typeof(evidence) = 'array'),
    PRIMARY KEY (user_id, id),
    CHECK ((status = 'PENDING') = (resolved_at IS NULL)),
    CHECK ((wording = 'PROVIDER') = (model IS NOT NULL)),
    CHECK (superseded_by_id IS NULL OR status = 'SUPERSEDED')
);
COMMENT ON TABLE ai_insights IS
    'What rules have found, and what became of it. What was actioned or dismissed is kept as long as the contacts are, so that the same evidence does not bring it back.';
COMMENT ON COLUMN ai_insights.superseded_by_id IS 'The insight that took its place.';
-- NOTE: no foreign key: either of the two may be purged before the other.
COMMENT ON COLUMN ai_insights.deleted_at IS
    'Since when a contact that it names is deleted; derived from the contacts by trigger, as restricted is.';
COMMENT ON COLUMN ai_insights.restricted IS
    'Whether the processing of a contact that it names is restricted: it is in no answer meanwhile.';
COMMENT ON COLUMN ai_insights.as_of IS 'The moment for which the rule was asked when it said this.';
COMMENT ON COLUMN ai_insights.said IS
    'SHA-256 of what the rule said: its version, contacts, evidence and words, of these all but numbers, which time alone changes.';
COMMENT ON COLUMN ai_insights.finding IS 'What makes it the same finding when the rule is asked again: ids and dates that it rests on.';
COMMENT ON COLUMN ai_insights.finding_key IS 'SHA-256 of type and finding.';
COMMENT ON COLUMN ai_insights.evidence IS
    'JSON array of objects: type (of EvidenceType, without its prefix), id, detail; the weightiest first.';

-- The same finding stands but once, whoever looks for it at the same time.
CREATE UNIQUE INDEX ai_insights_finding_key ON ai_insights (user_id, finding_key)
    WHERE status IN ('PENDING', 'ACTIONED', 'DISMISSED');
CREATE INDEX ai_insights_created_idx ON ai_insights (user_id, created_at, id);
CREATE INDEX ai_insights_confidence_idx ON ai_insights (user_id, confidence, id);
CREATE INDEX ai_insights_expiry_idx ON ai_insights (user_id, expires_at, id);

ALTER TABLE ai_insights ENABLE ROW LEVEL SECURITY;
ALTER TABLE ai_insights FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ai_insights
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());
-- GDPR Art. 18: as the policy on contacts.
CREATE POLICY restriction ON ai_insights AS RESTRICTIVE FOR SELECT TO pmcrm_insights USING (NOT restricted);

-- A restriction that comes and goes touches neither etag nor update time: nothing that anybody is shown has changed.
CREATE TRIGGER touch BEFORE UPDATE OF updated_at, deleted_at ON ai_insights
    FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON ai_insights
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'ai_insights', 'user_id', 'id', 'updated_at', 'revision', 'restricted', 'said', 'finding', 'finding_key'
    );

GRANT SELECT, INSERT ON ai_insights TO pmcrm_insights;
GRANT UPDATE (
    superseded_by_id, updated_at, as_of, expires_at, resolved_at, confidence, status, rule, rule_version, title, body, wording,
    model, said, resolve_note, resolve_actor, finding, finding_key, evidence
) ON ai_insights TO pmcrm_insights;
-- NOTE: update of deleted_at and restricted is granted to no service: the triggers below write them, as pmcrm_owner. Delete is
-- granted to none either: the purge runs as pmcrm_service.
GRANT SELECT, DELETE ON ai_insights TO pmcrm_service;


CREATE TABLE ai_insight_contacts (
    user_id uuid NOT NULL,
    insight_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    position smallint,
    PRIMARY KEY (user_id, insight_id, contact_id),
    FOREIGN KEY (user_id, insight_id) REFERENCES ai_insights (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE ai_insight_contacts IS 'Which contacts an insight names.';
COMMENT ON COLUMN ai_insight_contacts.position IS
    'The place among those that it is about, the one to act on first; NULL for one that is only evidence.';

CREATE INDEX ai_insight_contacts_contact_idx ON ai_insight_contacts (user_id, contact_id);

ALTER TABLE ai_insight_contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE ai_insight_contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ai_insight_contacts
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

-- As before, and an entry about a contact in an insight names the insight beside the contact.
GRANT CREATE ON SCHEMA app TO pmcrm_audit;
SET LOCAL ROLE pmcrm_audit;
DO $audit$
DECLARE
    before text := (SELECT prosrc FROM pg_catalog.pg_proc WHERE oid = 'app.audit_row()'::regprocedure);
    known text := 'after ->> ''reminder_id'')';
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
        replace(before, known, 'after ->> ''reminder_id'', after ->> ''insight_id'')')
    );
END
$audit$;
SET LOCAL ROLE pmcrm_owner;
REVOKE CREATE ON SCHEMA app FROM pmcrm_audit;

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON ai_insight_contacts
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('ai_insight_contacts', 'user_id', 'contact_id', 'position');

GRANT SELECT, INSERT, DELETE ON ai_insight_contacts TO pmcrm_insights;
GRANT SELECT, DELETE ON ai_insight_contacts TO pmcrm_service;


-- Whether an insight is withdrawn or hidden follows from the contacts that it names. The functions belong to pmcrm_owner, so
-- that every service may cause what it has no right to; FORCE ROW LEVEL SECURITY keeps them to the bound tenant.
CREATE FUNCTION app.refresh_insights(tenant uuid, ids uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_withdrawn uuid[];
        v_restricted uuid[];
    BEGIN
        -- In the order of ids, so that two transactions that change the same do not wait for each other.
        PERFORM FROM public.ai_insights AS i WHERE i.user_id = tenant AND i.id = ANY (ids) ORDER BY i.id FOR NO KEY UPDATE;
        SELECT
            coalesce(array_agg(n.insight_id) FILTER (WHERE c.deleted_at IS NOT NULL), '{}'),
            coalesce(array_agg(n.insight_id) FILTER (WHERE c.processing_restricted), '{}')
        INTO v_withdrawn, v_restricted
        FROM public.ai_insight_contacts AS n
        JOIN public.contacts AS c ON c.user_id = n.user_id AND c.id = n.contact_id
        WHERE n.user_id = tenant AND n.insight_id = ANY (ids);
        UPDATE public.ai_insights AS i SET deleted_at = CASE WHEN i.id = ANY (v_withdrawn) THEN now() END
        WHERE i.user_id = tenant AND i.id = ANY (ids) AND (i.deleted_at IS NOT NULL) <> (i.id = ANY (v_withdrawn));
        UPDATE public.ai_insights AS i SET restricted = i.id = ANY (v_restricted)
        WHERE i.user_id = tenant AND i.id = ANY (ids) AND i.restricted <> (i.id = ANY (v_restricted));
    END
    $$;
COMMENT ON FUNCTION app.refresh_insights(uuid, uuid[]) IS
    'Withdraws those of the bound tenant''s insights that name a deleted contact, hides those that name a restricted one, and brings the others back.';
-- NOTE: execute is granted to nobody: the triggers below call it as their owner.

CREATE FUNCTION app.refresh_insights_of_contact() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        unbound boolean := NEW.processing_restricted <> OLD.processing_restricted AND app.current_user_id() IS NULL;
    BEGIN
        -- A restriction holds at once, whoever sets it, a person at psql's prompt included.
        IF unbound THEN
            EXECUTE format('SET LOCAL app.current_user_id = %L', NEW.user_id);
        END IF;
        IF app.is_bound(NEW.user_id) THEN
            PERFORM app.refresh_insights(NEW.user_id, ARRAY(
                SELECT n.insight_id FROM public.ai_insight_contacts AS n
                WHERE n.user_id = NEW.user_id AND n.contact_id = NEW.id
            ));
        END IF;
        IF unbound THEN
            SET LOCAL app.current_user_id = '';
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.refresh_insights_of_contact() IS
    'AFTER UPDATE row trigger on contacts: insights go and come back with their contacts; a restriction needs no bound tenant for that. Raises when another tenant is bound.';
CREATE TRIGGER insights AFTER UPDATE OF deleted_at, processing_restricted ON contacts
    FOR EACH ROW WHEN (
        (OLD.deleted_at IS NULL, OLD.processing_restricted) IS DISTINCT FROM (NEW.deleted_at IS NULL, NEW.processing_restricted)
    )
    EXECUTE FUNCTION app.refresh_insights_of_contact();

CREATE FUNCTION app.refresh_insights_of_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        changed record;
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            FOR changed IN SELECT o.user_id, array_agg(DISTINCT o.insight_id) AS ids FROM old_rows AS o GROUP BY o.user_id
            LOOP
                -- What is deleted with its tenant or its contact needs no deriving.
                IF app.is_bound(changed.user_id) THEN
                    PERFORM app.refresh_insights(changed.user_id, changed.ids);
                END IF;
            END LOOP;
        ELSE
            FOR changed IN SELECT n.user_id, array_agg(DISTINCT n.insight_id) AS ids FROM new_rows AS n GROUP BY n.user_id
            LOOP
                PERFORM app.check_tenant(changed.user_id);
                PERFORM app.refresh_insights(changed.user_id, changed.ids);
            END LOOP;
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.refresh_insights_of_changed() IS
    'AFTER statement trigger on which contacts insights name. Raises when rows are added and the tenant is not bound.';
CREATE TRIGGER insights_added AFTER INSERT ON ai_insight_contacts REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.refresh_insights_of_changed();
-- An insight stays the same when a merge gives it another contact, so that the rows of before name it as well.
CREATE TRIGGER insights_changed AFTER UPDATE ON ai_insight_contacts REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.refresh_insights_of_changed();
CREATE TRIGGER insights_removed AFTER DELETE ON ai_insight_contacts REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION app.refresh_insights_of_changed();

-- As whoever deletes a contact for good, which is pmcrm_service or pmcrm_owner, bound to a tenant or not.
CREATE FUNCTION app.purge_insights_of_contact() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        DELETE FROM public.ai_insights AS i
        USING public.ai_insight_contacts AS n
        WHERE n.user_id = OLD.user_id AND n.contact_id = OLD.id AND i.user_id = OLD.user_id AND i.id = n.insight_id;
        RETURN OLD;
    END
    $$;
COMMENT ON FUNCTION app.purge_insights_of_contact() IS
    'BEFORE DELETE row trigger on contacts: no insight outlives a contact that it names.';
CREATE TRIGGER insights_purged BEFORE DELETE ON contacts FOR EACH ROW EXECUTE FUNCTION app.purge_insights_of_contact();


-- For reading transactions, which can hold nothing: what app.lock_contacts tells, deleted contacts as well.
CREATE FUNCTION app.standing_contacts(ids uuid[])
    RETURNS TABLE (asked uuid, contact_id uuid, deleted boolean, processing_restricted boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        named uuid[];
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT array_agg(coalesce(r.survivor_id, given.id) ORDER BY given.place) INTO named
        FROM unnest(ids) WITH ORDINALITY AS given (id, place)
        LEFT JOIN public.contact_redirects AS r ON r.user_id = v_user AND r.contact_id = given.id;
        RETURN QUERY
            SELECT given.asked, c.id, c.deleted_at IS NOT NULL, c.processing_restricted
            FROM unnest(ids, named) AS given (asked, named)
            JOIN public.contacts AS c ON c.user_id = v_user AND c.id = given.named;
    END
    $$;
COMMENT ON FUNCTION app.standing_contacts(uuid[]) IS
    'For which of the bound tenant''s contacts ids stand: (id as asked, contact, whether that one is deleted, whether its processing is restricted), which the insights service sees not by itself. Ids of none are missing from the answer. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.standing_contacts(uuid[]) TO pmcrm_insights;


CREATE VIEW insight_rows WITH (security_invoker = true) AS
SELECT
    i.user_id,
    i.id AS id_key,
    -- What lists are filtered by: of an expression PostgreSQL has no statistics, and would sort instead of reading on.
    i.type AS type_key,
    i.status AS status_key,
    i.id::text AS id,
    'INSIGHT_TYPE_' || i.type AS type,
    i.title,
    i.body,
    i.confidence,
    'INSIGHT_STATUS_' || i.status AS status,
    (
        SELECT jsonb_agg(s.summary ORDER BY n.position, n.contact_id)
        FROM ai_insight_contacts AS n
        JOIN contact_summaries AS s ON s.user_id = n.user_id AND s.contact_id = n.contact_id
        WHERE n.user_id = i.user_id AND n.insight_id = i.id AND n.position IS NOT NULL
    ) AS contacts,
    i.evidence,
    i.rule,
    i.rule_version,
    'INSIGHT_WORDING_' || i.wording AS wording,
    i.model,
    i.as_of AS as_of_time,
    i.expires_at AS expire_time,
    i.resolved_at AS resolve_time,
    i.resolve_note,
    i.resolve_actor,
    i.superseded_by_id::text AS superseded_by_id,
    i.created_at AS create_time,
    i.updated_at AS update_time,
    i.deleted_at AS delete_time,
    i.revision::text AS etag
FROM ai_insights AS i;
COMMENT ON VIEW insight_rows IS 'Insights under the field names of pmcrm.insights.v1.Insight.';
GRANT SELECT ON insight_rows TO pmcrm_insights, pmcrm_service;


-- A merge moves what an insight is about.
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
            ('ai_insight_contacts', 'contact_id', 'MOVED', NULL, '{contact_id,insight_id}', 'true')
        $row$
    );
END
$references$;
