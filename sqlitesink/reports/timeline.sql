-- Everything in its order: prompts, calls, tools, programs, files, hosts
--
-- time        when it began
-- what        prompt, call, tool, result, exec, exit, connect, shell, mcp, or how a file was changed
-- pid, comm   who
-- text        what it was
-- ms          how long it took
-- leave first: comm, ms, pid
-- collected by: sslsniff process
WITH line(ns, process_id, what, text, ms) AS (	-- of each kind no more than are shown
	SELECT * FROM (SELECT q.timestamp_ns, q.process_id, 'prompt', x.text, NULL FROM prompts q CROSS JOIN texts x ON x.id = q.text_id
		WHERE (:all OR q.process_id IN temp.chosen) AND q.timestamp_ns BETWEEN :since AND :until ORDER BY q.timestamp_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT started_ns, process_id, 'call', coalesce(request_model, response_model, '') || coalesce(' ' || error_type, '') ||
		coalesce(' ' || total_tokens || ' tokens', ''), duration_ms FROM model_calls
		WHERE (:all OR process_id IN temp.chosen) AND started_ns BETWEEN :since AND :until ORDER BY started_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT u.asked_ns, u.process_id, 'tool', u.name || coalesce(' ' || x.text, ''), (u.answered_ns - u.asked_ns) / 1e6
		FROM tool_uses u LEFT JOIN texts x ON x.id = u.arguments_id WHERE u.asked_ns IS NOT NULL AND (:all OR u.process_id IN temp.chosen) AND u.asked_ns BETWEEN :since AND :until
		ORDER BY u.asked_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT u.answered_ns, u.process_id, iif(u.is_error, 'error', 'result'), u.name || coalesce(' ' || x.text, ''), NULL
		FROM tool_uses u LEFT JOIN texts x ON x.id = u.result_id WHERE u.answered_ns IS NOT NULL AND (:all OR u.process_id IN temp.chosen) AND u.answered_ns BETWEEN :since AND :until
		ORDER BY u.answered_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT m.timestamp_ns, m.process_id, 'mcp', m.method || coalesce(' ' || coalesce(m.tool, m.prompt, m.resource), ''), m.duration_ms FROM mcp_calls m
		WHERE (:all OR m.process_id IN temp.chosen) AND m.timestamp_ns BETWEEN :since AND :until ORDER BY m.timestamp_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT timestamp_ns, process_id, 'exec', command, NULL FROM execs WHERE NOT seed
		AND (:all OR process_id IN temp.chosen) AND timestamp_ns BETWEEN :since AND :until ORDER BY timestamp_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT c.timestamp_ns, c.process_id, c.op, p.shown || coalesce(iif(c.op IN ('rename', 'link', 'symlink'), ' -> ' || coalesce(t.shown, c.detail, c.bytes), NULL), ''), NULL
		FROM file_changes c CROSS JOIN paths p ON p.id = c.path_id LEFT JOIN paths t ON t.id = c.to_path_id
		WHERE c.op <> 'open' AND (:all OR process_id IN temp.chosen) AND c.timestamp_ns BETWEEN :since AND :until ORDER BY c.timestamp_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT opened_ns, process_id, 'connect', coalesce(host, address, path) || coalesce(':' || port, ''), NULL FROM connections
		WHERE kind = 'connect' AND family <> 'unix' AND (:all OR process_id IN temp.chosen) AND opened_ns BETWEEN :since AND :until ORDER BY opened_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT end_ns, id, 'exit', coalesce('code ' || exit_code, 'signal ' || signal), (end_ns - start_ns) / 1e6
		FROM processes WHERE (exit_code IS NOT NULL OR signal IS NOT NULL) AND (:all OR id IN temp.chosen) AND end_ns BETWEEN :since AND :until ORDER BY end_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT timestamp_ns, process_id, 'shell', command, NULL FROM shell_lines
		WHERE (:all OR process_id IN temp.chosen) AND timestamp_ns BETWEEN :since AND :until ORDER BY timestamp_ns LIMIT :limit))
SELECT strftime(:time, l.ns / 1e9, 'unixepoch', :zone) AS time, l.what, p.pid,
	-- of the program that did it, not of the one that the process ran last
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= l.ns ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	substr(l.text, 1, :chars) AS text, round(l.ms, 1) AS ms
FROM line l CROSS JOIN processes p ON p.id = l.process_id
ORDER BY l.ns, l.what <> 'prompt' LIMIT :limit;
