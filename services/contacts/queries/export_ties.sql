-- Which columns of ours a table needs, 1 for each: whatever the filters of an export, they are the same for all of the
-- tenant's contacts.
PREPARE export_own_columns (uuid) AS
SELECT
    (count(*) > count(source_uid))::integer AS id,
    (count(source_uid) > 0)::integer AS uid,
    (
        count(organization_name) > 0
        OR EXISTS (SELECT FROM contact_employments WHERE user_id = $1 AND deleted_at IS NULL)
    )::integer AS employments,
    EXISTS (SELECT FROM contact_links WHERE user_id = $1 AND deleted_at IS NULL)::integer AS links
FROM contacts
WHERE user_id = $1;
