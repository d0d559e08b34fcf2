-- What a restriction of processing (GDPR Art. 18) holds back beside what earlier migrations make it hold back.

-- A contact that comes back from a merge is the person, or one of those, whom the survivor stood for meanwhile: undoing a
-- merge releases nobody from a restriction. The service refuses it while the survivor is restricted; this is for whoever
-- calls app.unmerge_contacts without asking.
CREATE FUNCTION app.keep_restricted() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM contact_redirects AS r
            JOIN contacts AS c ON c.user_id = r.user_id AND c.id = r.survivor_id
            WHERE r.user_id = NEW.user_id AND r.contact_id = NEW.id AND c.processing_restricted
        ) THEN
            NEW.processing_restricted := true;
        END IF;
        RETURN NEW;
    END
    $$;
COMMENT ON FUNCTION app.keep_restricted() IS
    'BEFORE UPDATE row trigger on contacts: one that comes back from a merge with a restricted contact is restricted as well.';
CREATE TRIGGER keep_restricted BEFORE UPDATE OF deleted_at ON contacts
    FOR EACH ROW WHEN (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL)
    EXECUTE FUNCTION app.keep_restricted();


-- Reminders about restricted contacts alone are kept and withheld, as interactions with them alone are. The view is the one
-- of before, with a column more.
CREATE OR REPLACE VIEW reminder_rows WITH (security_invoker = true) AS
SELECT
    r.user_id,
    r.id AS id_key,
    r.id::text AS id,
    r.title AS given_title,
    coalesce(
        r.title,
        CASE r.kind WHEN 'BIRTHDAY' THEN 'Birthday' ELSE 'Keep in touch' END || coalesce(
            (
                SELECT CASE r.kind WHEN 'BIRTHDAY' THEN ' of ' ELSE ' with ' END || c.display_name
                FROM reminder_contacts AS rc
                JOIN contacts AS c ON c.user_id = rc.user_id AND c.id = rc.contact_id
                WHERE rc.user_id = r.user_id AND rc.reminder_id = r.id
                    AND c.display_name <> '' AND c.deleted_at IS NULL AND NOT c.processing_restricted
                LIMIT 1
            ),
            ''
        )
    ) AS title,
    r.notes,
    'REMINDER_KIND_' || r.kind AS kind,
    r.due_local,
    r.time_zone,
    r.rrule,
    r.priority,
    (
        SELECT array_agg(rc.contact_id::text ORDER BY rc.position, rc.contact_id)
        FROM reminder_contacts AS rc
        WHERE rc.user_id = r.user_id AND rc.reminder_id = r.id
    ) AS contact_ids,
    (
        SELECT jsonb_agg(s.summary ORDER BY rc.position, rc.contact_id)
        FROM reminder_contacts AS rc
        JOIN contact_summaries AS s ON s.user_id = rc.user_id AND s.contact_id = rc.contact_id
        WHERE rc.user_id = r.user_id AND rc.reminder_id = r.id AND NOT s.deleted AND NOT s.processing_restricted
    ) AS contacts,
    r.channels,
    r.lead_seconds,
    r.muted,
    'REMINDER_STATUS_' || CASE WHEN r.kind = 'GENERAL' AND r.next_due_at IS NULL THEN 'COMPLETED' ELSE 'ACTIVE' END AS status,
    r.next_due_at AS next_due_time,
    r.next_due_local,
    -- Reminders with nothing left come last, whatever the order.
    r.next_due_at IS NULL AS nothing_left,
    coalesce(r.next_due_at, 'infinity') AS due_order,
    CASE WHEN r.snoozed_local = r.next_due_local THEN r.snoozed_until END AS snooze_time,
    (
        SELECT min(n.notify_at) FROM reminder_notifications AS n
        WHERE n.user_id = r.user_id AND n.reminder_id = r.id
    ) AS next_notify_time,
    r.last_completed_at AS last_complete_time,
    r.completed_count,
    r.fresh_until <= now() AS outdated,
    r.created_at AS create_time,
    r.updated_at AS update_time,
    r.deleted_at AS delete_time,
    r.revision::text AS etag,
    -- One that nobody is named in is the user's own affair. Of several contacts one that is not restricted is enough.
    coalesce(
        (
            SELECT bool_and(c.processing_restricted)
            FROM reminder_contacts AS rc
            JOIN contacts AS c ON c.user_id = rc.user_id AND c.id = rc.contact_id
            WHERE rc.user_id = r.user_id AND rc.reminder_id = r.id
        ),
        false
    ) AS withheld
FROM reminders AS r;
COMMENT ON VIEW reminder_rows IS
    'Reminders under the field names of pmcrm.interactions.v1.Reminder; what is derived does not hold any more when outdated. Those that are withheld are about contacts alone whose processing is restricted: in no list, in no calendar, and notified of to nobody.';


-- What tells who has an address or a number finds those who are restricted no more than the searches do, and neither does what
-- tells which ids hold a word. The functions are those of before but for that.
GRANT CREATE ON SCHEMA app TO pmcrm_search;
SET LOCAL ROLE pmcrm_search;
CREATE OR REPLACE FUNCTION app.find_contacts(emails text[], phones text[], source_uids text[])
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
              AND c.deleted_at IS NULL AND NOT c.processing_restricted
            UNION ALL
            SELECT 'phone', asked.key, c.id
            FROM unnest(phones) AS asked (key)
            CROSS JOIN public.contacts AS c
            WHERE c.user_id = v_user
              AND jsonb_path_query_array(c.phones, '$[*].e164') @> jsonb_build_array(asked.key)
              AND c.deleted_at IS NULL AND NOT c.processing_restricted
            UNION ALL
            SELECT 'source_uid', c.source_uid, c.id
            FROM public.contacts AS c
            WHERE c.user_id = v_user AND c.source_uid = ANY (source_uids) AND c.deleted_at IS NULL AND NOT c.processing_restricted;
    END
    $$;
COMMENT ON FUNCTION app.find_contacts(text[], text[], text[]) IS
    'Which living, unrestricted contacts of the bound tenant have one of these e-mail addresses (in any case), E.164 numbers or source uids: (kind, key as asked, contact_id), kind being email, phone or source_uid. Raises without a tenant.';
CREATE OR REPLACE FUNCTION app.holding_words(query tsquery, contacts uuid[], interactions uuid[]) RETURNS TABLE (id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL UNSAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY
            SELECT c.id FROM public.contact_words AS c
            WHERE c.user_id = v_user AND c.id = ANY (contacts) AND c.words @@ query
            UNION ALL
            SELECT i.id FROM public.interaction_words AS i
            WHERE i.user_id = v_user AND i.id = ANY (interactions) AND i.words @@ query
                AND app.has_participants(v_user, i.id, NULL, NULL);
    END
    $$;
COMMENT ON FUNCTION app.holding_words(tsquery, uuid[], uuid[]) IS
    'Which of these contacts and interactions of the bound tenant match a query by their own words. None that is restricted, or in which restricted contacts alone took part. Raises without a tenant.';
SET LOCAL ROLE pmcrm_owner;
REVOKE CREATE ON SCHEMA app FROM pmcrm_search;
