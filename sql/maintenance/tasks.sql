-- The runs of periodic tasks: who may run one now, and what became of it.

-- Takes a task until the transaction ends, if nobody else has it. A worker that dies gives it up with its connection.
PREPARE take_task (text) AS
SELECT pg_try_advisory_xact_lock(hashtext('pmcrm task'), hashtext($1));

-- Shows that the connection, and with it the task, is still held.
PREPARE still_held AS
SELECT true;

-- The last run of each of these tasks, with the database's time; tasks that never ran have no start.
PREPARE task_runs (text[]) AS
SELECT asked.task, now() AS looked_at, r.started_at, r.ended_at, r.seconds, r.succeeded_at, r.failed_at,
    coalesce(r.failures, 0) AS failures
FROM unnest($1) AS asked (task)
LEFT JOIN app.task_runs AS r ON r.task = asked.task;

-- Notes that a run begins.
PREPARE begin_task (text, text) AS
INSERT INTO app.task_runs (task, runner, started_at)
VALUES ($1, $2, now())
ON CONFLICT (task) DO UPDATE SET runner = EXCLUDED.runner, started_at = EXCLUDED.started_at, ended_at = NULL;

-- Notes that the run ended well.
PREPARE end_task (text) AS
UPDATE app.task_runs SET
    ended_at = now(), seconds = extract(epoch FROM now() - started_at), succeeded_at = now(), failures = 0, failure = NULL
WHERE task = $1;

-- Notes that the run failed, and how.
PREPARE fail_task (text, text) AS
UPDATE app.task_runs SET
    ended_at = now(), seconds = extract(epoch FROM now() - started_at), failed_at = now(), failures = failures + 1,
    failure = $2
WHERE task = $1;
