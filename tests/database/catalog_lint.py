"""The rules that every table, policy, function and role keeps, looked up in a database's catalog.

A table is in TENANT_TABLES or in GLOBAL_TABLES; one that is in neither is a finding. `lint` returns what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.roles import BYPASSING_ROLES, FUNCTION_ROLES, OWNER, SERVICE_ROLES
from tests.postgres import Connection

# Each with the column that holds the tenant.
TENANT_TABLES = {
    "users": "id",
    "contacts": "user_id",
    "contact_strengths": "user_id",
    "organizations": "user_id",
    "contact_employments": "user_id",
    "tags": "user_id",
    "contact_tags": "user_id",
    "contact_links": "user_id",
    "contact_redirects": "user_id",
    "contact_merges": "user_id",
    "contact_merge_rows": "user_id",
    "integrations": "user_id",
    "reminders": "user_id",
    "reminder_contacts": "user_id",
    "reminder_notifications": "user_id",
    "reminder_leases": "user_id",
    "interactions": "user_id",
    "interaction_participants": "user_id",
    "consent_records": "user_id",
    "consent_states": "user_id",
    "embeddings": "user_id",
    "embedding_models": "user_id",
    "embedding_queue": "user_id",
    "ai_insights": "user_id",
    "ai_insight_contacts": "user_id",
    "erasure_requests": "user_id",
    "erasure_state_changes": "user_id",
    "suppressions": "user_id",
    "processing_restrictions": "user_id",
    "legal_holds": "user_id",
    "idempotency_keys": "user_id",
    "audit_logs": "user_id",
    "audit_logs_archive": "user_id",
    "audit_seals": "user_id",
}

# Each with the reason for which it belongs to no tenant.
GLOBAL_TABLES = {
    "login_emails": "unique among all tenants; operators alone write it",
    "operator_idempotency_keys": "operators act for no tenant",
    "app.migrations": "the ledger of migrations",
    "app.audit_sealing": "how far the entries of all tenants are sealed",
    "app.task_runs": "periodic tasks work across tenants",
}

# Tenant tables whose writes leave no audit rows, each with the reason.
UNAUDITED_TABLES = {
    "reminder_leases": "handed out and acknowledged every minute by notification services",
    "reminder_notifications": "derived from the reminder, and leases of notification services",
    "contact_strengths": "derived, but for what is set by hand, whose trigger is for that alone",
    "consent_states": "derived from declarations, which are audited",
    "embeddings": "derived from what is audited, and unreadable",
    "embedding_models": "says how far deriving embeddings has come",
    "embedding_queue": "says what is left to derive",
    "contact_merge_rows": "repeats what a merge did to rows that have entries of their own",
    "erasure_state_changes": "repeats what the entries of the erasure say",
    "suppressions": "made and removed with an erasure, whose entries say how many",
    "audit_logs_archive": "is the audit log",
    "audit_seals": "is the proof of the audit log",
    "idempotency_keys": "repeats what the written rows' own entries say",
    "audit_logs": "is the audit log",
}

# Built-in operators and functions that are not leakproof, and that nobody may mark so.
LEAKY = (
    "textlike",
    "texticlike",
    "ts_match_vq",
    "jsonb_contains",
    "arrayoverlap",
    "arraycontains",
    "lower",
    "numeric_eq",
)

# What our own schemas hold, without extensions' members.
OURS = """
    WITH ours AS (
        SELECT c.oid, c.relname, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relacl,
            c.relowner, c.reloptions,
            CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
            AND NOT EXISTS (
                SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'
            )
    ),
    tables AS (SELECT * FROM ours WHERE relkind IN ('r', 'p', 'f') AND NOT relispartition),
    tenants AS (
        SELECT t.*, given.tenant
        FROM tables AS t JOIN unnest($1::text[], $2::text[]) AS given (name, tenant) ON given.name = t.name
    ),
    -- Whatever holds a tenant's id is behind row-level security, also where keys are not the tenant's.
    guarded AS (
        SELECT * FROM tenants
        UNION ALL
        SELECT t.*, 'user_id' FROM tables AS t
        WHERE NOT t.name = ANY ($1)
            AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = t.oid AND attname = 'user_id' AND NOT attisdropped)
    ),
    functions AS (
        SELECT p.*, p.oid::regprocedure::text AS name
        FROM pg_proc AS p
        JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
            AND NOT EXISTS (
                SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e'
            )
    ),
    roles AS (
        SELECT *, rolname = ANY ($3::text[]) AS runs, rolname = ANY ($4::text[]) AS bypasses
        FROM pg_roles WHERE rolname = ANY ($3::text[] || $4::text[]) OR rolname = $5
    ),
    columns AS (
        SELECT t.name AS table_name, a.*
        FROM tables AS t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    ),
    grants AS (
        SELECT o.name, o.relispartition, o.relowner, acl.grantee, acl.privilege_type
        FROM ours AS o CROSS JOIN LATERAL aclexplode(o.relacl) AS acl
        UNION ALL
        SELECT o.name, o.relispartition, o.relowner, acl.grantee, acl.privilege_type
        FROM ours AS o
        JOIN pg_attribute AS a ON a.attrelid = o.oid
        CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
    ),
    policies AS (
        SELECT g.name, g.tenant, p.*,
            pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS checked,
            ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END FROM unnest(p.polroles) AS r) AS roles
        FROM guarded AS g JOIN pg_policy AS p ON p.polrelid = g.oid
    ),
    -- The rule for everybody, and what else a permissive policy may be.
    judged AS (
        SELECT *,
            roles = '{public}' AND polcmd = '*' AND polpermissive
                AND qual = format('(%I = app.current_user_id())', tenant) AND checked = qual AS is_rule,
            roles = '{pmcrm_search}' AND polcmd = 'r' AND qual = 'true' AND checked IS NULL
                OR roles = '{pmcrm_audit}' AND polcmd = 'a' AND qual IS NULL AND checked = 'true' AS is_exception
        FROM policies
    )
