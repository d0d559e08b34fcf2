-- Looking for contacts worth introducing to each other. The policy on contacts hides the restricted ones; what hangs on one is
-- read only of contacts that were read before. Every statement is bounded, whatever the tenant's contacts have in common.

-- The living contacts that are closest to the user, at most so many.
PREPARE closest_people (uuid, integer) AS
SELECT s.contact_id AS id
FROM contact_strengths AS s
JOIN contacts AS c ON c.user_id = $1 AND c.id = s.contact_id
WHERE s.user_id = $1 AND c.deleted_at IS NULL
ORDER BY s.strength DESC, s.contact_id DESC
LIMIT $2;

-- Living contacts that have to do with some: linked, in one organization, or taking part in one interaction. For each so many
-- of each sort, and of all so many, the closest to the user first.
--   $3 links or organizations of one   $4 people of an organization   $5 interactions of one   $6 most
PREPARE people_around (uuid, uuid[], integer, integer, integer, integer) AS
WITH around AS (
    SELECT l.id
    FROM unnest($2) AS asked (id)
    CROSS JOIN LATERAL (
        SELECT related_contact_id AS id FROM contact_links
        WHERE user_id = $1 AND contact_id = asked.id AND deleted_at IS NULL
        LIMIT $3
    ) AS l
    UNION
    SELECT l.id
    FROM unnest($2) AS asked (id)
    CROSS JOIN LATERAL (
        SELECT contact_id AS id FROM contact_links
        WHERE user_id = $1 AND related_contact_id = asked.id AND deleted_at IS NULL
        LIMIT $3
    ) AS l
    UNION
    SELECT colleague.id
    FROM (
        SELECT DISTINCT e.organization_id
        FROM unnest($2) AS asked (id)
        CROSS JOIN LATERAL (
            SELECT organization_id FROM contact_employments
            WHERE user_id = $1 AND contact_id = asked.id AND deleted_at IS NULL
            LIMIT $3
        ) AS e
    ) AS place
    CROSS JOIN LATERAL (
        SELECT contact_id AS id FROM contact_employments
        WHERE user_id = $1 AND organization_id = place.organization_id AND deleted_at IS NULL
        LIMIT $4
    ) AS colleague
    UNION
    SELECT other.id
    FROM (
        SELECT DISTINCT p.interaction_id
        FROM unnest($2) AS asked (id)
        CROSS JOIN LATERAL (
            SELECT interaction_id FROM interaction_participants
            WHERE user_id = $1 AND contact_id = asked.id
                AND NOT deleted AND type <> 'NOTE' AND role IS DISTINCT FROM 'MENTIONED'
            ORDER BY occurred_at DESC, interaction_id DESC
            LIMIT $5
        ) AS p
    ) AS meeting
    CROSS JOIN LATERAL (
        SELECT contact_id AS id FROM interaction_participants
        WHERE user_id = $1 AND interaction_id = meeting.interaction_id AND role IS DISTINCT FROM 'MENTIONED'
        ORDER BY contact_id
        LIMIT $4
    ) AS other
)
SELECT c.id
FROM around
JOIN contacts AS c ON c.user_id = $1 AND c.id = around.id
JOIN contact_strengths AS s ON s.user_id = $1 AND s.contact_id = c.id
WHERE c.deleted_at IS NULL
ORDER BY s.strength DESC, c.id DESC
LIMIT $6;

-- Living contacts that carry one of a contact's tags, of each tag so many.
PREPARE people_of_like_tags (uuid, uuid, integer) AS
SELECT DISTINCT c.id
FROM contact_tags AS mine
JOIN tags AS t ON t.user_id = $1 AND t.id = mine.tag_id AND t.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT contact_id FROM contact_tags WHERE user_id = $1 AND tag_id = mine.tag_id ORDER BY contact_id DESC LIMIT $3
) AS carrier
JOIN contacts AS c ON c.user_id = $1 AND c.id = carrier.contact_id AND c.deleted_at IS NULL
WHERE mine.user_id = $1 AND mine.contact_id = $2;

-- Those of these contacts that are living, and how close the user is to each.
PREPARE introduction_people (uuid, uuid[]) AS
SELECT c.id, s.strength
FROM contacts AS c
JOIN contact_strengths AS s ON s.user_id = $1 AND s.contact_id = c.id
WHERE c.user_id = $1 AND c.id = ANY ($2) AND c.deleted_at IS NULL
ORDER BY c.id;

-- How many living contacts there are, counted up to so many.
PREPARE count_people (uuid, integer) AS
SELECT count(*)
FROM (SELECT FROM contacts WHERE user_id = $1 AND deleted_at IS NULL LIMIT $2) AS counted;

