-- Makes the audit log's partitions of this month and of so many to come; answers how many were missing.
PREPARE create_audit_partitions (integer) AS
SELECT app.create_audit_partitions($1);