"""

# By name: a query for the objects that break the rule, and what is wrong with them.
RULES = {
    "unlisted-table": (
        "SELECT name FROM tables WHERE name <> ALL ($1 || $6::text[])",
        "is neither in TENANT_TABLES nor in GLOBAL_TABLES",
    ),
    "missing-table": (
        "SELECT listed FROM unnest($1 || $6::text[]) AS listed WHERE listed NOT IN (SELECT name FROM tables)",
        "is listed, but does not exist",
    ),
    "tenant-column": (
        """
        SELECT t.name FROM tenants AS t WHERE NOT EXISTS (
            SELECT FROM columns AS c
            WHERE c.attrelid = t.oid AND c.attname = t.tenant AND c.atttypid = 'uuid'::regtype AND c.attnotnull
        )
        """,
        "has no tenant column that is uuid NOT NULL",
    ),
    "rls-disabled": ("SELECT name FROM guarded WHERE NOT relrowsecurity", "has row-level security disabled"),
    "rls-not-forced": ("SELECT name FROM guarded WHERE NOT relforcerowsecurity", "does not force row-level security"),
    "policy-missing": (
        """
        SELECT name FROM guarded WHERE NOT EXISTS (
            SELECT FROM policies WHERE polrelid = guarded.oid AND polpermissive AND roles = '{public}'
        )
        """,
        "has no policy for everybody",
    ),
    "policy-rule": (
        "SELECT name || '.' || polname FROM judged WHERE polpermissive AND roles = '{public}' AND NOT is_rule",
        "is not the tenant rule, word for word, for reading and writing",
    ),
    "policy-second": (
        """
        SELECT name || '.' || polname FROM judged
        WHERE polpermissive AND roles <> '{public}' AND NOT is_exception
        UNION ALL
        SELECT name || '.' || max(polname) FROM judged WHERE polpermissive AND roles = '{public}'
        GROUP BY name HAVING count(*) > 1
        """,
        "is a second permissive policy, and those are alternatives",
    ),
    "policy-subquery": (
        "SELECT name || '.' || polname FROM policies WHERE concat(polqual, polwithcheck) ~ 'SUBLINK'",
        "has a subquery",
    ),
    "policy-deleted": (
        "SELECT name || '.' || polname FROM policies WHERE concat(qual, checked) ~ 'deleted_at'",
        "asks for deleted_at, so that deleting softly fails",
    ),
    "key-tenant-first": (
        """
        SELECT i.indexrelid::regclass::text
        FROM tenants AS t
        JOIN pg_index AS i ON i.indrelid = t.oid AND (i.indisunique OR i.indisexclusion)
        LEFT JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
        WHERE a.attname IS DISTINCT FROM t.tenant
        """,
        "is a primary, unique or exclusion key that does not begin with the tenant",
    ),
    "key-missing": (
        "SELECT name FROM tables WHERE NOT EXISTS (SELECT FROM pg_index WHERE indrelid = tables.oid AND indisprimary)",
        "has no primary key",
    ),
    "foreign-key-tenant-first": (
        """
        SELECT t.name || '.' || k.conname
        FROM tenants AS t
        JOIN pg_constraint AS k ON k.confrelid = t.oid AND k.contype = 'f' AND k.conparentid = 0
        LEFT JOIN tables AS child ON child.oid = k.conrelid
        LEFT JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] AND a.attname = 'user_id'
        LEFT JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1] AND b.attname = t.tenant
        WHERE a.attname IS NULL OR b.attname IS NULL OR child.name <> ALL ($1)
        """,
        "is a foreign key that does not begin with the tenant on both sides, or not of a tenant table",
    ),
    "foreign-key-action": (
        """
        SELECT t.name || '.' || k.conname FROM tables AS t JOIN pg_constraint AS k ON k.conrelid = t.oid
        WHERE k.contype = 'f' AND (k.confdeltype IN ('n', 'd') OR k.confupdtype <> 'a')
        """,
        "sets NULL or a default on delete, or does anything on update",
    ),
    "serial": (
        """
        SELECT table_name || '.' || attname FROM columns WHERE attidentity <> ''
        UNION ALL SELECT name FROM ours WHERE relkind = 'S'
        """,
        "is an identity column or a sequence: its gaps tell how much others write",
    ),
    "enum": (
        """
        SELECT t.oid::regtype::text FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
        WHERE t.typtype = 'e' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        """,
        "is an enum, whose = is not leakproof",
    ),
    "timestamp": (
        """
        SELECT table_name || '.' || attname FROM columns
        WHERE atttypid IN ('timestamp'::regtype, 'timestamp[]'::regtype, 'timetz'::regtype)
        """,
        "is not timestamptz",
    ),
    "partition-grant": (
        "SELECT DISTINCT name FROM grants WHERE relispartition AND grantee <> relowner",
        "is a partition with grants, and has no policy",
    ),
    "public-grant": (
        """
        SELECT DISTINCT name FROM grants WHERE grantee = 0
        UNION ALL SELECT 'schema ' || nspname FROM pg_namespace CROSS JOIN LATERAL aclexplode(nspacl) AS acl
        WHERE nspname IN ('app', 'public') AND acl.grantee = 0 AND acl.privilege_type = 'CREATE'
        """,
        "is granted to PUBLIC",
    ),
    "definer-search-path": (
        """
        SELECT name FROM functions WHERE prosecdef AND NOT EXISTS (
            SELECT FROM unnest(proconfig) AS setting WHERE setting ~ '^search_path=.*pg_temp"?$' AND setting !~ 'user'
        )
        """,
        "is SECURITY DEFINER without a search_path that is pinned and ends with pg_temp",
    ),
    "definer-owner": (
        "SELECT name FROM functions WHERE prosecdef AND proowner::regrole::text <> ALL ($7::text[])",
        "is SECURITY DEFINER and belongs to a role that is not meant for that",
    ),
    "function-public": (
        """
        SELECT name FROM functions WHERE proacl IS NULL
        UNION ALL
        SELECT name FROM functions CROSS JOIN LATERAL aclexplode(proacl) AS acl WHERE acl.grantee = 0
        """,
        "may be executed by PUBLIC",
    ),
    "function-immutable": (
        """
        SELECT f.name FROM functions AS f
        WHERE f.provolatile = 'i' AND (
            pg_get_functiondef(f.oid) ~* '\\m(current_setting|current_user|session_user|now|clock_timestamp)\\M'
            OR EXISTS (
                SELECT FROM functions AS g
                WHERE g.provolatile <> 'i' AND g.oid <> f.oid
                    AND pg_get_functiondef(f.oid) ~ ('\\m' || g.proname || '\\M')
            )
        )
        """,
        "is IMMUTABLE and reads settings, the clock or the tenant, which a cached plan keeps",
    ),
    "function-leakproof": (
        """
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE proleakproof AND (oid >= 16384 OR proname = ANY ($8::text[]))
        """,
        "is marked LEAKPROOF",
    ),
    "tenant-function": (
        """
        SELECT 'app.current_user_id()' WHERE NOT EXISTS (
            SELECT FROM functions WHERE name = 'app.current_user_id()' AND provolatile = 's' AND NOT prosecdef
                AND prosrc = ' SELECT nullif(current_setting(''app.current_user_id'', true), '''')::uuid '
        )
        """,
        "is not the STABLE function that all policies rest on",
    ),
    "view-invoker": (
        """
        SELECT name FROM ours WHERE relkind = 'm' OR (relkind = 'v' AND NOT coalesce(
            reloptions && '{security_invoker=true,security_invoker=on,security_invoker=1}', false
        ))
        """,
        "is a view without security_invoker (or a materialized one): it shows all tenants",
    ),
    "role-attributes": (
        """
        SELECT rolname FROM roles
        WHERE rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR (rolbypassrls AND NOT bypasses)
        """,
        "has SUPERUSER, BYPASSRLS, CREATEDB, CREATEROLE or REPLICATION",
    ),
    "role-member": (
        """
        SELECT me.rolname FROM roles AS me CROSS JOIN pg_roles AS other
        WHERE me.rolname <> $5 AND other.oid <> me.oid AND pg_has_role(me.oid, other.oid, 'MEMBER')
            AND NOT (me.bypasses AND other.rolname LIKE 'pg\\_read\\_all\\_%')
        """,
        "may act as another role",
    ),
    "role-owns": (
        """
        SELECT r.rolname || ' owns ' || o.name FROM roles AS r JOIN ours AS o ON o.relowner = r.oid
        WHERE r.rolname <> $5
        """,
        "though only the owner may own tables",
    ),
    "role-creates": (
        """
        SELECT rolname FROM roles
        WHERE rolname <> $5 AND (
            has_schema_privilege(oid, 'public', 'CREATE') OR has_schema_privilege(oid, 'app', 'CREATE')
            OR has_database_privilege(oid, current_database(), 'CREATE')
        )
        """,
        "may create things in a schema or in the database",
    ),
    "role-temporary": (
        """
        SELECT rolname FROM roles WHERE rolname <> $5 AND has_database_privilege(oid, current_database(), 'TEMPORARY')
        """,
        "may make temporary tables, whose names can stand in for real ones",
    ),
    "role-truncates": (
        """
        SELECT DISTINCT r.rolname || ' on ' || g.name FROM roles AS r JOIN grants AS g ON g.grantee = r.oid
        WHERE r.rolname <> $5 AND g.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
        """,
        "has TRUNCATE, REFERENCES, TRIGGER or MAINTAIN, which no policy holds",
    ),
    "audit-trigger": (
        """
        SELECT t.name FROM tables AS t
        WHERE t.oid IN (SELECT oid FROM guarded) AND t.name <> ALL ($9::text[]) AND NOT EXISTS (
            SELECT FROM pg_trigger AS g
            WHERE g.tgrelid = t.oid AND g.tgfoid = 'app.audit_row()'::regprocedure AND g.tgenabled = 'O'
                AND g.tgtype & 29 = 29 AND g.tgargs LIKE (t.name || '\\000%')::bytea
        )
        """,
        "has no audit trigger for each row inserted, updated and deleted, with its own name as first argument",
    ),
    "comment": (
        """
        SELECT name FROM tables WHERE obj_description(oid, 'pg_class') IS NULL
        UNION ALL SELECT name FROM functions WHERE obj_description(oid, 'pg_proc') IS NULL
        """,
        "has no comment",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule of RULES that an object breaks."""

    rule: str
    name: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.name} {RULES[self.rule][1]}"


async def lint(conn: Connection) -> list[Finding]:
    """All findings in the connected database. conn: a superuser's, who sees the whole catalog."""
    arguments: list[object] = [
        list(TENANT_TABLES),
        list(TENANT_TABLES.values()),
        [*SERVICE_ROLES, *FUNCTION_ROLES],
        list(BYPASSING_ROLES),
        OWNER,
        list(GLOBAL_TABLES),
        [OWNER, *FUNCTION_ROLES],
        list(LEAKY),
        list(UNAUDITED_TABLES),
    ]
    types = "($1::text[], $2::text[], $3::text[], $4::text[], $5::text, $6::text[], $7::text[], $8::text[], $9::text[])"
    rules = " UNION ALL ".join(
        f"SELECT '{rule}' AS rule, broken.name FROM ({query}) AS broken (name)" for rule, (query, _) in RULES.items()
    )
    rows = await conn.fetch(f"{OURS}, arguments AS (SELECT {types}) {rules}", *arguments)
    return [Finding(row["rule"], row["name"]) for row in rows]
