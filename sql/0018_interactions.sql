-- Interactions: what happened between a user and contacts, and who took part. Columns are named for the fields of
-- pmcrm.interactions.v1.Interaction and Participant; values of enums are theirs without the prefix.

CREATE TABLE interactions (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT app.uuid_v7(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    integration_id uuid,
    revision integer NOT NULL DEFAULT 1,
    type text NOT NULL CHECK (type IN ('EMAIL', 'MEETING', 'CALL', 'MESSAGE', 'NOTE', 'GIFT', 'EVENT', 'OTHER')),
    direction text CHECK (direction IN ('INBOUND', 'OUTBOUND', 'MUTUAL')),
    duration interval CHECK (duration BETWEEN '0' AND '31 days'),
    subject text CHECK (subject <> ''),
    body text CHECK (body <> ''),
    location text CHECK (location <> ''),
    channel text CHECK (channel <> ''),
    language text CHECK (language <> ''),
    sentiment_score double precision CHECK (sentiment_score BETWEEN -1 AND 1),
    sentiment_label text CHECK (sentiment_label IN ('NEGATIVE', 'NEUTRAL', 'POSITIVE')),
    topics text[] CHECK (topics <> '{}'),
    computed_language text CHECK (computed_language <> ''),
    computed_sentiment double precision CHECK (computed_sentiment BETWEEN -1 AND 1),
    computed_topics text[] CHECK (computed_topics <> '{}'),
    custom_fields jsonb CHECK (jsonb_typeof(custom_fields) = 'object' AND custom_fields <> '{}'),
    source_uid text CHECK (source_uid <> ''),
    thread_uid text CHECK (thread_uid <> ''),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, integration_id) REFERENCES integrations (user_id, id),
    CHECK ((sentiment_score IS NULL) = (sentiment_label IS NULL))
);
COMMENT ON TABLE interactions IS
    'What happened between the user and contacts, or what the user noted about them. What is absent is NULL, never an empty text or list.';
COMMENT ON COLUMN interactions.deleted_at IS 'When it was deleted; purged a grace period later.';
COMMENT ON COLUMN interactions.occurred_at IS 'When it happened or began; in the future, what is planned.';
COMMENT ON COLUMN interactions.integration_id IS 'The integration that brought it. No ON DELETE: what an integration brought is purged before it.';
COMMENT ON COLUMN interactions.revision IS 'Counts changes; the etag is made from it.';
COMMENT ON COLUMN interactions.language IS 'As it was given, a BCP 47 tag; so sentiment and topics. What was found in the text is in computed_….';
COMMENT ON COLUMN interactions.computed_language IS
    'Found in subject and body when they were written, and never audited; shown where none was given. So sentiment and topics.';
COMMENT ON COLUMN interactions.source_uid IS 'The record''s id where it came from; unique among the tenant''s living interactions.';
COMMENT ON COLUMN interactions.thread_uid IS 'What ties messages of one conversation together where they came from.';

CREATE INDEX interactions_occurred_idx ON interactions (user_id, occurred_at, id);
CREATE INDEX interactions_created_idx ON interactions (user_id, created_at, id);
CREATE UNIQUE INDEX interactions_source_uid_key ON interactions (user_id, source_uid)
    WHERE deleted_at IS NULL AND source_uid IS NOT NULL;
CREATE INDEX interactions_thread_idx ON interactions (user_id, thread_uid, occurred_at, id) WHERE thread_uid IS NOT NULL;
CREATE INDEX interactions_integration_idx ON interactions (user_id, integration_id, occurred_at, id)
    WHERE integration_id IS NOT NULL;

ALTER TABLE interactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE interactions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON interactions
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER touch BEFORE UPDATE ON interactions FOR EACH ROW EXECUTE FUNCTION app.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON interactions
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'interactions', 'user_id', 'id', 'updated_at', 'revision', 'computed_language', 'computed_sentiment', 'computed_topics'
    );

