"""The catalog keeps the rules; and for each rule, breaking it is noticed."""

from __future__ import annotations

import pytest

from tests.database.catalog_lint import GLOBAL_TABLES, RULES, TENANT_TABLES, lint

TABLE = """
    CREATE TABLE public.notes (user_id uuid NOT NULL, id uuid, PRIMARY KEY (user_id, id));
    COMMENT ON TABLE notes IS 'a table that nobody listed';
"""
RULE = "user_id = app.current_user_id()"
OTHER_RULE = f"USING ({RULE}) WITH CHECK ({RULE})"
DEFINER = "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"

# What breaks which rule, and the object that the lint has to name.
BROKEN = [
    ("unlisted-table", TABLE, "notes"),
    ("missing-table", "ALTER TABLE contact_strengths RENAME TO strengths", "contact_strengths"),
    ("tenant-column", "ALTER TABLE audit_logs RENAME user_id TO tenant_id", "audit_logs"),
    (
        "tenant-column",
        "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey, ALTER user_id DROP NOT NULL",
        "idempotency_keys",
    ),
    ("rls-disabled", "ALTER TABLE contacts DISABLE ROW LEVEL SECURITY", "contacts"),
    ("rls-disabled", "ALTER TABLE login_emails DISABLE ROW LEVEL SECURITY", "login_emails"),
    ("rls-not-forced", "ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY", "contacts"),
    ("policy-missing", "DROP POLICY tenant ON contacts", "contacts"),
    ("policy-missing", "ALTER POLICY tenant ON contacts TO pmcrm_contacts", "contacts"),
    ("policy-rule", "ALTER POLICY tenant ON contacts USING (true)", "contacts.tenant"),
    ("policy-rule", f"ALTER POLICY tenant ON contacts USING ({RULE} OR notes = 'shared')", "contacts.tenant"),
    ("policy-rule", "ALTER POLICY tenant ON contacts WITH CHECK (true)", "contacts.tenant"),
    ("policy-rule", "ALTER POLICY tenant ON users USING (app.current_user_id() IS NOT NULL)", "users.tenant"),
    ("policy-second", f"CREATE POLICY other ON contacts {OTHER_RULE}", "contacts.tenant"),
    ("policy-second", "CREATE POLICY other ON contacts TO pmcrm_insights USING (true)", "contacts.other"),
    ("policy-second", "CREATE POLICY other ON contacts FOR UPDATE TO pmcrm_search USING (true)", "contacts.other"),
    ("policy-second", "CREATE POLICY other ON contacts FOR SELECT TO pmcrm_audit USING (true)", "contacts.other"),
    (
        "policy-subquery",
        "CREATE POLICY narrow ON contacts AS RESTRICTIVE USING (user_id IN (SELECT id FROM users))",
        "contacts.narrow",
    ),
    (
        "policy-deleted",
        "CREATE POLICY narrow ON contacts AS RESTRICTIVE USING (deleted_at IS NULL)",
        "contacts.narrow",
    ),
    ("key-tenant-first", "CREATE UNIQUE INDEX by_uid ON contacts (source_uid, user_id)", "by_uid"),
    ("key-tenant-first", "CREATE UNIQUE INDEX by_uid ON contacts (lower(source_uid), user_id)", "by_uid"),
    ("key-tenant-first", "CREATE UNIQUE INDEX by_uid ON contacts (source_uid) WHERE deleted_at IS NULL", "by_uid"),
    (
        "key-tenant-first",
        "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey, ADD PRIMARY KEY (request_id, user_id)",
        "idempotency_keys_pkey",
    ),
    ("key-missing", "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey", "idempotency_keys"),
    (
        "foreign-key-tenant-first",
        """
        ALTER TABLE contacts ADD CONSTRAINT by_id UNIQUE (id);
        ALTER TABLE contact_strengths ADD CONSTRAINT leak FOREIGN KEY (contact_id) REFERENCES contacts (id)
        """,
        "contacts.leak",
    ),
    (
        "foreign-key-tenant-first",
        """
        ALTER TABLE contacts ADD CONSTRAINT by_id UNIQUE (id, user_id);
        ALTER TABLE contact_strengths
            ADD CONSTRAINT leak FOREIGN KEY (contact_id, user_id) REFERENCES contacts (id, user_id)
        """,
        "contacts.leak",
    ),
    (
        "foreign-key-tenant-first",
        "ALTER TABLE login_emails ADD CONSTRAINT leak FOREIGN KEY (user_id) REFERENCES users (id)",
        "users.leak",
    ),
    (
        "foreign-key-action",
        """
        ALTER TABLE contact_strengths ADD CONSTRAINT loose
            FOREIGN KEY (user_id, contact_id) REFERENCES contacts ON DELETE SET NULL
        """,
        "contact_strengths.loose",
    ),
    (
        "foreign-key-action",
        """
        ALTER TABLE contact_strengths ADD CONSTRAINT loose
            FOREIGN KEY (user_id, contact_id) REFERENCES contacts ON DELETE SET DEFAULT
        """,
        "contact_strengths.loose",
    ),
    (
        "foreign-key-action",
        """
        ALTER TABLE contact_strengths ADD CONSTRAINT loose
            FOREIGN KEY (user_id, contact_id) REFERENCES contacts ON UPDATE CASCADE
        """,
        "contact_strengths.loose",
    ),
    ("serial", "ALTER TABLE contacts ADD number serial", "contacts_number_seq"),
    ("serial", "ALTER TABLE contacts ADD number int GENERATED ALWAYS AS IDENTITY", "contacts.number"),
    ("enum", "CREATE TYPE mood AS ENUM ('sad', 'happy')", "mood"),
    ("timestamp", "ALTER TABLE contacts ADD met_at timestamp", "contacts.met_at"),
    ("partition-grant", "GRANT SELECT ON audit_logs_default TO pmcrm_gdpr", "audit_logs_default"),
    ("partition-grant", "GRANT SELECT (actor) ON audit_logs_default TO pmcrm_gdpr", "audit_logs_default"),
    ("public-grant", "GRANT SELECT ON contacts TO PUBLIC", "contacts"),
    ("public-grant", "GRANT SELECT (id) ON contacts TO PUBLIC", "contacts"),
    ("public-grant", "GRANT CREATE ON SCHEMA public TO PUBLIC", "schema public"),
    ("definer-search-path", "ALTER FUNCTION app.audit_row() RESET search_path", "app.audit_row()"),
    ("definer-search-path", "ALTER FUNCTION app.audit_row() SET search_path = public", "app.audit_row()"),
    ("definer-search-path", 'ALTER FUNCTION app.audit_row() SET search_path = "$user", pg_temp', "app.audit_row()"),
    ("definer-owner", "ALTER FUNCTION app.audit_row() OWNER TO pmcrm_service", "app.audit_row()"),
    ("definer-owner", f"{DEFINER} AS 'SELECT 1'", "app.f()"),
    (
        "function-public",
        "GRANT EXECUTE ON FUNCTION app.create_audit_partitions(integer) TO PUBLIC",
        "app.create_audit_partitions(integer)",
    ),
    ("function-public", f"{DEFINER} AS 'SELECT 1'", "app.f()"),
    ("function-immutable", "ALTER FUNCTION app.current_user_id() IMMUTABLE", "app.current_user_id()"),
    (
        "function-immutable",
        "CREATE FUNCTION app.f() RETURNS uuid LANGUAGE sql IMMUTABLE AS 'SELECT app.current_user_id()'",
        "app.f()",
    ),
    (
        "function-immutable",
        "CREATE FUNCTION app.f() RETURNS uuid LANGUAGE sql IMMUTABLE RETURN app.current_user_id()",
        "app.f()",
    ),
    ("function-leakproof", "ALTER FUNCTION app.fold(text) LEAKPROOF", "app.fold(text)"),
    ("function-leakproof", "ALTER FUNCTION jsonb_contains(jsonb, jsonb) LEAKPROOF", "jsonb_contains(jsonb,jsonb)"),
    ("function-leakproof", "ALTER FUNCTION similarity_op(text, text) LEAKPROOF", "similarity_op(text,text)"),
    (
        "tenant-function",
        """
        CREATE OR REPLACE FUNCTION app.current_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
            AS $$ SELECT current_setting('app.current_user_id', true)::uuid $$
        """,
        "app.current_user_id()",
    ),
    ("view-invoker", "CREATE VIEW everybody AS SELECT * FROM contacts", "everybody"),
    ("view-invoker", "CREATE VIEW everybody WITH (security_invoker = false) AS SELECT * FROM contacts", "everybody"),
    ("view-invoker", "CREATE MATERIALIZED VIEW everybody AS SELECT * FROM contacts", "everybody"),
    ("role-attributes", "ALTER ROLE pmcrm_contacts SUPERUSER", "pmcrm_contacts"),
    ("role-attributes", "ALTER ROLE pmcrm_contacts BYPASSRLS", "pmcrm_contacts"),
    ("role-attributes", "ALTER ROLE pmcrm_search BYPASSRLS", "pmcrm_search"),
    ("role-attributes", "ALTER ROLE pmcrm_owner BYPASSRLS", "pmcrm_owner"),
    ("role-attributes", "ALTER ROLE pmcrm_gdpr CREATEROLE", "pmcrm_gdpr"),
    ("role-attributes", "ALTER ROLE pmcrm_service CREATEDB", "pmcrm_service"),
    ("role-member", "GRANT pmcrm_owner TO pmcrm_contacts", "pmcrm_contacts"),
    ("role-member", "GRANT pmcrm_search TO pmcrm_insights WITH INHERIT FALSE", "pmcrm_insights"),
    ("role-owns", "ALTER TABLE contacts OWNER TO pmcrm_contacts", "pmcrm_contacts owns contacts"),
    ("role-creates", "GRANT CREATE ON SCHEMA public TO pmcrm_contacts", "pmcrm_contacts"),
    ("role-creates", "GRANT CREATE ON SCHEMA app TO pmcrm_audit", "pmcrm_audit"),
    (
        "role-temporary",
        "DO $$ BEGIN EXECUTE format('GRANT TEMP ON DATABASE %I TO pmcrm_contacts', current_database()); END $$",
        "pmcrm_contacts",
    ),
    (
        "role-temporary",
        "DO $$ BEGIN EXECUTE format('GRANT TEMP ON DATABASE %I TO PUBLIC', current_database()); END $$",
        "pmcrm_gdpr",
    ),
    ("role-truncates", "GRANT TRUNCATE ON contacts TO pmcrm_contacts", "pmcrm_contacts on contacts"),
    ("role-truncates", "GRANT REFERENCES ON contacts TO pmcrm_gdpr", "pmcrm_gdpr on contacts"),
    ("audit-trigger", "DROP TRIGGER audit ON contacts", "contacts"),
    ("audit-trigger", "ALTER TABLE contacts DISABLE TRIGGER audit", "contacts"),
    (
        "audit-trigger",
        """
        DROP TRIGGER audit ON contacts;
        CREATE TRIGGER audit AFTER INSERT OR UPDATE ON contacts
            FOR EACH ROW EXECUTE FUNCTION app.audit_row('contacts', 'user_id', 'id')
        """,
        "contacts",
    ),
    ("comment", "COMMENT ON TABLE contacts IS NULL", "contacts"),
]


async def test_the_catalog_keeps_every_rule(as_superuser):
    assert [str(finding) for finding in await lint(as_superuser)] == []


@pytest.mark.parametrize(("rule", "change", "name"), BROKEN, ids=[f"{rule}-{n}" for n, (rule, *_) in enumerate(BROKEN)])
async def test_a_broken_rule_is_found(as_superuser, rule, change, name):
    transaction = as_superuser.transaction()
    await transaction.start()
    try:
        await as_superuser.execute(change)
        found = await lint(as_superuser)
    finally:
        await transaction.rollback()
    assert name in {finding.name for finding in found if finding.rule == rule}


def test_every_rule_is_broken_by_a_test():
    assert {rule for rule, *_ in BROKEN} == set(RULES)


def test_no_table_is_in_both_lists():
    assert not TENANT_TABLES.keys() & GLOBAL_TABLES.keys()
