-- Which interactions match a query in web-search syntax, best first; see app.search_interactions.
--   $2 the query   $3 what may be misspelt   $4, $5 all of these contacts, any of these   $6 types   $7 direction
--   $8, $9 from, before   $10 how many are ranked
PREPARE search_interactions_web (
    uuid, text, text, uuid[], uuid[], text[], text, timestamptz, timestamptz, integer
) AS
SELECT interaction_id AS id, score, fuzzy
FROM app.search_interactions(
    websearch_to_tsquery('pg_catalog.simple', app.fold($2)), app.fold($3), $4, $5, $6, $7, $8, $9, $10
)
WHERE $1 IS NOT NULL;

-- Which interactions match a query in tsquery syntax, best first; the parameters are the same.
PREPARE search_interactions_tsquery (
    uuid, text, text, uuid[], uuid[], text[], text, timestamptz, timestamptz, integer
) AS
SELECT interaction_id AS id, score, fuzzy
FROM app.search_interactions(
    to_tsquery('pg_catalog.simple', app.fold($2)), app.fold($3), $4, $5, $6, $7, $8, $9, $10
)
WHERE $1 IS NOT NULL;

-- The interactions that a search found, and in which of their fields any of its words stands ($3 in web-search syntax).
PREPARE found_interactions (uuid, uuid[], text) AS
SELECT
    *,
    app.matched_interaction_fields(
        websearch_to_tsquery('pg_catalog.simple', app.fold($3)),
        subject, coalesce(given_topics, computed_topics), location, channel, body
    ) AS matched_fields
FROM interaction_rows
WHERE user_id = $1 AND id_key = ANY ($2);
