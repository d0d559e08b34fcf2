-- Relationship strength and last contact: derived from all evidence, whichever way that came about. The formula is
-- explained, with an example, in docs/relationship-strength.md.
--
--   app.strength_evidence   what every interaction adds, and to which part
--   app.strength            the parts, their sum, and the strength from 1 to 10
--   app.refresh_strength    writes it down, together with last and next contact
--
-- Triggers on interaction_participants call the last one; they see also what interactions change, because that is copied
-- there. Numbers are rounded decimals, whose sums do not depend on their order.

CREATE FUNCTION app.strength_formula_version() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '1' $$;
COMMENT ON FUNCTION app.strength_formula_version() IS
    'The version of the formula. Whoever changes one of the functions below changes this, and the documentation.';

CREATE FUNCTION app.interaction_weight(type text, direction text) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE type
            WHEN 'MEETING' THEN 5
            WHEN 'CALL' THEN 4
            WHEN 'GIFT' THEN 4
            WHEN 'EVENT' THEN 3
            WHEN 'EMAIL' THEN 1
            WHEN 'MESSAGE' THEN 1
            WHEN 'OTHER' THEN 1
            ELSE 0
        END * CASE direction WHEN 'MUTUAL' THEN 1.25 WHEN 'OUTBOUND' THEN 0.75 ELSE 1 END
    $$;
COMMENT ON FUNCTION app.interaction_weight(text, text) IS
    'What an interaction weighs on the day when it happens. What a contact does of its own accord says more than what the user does.';

CREATE FUNCTION app.interaction_decay(occurred_at timestamptz, as_of timestamptz) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT round(power(0.5::float8, extract(epoch FROM as_of - occurred_at)::float8 / (90 * 86400))::numeric, 6) $$;
COMMENT ON FUNCTION app.interaction_decay(timestamptz, timestamptz) IS
    'By what its age multiplies an interaction''s weight, to six places: half after 90 days.';

CREATE FUNCTION app.strength_of_score(score numeric) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT round(1 + 9 * (1 - exp(-score::float8 / 25)))::smallint $$;
COMMENT ON FUNCTION app.strength_of_score(numeric) IS 'The strength, 1 to 10, that a score of 0 or more maps to.';

GRANT EXECUTE ON FUNCTION
    app.strength_formula_version(),
    app.interaction_weight(text, text),
    app.interaction_decay(timestamptz, timestamptz),
    app.strength_of_score(numeric)
TO pmcrm_interactions, pmcrm_insights, pmcrm_service;
GRANT EXECUTE ON FUNCTION app.add_days(timestamptz, integer) TO pmcrm_interactions, pmcrm_insights;


CREATE FUNCTION app.strength_evidence(tenant uuid, ids uuid[], as_of timestamptz)
    RETURNS TABLE (
        contact_id uuid, interaction_id uuid, factor text, occurred_at timestamptz, weight numeric, decay numeric, value numeric
    )
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000 SET search_path = pg_catalog, public, pg_temp
    AS $$
    #variable_conflict use_column
    BEGIN
        RETURN QUERY
            WITH counted AS MATERIALIZED (
                -- So many as say something, each contact's a range of one index.
                SELECT
                    asked.id AS contact_id, p.interaction_id, p.occurred_at, p.type, p.direction,
                    app.interaction_decay(p.occurred_at, as_of) AS decay
                FROM (SELECT DISTINCT unnest(ids)) AS asked (id)
                CROSS JOIN LATERAL (
                    SELECT q.interaction_id, q.occurred_at, q.type, q.direction
                    FROM interaction_participants AS q
                    WHERE q.user_id = tenant AND q.contact_id = asked.id
                        AND q.occurred_at <= as_of AND q.occurred_at > app.add_days(as_of, -720)
                        AND NOT q.deleted AND q.type <> 'NOTE' AND q.role IS DISTINCT FROM 'MENTIONED'
                    ORDER BY q.occurred_at DESC, q.interaction_id DESC
                    LIMIT 500
                ) AS p
            ),
            ways AS (
                SELECT DISTINCT ON (c.contact_id, c.type) c.*
                FROM counted AS c
                ORDER BY c.contact_id, c.type, c.occurred_at DESC, c.interaction_id DESC
            ),
            other_ways AS (
                SELECT w.*, row_number() OVER (
                    PARTITION BY w.contact_id ORDER BY w.occurred_at DESC, w.interaction_id DESC
                ) > 1 AS another
                FROM ways AS w
            ),
            sides AS (
                -- What both took part in is of both sides.
                SELECT DISTINCT ON (c.contact_id, side.name) c.*, side.name AS side
                FROM counted AS c
                JOIN (VALUES ('INBOUND'), ('OUTBOUND')) AS side (name) ON c.direction IN (side.name, 'MUTUAL')
                ORDER BY c.contact_id, side.name, c.occurred_at DESC, c.interaction_id DESC
            ),
            both_sides AS (
                SELECT s.contact_id, s.interaction_id, s.occurred_at, s.decay, count(*) AS times
                FROM sides AS s
                WHERE (SELECT count(*) FROM sides AS t WHERE t.contact_id = s.contact_id) = 2
                GROUP BY s.contact_id, s.interaction_id, s.occurred_at, s.decay
            ),
            contributions AS (
                SELECT
                    c.contact_id, c.interaction_id, 'INTERACTIONS' AS factor, c.occurred_at,
                    app.interaction_weight(c.type, c.direction) AS weight, c.decay
                FROM counted AS c
                UNION ALL
                SELECT o.contact_id, o.interaction_id, 'DIVERSITY', o.occurred_at, 2, o.decay
                FROM other_ways AS o
                WHERE o.another
                UNION ALL
                SELECT b.contact_id, b.interaction_id, 'RECIPROCITY', b.occurred_at, b.times, b.decay
                FROM both_sides AS b
            )
            SELECT
                c.contact_id, c.interaction_id, c.factor, c.occurred_at, c.weight, c.decay, round(c.weight * c.decay, 6)
            FROM contributions AS c;
    END
    $$;
