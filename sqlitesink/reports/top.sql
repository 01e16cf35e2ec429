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
-- collected by: sslsniff process sysmon
WITH tree(agent_id, member_id) AS MATERIALIZED (SELECT agent_id, member_id FROM agent_trees),
call(agent_id, first, last, calls, tokens, usd) AS MATERIALIZED (
	SELECT c.process_id, min(c.started_ns), max(c.ended_ns), count(*), sum(max(coalesce(c.input_tokens, 0), coalesce(c.cache_read_tokens, 0) + coalesce(c.cache_creation_tokens, 0)) +
		coalesce(c.output_tokens, 0)), sum(k.usd)
	FROM counted_calls c LEFT JOIN temp.costs k ON k.call_id = c.id GROUP BY c.process_id),
exec(agent_id, n) AS MATERIALIZED (
	SELECT t.agent_id, sum(n) FROM tree t JOIN (SELECT p.agent_id, count(*) AS n FROM execs e CROSS JOIN processes p ON p.id = e.process_id
		WHERE NOT e.seed AND p.agent_id IS NOT NULL GROUP BY 1) x ON x.agent_id = t.member_id GROUP BY 1),
failed(agent_id, n) AS MATERIALIZED (
	SELECT t.agent_id, sum(n) FROM tree t JOIN (SELECT agent_id, count(*) AS n FROM processes
		WHERE agent_id IS NOT NULL AND (exit_code <> 0 OR signal IS NOT NULL) GROUP BY 1) x ON x.agent_id = t.member_id GROUP BY 1),
changed(agent_id, n) AS MATERIALIZED (
	SELECT t.agent_id, count(DISTINCT f.path_id) FROM file_changes f CROSS JOIN processes p ON p.id = f.process_id
	CROSS JOIN tree t ON t.member_id = p.agent_id WHERE f.op <> 'open' GROUP BY 1),
connected(agent_id, n) AS MATERIALIZED (
	SELECT t.agent_id, count(*) FROM connections n CROSS JOIN processes p ON p.id = n.process_id
	CROSS JOIN tree t ON t.member_id = p.agent_id WHERE n.kind = 'connect' GROUP BY 1),
sample(agent_id, id) AS MATERIALIZED (
	SELECT process_id, max(id) FROM samples WHERE process_id IN (SELECT process_id FROM agents) GROUP BY 1)
SELECT coalesce(a.name, CAST(p.comm AS TEXT)) AS agent, p.pid,
	coalesce('exit ' || p.exit_code, 'signal ' || p.signal, iif((SELECT complete FROM runs r WHERE r.id = p.run_id), '-', 'live')) AS state,
	(c.last - p.start_ns) / 1000000000 AS age,
	(SELECT coalesce(request_model, response_model) FROM model_calls WHERE agent_id = a.process_id ORDER BY started_ns DESC LIMIT 1) AS model,
	c.calls, c.tokens, round(c.usd, 4) AS cost_usd,
	(SELECT count(*) FROM tool_uses u WHERE u.process_id = a.process_id) AS tools,
	coalesce((SELECT n FROM exec x WHERE x.agent_id = a.process_id), 0) AS execs,
	coalesce((SELECT n FROM failed x WHERE x.agent_id = a.process_id), 0) AS failed,
	coalesce((SELECT n FROM changed x WHERE x.agent_id = a.process_id), 0) AS files,
	coalesce((SELECT n FROM connected x WHERE x.agent_id = a.process_id), 0) AS net,
	s.cpu_percent AS cpu, s.rss_bytes / 1048576 AS rss_mb,
	coalesce((SELECT u.name || coalesce(' ' || substr(x.text, 1, 60), '') FROM tool_uses u LEFT JOIN texts x ON x.id = u.arguments_id
		WHERE u.id = (SELECT max(id) FROM tool_uses WHERE process_id = a.process_id)),
		(SELECT substr(x.text, -60) FROM prompts q JOIN texts x ON x.id = q.text_id WHERE q.process_id = a.process_id ORDER BY q.id DESC LIMIT 1)) AS last,
	e.cwd
FROM call c CROSS JOIN agents a ON a.process_id = c.agent_id CROSS JOIN processes p ON p.id = a.process_id
LEFT JOIN execs e ON e.id = p.exec_id LEFT JOIN samples s ON s.id = (SELECT x.id FROM sample x WHERE x.agent_id = a.process_id)
WHERE :all OR p.id IN temp.chosen ORDER BY c.last DESC LIMIT :limit;
