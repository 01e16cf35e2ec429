-- Files as an outcome: what became of each path, and which tool call did it last
--
-- path           in the end
-- change         created, changed, renamed, deleted; attributes (permissions or owner alone);
--                "created or changed": another file was renamed to it, and whether it was there
--                before was not seen; unchanged: read, or opened for writing and not written.
--                Files that were made and are gone again are one row, temporary
-- from_path      of renamed: where it was before
-- written_bytes  to it, also under the name that it was written by before it got this one
-- changes        calls that changed it
-- time           of the last of them
-- tool_call      the number of the tool call that it belongs to: its arguments name the path, or no
--                other tool of the agent was at work (report effects)
-- tool           its name
-- prompt         the number of the prompt that it worked for
-- process        that changed it last
-- leave first: from_path, changes, process, time, prompt
WITH event(path_id, ns, id, op, bytes, process_id, other) AS (	-- what a path went through; arrive: it got another one's content
	SELECT path_id, timestamp_ns, id, op, iif(op = 'write', bytes, 0), process_id, to_path_id FROM file_changes
	WHERE :all OR process_id IN temp.chosen
	UNION ALL
	SELECT to_path_id, timestamp_ns, id, iif(op = 'rename', 'arrive', 'linked'), 0, process_id, path_id FROM file_changes
	WHERE to_path_id IS NOT NULL AND (:all OR process_id IN temp.chosen)),
first(path_id, op, id) AS MATERIALIZED (SELECT path_id, op, min(id) FROM event GROUP BY path_id),
last(path_id, op, id, other, ns, process_id, n, bytes, content) AS MATERIALIZED (
	SELECT path_id, op, max(id), other, max(ns), process_id, sum(op <> 'open'), sum(bytes),
		sum(op NOT IN ('open', 'chmod', 'chown')) FROM event GROUP BY path_id),
-- it was there before something else got its name: it was opened, or sed -i, which needs it, did that
known(path_id) AS MATERIALIZED (
	SELECT f.path_id FROM files f CROSS JOIN first a ON a.path_id = f.path_id AND a.op = 'arrive'
	CROSS JOIN file_changes c ON c.id = a.id
	WHERE f.opens > f.created AND f.first_ns <= c.timestamp_ns
	UNION
	SELECT a.path_id FROM first a CROSS JOIN file_changes c ON c.id = a.id CROSS JOIN paths p ON p.id = c.path_id
	CROSS JOIN processes s ON s.id = c.process_id WHERE a.op = 'arrive' AND s.comm = 'sed' AND p.path GLOB '*/sed??????'),
state(path_id, before, after, source) AS MATERIALIZED (
	SELECT l.path_id, CASE f.op WHEN 'create' THEN 0 WHEN 'mkdir' THEN 0 WHEN 'symlink' THEN 0 WHEN 'linked' THEN 0
			WHEN 'arrive' THEN iif(l.path_id IN (SELECT path_id FROM known), 1, NULL) ELSE 1 END,
		l.op NOT IN ('delete', 'rmdir', 'rename'), (SELECT e.path_id FROM file_changes e WHERE e.id = l.id AND e.to_path_id = l.path_id)
	FROM last l CROSS JOIN first f ON f.path_id = l.path_id),
net(path_id, change, source, written, n, ns, id, process_id) AS MATERIALIZED (
	SELECT s.path_id, CASE WHEN NOT s.after AND NOT coalesce(s.before, 0) THEN 'temporary' WHEN NOT s.after THEN 'deleted'
			WHEN NOT coalesce(s.before, 0) AND b.before AND NOT b.after THEN 'renamed' WHEN s.before IS NULL THEN 'created or changed'
			WHEN NOT s.before THEN 'created' WHEN l.content THEN 'changed' WHEN l.n THEN 'attributes' ELSE 'unchanged' END,
		s.source, l.bytes + coalesce(k.bytes, 0), l.n, l.ns, l.id, l.process_id
	FROM state s CROSS JOIN last l ON l.path_id = s.path_id
	LEFT JOIN state b ON b.path_id = s.source LEFT JOIN last k ON k.path_id = s.source
	CROSS JOIN paths p ON p.id = s.path_id
	WHERE p.path NOT GLOB '/proc/*' AND p.path NOT GLOB '/sys/*' AND p.path NOT GLOB '/dev/*'),
