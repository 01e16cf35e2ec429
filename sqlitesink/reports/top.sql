-- Agents: what they cost and do
--
-- agent     its program
-- pid       of it
-- state     live, or its exit code or signal; -, its end was not seen
-- age       seconds between its first and its last event
-- model     that it asked last
-- calls     of models
-- tokens    of all kinds
-- cost_usd  when the prices are known
-- tools     calls of tools
-- execs     programs that ran in its tree
-- failed    processes of its tree
-- files     changed in its tree
-- net       connections made in its tree
-- cpu       percent of one core, in the last sample
-- rss_mb    in the last sample
-- last      what was done last: the tool, else the end of the last prompt
-- cwd       where it works
-- leave first: cwd, rss_mb, cpu, net, files, failed, execs, age, last
WITH member(agent_id, process_id) AS (
	SELECT t.agent_id, p.id FROM agent_trees t JOIN processes p ON p.agent_id = t.member_id)
SELECT coalesce(a.name, CAST(p.comm AS TEXT)) AS agent, p.pid,
	coalesce('exit ' || p.exit_code, 'signal ' || p.signal, iif((SELECT complete FROM runs r WHERE r.id = p.run_id), '-', 'live')) AS state,
	(max(c.ended_ns) - p.start_ns) / 1000000000 AS age,
	(SELECT coalesce(request_model, response_model) FROM model_calls WHERE process_id = a.process_id ORDER BY started_ns DESC LIMIT 1) AS model,
	count(*) AS calls, sum(max(coalesce(c.input_tokens, 0), coalesce(c.cache_read_tokens, 0) + coalesce(c.cache_creation_tokens, 0)) +
		coalesce(c.output_tokens, 0)) AS tokens, round(sum(k.usd), 4) AS cost_usd,
	(SELECT count(*) FROM tool_uses u WHERE u.process_id = a.process_id) AS tools,
	(SELECT count(*) FROM member m JOIN execs e ON e.process_id = m.process_id WHERE m.agent_id = a.process_id AND NOT e.seed) AS execs,
	(SELECT count(*) FROM member m JOIN processes q ON q.id = m.process_id WHERE m.agent_id = a.process_id
		AND (q.exit_code <> 0 OR q.signal IS NOT NULL)) AS failed,
	(SELECT count(DISTINCT f.path_id) FROM member m JOIN file_changes f ON f.process_id = m.process_id
		WHERE m.agent_id = a.process_id AND f.op <> 'open') AS files,
	(SELECT count(*) FROM member m JOIN connections n ON n.process_id = m.process_id WHERE m.agent_id = a.process_id AND n.kind = 'connect') AS net,
	(SELECT s.cpu_percent FROM samples s WHERE s.process_id = a.process_id ORDER BY s.id DESC LIMIT 1) AS cpu,
	(SELECT s.rss_bytes / 1048576 FROM samples s WHERE s.process_id = a.process_id ORDER BY s.id DESC LIMIT 1) AS rss_mb,
	coalesce((SELECT u.name || coalesce(' ' || substr(x.text, 1, 60), '') FROM tool_uses u LEFT JOIN texts x ON x.id = u.arguments_id
		WHERE u.process_id = a.process_id ORDER BY u.id DESC LIMIT 1),
		(SELECT substr(x.text, -60) FROM prompts q JOIN texts x ON x.id = q.text_id WHERE q.process_id = a.process_id ORDER BY q.id DESC LIMIT 1)) AS last,
	e.cwd
FROM agents a JOIN processes p ON p.id = a.process_id JOIN model_calls c ON c.process_id = a.process_id
LEFT JOIN temp.costs k ON k.call_id = c.id LEFT JOIN execs e ON e.id = p.exec_id
WHERE :run IS NULL OR p.run_id = :run GROUP BY a.process_id ORDER BY max(c.ended_ns) DESC LIMIT :limit;
