-- The roles that pmcrm needs on a PostgreSQL server. Run once per server, before database.sql, by a superuser or by a
-- role with CREATEROLE, CREATEDB and BYPASSRLS (a managed server's admin). `pmcrm migrate` runs it by itself when
-- DATABASE_URL_OWNER names such a role. Running it again changes nothing; several may run it at once.
--
-- No role gets a password here: `pmcrm migrate` sets those that the DATABASE_URLs hold, `\password` does it by hand.
-- A setting that a role already has is left as it is, so that what you have tuned stays.

DO $roles$
DECLARE
    wanted record;
    setting record;
    membership record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('pmcrm_owner',        false, 'owns the pmcrm tables; runs migrations, VACUUM and REINDEX'),
            ('pmcrm_contacts',     false, 'the contacts service'),
            ('pmcrm_interactions', false, 'the interactions service'),
            ('pmcrm_insights',     false, 'the insights service'),
            ('pmcrm_gdpr',         false, 'the gdpr service'),
            -- These two own functions and never log in by themselves. LOGIN without a password all the same: Citus
            -- connects to its workers as the effective role.
            ('pmcrm_search',       false, 'owns the functions that look things up in indexes behind row-level security'),
            ('pmcrm_audit',        false, 'owns the function that writes the audit log'),
            -- Across tenants: operator RPCs and periodic jobs; dumps.
            ('pmcrm_service',      true,  'operator RPCs and jobs, across tenants'),
            ('pmcrm_backup',       true,  'reads everything for dumps, writes nothing')
        ) AS roles (name, bypass, purpose)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format(
                    'CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION %s',
                    wanted.name, CASE WHEN wanted.bypass THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END
                );
                EXECUTE format('COMMENT ON ROLE %I IS %L', wanted.name, 'pmcrm: ' || wanted.purpose);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- somebody else was faster
            END;
        END IF;
    END LOOP;

    -- The net below what the services do themselves: nobody holds a lock or a transaction for ever.
    FOR setting IN
        SELECT role, name, value
        FROM (VALUES
            ('pmcrm_contacts'), ('pmcrm_interactions'), ('pmcrm_insights'), ('pmcrm_gdpr'), ('pmcrm_search'), ('pmcrm_audit')
        ) AS services (role)
        CROSS JOIN (VALUES
            ('lock_timeout', '5s'), ('statement_timeout', '30s'), ('idle_in_transaction_session_timeout', '60s'),
            -- Short statements: compiling one costs more than it saves.
            ('jit', 'off')
        ) AS settings (name, value)
        UNION ALL VALUES
            ('pmcrm_service', 'lock_timeout', '5s'),
            ('pmcrm_service', 'statement_timeout', '10min'),
            ('pmcrm_service', 'idle_in_transaction_session_timeout', '60s'),
            ('pmcrm_service', 'jit', 'off'),
            ('pmcrm_owner', 'idle_in_transaction_session_timeout', '10min'),
            ('pmcrm_backup', 'default_transaction_read_only', 'on')
    LOOP
        IF NOT EXISTS (
            SELECT
            FROM pg_catalog.pg_db_role_setting AS given
            CROSS JOIN LATERAL unnest(given.setconfig) AS entry
            WHERE given.setrole = setting.role::regrole AND given.setdatabase = 0
              AND split_part(entry, '=', 1) = setting.name
        ) THEN
            EXECUTE format('ALTER ROLE %I SET %I = %L', setting.role, setting.name, setting.value);
        END IF;
    END LOOP;

    -- The owner hands functions over to these two, and therefore may act as them; it does not have their rights.
    FOR membership IN
        SELECT * FROM (VALUES
            ('pmcrm_search',      'pmcrm_owner',   'INHERIT FALSE, SET TRUE'),
            ('pmcrm_audit',       'pmcrm_owner',   'INHERIT FALSE, SET TRUE'),
            ('pg_read_all_data',  'pmcrm_backup',  'INHERIT TRUE'),
            ('pg_read_all_stats', 'pmcrm_service', 'INHERIT TRUE'),
            ('pg_read_all_stats', 'pmcrm_owner',   'INHERIT TRUE')
        ) AS memberships (role, member, options)
        UNION ALL
        -- Who is no superuser needs this to create things as the owner.
        SELECT 'pmcrm_owner', current_user, 'INHERIT TRUE, SET TRUE'
        FROM pg_catalog.pg_roles
        WHERE rolname = current_user AND NOT rolsuper AND rolname <> 'pmcrm_owner'
    LOOP
        IF NOT EXISTS (
            SELECT
            FROM pg_catalog.pg_auth_members
            WHERE roleid = membership.role::regrole AND member = membership.member::regrole
              AND (set_option OR membership.options NOT LIKE '%SET TRUE%')
        ) THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I WITH %s', membership.role, membership.member, membership.options);
            EXCEPTION WHEN insufficient_privilege THEN
                -- A managed server's admin may not hand out the pg_ roles; its own backup and statistics serve instead.
                IF membership.role NOT LIKE 'pg\_%' THEN
                    RAISE;
                END IF;
                RAISE NOTICE 'role % was not granted to %: %', membership.role, membership.member, SQLERRM;
            END;
        END IF;
    END LOOP;
END
$roles$;
