-- The living contact for which an id stands, whether its processing is restricted, and the moment that is asked about.
PREPARE named_contact (uuid, uuid, timestamptz) AS
SELECT contact_id, processing_restricted, coalesce($3, now()) AS as_of
FROM app.named_contact($2)
WHERE $1 IS NOT NULL;

-- A contact's strength at a moment, in its parts.
PREPARE explain_strength (uuid, uuid, timestamptz) AS
SELECT
    c.summary AS contact, s.pinned, f.computed, f.score,
    f.interactions, f.interactions_count, f.diversity, f.diversity_count, f.reciprocity, f.reciprocity_count,
    app.strength_formula_version() AS formula_version
FROM app.strength($1, ARRAY[$2], $3) AS f
JOIN contact_strengths AS s ON s.user_id = $1 AND s.contact_id = f.contact_id
JOIN contact_summaries AS c ON c.user_id = $1 AND c.contact_id = f.contact_id;

-- The interactions behind a contact's strength at a moment, newest first; what one adds to several parts, in their order.
--   $4, $5, $6 moment, interaction and place of the last one shown, NULL for the first page   $7 limit   $8 offset
PREPARE strength_contributions (uuid, uuid, timestamptz, timestamptz, uuid, integer, integer, integer) AS
SELECT e.interaction_id, e.factor, e.value, e.weight, e.decay, e.occurred_at, f.place
FROM app.strength_evidence($1, ARRAY[$2], $3) AS e
JOIN (VALUES ('INTERACTIONS', 3), ('DIVERSITY', 2), ('RECIPROCITY', 1)) AS f (factor, place) ON f.factor = e.factor
WHERE $4 IS NULL OR (e.occurred_at, e.interaction_id, f.place) < ($4, $5, $6)
ORDER BY e.occurred_at DESC, e.interaction_id DESC, f.place DESC
LIMIT $7 OFFSET $8;
