-- What each call cost: as its provider says, else by the row of temp.prices that fits its model best: that of its own
-- provider before the maker's, then the longest name, as the head of prices.csv says.
-- Null when a price that it needs is not known.
CREATE TEMP VIEW costs AS
WITH named AS MATERIALIZED (
	SELECT DISTINCT lower(coalesce(response_model, request_model)) AS name, coalesce(provider, '') AS provider
	FROM model_calls WHERE coalesce(response_model, request_model) IS NOT NULL),
behind_slash AS (SELECT name, provider, replace(name, rtrim(name, replace(name, '/', '')), '') AS key FROM named),
behind_region AS (SELECT name, provider, CASE WHEN key GLOB 'us.*' OR key GLOB 'eu.*' OR key GLOB 'jp.*' OR key GLOB 'au.*' OR
	key GLOB 'apac.*' OR key GLOB 'global.*' OR key GLOB 'us-gov.*' THEN substr(key, instr(key, '.') + 1) ELSE key END AS key
	FROM behind_slash),
behind_maker AS (SELECT name, provider, CASE WHEN key GLOB '[a-z]*.[a-z]*' AND substr(key, 1, instr(key, '.') - 1) NOT GLOB '*[^a-z]*'
	THEN substr(key, instr(key, '.') + 1) ELSE key END AS key FROM behind_region),
keys AS MATERIALIZED (
	SELECT name, provider, name AS key FROM named UNION SELECT * FROM behind_slash UNION SELECT * FROM behind_region UNION
	SELECT * FROM behind_maker UNION
	SELECT name, provider, substr(key, 1, length(key) - 5) FROM behind_maker WHERE key GLOB '*-v[0-9]:[0-9]'),
best AS MATERIALIZED (
	SELECT n.name, n.provider, (
		SELECT q.rowid FROM keys k JOIN temp.prices q ON k.key GLOB q.model AND q.provider IN ('', n.provider)
		WHERE k.name = n.name AND k.provider = n.provider
		ORDER BY q.provider <> '' DESC, length(q.model) DESC LIMIT 1) AS row
	FROM named n),
priced AS (
	SELECT c.id AS call_id, (
		SELECT q.rowid FROM temp.prices b JOIN temp.prices q ON q.model = b.model AND q.provider = b.provider
		WHERE b.rowid = best.row AND (q.above = 0 OR q.above < coalesce(c.input_tokens, 0)) AND
			q.since <= date(c.started_ns / 1000000000, 'unixepoch')
		ORDER BY q.since DESC, q.above DESC LIMIT 1) AS row,
		CASE WHEN c.operation IN ('chat', 'generate_content') THEN c.output_tokens ELSE coalesce(c.output_tokens, 0) END AS output_tokens,
		coalesce(c.cache_read_tokens, 0) AS cached, coalesce(c.cache_creation_tokens, 0) AS created,
		min(coalesce(c.cache_creation_tokens, 0), coalesce(json_extract(c.usage, '$.cache_creation_1h_tokens'), 0)) AS hour,
		json_extract(c.usage, '$.cost_usd') AS said,
		max(0, coalesce(c.input_tokens, 0) - coalesce(c.cache_read_tokens, 0) - coalesce(c.cache_creation_tokens, 0)) AS uncached
	FROM model_calls c LEFT JOIN best ON best.name = lower(coalesce(c.response_model, c.request_model)) AND
		best.provider = coalesce(c.provider, '')
	WHERE c.input_tokens IS NOT NULL OR c.output_tokens IS NOT NULL OR json_extract(c.usage, '$.cost_usd') IS NOT NULL)
SELECT call_id, CASE WHEN said IS NULL THEN as_of END AS as_of, coalesce(said,
	(CASE uncached WHEN 0 THEN 0 ELSE uncached * input END + CASE output_tokens WHEN 0 THEN 0 ELSE output_tokens * output END +
	 CASE cached WHEN 0 THEN 0 ELSE cached * cache_read END +
	 CASE created - hour WHEN 0 THEN 0 ELSE (created - hour) * cache_creation END +
	 CASE hour WHEN 0 THEN 0 ELSE hour * cache_creation_1h END) / 1e6) AS usd
FROM priced LEFT JOIN temp.prices p ON p.rowid = priced.row;
