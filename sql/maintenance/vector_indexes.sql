-- What makes the indexes over the vectors of tenants with very many what they should be: commands for pmcrm_owner, each to
-- run by itself outside of a transaction, in this order. Every such index is one tenant's and one model's; every statement
-- on embeddings has to look at each of them when it is planned, so that there are not many.
--   $1 vectors beyond which a tenant gets one; it keeps it down to half as many   $2 how many indexes there may be
PREPARE vector_index_commands (integer, integer) AS
WITH counted AS (
    SELECT m.user_id, m.model, m.dimensions, count(*) AS vectors,
        app.vector_index_name(m.user_id, m.model, m.dimensions) AS name
    FROM embedding_models AS m
    JOIN embeddings AS e ON e.user_id = m.user_id AND e.model = m.model AND e.dimensions = m.dimensions
    WHERE m.dimensions <= 4000  -- more cannot be indexed
    GROUP BY m.user_id, m.model, m.dimensions
),
existing AS (
    SELECT c.relname::text AS name, x.indisvalid AS valid
    FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indexrelid
    WHERE x.indrelid = 'public.embeddings'::regclass AND c.relname LIKE 'embeddings\_hnsw\_%'
),
kept AS (
    SELECT e.name FROM existing AS e JOIN counted AS c ON c.name = e.name WHERE e.valid AND 2 * c.vectors >= $1
),
wanted AS (
    SELECT c.* FROM counted AS c
    WHERE c.vectors > $1 AND c.name NOT IN (SELECT k.name FROM kept AS k)
    ORDER BY c.vectors DESC, c.user_id
    LIMIT (SELECT greatest($2 - count(*), 0) FROM kept)
)
-- What is of no use any more, or was left behind when its making was interrupted.
SELECT false AS makes, format('DROP INDEX CONCURRENTLY IF EXISTS public.%I', e.name) AS command
FROM existing AS e
WHERE e.name NOT IN (SELECT k.name FROM kept AS k)
UNION ALL
SELECT true, format(
    'CREATE INDEX CONCURRENTLY %I ON public.embeddings USING hnsw ((embedding::public.halfvec(%s)) public.halfvec_cosine_ops)'
    ' WHERE user_id = %L AND model = %L AND dimensions = %s',
    w.name, w.dimensions, w.user_id, w.model, w.dimensions
)
FROM wanted AS w
ORDER BY makes;

-- Whether nobody else is making or dropping these indexes; holds that until the connection ends.
PREPARE claim_vector_indexes AS
SELECT pg_try_advisory_lock(hashtext('pmcrm vector-indexes'));
