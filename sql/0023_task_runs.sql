-- When periodic tasks ran. The worker knows by it what is due, also after it was down, and metrics show it.

CREATE TABLE app.task_runs (
    task text PRIMARY KEY CHECK (task <> ''),
    runner text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    seconds double precision,
    succeeded_at timestamptz,
    failed_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    failure text
);
COMMENT ON TABLE app.task_runs IS 'The last run of each periodic task of `pmcrm worker`. Global: tasks work across tenants.';
COMMENT ON COLUMN app.task_runs.task IS 'Its name, as in `pmcrm maintenance <task>`.';
COMMENT ON COLUMN app.task_runs.runner IS 'The host and process that ran it last.';
COMMENT ON COLUMN app.task_runs.ended_at IS 'NULL while it runs, and after its worker has died or was stopped in the midst of it.';
COMMENT ON COLUMN app.task_runs.seconds IS 'How long the last run took that came to an end.';
COMMENT ON COLUMN app.task_runs.succeeded_at IS 'When a run last ended well; kept when later ones fail.';
COMMENT ON COLUMN app.task_runs.failures IS 'How many runs in a row have failed since.';
COMMENT ON COLUMN app.task_runs.failure IS 'What kind of error the last failure was; never its text, which can quote data.';

GRANT SELECT, INSERT, UPDATE ON app.task_runs TO pmcrm_service;
