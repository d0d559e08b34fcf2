-- What every table rests on: who the tenant is, how ids are made, how text is folded and ordered.

CREATE SCHEMA IF NOT EXISTS app;
COMMENT ON SCHEMA app IS 'Functions of pmcrm and the ledger of its migrations; the tables are in public.';
GRANT USAGE ON SCHEMA app
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_search, pmcrm_audit, pmcrm_service;
-- The runner has made the ledger; services compare it with their release when they start.
GRANT SELECT ON app.migrations TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_service;

-- By default everybody may execute a new function. Here each function names who may.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- STABLE, never IMMUTABLE: an IMMUTABLE one is folded into cached plans and serves one tenant's rows to the next.
-- nullif, because after a transaction with SET LOCAL a pooled connection reads '' where it read NULL before.
CREATE FUNCTION app.current_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.current_user_id', true), '')::uuid $$;
COMMENT ON FUNCTION app.current_user_id() IS
    'The tenant that this transaction is bound to (SET LOCAL app.current_user_id); NULL when it is bound to none.';
GRANT EXECUTE ON FUNCTION app.current_user_id()
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_search, pmcrm_audit, pmcrm_service;

-- 48 bits of milliseconds, the version, 12 bits of the millisecond's fraction, then the variant and 62 random bits, which
-- come from a version 4 UUID. Hexadecimal, so that `at` stands in it once and the function is inlined.
CREATE FUNCTION app.uuid_v7(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$
        SELECT (
            overlay(
                lpad(to_hex(ceil(extract(epoch FROM at) * 4096000)::bigint), 15, '0') PLACING '7' FROM 13 FOR 0
            ) || right(gen_random_uuid()::text, 17)
        )::uuid
    $$;
COMMENT ON FUNCTION app.uuid_v7(timestamptz) IS
    'A new UUID of version 7 (RFC 9562): ids made later sort later, to the microsecond.';
GRANT EXECUTE ON FUNCTION app.uuid_v7(timestamptz)
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_search, pmcrm_audit, pmcrm_service;

-- unaccent(text) is only STABLE, since it looks its dictionary up by the search_path; with both written out it depends
-- on nothing but its argument, and an index may use it.
CREATE FUNCTION app.fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, $1)) $$;
COMMENT ON FUNCTION app.fold(text) IS 'Text without accents and in lower case: how names are searched and sorted.';
GRANT EXECUTE ON FUNCTION app.fold(text)
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_search, pmcrm_audit, pmcrm_service;

-- One name for the order of names, so that statements and indexes read the same on every server. Servers built without
-- ICU (the embedded one is) fall back to code points, which is why sort keys are stored folded: `émile` is before `Zeta`
-- either way.
DO $collation$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collname = 'und-x-icu') THEN
        CREATE COLLATION app.name_order FROM pg_catalog."und-x-icu";
    ELSE
        CREATE COLLATION app.name_order FROM pg_catalog."C";
    END IF;
END
$collation$;
COMMENT ON COLLATION app.name_order IS 'The order of names: Unicode''s (ICU) where the server has it.';

-- For tables with `revision` (the etag) and `updated_at`. A statement that changes updated_at itself keeps its value:
-- undoing a merge restores it.
CREATE FUNCTION app.touch_row() RETURNS trigger LANGUAGE plpgsql
    AS $$
    BEGIN
        NEW.revision := OLD.revision + 1;
        IF NEW.updated_at = OLD.updated_at THEN
            NEW.updated_at := now();
        END IF;
        RETURN NEW;
    END
    $$;
COMMENT ON FUNCTION app.touch_row() IS 'BEFORE UPDATE row trigger: counts revision up, stamps updated_at when the statement did not.';

-- Under FORCE ROW LEVEL SECURITY the owner is no exception: its plain UPDATE of a tenant table finds no rows and says
-- nothing. This is how a migration changes rows of all tenants.
CREATE PROCEDURE app.backfill(target regclass, statement text) LANGUAGE plpgsql
    AS $$
    DECLARE
        changed bigint;
    BEGIN
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', target);
        EXECUTE statement;
        GET DIAGNOSTICS changed = ROW_COUNT;
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
        RAISE NOTICE 'backfill of %: % rows', target, changed;
    END
    $$;
COMMENT ON PROCEDURE app.backfill(regclass, text) IS
    'Runs one statement on a tenant table as its owner, without row-level security, and puts FORCE back. Locks the table until the migration commits.';
-- NOTE: execute is not granted to anybody: only the owner can alter its tables, and only migrations should.
