-- Makes the current database pmcrm's: owner, extensions, and nobody else in it. Run once per database, after
-- roles.sql, by a superuser or by the admin role that owns the database. Running it again changes nothing.

-- vector: embeddings; pg_trgm: similar names; btree_gin: user_id in front of what a GIN index holds; unaccent: folding.
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;

DO $database$
DECLARE
    name text := current_database();
BEGIN
    -- Only for `pmcrm health`, which does without when the server does not load it.
    IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS e WHERE e.name = 'pg_stat_statements') THEN
        BEGIN
            CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA public;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'pg_stat_statements was not created: %', SQLERRM;
        END;
    END IF;

    IF (SELECT datdba FROM pg_catalog.pg_database WHERE datname = name) <> 'pmcrm_owner'::regrole THEN
        EXECUTE format('ALTER DATABASE %I OWNER TO pmcrm_owner', name);
    END IF;
    -- By default everybody may connect and make temporary tables, whose names could stand in for real ones.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name);
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, '
        'pmcrm_search, pmcrm_audit, pmcrm_service, pmcrm_backup',
        name
    );
    -- The default since PostgreSQL 15, but not in databases that were upgraded from earlier ones.
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END
$database$;