COMMENT ON FUNCTION app.strength_evidence(uuid, uuid[], timestamptz) IS
    'What the interactions of contacts add to their strength at a moment: factor is INTERACTIONS, DIVERSITY or RECIPROCITY, value is weight times decay. The newest 500 of the last 720 days count. In no order.';

CREATE FUNCTION app.strength(tenant uuid, ids uuid[], as_of timestamptz)
    RETURNS TABLE (
        contact_id uuid,
        interactions numeric, interactions_count bigint,
        diversity numeric, diversity_count bigint,
        reciprocity numeric, reciprocity_count bigint,
        score numeric, computed smallint, last_contact_at timestamptz
    )
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, public, pg_temp
    AS $$
    #variable_conflict use_column
    BEGIN
        RETURN QUERY
            WITH parts AS (
                SELECT
                    e.contact_id,
                    sum(e.value) AS score,
                    coalesce(sum(e.value) FILTER (WHERE e.factor = 'INTERACTIONS'), 0) AS interactions,
                    count(*) FILTER (WHERE e.factor = 'INTERACTIONS') AS interactions_count,
                    coalesce(sum(e.value) FILTER (WHERE e.factor = 'DIVERSITY'), 0) AS diversity,
                    count(*) FILTER (WHERE e.factor = 'DIVERSITY') AS diversity_count,
                    coalesce(sum(e.value) FILTER (WHERE e.factor = 'RECIPROCITY'), 0) AS reciprocity,
                    count(*) FILTER (WHERE e.factor = 'RECIPROCITY') AS reciprocity_count
                FROM app.strength_evidence(tenant, ids, as_of) AS e
                GROUP BY e.contact_id
            )
            SELECT
                asked.id,
                coalesce(p.interactions, 0), coalesce(p.interactions_count, 0),
                coalesce(p.diversity, 0), coalesce(p.diversity_count, 0),
                coalesce(p.reciprocity, 0), coalesce(p.reciprocity_count, 0),
                coalesce(p.score, 0), app.strength_of_score(coalesce(p.score, 0)),
                (
                    SELECT q.occurred_at
                    FROM interaction_participants AS q
                    WHERE q.user_id = tenant AND q.contact_id = asked.id AND q.occurred_at <= as_of
                        AND NOT q.deleted AND q.type <> 'NOTE' AND q.role IS DISTINCT FROM 'MENTIONED'
                    ORDER BY q.occurred_at DESC
                    LIMIT 1
                )
            FROM (SELECT DISTINCT unnest(ids)) AS asked (id)
            LEFT JOIN parts AS p ON p.contact_id = asked.id;
    END
    $$;
COMMENT ON FUNCTION app.strength(uuid, uuid[], timestamptz) IS
    'The strength of contacts at a moment: its parts with how many interactions are behind each, their sum, what the formula makes of it, and the last contact, however long ago. A row for each contact asked for.';
GRANT EXECUTE ON FUNCTION app.strength_evidence(uuid, uuid[], timestamptz), app.strength(uuid, uuid[], timestamptz)
    TO pmcrm_interactions, pmcrm_insights, pmcrm_service;
-- What the insights service explains a strength by.
GRANT SELECT (user_id, interaction_id, contact_id, occurred_at, deleted, role, type, direction)
    ON interaction_participants TO pmcrm_insights;


