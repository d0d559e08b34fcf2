-- Ties between two contacts. Columns are named for the fields of pmcrm.contacts.v1.ContactLink.

-- A directed type is stored under one of its two names: `related_contact_id` is the parent, manager, introducer or
-- assistant of `contact_id`. A symmetric one is stored from the side from which it was made.
CREATE TABLE contact_links (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    contact_id uuid NOT NULL,
    related_contact_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    revision integer NOT NULL DEFAULT 1,
    start_year smallint CHECK (start_year BETWEEN 1 AND 9999),
    start_month smallint CHECK (start_month BETWEEN 1 AND 12),
    start_day smallint CHECK (start_day BETWEEN 1 AND 31),
    type text NOT NULL CHECK (type IN (
        'SPOUSE', 'PARTNER', 'SIBLING', 'RELATIVE', 'FRIEND', 'ACQUAINTANCE', 'COLLEAGUE', 'NEIGHBOR', 'OTHER',
        'PARENT', 'MANAGER', 'INTRODUCED_BY', 'ASSISTANT'
    )),
    label text CHECK (label <> ''),
    notes text CHECK (notes <> ''),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, related_contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE,
    CHECK (contact_id <> related_contact_id)
);
COMMENT ON TABLE contact_links IS 'Ties between contacts, stored once and shown from both sides.';
COMMENT ON COLUMN contact_links.type IS 'What the related contact is to the contact: PARENT, where it is the contact''s parent.';
COMMENT ON COLUMN contact_links.deleted_at IS 'When it was removed.';

CREATE FUNCTION app.is_directed(link_type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT link_type IN ('PARENT', 'MANAGER', 'INTRODUCED_BY', 'ASSISTANT') $$;
COMMENT ON FUNCTION app.is_directed(text) IS 'Whether links of this type read differently from their two sides.';
GRANT EXECUTE ON FUNCTION app.is_directed(text) TO pmcrm_contacts, pmcrm_service;

-- The same tie is the same from both sides: those of symmetric types are compared with the smaller id first.
CREATE UNIQUE INDEX contact_links_key ON contact_links (
    user_id,
    (CASE WHEN app.is_directed(type) THEN contact_id ELSE least(contact_id, related_contact_id) END),
    (CASE WHEN app.is_directed(type) THEN related_contact_id ELSE greatest(contact_id, related_contact_id) END),
    type
) WHERE deleted_at IS NULL;
CREATE INDEX contact_links_contact_idx ON contact_links (user_id, contact_id);
CREATE INDEX contact_links_related_contact_idx ON contact_links (user_id, related_contact_id);

ALTER TABLE contact_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_links FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_links
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER touch BEFORE UPDATE ON contact_links FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON contact_links
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('contact_links', 'user_id', 'contact_id', 'updated_at', 'revision');

GRANT SELECT, INSERT ON contact_links TO pmcrm_contacts;
GRANT UPDATE (updated_at, deleted_at, start_year, start_month, start_day, label, notes) ON contact_links TO pmcrm_contacts;
-- NOTE: update of the two contacts and the type is not granted: another tie is another link, and merging moves them.
GRANT SELECT, DELETE ON contact_links TO pmcrm_service;
