-- Files as an outcome: what became of each path, and which tool call did it last
--
-- path           in the end; first, of how many files what became, and whether reads were recorded
-- change         created, changed, renamed, deleted; attributes (permissions or owner alone);
--                "created or changed": another file was renamed to it, and whether it was there
--                before was not seen; unchanged: read, or opened for writing and not written.
--                Files that were made and are gone again are one row, temporary
-- from_path      of renamed: where it was before
-- written_bytes  to it, also under the name that it was written by before it got this one
-- changes        calls that changed it
-- time           of the last of them
-- tool_call      the number of the tool call that it belongs to
-- tool           its name
-- evidence       process, named, alone, shared: as in report effects
-- prompt         the number of the prompt that it worked for
-- process        that changed it last; of unchanged, that used it last
-- leave first: from_path, changes, process, time, prompt, evidence
-- collected by: process
WITH kept AS (SELECT * FROM temp.outcomes WHERE change NOT IN ('temporary', 'unchanged', 'moved')),
shown(rank, path_id, change, source, written, n, last_id) AS MATERIALIZED (
	SELECT * FROM (SELECT CASE k.change WHEN 'created' THEN 1 WHEN 'created or changed' THEN 1 WHEN 'changed' THEN 2
			WHEN 'renamed' THEN 3 WHEN 'deleted' THEN 4 ELSE 5 END AS rank, k.*
		FROM kept k CROSS JOIN paths p ON p.id = k.path_id ORDER BY rank, p.path LIMIT :limit)),
unchanged(path_id, written, ns, process_id) AS MATERIALIZED (	-- when there is room for them
	SELECT f.path_id, 0, max(f.last_ns), f.process_id
	FROM (SELECT 1 WHERE :limit < 0 OR (SELECT count(*) FROM shown) < :limit) CROSS JOIN files f
	WHERE (:all OR f.process_id IN temp.chosen)
		AND f.opens + f.reads + f.shared > 0 AND f.path_id NOT IN (SELECT path_id FROM temp.outcomes WHERE change <> 'unchanged')
	GROUP BY f.path_id),
-- path is what is shown; raw, what a tool's arguments would name
line(rank, path, raw, change, source, written, n, ns, process_id, seen_ns) AS (
	SELECT 0, (SELECT group_concat(n || ' ' || iif(change = 'attributes', 'with other attributes', change), ', ') FROM (SELECT count(*) AS n, change FROM temp.outcomes
			WHERE change NOT IN ('moved', 'unchanged') GROUP BY change
			ORDER BY instr(' created, created or changed; changed; renamed; deleted; attributes; temporary', ' ' || change))) ||
			iif((SELECT max(recorded) FROM recorded_reads) = 0, '; reads were not recorded', ''),
		NULL, 'total', NULL, sum(written), sum(changes), NULL, NULL, NULL FROM temp.outcomes WHERE change NOT IN ('moved', 'unchanged')
	HAVING count(*)
	UNION ALL
	SELECT s.rank, p.shown, p.path, s.change, (SELECT shown FROM paths WHERE id = iif(s.change = 'renamed', s.source, NULL)),
		s.written, s.n, c.timestamp_ns, c.process_id, c.timestamp_ns
	FROM shown s CROSS JOIN paths p ON p.id = s.path_id CROSS JOIN file_changes c ON c.id = s.last_id
	UNION ALL
	SELECT 6, count(*) || ' temporary files', NULL, 'temporary', NULL, sum(written), sum(changes), NULL, NULL, NULL FROM temp.outcomes
	WHERE change = 'temporary' HAVING count(*)
	UNION ALL
	SELECT 7, p.shown, p.path, 'unchanged', NULL, 0, 0, NULL, u.process_id, u.ns FROM unchanged u CROSS JOIN paths p ON p.id = u.path_id
	WHERE p.path NOT GLOB '/proc/*' AND p.path NOT GLOB '/sys/*' AND p.path NOT GLOB '/dev/*'),
