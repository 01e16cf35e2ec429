-- What was recorded, in one page
--
-- item     what is counted
-- value    how many, or what
-- collected by: sslsniff tcpsniff process stdiocap sysmon
WITH r AS (SELECT * FROM runs WHERE :run IS NULL OR id = :run),
p AS NOT MATERIALIZED (SELECT * FROM processes WHERE :all OR id IN temp.chosen),
c AS NOT MATERIALIZED (SELECT * FROM counted_calls WHERE (:all OR process_id IN temp.chosen)),
u AS NOT MATERIALIZED (SELECT * FROM tool_uses WHERE :all OR process_id IN temp.chosen),
rows(place, item, value) AS (
	SELECT 10, 'runs', count(*) FROM r
	UNION ALL SELECT 11, 'began', strftime(:time, min(first_ns) / 1e9, 'unixepoch', :zone) FROM r
	UNION ALL SELECT 12, 'seconds', round(sum(last_ns - first_ns) / 1e9, 1) FROM r
	UNION ALL SELECT 20, 'agents', group_concat(n, ', ') FROM (SELECT DISTINCT coalesce(a.name, CAST(p.comm AS TEXT)) AS n
		FROM agents a CROSS JOIN p ON p.id = a.process_id WHERE a.process_id IN (SELECT process_id FROM c))
	UNION ALL SELECT 21, 'models', group_concat(n, ', ') FROM (SELECT coalesce(request_model, response_model) || ' (' || count(*) || ')' AS n
		FROM c GROUP BY coalesce(request_model, response_model) ORDER BY count(*) DESC)
	UNION ALL SELECT 22, 'model calls', count(*) FROM c
	UNION ALL SELECT 23, 'model calls that failed', count(*) FROM c WHERE error_type IS NOT NULL
	UNION ALL SELECT 24, 'model latency, average and longest ms', CAST(avg(duration_ms) AS INTEGER) || ', ' || CAST(max(duration_ms) AS INTEGER) FROM c
	UNION ALL SELECT 30, 'input tokens, not cached', sum(max(0, coalesce(input_tokens, 0) - coalesce(cache_read_tokens, 0) - coalesce(cache_creation_tokens, 0))) FROM c
	UNION ALL SELECT 31, 'input tokens, written to a cache', sum(cache_creation_tokens) FROM c
	UNION ALL SELECT 32, 'input tokens, read from a cache', sum(cache_read_tokens) FROM c
	UNION ALL SELECT 33, 'output tokens', sum(output_tokens) FROM c
	UNION ALL SELECT 34, 'cost in USD' || coalesce(', by prices of ' || min(k.as_of) ||
			CASE WHEN max(k.as_of) > min(k.as_of) THEN ' to ' || max(k.as_of) ELSE '' END, ', as providers say') ||
			CASE WHEN count(k.usd) < count(coalesce(c.input_tokens, c.output_tokens)) THEN ', for ' ||
				CAST(100 * sum(CASE WHEN k.usd IS NOT NULL THEN coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) END) /
					max(1, sum(coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0))) AS INTEGER) ||
				'% of the tokens, calls without a price: ' || (count(coalesce(c.input_tokens, c.output_tokens)) - count(k.usd)) ELSE ', for 100% of the tokens' END,
		round(sum(k.usd), 4)
		FROM c LEFT JOIN temp.costs k ON k.call_id = c.id HAVING count(k.usd) > 0
	UNION ALL SELECT 40, 'prompts', count(*) FROM prompts q JOIN temp.work w ON w.call_id = q.call_id JOIN model_calls m ON m.id = q.call_id
		WHERE w.kind = 'main' AND m.parent_id IS NULL AND (:all OR q.process_id IN temp.chosen)
	UNION ALL SELECT 45, 'sub-agents', count(*) FROM (SELECT min(w.call_id) AS first FROM temp.work w JOIN model_calls m ON m.id = w.call_id
		WHERE w.kind = 'sub-agent' AND m.parent_id IS NULL GROUP BY w.run_id, w.chain_id, iif(w.chain_id IS NULL, w.call_id, 0))
		JOIN model_calls m ON m.id = first WHERE :all OR m.process_id IN temp.chosen
	UNION ALL SELECT 46, 'model calls of sub-agents', count(*) FROM c JOIN temp.work w ON w.call_id = c.id WHERE w.kind = 'sub-agent'
	UNION ALL SELECT 47, 'helper calls (titles, summaries, asked by tools)', count(*) FROM c JOIN temp.work w ON w.call_id = c.id WHERE w.kind = 'helper'
	UNION ALL SELECT 48, 'tool calls of sub-agents', count(*) FROM u JOIN temp.work w ON w.call_id = u.call_id WHERE w.kind = 'sub-agent'
	UNION ALL SELECT 41, 'tool calls', count(*) FROM u
	UNION ALL SELECT 42, 'tools', group_concat(n, ', ') FROM (SELECT name || ' (' || count(*) || ')' AS n FROM u GROUP BY name ORDER BY count(*) DESC LIMIT 12)
	UNION ALL SELECT 43, 'tool calls that failed', count(*) FROM u WHERE is_error = 1
	UNION ALL SELECT 44, 'MCP calls', count(*) FROM mcp_calls WHERE :all OR process_id IN temp.chosen
	UNION ALL SELECT 50, 'processes', count(*) FROM p WHERE seen <> 'seed'
	UNION ALL SELECT 51, 'programs that ran', count(*) FROM execs WHERE NOT seed AND (:all OR process_id IN temp.chosen)
	UNION ALL SELECT 52, 'processes that failed', count(*) FROM p WHERE exit_code <> 0 OR signal IS NOT NULL
	UNION ALL SELECT 60, 'files read', iif((SELECT max(recorded) FROM recorded_reads WHERE run_id IN (SELECT id FROM r)) = 0,
		'reads were not recorded', count(*)) FROM paths p WHERE EXISTS (SELECT 1 FROM files f WHERE f.path_id = p.id AND f.reads > 0
			AND (:all OR f.process_id IN temp.chosen))
	UNION ALL SELECT 61, 'files created', count(*) FROM temp.outcomes WHERE change = 'created'
	UNION ALL SELECT 62, 'files changed', count(*) FROM temp.outcomes WHERE change IN ('changed', 'created or changed', 'renamed')
	UNION ALL SELECT 63, 'files deleted', count(*) FROM temp.outcomes WHERE change = 'deleted'
	UNION ALL SELECT 64, 'temporary files, made and gone again', count(*) FROM temp.outcomes WHERE change = 'temporary'
	UNION ALL SELECT 70, 'HTTP exchanges', count(*) FROM http_exchanges WHERE :all OR process_id IN temp.chosen
	UNION ALL SELECT 71, 'HTTP hosts', group_concat(n, ', ') FROM (SELECT CAST(host AS TEXT) || ' (' || count(*) || ')' AS n FROM http_exchanges
		WHERE (:all OR process_id IN temp.chosen) AND host IS NOT NULL GROUP BY host ORDER BY count(*) DESC LIMIT 12)
	UNION ALL SELECT 72, 'connections made', count(*) FROM connections WHERE kind = 'connect' AND family <> 'unix' AND (:all OR process_id IN temp.chosen)
	UNION ALL SELECT 73, 'largest RSS in MB', max(rss_bytes) / 1048576 FROM samples WHERE :all OR process_id IN temp.chosen
	UNION ALL SELECT 80, 'events lost (report losses)', coalesce(sum(events), 0) FROM losses WHERE run_id IN (SELECT id FROM r)
	UNION ALL SELECT 81, 'runs that did not end properly', count(*) FROM r WHERE NOT complete)
SELECT item, value FROM rows WHERE value IS NOT NULL AND NOT (value = 0 AND place NOT IN (22, 80)) ORDER BY place LIMIT :limit;
