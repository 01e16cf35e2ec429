-- Tokens and cost (--by model, provider, agent, conversation, directory, process, hour)
--
-- group                   what --by says
-- calls                   of models
-- input_tokens            all of them, with what came from or went to a cache
-- fresh_tokens            input that had nothing to do with a cache
-- cache_creation_tokens   input that was written to a cache
-- cache_read_tokens       input that was read from one
-- output_tokens           with what was spent on reasoning
-- total_tokens            input and output
-- cost_usd                of the calls whose price is known
-- unpriced                calls with tokens whose price is not known
-- prices_of               the day of the oldest price that was used
-- leave first: prices_of, unpriced, total_tokens, cache_creation_tokens, fresh_tokens
-- collected by: sslsniff tcpsniff
SELECT "group", count(*) AS calls, sum(total_tokens - output_tokens) AS input_tokens, sum(input_tokens) AS fresh_tokens,
	sum(cache_creation_tokens) AS cache_creation_tokens, sum(cache_read_tokens) AS cache_read_tokens,
	sum(output_tokens) AS output_tokens, sum(total_tokens) AS total_tokens, round(sum(usd), 6) AS cost_usd,
	count(total_tokens) - count(usd) AS unpriced, min(as_of) AS prices_of
FROM (
	SELECT CASE :by WHEN 'model' THEN coalesce(c.request_model, c.response_model, 'unknown') WHEN 'provider' THEN c.provider
			WHEN 'agent' THEN coalesce(c.agent, CAST(p.comm AS TEXT)) WHEN 'conversation' THEN c.conversation_id
			WHEN 'directory' THEN e.cwd WHEN 'process' THEN CAST(p.comm AS TEXT) || ' ' || p.pid
			WHEN 'hour' THEN strftime('%Y-%m-%d %H:00', c.started_ns / 1e9, 'unixepoch', :zone) END AS "group",
		t.*, k.usd, k.as_of
	FROM counted_calls c JOIN processes p ON p.id = c.process_id LEFT JOIN execs e ON e.id = p.exec_id
	LEFT JOIN token_usage t ON t.llm_call_id = 'llm-' || c.id LEFT JOIN temp.costs k ON k.call_id = c.id
	WHERE (:all OR c.process_id IN temp.chosen) AND c.started_ns BETWEEN :since AND :until)
GROUP BY "group" ORDER BY CASE :by WHEN 'hour' THEN "group" END, total_tokens DESC, calls DESC LIMIT :limit;
