-- Which contacts match a query in web-search syntax, best first; see app.search_contacts.
--   $2 the query   $3 the same for names alone   $4 a tsquery of digits, any of which is as good; empty for none
--   $5 what may be misspelt   $6 least strength   $7, $8 last contact from, before   $9, $10 all of these tags, any of
--   these tags   $11 current organization   $12 how many are ranked
PREPARE search_contacts_web (
    uuid, text, text, text, text, smallint, timestamptz, timestamptz, uuid[], uuid[], uuid, integer
) AS
SELECT contact_id AS id, score, fuzzy
FROM app.search_contacts(
    websearch_to_tsquery('pg_catalog.simple', app.fold($2)) || to_tsquery('pg_catalog.simple', $4),
    websearch_to_tsquery('pg_catalog.simple', app.fold($3)),
    app.fold($5), $6, $7, $8, $9, $10, $11, $12
)
WHERE $1 IS NOT NULL;

-- Which contacts match a query in tsquery syntax, best first; the parameters are the same.
PREPARE search_contacts_tsquery (
    uuid, text, text, text, text, smallint, timestamptz, timestamptz, uuid[], uuid[], uuid, integer
) AS
SELECT contact_id AS id, score, fuzzy
FROM app.search_contacts(
    to_tsquery('pg_catalog.simple', app.fold($2)) || to_tsquery('pg_catalog.simple', $4),
    to_tsquery('pg_catalog.simple', app.fold($3)),
    app.fold($5), $6, $7, $8, $9, $10, $11, $12
)
WHERE $1 IS NOT NULL;

-- The contacts that a search found, and in which of their fields any of its words stands ($3 in web-search syntax, $4 a
-- tsquery of digits).
PREPARE found_contacts (uuid, uuid[], text, text) AS
SELECT
    *,
    app.matched_contact_fields(
        websearch_to_tsquery('pg_catalog.simple', app.fold($3)) || to_tsquery('pg_catalog.simple', $4),
        display_name, given_name, family_name, additional_names, phonetic_given_name, phonetic_family_name, nickname,
        organization_name,
        (
            SELECT string_agg(concat_ws(' ǁǁ ', name, array_to_string(aliases, ' ǁǁ ')), ' ǁǁ ')
            FROM current_employments
            WHERE user_id = $1 AND contact_id = id_key
        ),
        job_title, emails, phones, notes
    ) AS matched_fields
FROM contact_rows
WHERE user_id = $1 AND id_key = ANY ($2);
