-- What each tool call did: programs, changed files, reached hosts
--
-- tool_call   its number; several when it may be that of any of them (shared)
-- time        when it happened
-- tool        that was at work
-- arguments   of the tool
-- kind        exec, connect, or how a file was changed
-- target      the command, the host, the path
-- pid, comm   the process that did it, by the name that it had then
-- evidence    process (started for the tool call, or its server), named (the arguments name the
--             target), alone (no other tool was at work), shared (by what is at work then)
-- leave first: comm, pid, time, arguments
-- collected by: sslsniff process
WITH
-- of each kind no more than are shown: from tool call to tool call, by the indexes of time
found(id, agent_id, from_ns, to_ns, alone, names_files, began, ns, kind, row, process_id) AS (
	SELECT * FROM (SELECT w.id, w.agent_id, w.from_ns, w.to_ns, w.alone, w.names_files, w.began, e.timestamp_ns, 1, e.id, p.id
		FROM temp.windows w CROSS JOIN execs e ON e.timestamp_ns BETWEEN w.since_ns AND w.until_ns
		CROSS JOIN processes p ON p.id = e.process_id
		WHERE NOT e.seed AND (:call IS NULL OR w.call_id = :call) AND (p.tool_use_id = w.id
				OR EXISTS (SELECT 1 FROM temp.members m WHERE m.agent_id = w.agent_id AND m.member_id = p.agent_id))
			AND (:all OR e.process_id IN temp.chosen) AND +e.timestamp_ns BETWEEN :since AND :until
		ORDER BY w.id, e.timestamp_ns LIMIT iif(:limit < 0, -1, 4 * :limit + 100))
	UNION ALL
	SELECT * FROM (SELECT w.id, w.agent_id, w.from_ns, w.to_ns, w.alone, w.names_files, w.began, c.timestamp_ns, 2, c.id, p.id
		FROM temp.windows w CROSS JOIN file_changes c ON c.timestamp_ns BETWEEN w.since_ns AND w.until_ns
		CROSS JOIN processes p ON p.id = c.process_id
		WHERE c.op <> 'open' AND (:call IS NULL OR w.call_id = :call) AND (p.tool_use_id = w.id
				OR EXISTS (SELECT 1 FROM temp.members m WHERE m.agent_id = w.agent_id AND m.member_id = p.agent_id))
			AND (:all OR c.process_id IN temp.chosen) AND +c.timestamp_ns BETWEEN :since AND :until
		ORDER BY w.id, c.timestamp_ns LIMIT iif(:limit < 0, -1, 4 * :limit + 100))
	UNION ALL
	SELECT * FROM (SELECT w.id, w.agent_id, w.from_ns, w.to_ns, w.alone, w.names_files, w.began, n.opened_ns, 3, n.id, p.id
		FROM temp.windows w CROSS JOIN connections n ON n.opened_ns BETWEEN w.since_ns AND w.until_ns
		CROSS JOIN processes p ON p.id = n.process_id
		WHERE +n.kind IN ('connect', 'send') AND n.family <> 'unix' AND (:call IS NULL OR w.call_id = :call) AND (p.tool_use_id = w.id
				OR EXISTS (SELECT 1 FROM temp.members m WHERE m.agent_id = w.agent_id AND m.member_id = p.agent_id))
			AND NOT EXISTS (SELECT 1 FROM temp.model_hosts h WHERE h.process_id = n.process_id AND h.host = n.host)
			AND (:all OR n.process_id IN temp.chosen) AND +n.opened_ns BETWEEN :since AND :until
		ORDER BY w.id, n.opened_ns LIMIT iif(:limit < 0, -1, 4 * :limit + 100))),
