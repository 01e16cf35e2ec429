-- Processes, as a tree
--
-- process   what it ran, indented below its parent
-- pid       its number
-- began     when
-- ms        how long it lived
-- status    exit code, or the signal that killed it; empty: its end was not seen
-- rss_mb    the most memory it had
-- programs  that it executed one after the other
-- leave first: rss_mb, programs, ms, began, status
WITH RECURSIVE tree(id, depth, place) AS (
	SELECT id, 0, printf('%020d', start_ns) || printf('%08d', id) FROM processes WHERE parent_id IS NULL AND (:run IS NULL OR run_id = :run)
	UNION ALL
	SELECT c.id, t.depth + 1, substr(t.place, 1, 2000) || '/' || printf('%020d', c.start_ns) || printf('%08d', c.id)
	FROM tree t JOIN processes c ON c.parent_id = t.id WHERE t.depth < 200)
SELECT substr('                                                            ', 1, 2 * min(t.depth, 30)) ||
		substr(coalesce(CAST(e.command AS TEXT), CAST(e.filename AS TEXT), CAST(p.comm AS TEXT)), 1, :chars) AS process,
	p.pid, strftime(:time, p.start_ns / 1e9, 'unixepoch', :zone) AS began, round((p.end_ns - p.start_ns) / 1e6, 1) AS ms,
	coalesce(CAST(p.exit_code AS TEXT), 'signal ' || p.signal) AS status, p.rss_max_kb / 1024 AS rss_mb,
	(SELECT count(*) FROM execs x WHERE x.process_id = p.id AND NOT x.seed) AS programs
FROM tree t JOIN processes p ON p.id = t.id LEFT JOIN execs e ON e.id = p.exec_id
ORDER BY t.place LIMIT :limit;
