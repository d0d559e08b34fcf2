-- Gets organizations, deleted or not, in no order. Counted are people, not employments: whoever has a current one works
-- here. Nobody is counted in a deleted organization, whose employments are hidden.
PREPARE get_organizations (uuid, uuid[]) AS
SELECT
    o.id::text AS id,
    o.name,
    o.aliases,
    o.domains,
    o.website,
    o.industry,
    o.location,
    o.description,
    o.notes,
    o.custom_fields,
    o.enrichments,
    people.current_contact_count,
    people.former_contact_count,
    o.created_at AS create_time,
    o.updated_at AS update_time,
    o.deleted_at AS delete_time,
    o.revision::text AS etag
FROM organizations AS o
LEFT JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE person.works_here) AS current_contact_count,
        count(*) FILTER (WHERE NOT person.works_here) AS former_contact_count
    FROM (
        SELECT bool_or(e.is_current) AS works_here
        FROM contact_employments AS e
        JOIN contacts AS c ON c.user_id = $1 AND c.id = e.contact_id
        WHERE e.user_id = $1 AND e.organization_id = o.id
            AND e.deleted_at IS NULL AND c.deleted_at IS NULL AND NOT c.processing_restricted
        GROUP BY e.contact_id
    ) AS person
) AS people ON o.deleted_at IS NULL
WHERE o.user_id = $1 AND o.id = ANY ($2);

-- Locks a living organization until the transaction ends, so that what is read next is what the update changes.
PREPARE lock_organization (uuid, uuid) AS
SELECT id
FROM organizations
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- Keeps a living organization from being deleted until the transaction ends. Others may keep it too.
PREPARE hold_organization (uuid, uuid) AS
SELECT id
FROM organizations
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
FOR SHARE;

-- Finds an organization, deleted or not.
PREPARE find_organization (uuid, uuid) AS
SELECT id
FROM organizations
WHERE user_id = $1 AND id = $2;

-- Creates an organization.
PREPARE create_organization (uuid, jsonb) AS
INSERT INTO organizations (
    user_id, name, name_key, sort_name, aliases, domains, website, industry, location, description, notes, custom_fields,
    enrichments
)
SELECT
    $1, name, name_key, app.fold(name), aliases, domains, website, industry, location, description, notes, custom_fields,
    enrichments
FROM jsonb_to_record($2) AS given (
    name text, name_key text, aliases text[], domains text[], website text, industry text, location text,
    description text, notes text, custom_fields jsonb, enrichments jsonb
)
RETURNING id;

-- Replaces what a caller may write of one organization.
PREPARE update_organization (uuid, uuid, jsonb) AS
UPDATE organizations SET
    name = given.name,
    name_key = given.name_key,
    sort_name = app.fold(given.name),
    aliases = given.aliases,
    domains = given.domains,
    website = given.website,
    industry = given.industry,
    location = given.location,
    description = given.description,
    notes = given.notes,
    custom_fields = given.custom_fields,
    enrichments = given.enrichments
FROM jsonb_to_record($3) AS given (
    name text, name_key text, aliases text[], domains text[], website text, industry text, location text,
    description text, notes text, custom_fields jsonb, enrichments jsonb
)
WHERE organizations.user_id = $1 AND organizations.id = $2
RETURNING organizations.id;

-- Deletes a living organization, if it is still the version expected; NULL expects any.
PREPARE delete_organization (uuid, uuid, bigint) AS
UPDATE organizations SET deleted_at = now()
WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;

-- Brings back a deleted organization, if it is still the version expected; NULL expects any.
PREPARE undelete_organization (uuid, uuid, bigint) AS
UPDATE organizations SET deleted_at = NULL
WHERE user_id = $1 AND id = $2 AND deleted_at IS NOT NULL AND ($3 IS NULL OR revision = $3)
RETURNING id;

-- Pages of organizations: their ids, and where the page ends. The parameters are the same in all of them:
--   $1 tenant   $2, $3 position and id of the last row shown, NULL for the first page   $4 limit   $5 offset
--   $6 deleted ones too   $7 words that all must occur   $8 domain
-- A NULL filter filters nothing.