GRANT SELECT, INSERT ON interactions TO pmcrm_interactions;
GRANT UPDATE (
    updated_at, deleted_at, occurred_at, integration_id, type, direction, duration, subject, body, location, channel, language,
    sentiment_score, sentiment_label, topics, computed_language, computed_sentiment, computed_topics, custom_fields, source_uid,
    thread_uid
) ON interactions TO pmcrm_interactions;
-- NOTE: update of user_id, id, created_at and revision is not granted, because they never change by hand. Delete is granted
-- to no service: deleting sets deleted_at, and the purge runs as pmcrm_service.
GRANT SELECT, DELETE ON interactions TO pmcrm_service;


CREATE TABLE interaction_participants (
    user_id uuid NOT NULL,
    interaction_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    position smallint NOT NULL DEFAULT 0 CHECK (position >= 0),
    deleted boolean NOT NULL,
    role text CHECK (role IN ('SENDER', 'RECIPIENT', 'COPIED', 'ORGANIZER', 'ATTENDEE', 'MENTIONED')),
    type text NOT NULL,
    direction text,
    PRIMARY KEY (user_id, interaction_id, contact_id),
    FOREIGN KEY (user_id, interaction_id) REFERENCES interactions (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE interaction_participants IS
    'Which contacts took part in which interactions. What a contact''s timeline and strength ask of an interaction is copied here by trigger, so that they are a range of one index.';
COMMENT ON COLUMN interaction_participants.position IS 'The place among the participants, as they were given. A merge leaves gaps.';
COMMENT ON COLUMN interaction_participants.occurred_at IS 'Copied from the interaction; so type, direction, and whether it is deleted.';

-- A contact's timeline, and what its strength rests on.
CREATE INDEX interaction_participants_timeline_idx
    ON interaction_participants (user_id, contact_id, occurred_at, interaction_id);

ALTER TABLE interaction_participants ENABLE ROW LEVEL SECURITY;
ALTER TABLE interaction_participants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON interaction_participants
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON interaction_participants
    FOR EACH ROW EXECUTE FUNCTION app.audit_row(
        'interaction_participants', 'user_id', 'contact_id', 'occurred_at', 'type', 'direction', 'deleted'
    );

GRANT SELECT, INSERT (user_id, interaction_id, contact_id, position, role), UPDATE (position, role), DELETE
    ON interaction_participants TO pmcrm_interactions;
-- NOTE: the copied columns are granted to nobody: the triggers below fill them. Nor is update of contact_id: merging moves it.
GRANT SELECT, DELETE ON interaction_participants TO pmcrm_service;


CREATE FUNCTION app.fill_participant() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
    AS $$
    BEGIN
        SELECT i.occurred_at, i.type, i.direction, i.deleted_at IS NOT NULL
        INTO NEW.occurred_at, NEW.type, NEW.direction, NEW.deleted
        FROM interactions AS i
        WHERE i.user_id = NEW.user_id AND i.id = NEW.interaction_id;
        IF NOT FOUND THEN
            -- The policy or the foreign key refuses the row, and says why.
            NEW.occurred_at := '-infinity';
            NEW.type := '';
            NEW.deleted := true;
        END IF;
        RETURN NEW;
    END
    $$;
COMMENT ON FUNCTION app.fill_participant() IS 'BEFORE INSERT row trigger: copies from the interaction what its participants hold of it.';
CREATE TRIGGER fill BEFORE INSERT ON interaction_participants FOR EACH ROW EXECUTE FUNCTION app.fill_participant();

CREATE FUNCTION app.check_tenant(tenant uuid) RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
    BEGIN
        IF tenant IS DISTINCT FROM app.current_user_id() THEN
            RAISE EXCEPTION 'tenant % is not bound to this transaction', tenant USING ERRCODE = 'insufficient_privilege';
        END IF;
    END
    $$;
COMMENT ON FUNCTION app.check_tenant(uuid) IS
    'Raises unless this transaction is bound to the tenant: what is derived from its rows would otherwise be derived from none.';
GRANT EXECUTE ON FUNCTION app.check_tenant(uuid)
    TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr, pmcrm_service;

-- AFTER UPDATE statement trigger. Owned by pmcrm_owner, since nobody else may write the copies; FORCE ROW LEVEL SECURITY
-- keeps it to the bound tenant. Contacts are locked before their rows here, as merging does.
CREATE FUNCTION app.copy_to_participants() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        changed record;
    BEGIN
        FOR changed IN
            SELECT n.user_id, array_agg(n.id) AS ids
            FROM new_interactions AS n
            JOIN old_interactions AS o ON o.user_id = n.user_id AND o.id = n.id
            WHERE (n.occurred_at, n.type, n.direction, n.deleted_at IS NULL)
                IS DISTINCT FROM (o.occurred_at, o.type, o.direction, o.deleted_at IS NULL)
            GROUP BY n.user_id
        LOOP
            PERFORM app.check_tenant(changed.user_id);
            PERFORM FROM public.contacts AS c
            WHERE c.user_id = changed.user_id AND c.id IN (
                SELECT p.contact_id FROM public.interaction_participants AS p
                WHERE p.user_id = changed.user_id AND p.interaction_id = ANY (changed.ids)
            )
            ORDER BY c.id
            FOR NO KEY UPDATE;
            UPDATE public.interaction_participants AS p
            SET occurred_at = i.occurred_at, type = i.type, direction = i.direction, deleted = i.deleted_at IS NOT NULL
            FROM public.interactions AS i
            WHERE i.user_id = changed.user_id AND i.id = ANY (changed.ids)
                AND p.user_id = changed.user_id AND p.interaction_id = i.id;
        END LOOP;
        RETURN NULL;
    END
    $$;
COMMENT ON FUNCTION app.copy_to_participants() IS
    'AFTER UPDATE statement trigger: keeps what participants hold of their interactions. Raises when the tenant is not bound.';
CREATE TRIGGER copy AFTER UPDATE ON interactions
    REFERENCING OLD TABLE AS old_interactions NEW TABLE AS new_interactions
    FOR EACH STATEMENT EXECUTE FUNCTION app.copy_to_participants();


-- How interactions are answered. Correlated subqueries, so that they are run for the rows that are answered alone.
CREATE VIEW interaction_rows WITH (security_invoker = true) AS
SELECT
    i.user_id,
    i.id AS id_key,
    i.id::text AS id,
    'INTERACTION_TYPE_' || i.type AS type,
    'INTERACTION_DIRECTION_' || i.direction AS direction,
    i.occurred_at AS occur_time,
    i.duration,
    i.subject,
    i.body,
    i.location,
    i.channel,
    (
        SELECT jsonb_agg(
            jsonb_build_object(
                'contact_id', p.contact_id,
                'role', 'PARTICIPANT_ROLE_' || coalesce(p.role, 'UNSPECIFIED'),
                'contact', CASE
                    WHEN s.deleted OR s.processing_restricted THEN jsonb_build_object('id', p.contact_id) ELSE s.summary
                END
            ) ORDER BY p.position, p.contact_id
        )
        FROM interaction_participants AS p
        JOIN contact_summaries AS s ON s.user_id = p.user_id AND s.contact_id = p.contact_id
        WHERE p.user_id = i.user_id AND p.interaction_id = i.id
    ) AS participants,
    i.sentiment_score,
    i.sentiment_label,
    i.computed_sentiment,
    i.topics AS given_topics,
    i.computed_topics,
    i.language AS given_language,
    i.computed_language,
    i.custom_fields,
    i.source_uid,
    i.thread_uid,
    i.integration_id::text AS integration_id,
    i.created_at AS create_time,
    i.updated_at AS update_time,
    i.deleted_at AS delete_time,
    i.revision::text AS etag
FROM interactions AS i;
COMMENT ON VIEW interaction_rows IS
    'Interactions as they are answered; participants is a JSON array of objects keyed as pmcrm.interactions.v1.Participant. id is text for the answer, id_key for conditions.';
GRANT SELECT ON interaction_rows TO pmcrm_interactions;
GRANT SELECT ON contact_summaries TO pmcrm_interactions;


-- Which interactions a list shows. EXECUTE plans each list for its own arguments: filters that are NULL then cost nothing,
-- and one that finds little is looked up in its index. Nothing is put into the text but an operator, a direction and a
-- column's name.
CREATE FUNCTION app.list_interactions(
    of_contacts uuid[], of_everyone uuid[], of_anyone uuid[], of_types text[], of_direction text, occurred_from timestamptz,
    occurred_before timestamptz, of_thread text, of_integration uuid, with_deleted boolean, by_creation boolean,
    descending boolean, last_position timestamptz, last_id uuid, most integer, skipped integer
) RETURNS TABLE (interaction_id uuid, place timestamptz)
    LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        beyond text := CASE WHEN descending THEN '<' ELSE '>' END;
        sorted text := CASE WHEN descending THEN 'DESC' ELSE 'ASC' END;
        ordering text := CASE WHEN by_creation THEN 'created_at' ELSE 'occurred_at' END;
        -- The position of the last row shown, or one before all rows.
        from_position timestamptz := coalesce(
            last_position, CASE WHEN descending THEN 'infinity' ELSE '-infinity' END::timestamptz
        );
        from_id uuid := coalesce(last_id, CASE
            WHEN descending THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE '00000000-0000-0000-0000-000000000000'
        END::uuid);
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF of_contacts IS NOT NULL AND NOT by_creation THEN
            -- A range of each contact's timeline, from where the page begins.
            RETURN QUERY EXECUTE format(
                $list$
                SELECT DISTINCT ON (taken.occurred_at, taken.interaction_id) taken.interaction_id, taken.occurred_at
                FROM unnest($2) AS asked (contact_id)
                CROSS JOIN LATERAL (
                    SELECT p.occurred_at, p.interaction_id
                    FROM public.interaction_participants AS p
                    WHERE p.user_id = $1 AND p.contact_id = asked.contact_id
                        AND (p.occurred_at, p.interaction_id) %1$s ($12, $13)
                        AND ($7 IS NULL OR p.occurred_at >= $7)
                        AND ($8 IS NULL OR p.occurred_at < $8)
                        AND ($11 OR NOT p.deleted)
                        AND ($5 IS NULL OR p.type = ANY ($5))
                        AND ($6 IS NULL OR p.direction = $6)
                        AND ($3 IS NULL OR NOT EXISTS (
                            SELECT FROM unnest($3) AS wanted (contact_id)
                            WHERE NOT EXISTS (
                                SELECT FROM public.interaction_participants AS q
                                WHERE q.user_id = $1 AND q.interaction_id = p.interaction_id
                                    AND q.contact_id = wanted.contact_id
                            )
                        ))
                        AND ($4 IS NULL OR EXISTS (
                            SELECT FROM public.interaction_participants AS q
                            WHERE q.user_id = $1 AND q.interaction_id = p.interaction_id AND q.contact_id = ANY ($4)
                        ))
                        AND ($9 IS NULL AND $10 IS NULL OR EXISTS (
                            SELECT FROM public.interactions AS i
                            WHERE i.user_id = $1 AND i.id = p.interaction_id
                                AND ($9 IS NULL OR i.thread_uid = $9)
                                AND ($10 IS NULL OR i.integration_id = $10)
                        ))
                    ORDER BY p.occurred_at %2$s, p.interaction_id %2$s
                    LIMIT $14 + $15
                ) AS taken
                ORDER BY taken.occurred_at %2$s, taken.interaction_id %2$s
                LIMIT $14 OFFSET $15
                $list$, beyond, sorted
            )
            USING v_user, of_contacts, of_everyone, of_anyone, of_types, of_direction, occurred_from, occurred_before, of_thread,
                of_integration, with_deleted, from_position, from_id, most, skipped;
            RETURN;
        END IF;
        RETURN QUERY EXECUTE format(
            $list$
            SELECT i.id, i.%3$I
            FROM public.interactions AS i
            WHERE i.user_id = $1 AND (i.%3$I, i.id) %1$s ($12, $13)
                AND ($7 IS NULL OR i.occurred_at >= $7)
                AND ($8 IS NULL OR i.occurred_at < $8)
                AND ($11 OR i.deleted_at IS NULL)
                AND ($5 IS NULL OR i.type = ANY ($5))
                AND ($6 IS NULL OR i.direction = $6)
                AND ($9 IS NULL OR i.thread_uid = $9)
                AND ($10 IS NULL OR i.integration_id = $10)
                AND ($2 IS NULL OR EXISTS (
                    SELECT FROM public.interaction_participants AS p
                    WHERE p.user_id = $1 AND p.interaction_id = i.id AND p.contact_id = ANY ($2)
                ))
                AND ($3 IS NULL OR NOT EXISTS (
                    SELECT FROM unnest($3) AS wanted (contact_id)
                    WHERE NOT EXISTS (
                        SELECT FROM public.interaction_participants AS p
                        WHERE p.user_id = $1 AND p.interaction_id = i.id AND p.contact_id = wanted.contact_id
                    )
                ))
                AND ($4 IS NULL OR EXISTS (
                    SELECT FROM public.interaction_participants AS p
                    WHERE p.user_id = $1 AND p.interaction_id = i.id AND p.contact_id = ANY ($4)
                ))
                -- Contacts that were named are not restricted. Else one that took part must not be; a scalar subquery, since
                -- EXISTS may be planned as a hash of everybody's participations.
                AND ($2 IS NOT NULL OR (
                    SELECT NOT coalesce(bool_and(c.processing_restricted), false)
                    FROM public.interaction_participants AS p
                    JOIN public.contacts AS c ON c.user_id = p.user_id AND c.id = p.contact_id
                    WHERE p.user_id = $1 AND p.interaction_id = i.id
                ))
            ORDER BY i.%3$I %2$s, i.id %2$s
            LIMIT $14 OFFSET $15
            $list$, beyond, sorted, ordering
        )
        USING v_user, of_contacts, of_everyone, of_anyone, of_types, of_direction, occurred_from, occurred_before, of_thread,
            of_integration, with_deleted, from_position, from_id, most, skipped;
    END
    $$;
COMMENT ON FUNCTION app.list_interactions(
    uuid[], uuid[], uuid[], text[], text, timestamptz, timestamptz, text, uuid, boolean, boolean, boolean, timestamptz, uuid,
    integer, integer
) IS
    'The bound tenant''s interactions (id, occurred_at or created_at) in that order. Of any of `of_contacts`, of all of `of_everyone` and of any of `of_anyone`; who is in the latter two must be in the first as well, at least one. Arguments that are NULL filter nothing. Begins after (last_position, last_id), passes `skipped` over, ends after `most`. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.list_interactions(
    uuid[], uuid[], uuid[], text[], text, timestamptz, timestamptz, text, uuid, boolean, boolean, boolean, timestamptz, uuid,
    integer, integer
) TO pmcrm_interactions;


-- New contacts among participants. Owned by pmcrm_owner, so that interactions need no right to write contacts; FORCE ROW
-- LEVEL SECURITY keeps it to the bound tenant.
CREATE FUNCTION app.create_contacts(given jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
    DECLARE
        v_user uuid := app.current_user_id();
        pinned_ids uuid[];
        pinned_strengths smallint[];
    BEGIN
        IF v_user IS NULL THEN
            RAISE EXCEPTION 'no tenant is bound to this transaction' USING ERRCODE = 'insufficient_privilege';
        END IF;
        INSERT INTO public.contacts (
            user_id, id, given_name, family_name, additional_names, honorific_prefixes, honorific_suffixes,
            phonetic_given_name, phonetic_family_name, nickname, display_name, sort_name, emails, phones, addresses, urls,
            im_handles, birthday_year, birthday_month, birthday_day, anniversary_year, anniversary_month, anniversary_day,
            organization_name, job_title, notes, photo_uri, custom_fields, extra_properties, keep_in_touch_days, source_uid,
            source_created_at, source_updated_at
        )
        SELECT
            v_user, id, given_name, family_name, additional_names, honorific_prefixes, honorific_suffixes,
            phonetic_given_name, phonetic_family_name, nickname, display_name, app.fold(sort_name), emails, phones,
            addresses, urls, im_handles, birthday_year, birthday_month, birthday_day, anniversary_year, anniversary_month,
            anniversary_day, organization_name, job_title, notes, photo_uri, custom_fields, extra_properties,
            keep_in_touch_days, source_uid, source_created_at, source_updated_at
        FROM jsonb_to_recordset(given) AS given (
            id uuid, given_name text, family_name text, additional_names text, honorific_prefixes text,
            honorific_suffixes text, phonetic_given_name text, phonetic_family_name text, nickname text, display_name text,
            sort_name text, emails jsonb, phones jsonb, addresses jsonb, urls jsonb, im_handles jsonb,
            birthday_year smallint, birthday_month smallint, birthday_day smallint, anniversary_year smallint,
            anniversary_month smallint, anniversary_day smallint, organization_name text, job_title text, notes text,
            photo_uri text, custom_fields jsonb, extra_properties text[], keep_in_touch_days smallint, source_uid text,
            source_created_at timestamptz, source_updated_at timestamptz
        );
        SELECT array_agg(id), array_agg(relationship_strength)
        INTO pinned_ids, pinned_strengths
        FROM jsonb_to_recordset(given) AS given (id uuid, relationship_strength smallint)
        WHERE relationship_strength IS NOT NULL;
        UPDATE public.contact_strengths AS s
        SET pinned = given.strength
        FROM unnest(pinned_ids, pinned_strengths) AS given (contact_id, strength)
        WHERE s.user_id = v_user AND s.contact_id = given.contact_id;
    END
    $$;
COMMENT ON FUNCTION app.create_contacts(jsonb) IS
    'Creates contacts of the bound tenant: a JSON array of objects keyed as the columns of contacts, beside them relationship_strength, set by hand, or null. Raises without a tenant.';
GRANT EXECUTE ON FUNCTION app.create_contacts(jsonb) TO pmcrm_interactions;


-- As before, and participants beside the others.
CREATE OR REPLACE FUNCTION app.contact_references()
    RETURNS TABLE (table_name text, column_name text, handling text, kind text, same text[], living text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
    AS $$
        VALUES
            ('contact_strengths', 'contact_id', 'STAYS', NULL, NULL::text[], NULL),
            ('contact_merges', 'survivor_id', 'STAYS', NULL, NULL, NULL),
            ('contact_merge_rows', 'contact_id', 'STAYS', NULL, NULL, NULL),
            ('contact_redirects', 'survivor_id', 'MOVED', NULL, NULL, 'true'),
            ('contact_tags', 'contact_id', 'MOVED', 'tags', '{contact_id,tag_id}', 'true'),
            ('interaction_participants', 'contact_id', 'MOVED', 'interactions', '{contact_id,interaction_id}', 'true'),
            (
                'contact_employments', 'contact_id', 'MOVED', 'employments',
                '{contact_id,organization_id,job_title,department,location,notes,start_year,start_month,start_day,end_year,end_month,end_day,is_current}',
                'deleted_at IS NULL'
            ),
            (
                'contact_links', 'contact_id', 'MOVED', 'contact_links',
                ARRAY[
                    'type',
                    'CASE WHEN app.is_directed(type) THEN contact_id ELSE least(contact_id, related_contact_id) END',
                    'CASE WHEN app.is_directed(type) THEN related_contact_id ELSE greatest(contact_id, related_contact_id) END'
                ],
                'deleted_at IS NULL'
            ),
            (
                'contact_links', 'related_contact_id', 'MOVED', 'contact_links',
                ARRAY[
                    'type',
                    'CASE WHEN app.is_directed(type) THEN contact_id ELSE least(contact_id, related_contact_id) END',
                    'CASE WHEN app.is_directed(type) THEN related_contact_id ELSE greatest(contact_id, related_contact_id) END'
                ],
                'deleted_at IS NULL'
            )
    $$;
