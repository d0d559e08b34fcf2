-- Tags, and which contacts carry them. Columns are named for the fields of pmcrm.contacts.v1.Tag.

CREATE TABLE tags (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    revision integer NOT NULL DEFAULT 1,
    name text NOT NULL CHECK (name <> ''),
    name_key text NOT NULL CHECK (name_key <> ''),
    sort_name text COLLATE app.name_order NOT NULL,
    color text CHECK (color ~ '^#[0-9a-f]{6}$'),
    description text CHECK (description <> ''),
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE tags IS 'Words with which a user sorts contacts.';
COMMENT ON COLUMN tags.deleted_at IS 'When it was deleted; contacts show it no more, and carry it again when it is undeleted.';
COMMENT ON COLUMN tags.revision IS 'Counts changes; the etag is made from it.';
COMMENT ON COLUMN tags.name_key IS 'The name in NFC and case-folded: unique among the tenant''s living tags.';
COMMENT ON COLUMN tags.sort_name IS 'app.fold of the name, by which tags are sorted.';
COMMENT ON COLUMN tags.color IS '#rrggbb, in lower case.';

CREATE UNIQUE INDEX tags_name_key ON tags (user_id, name_key) WHERE deleted_at IS NULL;

ALTER TABLE tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE tags FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tags
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER touch BEFORE UPDATE ON tags FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON tags
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('tags', 'user_id', 'id', 'updated_at', 'revision', 'sort_name', 'name_key');

GRANT SELECT, INSERT ON tags TO pmcrm_contacts;
GRANT UPDATE (updated_at, deleted_at, name, name_key, sort_name, color, description) ON tags TO pmcrm_contacts;
-- NOTE: delete is granted to no service: deleting sets deleted_at, and the purge runs as pmcrm_service.
GRANT SELECT, DELETE ON tags TO pmcrm_service;


CREATE TABLE contact_tags (
    user_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, contact_id, tag_id),
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, tag_id) REFERENCES tags (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE contact_tags IS 'Which contacts carry which tags, deleted ones among them.';

CREATE INDEX contact_tags_tag_idx ON contact_tags (user_id, tag_id, contact_id);

ALTER TABLE contact_tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_tags FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_tags
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

-- As before, and an entry about a tie, which has no id of its own, names the tag beside the contact: without it nobody could
-- tell which tag was taken off.
GRANT CREATE ON SCHEMA app TO pmcrm_audit;
SET LOCAL ROLE pmcrm_audit;
CREATE OR REPLACE FUNCTION app.audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        tenant uuid;
        subject uuid;
        written uuid;
        before jsonb;
        after jsonb;
        changed_before jsonb;
        changed_after jsonb;
        v_salt bytea;
        v_actor text := convert_from(decode(nullif(current_setting('app.actor', true), ''), 'hex'), 'UTF8');
        v_agent text := convert_from(decode(nullif(current_setting('app.user_agent', true), ''), 'hex'), 'UTF8');
        v_ip inet := nullif(current_setting('app.client_ip', true), '')::inet;
    BEGIN
        IF TG_OP = 'DELETE' THEN
            NEW := OLD;
        END IF;
        IF TG_ARGV[1] = 'id' THEN
            tenant := NEW.id;
        ELSE
            tenant := NEW.user_id;
        END IF;
        IF TG_ARGV[2] = 'id' THEN
            subject := NEW.id;
        ELSIF TG_ARGV[2] = 'contact_id' THEN
            subject := NEW.contact_id;
        ELSE
            subject := tenant;
        END IF;

        IF TG_OP = 'UPDATE' THEN
            before := to_jsonb(OLD);
            after := to_jsonb(NEW);
            SELECT jsonb_object_agg(key, value), jsonb_object_agg(key, before -> key)
            INTO changed_after, changed_before
            FROM jsonb_each(after)
            WHERE value IS DISTINCT FROM before -> key AND key <> ALL (TG_ARGV[3:]);
            IF changed_after IS NULL THEN
                RETURN NULL;  -- nothing that is ever written down has changed
            END IF;
        ELSIF TG_ARGV[2] <> 'id' THEN
            after := to_jsonb(NEW);
        END IF;
        -- What has no id of its own ties a contact to something that has one.
        written := nullif(
            coalesce(after ->> 'id', after ->> 'tag_id', after ->> 'interaction_id', after ->> 'reminder_id')::uuid,
            subject
        );

        v_salt := uuid_send(gen_random_uuid());
        INSERT INTO public.audit_logs (
            user_id, subject_id, row_id, request_id, table_name, action, role_name, actor, client_ip, user_agent,
            old_values, new_values, salt, digest
        ) VALUES (
            tenant, subject, written, nullif(current_setting('app.request_id', true), '')::uuid, TG_ARGV[0], TG_OP,
            session_user, v_actor, v_ip, v_agent, changed_before, changed_after,
            v_salt, app.audit_digest(v_salt, changed_before, changed_after, v_actor, v_ip, v_agent)
        );
        RETURN NULL;
    END
    $$;
SET LOCAL ROLE pmcrm_owner;
REVOKE CREATE ON SCHEMA app FROM pmcrm_audit;
COMMENT ON COLUMN audit_logs.row_id IS
    'The id of the written row, where it has one that is not subject_id; of a contact''s tie to a tag, the tag''s.';

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON contact_tags
    FOR EACH ROW EXECUTE FUNCTION app.audit_row('contact_tags', 'user_id', 'contact_id');

GRANT SELECT, INSERT, DELETE ON contact_tags TO pmcrm_contacts;
-- NOTE: update is not granted: a tag is put on and taken off, and merging moves it.
GRANT SELECT, DELETE ON contact_tags TO pmcrm_service;
