-- Moving months of the audit log to the archive, and dropping them from there.

-- The months of the log (false) or of the archive (true) that are at least so many years old, the oldest first.
PREPARE audit_months (boolean, integer) AS
SELECT to_char(month, 'YYYY-MM') AS name, month, entries, sealed, held FROM app.audit_months($1, $2) ORDER BY month;

-- Makes a month ready to be archived, as often as needed until it answers true, each time in a transaction of its own.
PREPARE prepare_audit_partition (date) AS
SELECT app.prepare_audit_partition($1);

-- Archives a month; how many entries it has.
PREPARE archive_audit_partition (date) AS
SELECT app.archive_audit_partition($1);

-- Drops an archived month; how many entries it had.
PREPARE drop_audit_partition (date) AS
SELECT app.drop_audit_partition($1);
