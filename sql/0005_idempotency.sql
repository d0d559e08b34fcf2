-- What makes a mutation happen once: the ids that callers gave their requests, and the answers that they got.

CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    request_id uuid NOT NULL,
    method text NOT NULL,
    body_hash bytea NOT NULL,
    answer bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, request_id)
);
COMMENT ON TABLE idempotency_keys IS
    'Mutations by request_id. A row is claimed first and gets its answer in the same transaction as the effect; it expires after PMCRM_REQUEST_ID_HOURS. Not audited: it repeats what the written rows'' own entries say.';
COMMENT ON COLUMN idempotency_keys.method IS 'The request''s message type.';
COMMENT ON COLUMN idempotency_keys.body_hash IS 'SHA-256 of the request, to tell a repeat from another request with the same id.';
COMMENT ON COLUMN idempotency_keys.answer IS 'The serialised answer. Never NULL in a committed row.';

CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_keys
    USING (user_id = app.current_user_id())
    WITH CHECK (user_id = app.current_user_id());

GRANT SELECT, INSERT (user_id, request_id, method, body_hash), UPDATE (answer)
    ON idempotency_keys TO pmcrm_contacts, pmcrm_interactions, pmcrm_insights, pmcrm_gdpr;
-- NOTE: delete is not granted to services: a key that could be deleted early would let a mutation happen twice.
GRANT SELECT, DELETE ON idempotency_keys TO pmcrm_service;


-- The same for operators, who act for no tenant.
CREATE TABLE operator_idempotency_keys (
    request_id uuid PRIMARY KEY,
    method text NOT NULL,
    body_hash bytea NOT NULL,
    answer bytea,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE operator_idempotency_keys IS
    'Operators'' mutations by request_id; as idempotency_keys, but of no tenant. Global: nobody but pmcrm_service has rights on it.';
COMMENT ON COLUMN operator_idempotency_keys.body_hash IS 'SHA-256 of the request.';
COMMENT ON COLUMN operator_idempotency_keys.answer IS 'The serialised answer. Never NULL in a committed row.';

CREATE INDEX operator_idempotency_keys_created_idx ON operator_idempotency_keys (created_at);

GRANT SELECT, INSERT, DELETE, UPDATE (answer) ON operator_idempotency_keys TO pmcrm_service;
