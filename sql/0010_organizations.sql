-- Organizations, and who works or worked in them. Columns are named for the fields of pmcrm.contacts.v1.Organization and
-- Employment.

CREATE TABLE organizations (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    revision integer NOT NULL DEFAULT 1,
    name text NOT NULL CHECK (name <> ''),
    name_key text NOT NULL CHECK (name_key <> ''),
    sort_name text COLLATE app.name_order NOT NULL,
    website text CHECK (website <> ''),
    industry text CHECK (industry <> ''),
    location text CHECK (location <> ''),
    description text CHECK (description <> ''),
    notes text CHECK (notes <> ''),
    aliases text[] CHECK (aliases <> '{}'),
    domains text[] CHECK (domains <> '{}'),
    custom_fields jsonb CHECK (jsonb_typeof(custom_fields) = 'object' AND custom_fields <> '{}'),
    enrichments jsonb CHECK (jsonb_typeof(enrichments) = 'array' AND enrichments <> '[]'),
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE organizations IS
    'Companies, schools, clubs and the like. What is absent is NULL, never an empty text or list.';
COMMENT ON COLUMN organizations.deleted_at IS 'When it was deleted; purged a grace period later. Its employments are hidden meanwhile.';
COMMENT ON COLUMN organizations.revision IS 'Counts changes; the etag is made from it.';
COMMENT ON COLUMN organizations.name_key IS
    'The name as imports know it again: NFC, case-folded, single spaces. Not unique: two organizations may share a name.';
COMMENT ON COLUMN organizations.sort_name IS 'app.fold of the name, by which organizations are sorted.';
COMMENT ON COLUMN organizations.enrichments IS
    'JSON array of objects keyed as pmcrm.contacts.v1.Enrichment: source, fetch_time (RFC 3339), data. One per source.';

CREATE INDEX organizations_name_idx ON organizations (user_id, sort_name, id);
CREATE INDEX organizations_name_key_idx ON organizations (user_id, name_key) WHERE deleted_at IS NULL;

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON organizations
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER touch BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON organizations
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'organizations', 'user_id', 'id', 'updated_at', 'revision', 'sort_name', 'name_key'
    );

GRANT SELECT, INSERT ON organizations TO pmcrm_contacts;
GRANT UPDATE (
    updated_at, deleted_at, name, name_key, sort_name, website, industry, location, description, notes, aliases, domains,
    custom_fields, enrichments
) ON organizations TO pmcrm_contacts;
-- NOTE: update of user_id, id, created_at and revision is not granted, because they never change by hand. Delete is granted
-- to no service: deleting sets deleted_at, and the purge runs as pmcrm_service.
GRANT SELECT, DELETE ON organizations TO pmcrm_service;


CREATE TABLE contact_employments (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    contact_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    revision integer NOT NULL DEFAULT 1,
    start_year smallint CHECK (start_year BETWEEN 1 AND 9999),
    start_month smallint CHECK (start_month BETWEEN 1 AND 12),
    start_day smallint CHECK (start_day BETWEEN 1 AND 31),
    end_year smallint CHECK (end_year BETWEEN 1 AND 9999),
    end_month smallint CHECK (end_month BETWEEN 1 AND 12),
    end_day smallint CHECK (end_day BETWEEN 1 AND 31),
    start_order integer GENERATED ALWAYS AS (
        CASE
            WHEN coalesce(start_year, start_month, start_day) IS NOT NULL
                THEN 10000 * coalesce(start_year, 0) + 100 * coalesce(start_month, 0) + coalesce(start_day, 0)
        END
    ) STORED,
    is_current boolean NOT NULL DEFAULT false,
    job_title text CHECK (job_title <> ''),
    department text CHECK (department <> ''),
    location text CHECK (location <> ''),
    notes text CHECK (notes <> ''),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, organization_id) REFERENCES organizations (user_id, id) ON DELETE CASCADE,
    CHECK (NOT is_current OR coalesce(end_year, end_month, end_day) IS NULL)
);
COMMENT ON TABLE contact_employments IS
    'Who works or worked where. A contact may have several at once, also in the same organization.';
COMMENT ON COLUMN contact_employments.deleted_at IS 'When it was removed, as if it had never been.';
COMMENT ON COLUMN contact_employments.start_year IS 'Year, month and day are each optional, as in google.type.Date; so the end.';
COMMENT ON COLUMN contact_employments.start_order IS
    'What employments are ordered by: unknown parts of a date before known ones; NULL when nothing of it is known.';
COMMENT ON COLUMN contact_employments.is_current IS 'Whether it goes on. One that ended at an unknown time has neither this nor an end.';

CREATE INDEX contact_employments_contact_idx ON contact_employments (user_id, contact_id);
CREATE INDEX contact_employments_organization_idx ON contact_employments (user_id, organization_id, contact_id);

ALTER TABLE contact_employments ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_employments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_employments
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER touch BEFORE UPDATE ON contact_employments FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON contact_employments
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'contact_employments', 'user_id', 'contact_id', 'updated_at', 'revision', 'start_order'
    );

GRANT SELECT, INSERT ON contact_employments TO pmcrm_contacts;
GRANT UPDATE (
    updated_at, deleted_at, start_year, start_month, start_day, end_year, end_month, end_day, is_current, job_title,
    department, location, notes
) ON contact_employments TO pmcrm_contacts;
-- NOTE: update of contact_id and organization_id is not granted: an employment stays with both, and merging moves it.
GRANT SELECT, DELETE ON contact_employments TO pmcrm_service;