-- The links among these contacts.
PREPARE introduction_links (uuid, uuid[]) AS
SELECT id, contact_id, related_contact_id
FROM contact_links
WHERE user_id = $1 AND contact_id = ANY ($2) AND related_contact_id = ANY ($2) AND deleted_at IS NULL
ORDER BY id DESC;

-- Where these contacts work or worked.
PREPARE introduction_employments (uuid, uuid[]) AS
SELECT
    e.contact_id, e.organization_id, e.is_current, e.start_year, e.start_month, e.start_day, e.end_year, e.end_month,
    e.end_day
FROM contact_employments AS e
JOIN organizations AS o ON o.user_id = $1 AND o.id = e.organization_id
WHERE e.user_id = $1 AND e.contact_id = ANY ($2) AND e.deleted_at IS NULL AND o.deleted_at IS NULL
ORDER BY e.id;

-- Organizations with how many work or worked in each, counted up to so many.
PREPARE introduction_organizations (uuid, uuid[], integer) AS
SELECT o.id, o.name, counted.carriers
FROM organizations AS o
CROSS JOIN LATERAL (
    SELECT count(DISTINCT e.contact_id) AS carriers
    FROM (
        SELECT contact_id FROM contact_employments
        WHERE user_id = $1 AND organization_id = o.id AND deleted_at IS NULL
        LIMIT $3
    ) AS e
) AS counted
WHERE o.user_id = $1 AND o.id = ANY ($2);

-- Which tags these contacts carry.
PREPARE introduction_tags (uuid, uuid[]) AS
SELECT contact_id, tag_id
FROM contact_tags
WHERE user_id = $1 AND contact_id = ANY ($2);

-- Living tags with how many contacts carry each, counted up to so many.
PREPARE introduction_tag_names (uuid, uuid[], integer) AS
SELECT t.id, t.name, counted.carriers
FROM tags AS t
CROSS JOIN LATERAL (
    SELECT count(*) AS carriers
    FROM (SELECT FROM contact_tags WHERE user_id = $1 AND tag_id = t.id LIMIT $3) AS c
) AS counted
WHERE t.user_id = $1 AND t.id = ANY ($2) AND t.deleted_at IS NULL;

-- In which interactions each of these contacts took part, the newest so many.
PREPARE introduction_meetings (uuid, uuid[], integer) AS
SELECT asked.id AS contact_id, p.interaction_id
FROM unnest($2) AS asked (id)
CROSS JOIN LATERAL (
    SELECT interaction_id FROM interaction_participants
    WHERE user_id = $1 AND contact_id = asked.id
        AND NOT deleted AND type <> 'NOTE' AND role IS DISTINCT FROM 'MENTIONED'
    ORDER BY occurred_at DESC, interaction_id DESC
    LIMIT $3
) AS p;

-- What these interactions are about, where it is known: as it was given, else as it was found in the text.
PREPARE introduction_topics (uuid, uuid[]) AS
SELECT id, coalesce(topics, computed_topics) AS topics
FROM interactions
WHERE user_id = $1 AND id = ANY ($2) AND coalesce(topics, computed_topics) IS NOT NULL;

-- Which of these contacts took part in one interaction, however long ago.
PREPARE people_who_met (uuid, uuid[]) AS
SELECT DISTINCT p.contact_id AS one, q.contact_id AS other
FROM interaction_participants AS p
JOIN interaction_participants AS q
    ON q.user_id = $1 AND q.interaction_id = p.interaction_id AND q.contact_id > p.contact_id
WHERE p.user_id = $1 AND p.contact_id = ANY ($2) AND q.contact_id = ANY ($2)
    AND NOT p.deleted AND p.type <> 'NOTE'
    AND p.role IS DISTINCT FROM 'MENTIONED' AND q.role IS DISTINCT FROM 'MENTIONED';

-- How alike what is written about two contacts is, by the model in use ($4) with so many dimensions ($5): the cosine. No row
-- for a pair of which one has no embedding that counts now.
PREPARE likeness_of_pairs (uuid, uuid[], uuid[], text, smallint) AS
SELECT pair.one, pair.other, (1 - (a.embedding <=> b.embedding))::double precision AS cosine
FROM unnest($2, $3) AS pair (one, other)
JOIN embeddings AS a ON a.user_id = $1 AND a.subject_id = pair.one AND a.model = $4
JOIN embeddings AS b ON b.user_id = $1 AND b.subject_id = pair.other AND b.model = $4
WHERE a.dimensions = $5 AND b.dimensions = $5 AND a.valid_until > now() AND b.valid_until > now();

-- Contacts as introductions show them; those that were deleted or restricted meanwhile are missing.
PREPARE introduction_summaries (uuid, uuid[]) AS
SELECT contact_id, summary
FROM contact_summaries
WHERE user_id = $1 AND contact_id = ANY ($2) AND NOT deleted AND NOT processing_restricted;
