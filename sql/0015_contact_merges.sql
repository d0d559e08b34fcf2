-- Merges of contacts: what each of them did, so that it can be undone; and the two functions that merge and undo.

CREATE TABLE contact_merges (
    user_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    survivor_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    undone_at timestamptz,
    survivor_updated_at timestamptz NOT NULL,
    pinned smallint,
    columns_before jsonb NOT NULL CHECK (jsonb_typeof(columns_before) = 'object'),
    columns_after jsonb NOT NULL CHECK (jsonb_typeof(columns_after) = 'object'),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, survivor_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE contact_merges IS
    'Merges of contacts. A merge that has been undone keeps its row, so that undoing it again is told apart from a merge that never was, and nothing of what it had written down.';
COMMENT ON COLUMN contact_merges.id IS
    'Rises from merge to merge of a tenant: it is made while merging, which one transaction of a tenant does at a time.';
COMMENT ON COLUMN contact_merges.created_at IS
    'The transaction''s time, which updated_at of all that it wrote holds until somebody writes that again.';
COMMENT ON COLUMN contact_merges.survivor_updated_at IS 'updated_at of the survivor before the merge.';
COMMENT ON COLUMN contact_merges.pinned IS 'The strength that the survivor had not and took over; NULL when it took none.';
COMMENT ON COLUMN contact_merges.columns_before IS
    'JSON object: the columns of the survivor that the merge changed, as they were before.';
COMMENT ON COLUMN contact_merges.columns_after IS 'The same columns, as the merge wrote them.';

CREATE INDEX contact_merges_survivor_idx ON contact_merges (user_id, survivor_id);

ALTER TABLE contact_merges ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_merges FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_merges
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

-- The survivor's columns have entries of their own, under the survivor.
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON contact_merges
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'contact_merges', 'user_id', 'id', 'survivor_updated_at', 'pinned', 'columns_before', 'columns_after'
    );

GRANT SELECT ON contact_merges TO pmcrm_contacts;
-- NOTE: writing is granted to no service: app.merge_contacts and app.unmerge_contacts do it.
GRANT SELECT, DELETE ON contact_merges TO pmcrm_service;


