-- Which interactions a page shows; see app.list_interactions. `position` is where the page ends.
--   $2 of any of these contacts   $3 of all of these   $4 of any of these   $5 types   $6 direction   $7, $8 from, before
--   $9 thread   $10 integration   $11 deleted ones too   $12 by creation   $13 descending
--   $14, $15 position and id of the last row shown, NULL for the first page   $16 limit   $17 offset
PREPARE list_interactions (
    uuid, uuid[], uuid[], uuid[], text[], text, timestamptz, timestamptz, text, uuid, boolean, boolean, boolean, text, uuid,
    integer, integer
) AS
SELECT interaction_id, place::text AS position
FROM app.list_interactions($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::timestamptz, $15, $16, $17)
WHERE $1 IS NOT NULL;

-- Counts what a list would show; the parameters are the same, without the place of the page.
PREPARE count_interactions (
    uuid, uuid[], uuid[], uuid[], text[], text, timestamptz, timestamptz, text, uuid, boolean, boolean, boolean
) AS
SELECT count(*)
FROM app.list_interactions($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL, NULL, NULL, 0)
WHERE $1 IS NOT NULL;
