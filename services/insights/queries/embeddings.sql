-- By which model the tenant is searched; no row when nothing of it was embedded yet.
PREPARE embedding_model_in_use (uuid) AS
SELECT model, kind, dimensions FROM embedding_models WHERE user_id = $1;