top AS MATERIALIZED (SELECT * FROM line ORDER BY rank, path LIMIT :limit),
-- the tool calls in whose time it was, and how each fits; then the one that it is of
fits(rank, path, id, fit) AS MATERIALIZED (
	SELECT t.rank, t.path, w.id, CASE
		WHEN EXISTS (SELECT 1 FROM temp.servers s WHERE s.id = w.id AND s.process_id IN (p.id, p.parent_id)
			AND t.ns BETWEEN s.from_ns AND s.to_ns) THEN 'process'
		WHEN EXISTS (SELECT 1 FROM temp.named_paths a WHERE a.id = w.id AND (a.path = t.raw
			OR substr(t.raw, 1, length(a.path) + 1) = a.path || '.'
			OR substr(a.path, 1, length(t.raw) + 1) = t.raw || '/')) THEN 'named'
		WHEN w.alone AND NOT w.began AND NOT w.names_files THEN 'alone' ELSE 'shared' END
	FROM top t CROSS JOIN processes p ON p.id = t.process_id
	CROSS JOIN temp.members m ON m.member_id = p.agent_id
	CROSS JOIN temp.windows w ON w.agent_id = m.agent_id AND w.from_ns <= t.ns AND w.to_ns >= t.ns
	WHERE p.tool_use_id IS NULL OR p.agent_id = p.id),
of(rank, path, id, fit) AS (
	SELECT t.rank, t.path, CASE
			WHEN p.tool_use_id IS NOT NULL AND p.agent_id IS NOT p.id THEN p.tool_use_id
			WHEN (SELECT count(*) FROM fits f WHERE f.rank = t.rank AND f.path = t.path AND f.fit IN ('process', 'named')) = 1 THEN
				(SELECT id FROM fits f WHERE f.rank = t.rank AND f.path = t.path AND f.fit IN ('process', 'named'))
			WHEN (SELECT count(*) FROM fits f WHERE f.rank = t.rank AND f.path = t.path AND f.fit = 'alone') = 1 THEN
				(SELECT id FROM fits f WHERE f.rank = t.rank AND f.path = t.path AND f.fit = 'alone')
			ELSE p.tool_use_id END,
		CASE WHEN p.tool_use_id IS NOT NULL AND p.agent_id IS NOT p.id THEN 'process' ELSE coalesce(
			(SELECT iif(count(*) = 1, max(fit), NULL) FROM fits f WHERE f.rank = t.rank AND f.path = t.path AND f.fit IN ('process', 'named')),
			(SELECT iif(count(*) = 1, 'alone', NULL) FROM fits f WHERE f.rank = t.rank AND f.path = t.path AND f.fit = 'alone'),
			iif(p.tool_use_id IS NOT NULL, 'process', (SELECT 'shared' FROM fits f WHERE f.rank = t.rank AND f.path = t.path))) END
	FROM top t LEFT JOIN processes p ON p.id = t.process_id)
SELECT t.path, t.change, t.source AS from_path, t.written AS written_bytes, t.n AS changes,
	strftime(:time, t.ns / 1e9, 'unixepoch', :zone) AS time, o.id AS tool_call, u.name AS tool, o.fit AS evidence,
	(SELECT k.prompt_id FROM tool_uses v JOIN temp.work k ON k.call_id = v.call_id WHERE v.id = coalesce(o.id,
		(SELECT f.id FROM fits f WHERE f.rank = t.rank AND f.path = t.path))) AS prompt,
	-- of the program that did it, not of the one that the process ran last
	CAST(coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= t.seen_ns ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS TEXT) AS process
FROM top t JOIN of o ON o.rank = t.rank AND o.path = t.path LEFT JOIN tool_uses u ON u.id = o.id
LEFT JOIN processes p ON p.id = t.process_id
ORDER BY t.rank, t.path LIMIT :limit;
