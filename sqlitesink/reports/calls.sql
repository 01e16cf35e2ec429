-- Calls of models
--
-- call             its number
-- time             when the request began
-- agent            the program that asked
-- provider         who was asked
-- model            that was asked for
-- status           HTTP status, or what went wrong
-- input_tokens     all of them, with what came from or went to a cache
-- cached_tokens    of them, read from a cache
-- output_tokens    with what was spent on reasoning
-- first_token_ms   until the first piece of the answer
-- duration_ms      until its end
-- finish           why it ended
-- cost_usd         when the price is known
-- prompt           the number of the prompt that it worked on
-- parent           the call that this one was made for, by a proxy that was asked
-- counted          no: in totals are the calls that were made for this one, or the one it was made for
-- leave first: counted, parent, finish, first_token_ms, provider, prompt, duration_ms, cached_tokens, cost_usd, agent, time
-- collected by: sslsniff tcpsniff
SELECT c.id AS call, strftime(:time, c.started_ns / 1e9, 'unixepoch', :zone) AS time, coalesce(c.agent, CAST(p.comm AS TEXT)) AS agent,
	c.provider, coalesce(c.request_model, c.response_model) AS model, coalesce(c.error_type, CAST(c.status_code AS TEXT)) AS status,
	c.input_tokens, c.cache_read_tokens AS cached_tokens, c.output_tokens, c.first_token_ms, c.duration_ms,
	(SELECT group_concat(value, ', ') FROM json_each(c.finish_reasons)) AS finish, round(k.usd, 6) AS cost_usd, c.prompt_id AS prompt,
	c.parent_id AS parent, iif(c.counted, NULL, 'no') AS counted
FROM model_calls c JOIN processes p ON p.id = c.process_id LEFT JOIN temp.costs k ON k.call_id = c.id
WHERE (:all OR c.process_id IN temp.chosen) AND (:call IS NULL OR c.id = :call) AND c.started_ns BETWEEN :since AND :until
ORDER BY c.started_ns, c.id LIMIT :limit;