-- Owned by pmcrm_owner, so that nobody else may write what is derived; FORCE ROW LEVEL SECURITY keeps it to the bound
-- tenant. The clock and not now(): a transaction that waits here for another one must count what that one wrote since.
CREATE FUNCTION app.refresh_strength(tenant uuid, ids uuid[]) RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        as_of timestamptz;
        contacts uuid[];
        strengths smallint[];
        last_contacts timestamptz[];
        changed integer;
    BEGIN
        PERFORM app.check_tenant(tenant);
        PERFORM FROM public.contacts AS c
        WHERE c.user_id = tenant AND c.id = ANY (ids)
        ORDER BY c.id
        FOR NO KEY UPDATE;
        -- A new statement: it sees what was committed while this one waited.
        as_of := clock_timestamp();
        SELECT array_agg(s.contact_id), array_agg(s.computed), array_agg(s.last_contact_at)
        INTO contacts, strengths, last_contacts
        FROM app.strength(tenant, ids, as_of) AS s;
        UPDATE public.contact_strengths AS s
        SET computed = found.computed, last_contact_at = found.last_contact_at, next_contact_at = found.next_contact_at
        FROM (
            SELECT
                c.id, derived.computed, derived.last_contact_at,
                app.add_days(coalesce(derived.last_contact_at, c.created_at), c.keep_in_touch_days) AS next_contact_at
            FROM unnest(contacts, strengths, last_contacts) AS derived (contact_id, computed, last_contact_at)
            JOIN public.contacts AS c ON c.user_id = tenant AND c.id = derived.contact_id
        ) AS found
        WHERE s.user_id = tenant AND s.contact_id = found.id
            AND (s.computed, s.last_contact_at, s.next_contact_at)
                IS DISTINCT FROM (found.computed, found.last_contact_at, found.next_contact_at);
        GET DIAGNOSTICS changed = ROW_COUNT;
        RETURN changed;
    END
    $$;
COMMENT ON FUNCTION app.refresh_strength(uuid, uuid[]) IS
    'Computes strength, last and next contact of contacts anew; returns how many changed. Locks the contacts first. Raises unless the transaction is bound to the tenant.';
GRANT EXECUTE ON FUNCTION app.refresh_strength(uuid, uuid[]) TO pmcrm_service;


-- AFTER statement triggers: a contact is computed once for each statement, however many of its rows that writes. The rows
-- go through arrays, as on Citus they must.
CREATE FUNCTION app.refresh_strengths() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        changed record;
    BEGIN
        IF TG_OP = 'INSERT' THEN
            FOR changed IN
                SELECT n.user_id, array_agg(DISTINCT n.contact_id) AS ids FROM new_participants AS n GROUP BY n.user_id
            LOOP
                PERFORM app.refresh_strength(changed.user_id, changed.ids);
            END LOOP;
        ELSIF TG_OP = 'DELETE' THEN
            FOR changed IN
                SELECT o.user_id, array_agg(DISTINCT o.contact_id) AS ids FROM old_participants AS o GROUP BY o.user_id
            LOOP
                PERFORM app.refresh_strength(changed.user_id, changed.ids);
            END LOOP;
        ELSE
            FOR changed IN
                WITH before AS (
                    SELECT user_id, contact_id, interaction_id, occurred_at, deleted, role, type, direction FROM old_participants
                ),
                after AS (
                    SELECT user_id, contact_id, interaction_id, occurred_at, deleted, role, type, direction FROM new_participants
                )
                SELECT p.user_id, array_agg(DISTINCT p.contact_id) AS ids
                FROM ((TABLE before EXCEPT TABLE after) UNION ALL (TABLE after EXCEPT TABLE before)) AS p
                GROUP BY p.user_id
            LOOP
                PERFORM app.refresh_strength(changed.user_id, changed.ids);
            END LOOP;
        END IF;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.refresh_strengths() IS
    'AFTER statement trigger: computes the strength of each contact anew whose participations a statement wrote. Raises when their tenant is not bound.';
CREATE TRIGGER strengths_of_added AFTER INSERT ON interaction_participants
    REFERENCING NEW TABLE AS new_participants
    FOR EACH STATEMENT EXECUTE FUNCTION app.refresh_strengths();
CREATE TRIGGER strengths_of_changed AFTER UPDATE ON interaction_participants
    REFERENCING OLD TABLE AS old_participants NEW TABLE AS new_participants
    FOR EACH STATEMENT EXECUTE FUNCTION app.refresh_strengths();
CREATE TRIGGER strengths_of_removed AFTER DELETE ON interaction_participants
    REFERENCING OLD TABLE AS old_participants
    FOR EACH STATEMENT EXECUTE FUNCTION app.refresh_strengths();
