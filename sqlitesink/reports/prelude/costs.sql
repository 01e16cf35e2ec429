-- What each call cost, by the longest pattern of temp.prices that fits its model.
-- Null when a price that it needs is not known.
CREATE TEMP VIEW costs AS
SELECT call_id, as_of,
	(uncached * input + output_tokens * output +
	 CASE cached WHEN 0 THEN 0 ELSE cached * cache_read END +
	 CASE created WHEN 0 THEN 0 ELSE created * cache_creation END) / 1e6 AS usd
FROM (
	SELECT c.id AS call_id, p.*, coalesce(c.output_tokens, 0) AS output_tokens,
		coalesce(c.cache_read_tokens, 0) AS cached, coalesce(c.cache_creation_tokens, 0) AS created,
		max(0, coalesce(c.input_tokens, 0) - coalesce(c.cache_read_tokens, 0) - coalesce(c.cache_creation_tokens, 0)) AS uncached
	FROM model_calls c JOIN temp.prices p ON p.rowid = (
		SELECT q.rowid FROM temp.prices q
		WHERE lower(coalesce(c.response_model, c.request_model)) GLOB q.model ORDER BY length(q.model) DESC LIMIT 1)
	WHERE c.input_tokens IS NOT NULL OR c.output_tokens IS NOT NULL);
