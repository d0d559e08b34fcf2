-- Contacts born on one of these days of the year, each month times 100 plus day.
PREPARE contacts_born_on (uuid, integer[], uuid[], integer) AS
SELECT c.id, c.display_name, c.birthday_year, c.birthday_month, c.birthday_day
FROM contacts AS c
WHERE c.user_id = $1 AND c.deleted_at IS NULL
    AND c.birthday_month * 100 + c.birthday_day = ANY ($2)
    AND ($3 IS NULL OR c.id = ANY ($3))
ORDER BY c.id
LIMIT $4;
