-- Where words occur: prompts, answers, tools, commands, paths
--
-- All words must be there, side by side and in this order, whatever stands
-- between them: report search 'rm -rf'. A word* is the beginning of one.
-- kind    prompt, answer, input, tool call, tool result, mcp, command, path, shell
-- time    when it was first said, or done
-- pid     the process
-- text    around the place
-- leave first: time, pid
WITH word(pattern) AS (
	SELECT '"' || replace(rtrim(:query, '*'), '"', '""') || '"' || iif(:query LIKE '%*', '*', '')),
hit(kind, id) AS MATERIALIZED (
	SELECT rowid % 4, rowid / 4 FROM search, word WHERE search MATCH word.pattern
	-- what is not indexed yet
	UNION ALL SELECT 0, id FROM texts WHERE id > (SELECT upto FROM search_done WHERE kind = 0) AND instr(lower(text), lower(rtrim(:query, '*')))
	UNION ALL SELECT 1, id FROM execs WHERE id > (SELECT upto FROM search_done WHERE kind = 1) AND instr(lower(command), lower(rtrim(:query, '*')))
	UNION ALL SELECT 2, id FROM paths WHERE id > (SELECT upto FROM search_done WHERE kind = 2) AND instr(lower(path), lower(rtrim(:query, '*')))
	UNION ALL SELECT 3, id FROM shell_lines WHERE id > (SELECT upto FROM search_done WHERE kind = 3) AND instr(lower(command), lower(rtrim(:query, '*')))),
place(kind, ns, process_id, text) AS (
	SELECT CASE g.type WHEN 'tool_call' THEN 'tool call' WHEN 'tool_call_response' THEN 'tool result'
			ELSE iif(g.direction = 'output', 'answer', iif(g.role = 'user', 'prompt', g.direction)) END,
		min(c.started_ns), c.process_id, x.text
	FROM hit h JOIN messages g ON h.kind = 0 AND g.text_id = h.id JOIN model_calls c ON c.id = g.call_id JOIN texts x ON x.id = h.id
	GROUP BY h.id, 1, c.process_id
	UNION ALL
	SELECT 'mcp', m.timestamp_ns, m.process_id, x.text FROM hit h JOIN texts x ON h.kind = 0 AND x.id = h.id
	JOIN mcp_calls m ON m.arguments_id = h.id OR m.result_id = h.id
	UNION ALL
	SELECT 'command', e.timestamp_ns, e.process_id, e.command FROM hit h JOIN execs e ON h.kind = 1 AND e.id = h.id
	UNION ALL
	SELECT 'path', min(f.first_ns), f.process_id, p.path FROM files f CROSS JOIN paths p ON p.id = f.path_id	-- f once: it has no index by path
	WHERE f.path_id IN (SELECT id FROM hit WHERE kind = 2) GROUP BY p.id
	UNION ALL
	SELECT 'shell', s.timestamp_ns, s.process_id, s.command FROM hit h JOIN shell_lines s ON h.kind = 3 AND s.id = h.id)
SELECT l.kind, strftime(:time, l.ns / 1e9, 'unixepoch', :zone) AS time, p.pid,
	substr(l.text, max(1, instr(lower(l.text), lower(rtrim(:query, '*'))) - 40), :chars) AS text
FROM place l JOIN processes p ON p.id = l.process_id WHERE :run IS NULL OR p.run_id = :run
ORDER BY l.ns LIMIT :limit;