-- what was moved elsewhere is told there
kept AS (SELECT * FROM net WHERE change NOT IN ('temporary', 'unchanged')
	AND NOT (change = 'deleted' AND path_id IN (SELECT source FROM net WHERE change = 'renamed'))),
shown(rank, path_id, change, source, written, n, ns, id, process_id) AS MATERIALIZED (
	SELECT * FROM (SELECT CASE k.change WHEN 'created' THEN 1 WHEN 'created or changed' THEN 1 WHEN 'changed' THEN 2 WHEN 'renamed' THEN 3 WHEN 'deleted' THEN 4 ELSE 5 END AS rank, k.*
		FROM kept k CROSS JOIN paths p ON p.id = k.path_id ORDER BY rank, p.path LIMIT :limit)),
unchanged(path_id, written, ns, process_id) AS MATERIALIZED (	-- when there is room for them
	SELECT f.path_id, 0, max(f.last_ns), f.process_id FROM files f
	WHERE (:limit < 0 OR (SELECT count(*) FROM shown) < :limit) AND (:all OR f.process_id IN temp.chosen) AND f.opens + f.reads > 0
		AND f.path_id NOT IN (SELECT path_id FROM net WHERE change <> 'unchanged')
	GROUP BY f.path_id),
line(rank, path, change, source, written, n, ns, process_id) AS (
	SELECT s.rank, p.path, s.change, (SELECT path FROM paths WHERE id = iif(s.change = 'renamed', s.source, NULL)), s.written, s.n, s.ns, s.process_id
	FROM shown s CROSS JOIN paths p ON p.id = s.path_id
	UNION ALL
	SELECT 6, count(*) || ' temporary files', 'temporary', NULL, sum(written), sum(n), NULL, NULL FROM net WHERE change = 'temporary' HAVING count(*)
	UNION ALL
	SELECT 7, p.path, 'unchanged', NULL, 0, 0, NULL, u.process_id FROM unchanged u CROSS JOIN paths p ON p.id = u.path_id
	WHERE p.path NOT GLOB '/proc/*' AND p.path NOT GLOB '/sys/*' AND p.path NOT GLOB '/dev/*'),
top AS MATERIALIZED (SELECT * FROM line ORDER BY rank, path LIMIT :limit),
-- the tool calls in whose time it was; of several, only one whose arguments name the path is told
did AS (
	SELECT t.*, w.id AS window, iif(instr(a.text, t.path) > 0 OR count(*) OVER (PARTITION BY t.rank, t.path) = 1, w.id, NULL) AS tool_call, row_number() OVER (PARTITION BY t.rank, t.path
		ORDER BY coalesce(instr(a.text, t.path) > 0, 0) DESC, w.alone DESC, w.from_ns DESC) AS best
	FROM top t LEFT JOIN processes p ON p.id = t.process_id
	LEFT JOIN temp.windows w ON t.ns BETWEEN w.from_ns AND w.to_ns
		AND EXISTS (SELECT 1 FROM temp.members m WHERE m.agent_id = w.agent_id AND m.member_id = p.agent_id)
	LEFT JOIN tool_uses u ON u.id = w.id LEFT JOIN texts a ON a.id = u.arguments_id)
SELECT d.path, d.change, d.source AS from_path, d.written AS written_bytes, d.n AS changes, strftime(:time, d.ns / 1e9, 'unixepoch', :zone) AS time,
	d.tool_call, u.name AS tool, m.prompt_id AS prompt, CAST(p.comm AS TEXT) AS process
FROM did d LEFT JOIN tool_uses u ON u.id = d.tool_call
LEFT JOIN tool_uses v ON v.id = d.window LEFT JOIN model_calls m ON m.id = v.call_id LEFT JOIN processes p ON p.id = d.process_id
WHERE d.best = 1 ORDER BY d.rank, d.path LIMIT :limit;
