-- What the insights service must know of contacts that it may not read: that an id stands for one of them, and what is in no
-- count with them. Owned by pmcrm_owner, whom no restriction holds; FORCE ROW LEVEL SECURITY keeps it to the bound tenant.

CREATE FUNCTION app.named_contact(asked uuid) RETURNS TABLE (contact_id uuid, processing_restricted boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        named uuid;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT r.survivor_id INTO named FROM public.contact_redirects AS r WHERE r.user_id = v_user AND r.contact_id = asked;
        named := coalesce(named, asked);
        RETURN QUERY
            SELECT c.id, c.processing_restricted
            FROM public.contacts AS c
            WHERE c.user_id = v_user AND c.id = named AND c.deleted_at IS NULL;
    END
    $$;
COMMENT ON FUNCTION app.named_contact(uuid) IS
    'The bound tenant''s living contact for which an id stands, its own or that of one merged into it, and whether its processing is restricted. No row when there is none. Locks nothing. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.named_contact(uuid) TO pmcrm_insights;

CREATE FUNCTION app.restricted_interactions() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY
            SELECT DISTINCT p.interaction_id
            FROM public.contacts AS c
            JOIN public.interaction_participants AS p ON p.user_id = v_user AND p.contact_id = c.id
            WHERE c.user_id = v_user AND c.processing_restricted AND NOT p.deleted AND NOT EXISTS (
                SELECT
                FROM public.interaction_participants AS q
                JOIN public.contacts AS d ON d.user_id = v_user AND d.id = q.contact_id
                WHERE q.user_id = v_user AND q.interaction_id = p.interaction_id AND NOT d.processing_restricted
            );
    END
    $$;
COMMENT ON FUNCTION app.restricted_interactions() IS
    'The bound tenant''s living interactions in which none but contacts took part whose processing is restricted: they are in no count. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.restricted_interactions() TO pmcrm_insights;