-- By name.
PREPARE list_organizations_by_name (uuid, text, uuid, integer, integer, boolean, text[], text) AS
SELECT id, sort_name::text AS position
FROM organizations
WHERE user_id = $1
    AND (sort_name, id) > ((SELECT coalesce($2, '')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR deleted_at IS NULL)
    AND ($7 IS NULL OR app.holds_words($7, name, array_to_string(aliases, ' '), array_to_string(domains, ' '), NULL))
    AND ($8 IS NULL OR $8 = ANY (domains))
ORDER BY sort_name, id
LIMIT $4 OFFSET $5;

-- By name, backwards.
PREPARE list_organizations_by_name_desc (uuid, text, uuid, integer, integer, boolean, text[], text) AS
SELECT id, sort_name::text AS position
FROM organizations
WHERE user_id = $1
    AND (sort_name, id) < ((SELECT coalesce($2, app.name_order_end())), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR deleted_at IS NULL)
    AND ($7 IS NULL OR app.holds_words($7, name, array_to_string(aliases, ' '), array_to_string(domains, ' '), NULL))
    AND ($8 IS NULL OR $8 = ANY (domains))
ORDER BY sort_name DESC, id DESC
LIMIT $4 OFFSET $5;

-- Oldest first.
PREPARE list_organizations_by_create_time (uuid, text, uuid, integer, integer, boolean, text[], text) AS
SELECT id, created_at::text AS position
FROM organizations
WHERE user_id = $1
    AND (created_at, id)
        > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR deleted_at IS NULL)
    AND ($7 IS NULL OR app.holds_words($7, name, array_to_string(aliases, ' '), array_to_string(domains, ' '), NULL))
    AND ($8 IS NULL OR $8 = ANY (domains))
ORDER BY created_at, id
LIMIT $4 OFFSET $5;

-- Newest first.
PREPARE list_organizations_by_create_time_desc (uuid, text, uuid, integer, integer, boolean, text[], text) AS
SELECT id, created_at::text AS position
FROM organizations
WHERE user_id = $1
    AND (created_at, id)
        < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR deleted_at IS NULL)
    AND ($7 IS NULL OR app.holds_words($7, name, array_to_string(aliases, ' '), array_to_string(domains, ' '), NULL))
    AND ($8 IS NULL OR $8 = ANY (domains))
ORDER BY created_at DESC, id DESC
LIMIT $4 OFFSET $5;

-- Longest unchanged first.
PREPARE list_organizations_by_update_time (uuid, text, uuid, integer, integer, boolean, text[], text) AS
SELECT id, updated_at::text AS position
FROM organizations
WHERE user_id = $1
    AND (updated_at, id)
        > ((SELECT coalesce($2::timestamptz, '-infinity')), (SELECT coalesce($3, '00000000-0000-0000-0000-000000000000')))
    AND ($6 OR deleted_at IS NULL)
    AND ($7 IS NULL OR app.holds_words($7, name, array_to_string(aliases, ' '), array_to_string(domains, ' '), NULL))
    AND ($8 IS NULL OR $8 = ANY (domains))
ORDER BY updated_at, id
LIMIT $4 OFFSET $5;

-- Last changed first.
PREPARE list_organizations_by_update_time_desc (uuid, text, uuid, integer, integer, boolean, text[], text) AS
SELECT id, updated_at::text AS position
FROM organizations
WHERE user_id = $1
    AND (updated_at, id)
        < ((SELECT coalesce($2::timestamptz, 'infinity')), (SELECT coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')))
    AND ($6 OR deleted_at IS NULL)
    AND ($7 IS NULL OR app.holds_words($7, name, array_to_string(aliases, ' '), array_to_string(domains, ' '), NULL))
    AND ($8 IS NULL OR $8 = ANY (domains))
ORDER BY updated_at DESC, id DESC
LIMIT $4 OFFSET $5;

-- Counts what a list would show.
PREPARE count_organizations (uuid, boolean, text[], text) AS
SELECT count(*)
FROM organizations
WHERE user_id = $1
    AND ($2 OR deleted_at IS NULL)
    AND ($3 IS NULL OR app.holds_words($3, name, array_to_string(aliases, ' '), array_to_string(domains, ' '), NULL))
    AND ($4 IS NULL OR $4 = ANY (domains));