CREATE TABLE contact_merge_rows (
    user_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    position integer NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('MERGED', 'MOVED', 'DROPPED')),
    row_key jsonb NOT NULL,
    kept jsonb NOT NULL,
    PRIMARY KEY (user_id, merge_id, position),
    FOREIGN KEY (user_id, merge_id) REFERENCES contact_merges (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE contact_merge_rows IS
    'What a merge did to which row: the merged contacts themselves, and all that hung on them. It goes when the merged contact is purged: the merge cannot be undone from then on.';
COMMENT ON COLUMN contact_merge_rows.contact_id IS 'The merged contact that the row is, or hung on.';
COMMENT ON COLUMN contact_merge_rows.column_name IS 'The column of table_name that named the merged contact.';
COMMENT ON COLUMN contact_merge_rows.row_key IS
    'JSON object: the columns of the row''s primary key, without the tenant and the column that named the merged contact.';
COMMENT ON COLUMN contact_merge_rows.kept IS
    'JSON object. DROPPED: the whole row. Else: those of created_at, updated_at and deleted_at that it has, as they were before.';

CREATE INDEX contact_merge_rows_contact_idx ON contact_merge_rows (user_id, contact_id);

ALTER TABLE contact_merge_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_merge_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_merge_rows
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

GRANT SELECT ON contact_merge_rows TO pmcrm_contacts;
-- NOTE: writing is granted to no service, as with contact_merges.
GRANT SELECT, DELETE ON contact_merge_rows TO pmcrm_service;


-- The one place that says what a merge does with each foreign key that points at contacts. A migration that adds such
-- a key replaces this function; a test compares it with the catalog. Rows of a table that is MOVED are kept as JSON;
-- where it has created_at, a row that was removed and made again since is told from the one that was moved.
CREATE FUNCTION app.contact_references()
    RETURNS TABLE (table_name text, column_name text, handling text, kind text, same text[], living text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
    AS $$
        VALUES
            ('contact_strengths', 'contact_id', 'STAYS', NULL, NULL::text[], NULL),
            ('contact_merges', 'survivor_id', 'STAYS', NULL, NULL, NULL),
            ('contact_merge_rows', 'contact_id', 'STAYS', NULL, NULL, NULL),
            ('contact_redirects', 'survivor_id', 'MOVED', NULL, NULL, 'true'),
            ('contact_tags', 'contact_id', 'MOVED', 'tags', '{contact_id,tag_id}', 'true'),
            (
                'contact_employments', 'contact_id', 'MOVED', 'employments',
                ARRAY[
                    'contact_id', 'organization_id', 'job_title', 'department', 'location', 'notes',
                    'start_year', 'start_month', 'start_day', 'end_year', 'end_month', 'end_day', 'is_current'
                ],
                'deleted_at IS NULL'
            ),
            (
                'contact_links', 'contact_id', 'MOVED', 'contact_links',
                ARRAY[
                    'type',
                    'CASE WHEN app.is_directed(type) THEN contact_id ELSE least(contact_id, related_contact_id) END',
                    'CASE WHEN app.is_directed(type) THEN related_contact_id
                        ELSE greatest(contact_id, related_contact_id) END'
                ],
                'deleted_at IS NULL'
            ),
            (
                'contact_links', 'related_contact_id', 'MOVED', 'contact_links',
                ARRAY[
                    'type',
                    'CASE WHEN app.is_directed(type) THEN contact_id ELSE least(contact_id, related_contact_id) END',
                    'CASE WHEN app.is_directed(type) THEN related_contact_id
                        ELSE greatest(contact_id, related_contact_id) END'
                ],
                'deleted_at IS NULL'
            )
    $$;
COMMENT ON FUNCTION app.contact_references() IS
    'What a merge does with each column that refers to a contact: MOVED to the survivor, or STAYS. kind: what its rows are called in answers, NULL when they are not told of. same: expressions over a row, of which living rows that agree in all are the same thing, NULL when no two are. living: the condition for that.';
GRANT EXECUTE ON FUNCTION app.contact_references() TO pmcrm_contacts;


-- As before, but that a statement may lift a revision further: a contact's etags must match none that its id had while
-- it stood for another contact.
CREATE OR REPLACE FUNCTION app.touch_row() RETURNS trigger LANGUAGE plpgsql
    AS $$
    BEGIN
        NEW.revision := greatest(OLD.revision, NEW.revision) + 1;
        IF NEW.updated_at = OLD.updated_at THEN
            NEW.updated_at := now();
        END IF;
        RETURN NEW;
    END
    $$;


CREATE FUNCTION app.write_survivor(survivor uuid, columns jsonb, revision integer, updated_at timestamptz)
    RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        written public.contacts;
    BEGIN
        SELECT * INTO STRICT written FROM public.contacts AS c WHERE c.user_id = v_user AND c.id = survivor;
        written := jsonb_populate_record(written, columns);
        UPDATE public.contacts AS c SET
            revision = greatest(c.revision, write_survivor.revision),
            updated_at = coalesce(write_survivor.updated_at, c.updated_at),
            given_name = written.given_name,
            family_name = written.family_name,
            additional_names = written.additional_names,
            honorific_prefixes = written.honorific_prefixes,
            honorific_suffixes = written.honorific_suffixes,
            phonetic_given_name = written.phonetic_given_name,
            phonetic_family_name = written.phonetic_family_name,
            nickname = written.nickname,
            display_name = written.display_name,
            sort_name = app.fold(written.sort_name),
            emails = written.emails,
            phones = written.phones,
            addresses = written.addresses,
            urls = written.urls,
            im_handles = written.im_handles,
            birthday_year = written.birthday_year,
            birthday_month = written.birthday_month,
            birthday_day = written.birthday_day,
            anniversary_year = written.anniversary_year,
            anniversary_month = written.anniversary_month,
            anniversary_day = written.anniversary_day,
            organization_name = written.organization_name,
            job_title = written.job_title,
            notes = written.notes,
            photo_uri = written.photo_uri,
            custom_fields = written.custom_fields,
            extra_properties = written.extra_properties,
            keep_in_touch_days = written.keep_in_touch_days
        WHERE c.user_id = v_user AND c.id = survivor;
    END
    $$;
COMMENT ON FUNCTION app.write_survivor(uuid, jsonb, integer, timestamptz) IS
    'Writes columns of a contact of the bound tenant, given as JSON object; the others stay. revision: what its next one must exceed. updated_at: NULL for now.';


CREATE FUNCTION app.key_columns(keyed_table text) RETURNS text[] LANGUAGE sql STABLE
    AS $$
        SELECT array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = pg_catalog.to_regclass('public.' || pg_catalog.quote_ident(keyed_table)) AND i.indisprimary
            AND a.attname <> 'user_id'
    $$;
COMMENT ON FUNCTION app.key_columns(text) IS 'The columns of a table''s primary key, without the tenant.';


-- The statements are made of what app.contact_references() and the catalog say, and of nothing else.
CREATE FUNCTION app.move_to_survivor(merge uuid, survivor uuid, duplicates uuid[], moved_table text)
    RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        target text := format('public.%I', moved_table);
        keys text[] := app.key_columns(moved_table);
        columns text[];
        same text[];
        living text;
        key_order text;
        key_match text;
        of_these text;
        made_again text := 'false';
        moved_column text;
    BEGIN
        SELECT array_agg(r.column_name ORDER BY r.column_name), min(r.same), min(r.living) INTO columns, same, living
        FROM app.contact_references() AS r
        WHERE r.table_name = moved_table AND r.handling = 'MOVED';
        SELECT string_agg(format('t.%I', key), ', '), string_agg(format('t.%1$I = k.%1$I', key), ' AND ')
        INTO key_order, key_match
        FROM unnest(keys) AS key;
        SELECT string_agg(format('t.%I = ANY ($2)', name), ' OR ') INTO of_these FROM unnest(columns) AS name;

        -- Nobody adds a row, since the contacts are locked. Those that somebody is just changing are waited for here;
        -- the next statement sees what became of them.
        EXECUTE format(
            'SELECT FROM %s AS t WHERE t.user_id = $1 AND (%s) ORDER BY %s FOR UPDATE', target, of_these, key_order
        )
        USING v_user, survivor || duplicates;

        IF same IS NOT NULL THEN
            made_again := format(
                $again$
                    (%1$s) AND row_number() OVER (
                        PARTITION BY (%1$s), %2$s ORDER BY merge_rank NULLS FIRST, merge_key::text
                    ) > 1
                $again$,
                living, array_to_string(same, ', ')
            );
        END IF;
        -- `became` is the row as it would be at the survivor's. One that would tie the survivor to itself is dropped, and
        -- of several that would be the same all but the survivor's own, or else the first duplicate's.
        EXECUTE format(
            $insert$
                INSERT INTO public.contact_merge_rows (
                    user_id, merge_id, contact_id, position, table_name, column_name, outcome, row_key, kept
                )
                SELECT
                    $1, $3, (merge_row ->> merge_column)::uuid,
                    (SELECT count(*) FROM public.contact_merge_rows AS j WHERE j.user_id = $1 AND j.merge_id = $3)
                        + row_number() OVER (ORDER BY merge_rank, merge_key::text),
                    %1$L, merge_column, CASE WHEN merge_dropped THEN 'DROPPED' ELSE 'MOVED' END,
                    merge_key - merge_column,
                    CASE WHEN merge_dropped THEN merge_row ELSE (
                        SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(merge_row)
                        WHERE key IN ('created_at', 'updated_at', 'deleted_at')
                    ) END
                FROM (
                    SELECT
                        merge_row, merge_rank, merge_column, merge_key, (%2$s) OR (%3$s) AS merge_dropped
                    FROM (
                        SELECT
                            t AS merge_before, to_jsonb(t) AS merge_row, %4$s AS merge_rank, %5$s AS merge_column,
                            jsonb_build_object(%6$s) AS merge_key
                        FROM %7$s AS t
                        WHERE t.user_id = $1 AND (%8$s)
                    ) AS related
                    CROSS JOIN LATERAL jsonb_populate_record(merge_before, jsonb_build_object(%9$s)) AS became
                ) AS judged
                WHERE merge_rank IS NOT NULL
            $insert$,
            moved_table,
            CASE
                WHEN cardinality(columns) = 1 THEN 'false'
                ELSE format('became.%I = became.%I', columns[1], columns[2])
            END,
            made_again,
            (
                SELECT format('least(%s)', string_agg(format('array_position($4, t.%I)', name), ', '))
                FROM unnest(columns) AS name
            ),
            (
                SELECT format('CASE %s END', string_agg(format('WHEN t.%1$I = ANY ($4) THEN %1$L', name), ' '))
                FROM unnest(columns) AS name
            ),
            (SELECT string_agg(format('%1$L, t.%1$I', key), ', ') FROM unnest(keys) AS key),
            target,
            of_these,
            (
                SELECT string_agg(
                    format('%1$L, CASE WHEN (merge_before).%1$I = ANY ($4) THEN $5 ELSE (merge_before).%1$I END', name),
                    ', '
                )
                FROM unnest(columns) AS name
            )
        )
        USING v_user, survivor || duplicates, merge, duplicates, survivor;

        EXECUTE format(
            $delete$
                DELETE FROM %1$s AS t
                USING public.contact_merge_rows AS j CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, j.kept) AS k
                WHERE t.user_id = $1 AND j.user_id = $1 AND j.merge_id = $2 AND j.table_name = %2$L
                    AND j.outcome = 'DROPPED' AND %3$s
            $delete$,
            target, moved_table, key_match
        )
        USING v_user, merge;
        FOREACH moved_column IN ARRAY columns LOOP
            EXECUTE format(
                'UPDATE %1$s AS t SET %2$I = $2 WHERE t.user_id = $1 AND t.%2$I = ANY ($3)', target, moved_column
            )
            USING v_user, survivor, duplicates;
        END LOOP;
    END
    $$;
COMMENT ON FUNCTION app.move_to_survivor(uuid, uuid, uuid[], text) IS
    'Moves what a table holds of the bound tenant''s duplicates to the survivor, drops what that has already, and writes both down as part of the merge.';


CREATE FUNCTION app.merge_contacts(survivor uuid, duplicates uuid[], columns jsonb, pin smallint)
    RETURNS uuid LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        everyone uuid[] := survivor || duplicates;
        merge uuid;
        highest integer;
        found record;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- One merge of a tenant at a time: what one moves and another drops could not be undone otherwise. FOR UPDATE,
        -- so that not even a foreign key takes hold of a contact meanwhile. Each statement below sees what those have
        -- committed who were waited for.
        PERFORM pg_advisory_xact_lock(hashtextextended('merge ' || v_user, 0));
        PERFORM FROM public.contacts AS c WHERE c.user_id = v_user AND c.id = ANY (everyone) ORDER BY c.id FOR UPDATE;
        IF cardinality(everyone) <> (
            SELECT count(*) FROM public.contacts AS c
            WHERE c.user_id = v_user AND c.id = ANY (everyone) AND c.deleted_at IS NULL AND NOT c.processing_restricted
        ) THEN
            RAISE EXCEPTION 'not all of the contacts may be merged' USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;

        INSERT INTO public.contact_merges (
            user_id, survivor_id, survivor_updated_at, pinned, columns_before, columns_after
        )
        SELECT
            v_user, c.id, c.updated_at, pin,
            (SELECT coalesce(jsonb_object_agg(key, to_jsonb(c) -> key), '{}') FROM jsonb_object_keys(columns) AS key),
            '{}'
        FROM public.contacts AS c
        WHERE c.user_id = v_user AND c.id = survivor
        RETURNING id INTO merge;
        -- Deleting a duplicate counts as one more.
        SELECT max(c.revision) + 1 INTO highest
        FROM public.contacts AS c
        WHERE c.user_id = v_user AND c.id = ANY (everyone);
        PERFORM app.write_survivor(survivor, columns, highest, NULL);
        UPDATE public.contact_merges AS m
        SET columns_after = (
            SELECT coalesce(jsonb_object_agg(key, to_jsonb(c) -> key), '{}') FROM jsonb_object_keys(columns) AS key
        )
        FROM public.contacts AS c
        WHERE m.user_id = v_user AND m.id = merge AND c.user_id = v_user AND c.id = survivor;
        IF pin IS NOT NULL THEN
            UPDATE public.contact_strengths AS s SET pinned = pin WHERE s.user_id = v_user AND s.contact_id = survivor;
        END IF;

        FOR found IN
            SELECT DISTINCT r.table_name FROM app.contact_references() AS r WHERE r.handling = 'MOVED' ORDER BY 1
        LOOP
            PERFORM app.move_to_survivor(merge, survivor, duplicates, found.table_name);
        END LOOP;

        INSERT INTO public.contact_merge_rows (
            user_id, merge_id, contact_id, position, table_name, column_name, outcome, row_key, kept
        )
        SELECT
            v_user, merge, c.id, -array_position(duplicates, c.id), 'contacts', 'id', 'MERGED', '{}',
            jsonb_build_object('updated_at', c.updated_at)
        FROM public.contacts AS c
        WHERE c.user_id = v_user AND c.id = ANY (duplicates);
        UPDATE public.contacts AS c SET deleted_at = now() WHERE c.user_id = v_user AND c.id = ANY (duplicates);
        INSERT INTO public.contact_redirects (user_id, contact_id, survivor_id, merge_id)
        SELECT v_user, duplicate, survivor, merge FROM unnest(duplicates) AS duplicate;
        RETURN merge;
    END
    $$;
COMMENT ON FUNCTION app.merge_contacts(uuid, uuid[], jsonb, smallint) IS
    'Merges living, unrestricted contacts of the bound tenant into one, and returns the merge''s id. columns: those of the survivor that change, as JSON object. pin: the strength that it takes over, or NULL. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.merge_contacts(uuid, uuid[], jsonb, smallint) TO pmcrm_contacts;


CREATE FUNCTION app.move_back(merge uuid, survivor uuid, merged_at timestamptz, moved_table text)
    RETURNS TABLE (problem text, entity_id uuid, contact_id uuid)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        target text := format('public.%I', moved_table);
        -- What names the row in an answer: its id, or what else than the contact is in its key.
        entity text := '(SELECT value::uuid FROM jsonb_each_text(j.row_key) ORDER BY key <> ''id'' LIMIT 1)';
        of_merge text := format('j.user_id = $1 AND j.merge_id = $2 AND j.table_name = %L', moved_table);
        was_living text := 'j.kept ->> ''deleted_at'' IS NULL';
        key_match text;
        moved_column text;
        touched text;
        insertable text;
        inserted text;
        referable text;
    BEGIN
        SELECT string_agg(format('t.%1$I = k.%1$I', key), ' AND ') INTO key_match
        FROM unnest(app.key_columns(moved_table)) AS key;
        -- Where nobody has written the row since, it is again as old as it was; the others are touched by trigger.
        SELECT
            ', updated_at = CASE
                WHEN t.updated_at = $4 THEN (j.kept ->> ''updated_at'')::timestamptz ELSE t.updated_at
            END'
        INTO touched
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass(target) AND a.attname = 'updated_at';
        FOR moved_column IN
            SELECT r.column_name FROM app.contact_references() AS r
            WHERE r.table_name = moved_table AND r.handling = 'MOVED'
        LOOP
            EXECUTE format(
                $update$
                    UPDATE %1$s AS t SET %2$I = j.contact_id %3$s
                    FROM public.contact_merge_rows AS j
                    CROSS JOIN LATERAL jsonb_populate_record(
                        NULL::%1$s, j.row_key || jsonb_build_object(%2$L, $3)
                    ) AS k
                    WHERE t.user_id = $1 AND %4$s AND j.outcome = 'MOVED' AND j.column_name = %2$L
                        AND %5$s AND t.%2$I = $3
                        AND to_jsonb(t) -> 'created_at' IS NOT DISTINCT FROM j.kept -> 'created_at'
                $update$,
                target, moved_column, touched, of_merge, key_match
            )
            USING v_user, merge, survivor, merged_at;
            RETURN QUERY EXECUTE format(
                $gone$
                    SELECT 'GONE', %4$s, j.contact_id
                    FROM public.contact_merge_rows AS j
                    CROSS JOIN LATERAL jsonb_populate_record(
                        NULL::%1$s, j.row_key || jsonb_build_object(%2$L, j.contact_id)
                    ) AS k
                    LEFT JOIN %1$s AS t ON t.user_id = $1 AND %5$s
                    WHERE %3$s AND j.outcome = 'MOVED' AND j.column_name = %2$L AND %6$s
                        AND (t.user_id IS NULL OR to_jsonb(t) ->> 'deleted_at' IS NOT NULL)
                    ORDER BY j.position
                $gone$,
                target, moved_column, of_merge, entity, key_match, was_living
            )
            USING v_user, merge;
        END LOOP;

        -- Columns that were added since have their defaults.
        SELECT string_agg(format('%I', a.attname), ', '), string_agg(format('k.%I', a.attname), ', ')
        INTO insertable, inserted
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass(target) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            AND a.attname IN (
                SELECT jsonb_object_keys(first.kept)
                FROM (
                    SELECT j.kept FROM public.contact_merge_rows AS j
                    WHERE j.user_id = v_user AND j.merge_id = merge AND j.table_name = moved_table
                        AND j.outcome = 'DROPPED'
                    LIMIT 1
                ) AS first
            );
        IF insertable IS NULL THEN
            RETURN;
        END IF;
        SELECT coalesce(
            string_agg(
                format('(%s OR EXISTS (SELECT FROM %s AS p WHERE %s))', pairs.absent, f.confrelid::regclass, pairs.equal),
                ' AND '
            ),
            'true'
        )
        INTO referable
        FROM pg_constraint AS f
        CROSS JOIN LATERAL (
            SELECT
                string_agg(format('k.%I IS NULL', ours.attname), ' OR ') AS absent,
                string_agg(format('p.%I = k.%I', theirs.attname, ours.attname), ' AND ') AS equal
            FROM unnest(f.conkey, f.confkey) AS pair (ours, theirs)
            JOIN pg_attribute AS ours ON ours.attrelid = f.conrelid AND ours.attnum = pair.ours
            JOIN pg_attribute AS theirs ON theirs.attrelid = f.confrelid AND theirs.attnum = pair.theirs
        ) AS pairs
        WHERE f.conrelid = to_regclass(target) AND f.contype = 'f';
        RETURN QUERY EXECUTE format(
            $lost$
                SELECT 'REFERENCE_GONE', %3$s, j.contact_id
                FROM public.contact_merge_rows AS j CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, j.kept) AS k
                WHERE %2$s AND j.outcome = 'DROPPED' AND %4$s AND NOT (%5$s)
                ORDER BY j.position
            $lost$,
            target, of_merge, entity, was_living, referable
        )
        USING v_user, merge;
        EXECUTE format(
            $insert$
                INSERT INTO %1$s (%3$s)
                SELECT %4$s
                FROM public.contact_merge_rows AS j CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$s, j.kept) AS k
                WHERE %2$s AND j.outcome = 'DROPPED' AND (%5$s)
            $insert$,
            target, of_merge, insertable, inserted, referable
        )
        USING v_user, merge;
    END
    $$;
