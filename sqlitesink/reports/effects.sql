-- What each tool call did: programs, changed files, reached hosts
--
-- tool_call   its number
-- time        when it happened
-- tool        that was at work
-- arguments   of the tool
-- kind        exec, connect, or how a file was changed
-- target      the command, the host, the path
-- pid, comm   the process that did it
-- evidence    named (the arguments have the target), alone (no other tool was at work), shared
-- leave first: comm, pid, time, arguments
WITH
-- of each kind no more than are shown: from tool call to tool call, by the indexes of time
found(id, ns, kind, row, process_id, alone) AS (
	SELECT * FROM (SELECT w.id, e.timestamp_ns, 1, e.id, e.process_id, w.alone FROM temp.windows w
		CROSS JOIN execs e ON e.timestamp_ns BETWEEN w.from_ns AND w.to_ns
		CROSS JOIN processes p ON p.id = e.process_id
		CROSS JOIN temp.members m ON m.agent_id = w.agent_id AND m.member_id = p.agent_id
		WHERE NOT e.seed AND (:call IS NULL OR w.call_id = :call)
			AND (:all OR e.process_id IN temp.chosen) AND +e.timestamp_ns BETWEEN :since AND :until
		ORDER BY w.id, e.timestamp_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT w.id, c.timestamp_ns, 2, c.id, c.process_id, w.alone FROM temp.windows w
		CROSS JOIN file_changes c ON c.timestamp_ns BETWEEN w.from_ns AND w.to_ns
		CROSS JOIN processes p ON p.id = c.process_id
		CROSS JOIN temp.members m ON m.agent_id = w.agent_id AND m.member_id = p.agent_id
		WHERE c.op <> 'open' AND (:call IS NULL OR w.call_id = :call)
			AND (:all OR c.process_id IN temp.chosen) AND +c.timestamp_ns BETWEEN :since AND :until
		ORDER BY w.id, c.timestamp_ns LIMIT :limit)
	UNION ALL
	SELECT * FROM (SELECT w.id, n.opened_ns, 3, n.id, n.process_id, w.alone FROM temp.windows w
		CROSS JOIN connections n ON n.opened_ns BETWEEN w.from_ns AND w.to_ns
		CROSS JOIN processes p ON p.id = n.process_id
		CROSS JOIN temp.members m ON m.agent_id = w.agent_id AND m.member_id = p.agent_id
		WHERE +n.kind = 'connect' AND n.family <> 'unix' AND (:call IS NULL OR w.call_id = :call)
			AND (:all OR n.process_id IN temp.chosen) AND +n.opened_ns BETWEEN :since AND :until
		ORDER BY w.id, n.opened_ns LIMIT :limit)),
shown AS MATERIALIZED (SELECT * FROM found ORDER BY id, ns LIMIT :limit),
effect AS (
	SELECT s.*, CASE s.kind WHEN 1 THEN 'exec' WHEN 2 THEN (SELECT op FROM file_changes WHERE id = s.row) ELSE 'connect' END AS what,
		CASE s.kind WHEN 1 THEN (SELECT command FROM execs WHERE id = s.row)
			WHEN 2 THEN (SELECT p.path FROM file_changes c JOIN paths p ON p.id = c.path_id WHERE c.id = s.row)
			ELSE (SELECT coalesce(host, address, path) || coalesce(':' || port, '') FROM connections WHERE id = s.row) END AS target
	FROM shown s)
SELECT f.id AS tool_call, strftime(:time, f.ns / 1e9, 'unixepoch', :zone) AS time, u.name AS tool,
	substr(a.text, 1, min(:chars, 2 * :chars / 3)) AS arguments, f.what AS kind, substr(f.target, 1, :chars) AS target, p.pid, p.comm,
	CASE WHEN instr(a.text, f.target) > 0 OR (f.kind = 1 AND instr(f.target, json_extract(
			CASE WHEN json_valid(a.text) THEN a.text END, '$.command')) > 0) THEN 'named'
		WHEN f.alone THEN 'alone' ELSE 'shared' END AS evidence
FROM effect f CROSS JOIN processes p ON p.id = f.process_id CROSS JOIN tool_uses u ON u.id = f.id LEFT JOIN texts a ON a.id = u.arguments_id
ORDER BY f.id, f.ns LIMIT :limit;
