-- Where words occur: prompts, answers, tools, commands, paths
--
-- All words must be there, side by side and in this order, whatever stands
-- between them: report search 'rm -rf'. A word* is the beginning of one.
-- kind    prompt, answer, input, tool call, tool result, mcp, command, path, shell
-- time    when it was first said, or done
-- pid     the process
-- text    around the place
-- leave first: time, pid
-- collected by: sslsniff process
WITH word(pattern) AS (
	SELECT '"' || replace(rtrim(:query, '*'), '"', '""') || '"' || iif(:query LIKE '%*', '*', '')),
hit(kind, id) AS MATERIALIZED (
	SELECT rowid % 4, rowid / 4 FROM search, word WHERE search MATCH word.pattern
	-- what is not indexed yet
	UNION ALL SELECT 0, id FROM texts WHERE id > (SELECT upto FROM search_done WHERE kind = 0) AND instr(lower(text), lower(rtrim(:query, '*')))
	UNION ALL SELECT 1, id FROM execs WHERE id > (SELECT upto FROM search_done WHERE kind = 1) AND instr(lower(command), lower(rtrim(:query, '*')))
	UNION ALL SELECT 2, id FROM paths WHERE id > (SELECT upto FROM search_done WHERE kind = 2) AND instr(lower(path), lower(rtrim(:query, '*')))
	UNION ALL SELECT 3, id FROM shell_lines WHERE id > (SELECT upto FROM search_done WHERE kind = 3) AND instr(lower(command), lower(rtrim(:query, '*')))),
place(kind, ns, process_id, id) AS (
	SELECT CASE g.type WHEN 'tool_call' THEN 'tool call' WHEN 'tool_call_response' THEN 'tool result'
			ELSE iif(g.direction = 'output', 'answer', iif(g.role = 'user', 'prompt', g.direction)) END,
		min(c.started_ns), c.process_id, 4 * h.id
	FROM hit h CROSS JOIN messages g ON g.text_id = h.id CROSS JOIN model_calls c ON c.id = g.call_id WHERE h.kind = 0
	GROUP BY h.id, 1, c.process_id
	UNION ALL
	SELECT 'mcp', m.timestamp_ns, m.process_id, 4 * m.arguments_id FROM mcp_calls m WHERE m.arguments_id IN (SELECT id FROM hit WHERE kind = 0)
	UNION ALL
	SELECT 'mcp', m.timestamp_ns, m.process_id, 4 * m.result_id FROM mcp_calls m WHERE m.result_id IN (SELECT id FROM hit WHERE kind = 0)
	UNION ALL
	SELECT 'command', e.timestamp_ns, e.process_id, 4 * e.id + 1 FROM hit h CROSS JOIN execs e ON e.id = h.id WHERE h.kind = 1
	UNION ALL
	SELECT 'path', min(f.first_ns), f.process_id, 4 * f.path_id + 2 FROM files f
	WHERE f.path_id IN (SELECT id FROM hit WHERE kind = 2) AND (:all OR f.process_id IN temp.chosen) GROUP BY f.path_id
	UNION ALL
	SELECT 'shell', s.timestamp_ns, s.process_id, 4 * s.id + 3 FROM hit h CROSS JOIN shell_lines s ON s.id = h.id WHERE h.kind = 3),
shown AS MATERIALIZED (	-- id: as in search
	SELECT l.kind, l.ns, p.pid, l.id FROM place l CROSS JOIN processes p ON p.id = l.process_id WHERE (:all OR l.process_id IN temp.chosen) AND l.ns BETWEEN :since AND :until
	ORDER BY l.ns LIMIT :limit),
told AS (
	SELECT s.kind, s.ns, s.pid, CASE s.id % 4 WHEN 0 THEN (SELECT text FROM texts WHERE id = s.id / 4) WHEN 1 THEN (SELECT command FROM execs WHERE id = s.id / 4)
		WHEN 2 THEN (SELECT shown FROM paths WHERE id = s.id / 4) ELSE (SELECT command FROM shell_lines WHERE id = s.id / 4) END AS text FROM shown s)
SELECT kind, strftime(:time, ns / 1e9, 'unixepoch', :zone) AS time, pid,
	substr(text, max(1, instr(lower(text), lower(rtrim(:query, '*'))) - 40), :chars) AS text
FROM told ORDER BY ns LIMIT :limit;
