-- Processes, as a tree
--
-- process   what it ran, indented below its parent
-- pid       its number
-- began     when
-- ms        how long it lived
-- status    exit code, or the signal that killed it; empty: its end was not seen
-- rss_mb    the most memory it had
-- programs  that it executed one after the other
-- tool_call the number of the tool call that it was started for, by its command and the tree
-- container what it is called, behind the namespace and the name of its pod; else its id
-- leave first: container, tool_call, rss_mb, programs, ms, began, status
-- collected by: process
WITH RECURSIVE tree(id, depth, start_ns) AS (	-- what is deepest leaves the queue first, of those what began first
	SELECT id, 0, start_ns FROM processes WHERE (:all OR id IN temp.chosen) AND (parent_id IS NULL OR (:agent IS NOT NULL AND parent_id NOT IN temp.chosen))
	UNION ALL
	SELECT c.id, t.depth + 1, c.start_ns FROM tree t CROSS JOIN processes c ON c.parent_id = t.id
	WHERE t.depth < 200 AND (:agent IS NULL OR c.id IN temp.chosen)
	ORDER BY 2 DESC, 3, 1 LIMIT -1)	-- without a limit SQLite leaves the order out
SELECT substr('                                                            ', 1, 2 * min(t.depth, 30)) ||
		substr(coalesce(CAST(e.command AS TEXT), CAST(e.filename AS TEXT), CAST(p.comm AS TEXT)), 1, :chars) AS process,
	p.pid, strftime(:time, p.start_ns / 1e9, 'unixepoch', :zone) AS began, round((p.end_ns - p.start_ns) / 1e6, 1) AS ms,
	coalesce(CAST(p.exit_code AS TEXT), 'signal ' || p.signal) AS status, p.rss_max_kb / 1024 AS rss_mb,
	(SELECT count(*) FROM execs x WHERE x.process_id = p.id AND NOT x.seed) AS programs, p.tool_use_id AS tool_call,
	coalesce((SELECT nullif(coalesce(k.pod_namespace || '/', '') || coalesce(k.pod_name || '/', '') || coalesce(k.container_name, k.container_id), '') FROM containers k
		WHERE k.run_id = p.run_id AND k.container_id = p.container_id), p.container_id) AS container
FROM tree t CROSS JOIN processes p ON p.id = t.id LEFT JOIN execs e ON e.id = p.exec_id
WHERE p.start_ns <= :until AND coalesce(p.end_ns, (SELECT last_ns FROM runs r WHERE r.id = p.run_id), p.start_ns) >= :since LIMIT :limit;