effect AS MATERIALIZED (
	SELECT f.*, CASE f.kind WHEN 1 THEN 'exec' WHEN 2 THEN (SELECT op FROM file_changes WHERE id = f.row) ELSE 'connect' END AS what,
		CASE f.kind WHEN 1 THEN (SELECT command FROM execs WHERE id = f.row)
			WHEN 2 THEN (SELECT p.path FROM file_changes c JOIN paths p ON p.id = c.path_id WHERE c.id = f.row)
			ELSE (SELECT coalesce(host, address, path) || coalesce(':' || port, '') FROM connections WHERE id = f.row) END AS target,
		CASE f.kind WHEN 2 THEN (SELECT p.path FROM file_changes c JOIN paths p ON p.id = c.to_path_id WHERE c.id = f.row) END AS other
	FROM (SELECT * FROM found ORDER BY id, ns LIMIT iif(:limit < 0, -1, 4 * :limit + 100)) f),
judged AS MATERIALIZED (	-- as the view tool_effects does
	SELECT e.*, CASE
		WHEN p.tool_use_id = e.id AND NOT (p.agent_id = p.id AND EXISTS (SELECT 1 FROM temp.windows v WHERE v.agent_id = p.id
			AND e.ns BETWEEN v.from_ns AND v.to_ns AND ((v.alone AND NOT v.began AND NOT v.names_files)
				OR EXISTS (SELECT 1 FROM temp.named_paths a WHERE a.id = v.id AND (a.path IN (e.target, e.other)
					OR substr(e.target, 1, length(a.path) + 1) = a.path || '.'
					OR substr(a.path, 1, length(e.target) + 1) = e.target || '/'))))) THEN 'process'
		WHEN e.ns NOT BETWEEN e.from_ns AND e.to_ns THEN NULL
		WHEN EXISTS (SELECT 1 FROM temp.servers s WHERE s.id = e.id AND s.process_id IN (p.id, p.parent_id)
			AND e.ns BETWEEN s.from_ns AND s.to_ns) THEN 'process'
		WHEN (p.tool_use_id IS NOT NULL AND p.id <> e.agent_id) OR EXISTS (SELECT 1 FROM temp.servers s
			WHERE s.process_id IN (p.id, p.parent_id) AND e.ns BETWEEN s.from_ns AND s.to_ns) THEN NULL
		WHEN EXISTS (SELECT 1 FROM temp.named_paths a WHERE a.id = e.id AND (a.path IN (e.target, e.other)
			OR substr(e.target, 1, length(a.path) + 1) = a.path || '.'
			OR substr(a.path, 1, length(e.target) + 1) = e.target || '/')) THEN 'named'
		WHEN NOT e.alone AND EXISTS (SELECT 1 FROM temp.windows v CROSS JOIN temp.named_paths a ON a.id = v.id
			WHERE v.agent_id = e.agent_id AND e.ns BETWEEN v.from_ns AND v.to_ns AND (a.path IN (e.target, e.other)
				OR substr(e.target, 1, length(a.path) + 1) = a.path || '.'
				OR substr(a.path, 1, length(e.target) + 1) = e.target || '/')) THEN NULL
		WHEN e.alone AND NOT e.began AND NOT e.names_files THEN 'alone'
		WHEN p.tool_use_id IS NULL THEN 'shared' END AS evidence, p.pid,
		coalesce((SELECT x.comm FROM execs x WHERE x.process_id = p.id AND x.timestamp_ns <= e.ns ORDER BY x.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm
	FROM effect e CROSS JOIN processes p ON p.id = e.process_id
	WHERE e.process_id NOT IN (SELECT process_id FROM callers))
SELECT iif(count(*) = 1, j.id, group_concat(j.id, ', ')) AS tool_call, strftime(:time, j.ns / 1e9, 'unixepoch', :zone) AS time,
	iif(count(*) = 1, u.name, group_concat(u.name, ', ')) AS tool,
	iif(count(*) = 1, substr(a.text, 1, min(:chars, 2 * :chars / 3)), NULL) AS arguments, j.what AS kind,
	substr(iif(j.kind = 2, (SELECT p.shown FROM file_changes c JOIN paths p ON p.id = c.path_id WHERE c.id = j.row), j.target), 1, :chars) AS target, j.pid, j.comm, max(j.evidence) AS evidence
FROM judged j CROSS JOIN tool_uses u ON u.id = j.id LEFT JOIN texts a ON a.id = u.arguments_id
WHERE j.evidence IS NOT NULL GROUP BY j.kind, j.row ORDER BY min(j.id), j.ns LIMIT :limit;
