-- What the insights service needs to find contacts that are likely the same person, and contacts worth introducing to each
-- other.

-- The look-ups of likely duplicates, as the contacts service uses them.
SET LOCAL ROLE pmcrm_search;
GRANT EXECUTE ON FUNCTION
    app.find_contacts(text[], text[], text[]), app.find_namesakes(text[], smallint, smallint, integer),
    app.find_contacts_by_words(text[], integer)
    TO pmcrm_insights;
SET LOCAL ROLE pmcrm_owner;
