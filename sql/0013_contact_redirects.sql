-- Ids of merged contacts, which stand for the contacts that survived; and how a call takes hold of the contacts that it
-- names, whatever becomes of them meanwhile.

CREATE TABLE contact_redirects (
    user_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    survivor_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, contact_id),
    FOREIGN KEY (user_id, survivor_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE,
    CHECK (contact_id <> survivor_id)
);
COMMENT ON TABLE contact_redirects IS
    'For which contact the id of a merged one stands. One step always: when a survivor is merged, its redirects move with everything else.';
-- NOTE: no foreign key to the merged contact nor to the merge: the id goes on standing for the survivor when both are purged.

CREATE INDEX contact_redirects_survivor_idx ON contact_redirects (user_id, survivor_id);

ALTER TABLE contact_redirects ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_redirects FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_redirects
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON contact_redirects
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('contact_redirects', 'user_id', 'contact_id');

GRANT SELECT ON contact_redirects TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr;
-- NOTE: writing is granted to no service: app.merge_contacts makes redirects and app.unmerge_contacts removes them.
GRANT SELECT, DELETE ON contact_redirects TO pmcrm_service;


-- Owned by pmcrm_owner, so that every service may take hold of contacts without a right to change them; FORCE ROW LEVEL
-- SECURITY keeps the owner to the bound tenant's.
CREATE FUNCTION app.lock_contacts(ids uuid[])
    RETURNS TABLE (asked uuid, contact_id uuid, processing_restricted boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        named uuid[];
        locked uuid[];
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- Whoever waits here for a merge finds in the next round for whom the merged contact's id stands now. Each round
        -- is a new statement and sees what was committed meanwhile.
        LOOP
            SELECT array_agg(coalesce(r.survivor_id, given.id) ORDER BY given.place) INTO named
            FROM unnest(ids) WITH ORDINALITY AS given (id, place)
            LEFT JOIN public.contact_redirects AS r ON r.user_id = v_user AND r.contact_id = given.id;
            EXIT WHEN named IS NULL OR named = locked;
            PERFORM FROM public.contacts AS c
            WHERE c.user_id = v_user AND c.id = ANY (named)
            ORDER BY c.id
            FOR NO KEY UPDATE;
            locked := named;
        END LOOP;
        -- By a column of unnest: behind row-level security coalesce() in the condition would read all of the tenant's.
        RETURN QUERY
            SELECT given.asked, c.id, c.processing_restricted
            FROM unnest(ids, named) AS given (asked, named)
            JOIN public.contacts AS c ON c.user_id = v_user AND c.id = given.named
            WHERE c.deleted_at IS NULL;
    END
    $$;
COMMENT ON FUNCTION app.lock_contacts(uuid[]) IS
    'Takes hold of the bound tenant''s living contacts with these ids until the transaction ends, in the order of their ids: (id as asked, contact that it stands for, whether that one''s processing is restricted). Ids of no living contact are missing from the answer. What hangs something on a contact calls this first, so that no merge and no deletion comes between. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.lock_contacts(uuid[]) TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr;