COMMENT ON FUNCTION app.move_back(uuid, uuid, timestamptz, text) IS
    'Gives the merged contacts back what a merge moved from them in a table, and adds again what it dropped. Returns what it could not: GONE or REFERENCE_GONE, the row''s id, the contact that had it.';


CREATE FUNCTION app.unmerge_contacts(merge uuid, columns jsonb, unpin boolean)
    RETURNS TABLE (problem text, entity text, entity_id uuid, contact_id uuid)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        undone public.contact_merges;
        restored uuid[];
        taken uuid[];
        highest integer;
        survivor_updated timestamptz;
        found record;
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended('merge ' || v_user, 0));
        SELECT * INTO undone FROM public.contact_merges AS m
        WHERE m.user_id = v_user AND m.id = merge AND m.undone_at IS NULL;
        SELECT array_agg(j.contact_id ORDER BY j.position DESC) INTO restored FROM public.contact_merge_rows AS j
        WHERE j.user_id = v_user AND j.merge_id = merge AND j.outcome = 'MERGED';
        IF undone.id IS NULL OR restored IS NULL THEN
            RAISE EXCEPTION 'no merge that could be undone' USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        PERFORM FROM public.contacts AS c
        WHERE c.user_id = v_user AND c.id = ANY (undone.survivor_id || restored)
        ORDER BY c.id
        FOR UPDATE;

        SELECT array_agg(c.id) INTO taken
        FROM public.contacts AS c
        WHERE c.user_id = v_user AND c.id = ANY (restored) AND EXISTS (
            SELECT FROM public.contacts AS other
            WHERE other.user_id = v_user AND other.source_uid = c.source_uid AND other.deleted_at IS NULL
        );
        RETURN QUERY SELECT 'TAKEN', 'source_uid', NULL::uuid, contact FROM unnest(taken) AS contact;
        SELECT c.revision, CASE WHEN c.updated_at = undone.created_at THEN undone.survivor_updated_at END
        INTO highest, survivor_updated
        FROM public.contacts AS c
        WHERE c.user_id = v_user AND c.id = undone.survivor_id;
        UPDATE public.contacts AS c
        SET deleted_at = NULL,
            revision = greatest(c.revision, highest),
            source_uid = CASE WHEN c.id = ANY (taken) THEN NULL ELSE c.source_uid END,
            updated_at = CASE WHEN c.id = ANY (taken) THEN c.updated_at ELSE (j.kept ->> 'updated_at')::timestamptz END
        FROM public.contact_merge_rows AS j
        WHERE c.user_id = v_user AND j.user_id = v_user AND j.merge_id = merge AND j.outcome = 'MERGED'
            AND c.id = j.contact_id;
        DELETE FROM public.contact_redirects AS r WHERE r.user_id = v_user AND r.contact_id = ANY (restored);

        FOR found IN
            SELECT r.table_name, min(r.kind) AS kind FROM app.contact_references() AS r
            WHERE r.handling = 'MOVED' GROUP BY 1 ORDER BY 1
        LOOP
            RETURN QUERY
                SELECT b.problem, found.kind, b.entity_id, b.contact_id
                FROM app.move_back(merge, undone.survivor_id, undone.created_at, found.table_name) AS b;
        END LOOP;

        PERFORM app.write_survivor(undone.survivor_id, columns, NULL, survivor_updated);
        IF unpin THEN
            UPDATE public.contact_strengths AS s SET pinned = NULL
            WHERE s.user_id = v_user AND s.contact_id = undone.survivor_id;
        END IF;
        UPDATE public.contact_merges AS m SET undone_at = now(), columns_before = '{}', columns_after = '{}'
        WHERE m.user_id = v_user AND m.id = merge;
        DELETE FROM public.contact_merge_rows AS j WHERE j.user_id = v_user AND j.merge_id = merge;
    END
    $$;
COMMENT ON FUNCTION app.unmerge_contacts(uuid, jsonb, boolean) IS
    'Undoes a merge of the bound tenant, on which no later one rests, and returns what could not be put back. columns: those of the survivor that are written back, as JSON object. unpin: whether it gives up the strength that it took over. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.unmerge_contacts(uuid, jsonb, boolean) TO pmcrm_contacts;
