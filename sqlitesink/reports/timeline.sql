-- Everything in its order: prompts, calls, tools, programs, files, hosts
--
-- time        when it began
-- what        prompt, call, tool, result, exec, exit, connect, shell, mcp, or how a file was changed
-- pid, comm   who
-- text        what it was
-- ms          how long it took
-- leave first: comm, ms, pid
WITH line(ns, process_id, what, text, ms) AS (
	SELECT q.timestamp_ns, q.process_id, 'prompt', x.text, NULL FROM prompts q JOIN texts x ON x.id = q.text_id
	UNION ALL
	SELECT started_ns, process_id, 'call', coalesce(request_model, response_model, '') || coalesce(' ' || error_type, '') ||
		coalesce(' ' || total_tokens || ' tokens', ''), duration_ms FROM model_calls
	UNION ALL
	SELECT u.asked_ns, u.process_id, 'tool', u.name || coalesce(' ' || x.text, ''), (u.answered_ns - u.asked_ns) / 1e6
	FROM tool_uses u LEFT JOIN texts x ON x.id = u.arguments_id WHERE u.asked_ns IS NOT NULL
	UNION ALL
	SELECT u.answered_ns, u.process_id, iif(u.is_error, 'error', 'result'), u.name || coalesce(' ' || x.text, ''), NULL
	FROM tool_uses u LEFT JOIN texts x ON x.id = u.result_id WHERE u.answered_ns IS NOT NULL
	UNION ALL
	SELECT m.timestamp_ns, m.process_id, 'mcp', m.method || coalesce(' ' || coalesce(m.tool, m.prompt, m.resource), ''), m.duration_ms FROM mcp_calls m
	UNION ALL
	SELECT timestamp_ns, process_id, kind, target || coalesce(iif(kind IN ('rename', 'link', 'symlink'), ' -> ' || detail, NULL), ''), NULL FROM effects
	UNION ALL
	SELECT end_ns, id, 'exit', coalesce('code ' || exit_code, 'signal ' || signal), (end_ns - start_ns) / 1e6
	FROM processes WHERE exit_code IS NOT NULL OR signal IS NOT NULL
	UNION ALL
	SELECT timestamp_ns, process_id, 'shell', command, NULL FROM shell_lines)
SELECT strftime(:time, l.ns / 1e9, 'unixepoch', :zone) AS time, l.what, p.pid, p.comm, substr(l.text, 1, :chars) AS text, round(l.ms, 1) AS ms
FROM line l JOIN processes p ON p.id = l.process_id WHERE :run IS NULL OR p.run_id = :run
ORDER BY l.ns, l.what <> 'prompt' LIMIT :limit;
