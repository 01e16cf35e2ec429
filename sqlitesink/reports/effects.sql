-- What each tool call did: programs, changed files, reached hosts
--
-- call        the number of the tool call
-- time        when it happened
-- tool        that was at work
-- arguments   of the tool
-- kind        exec, connect, or how a file was changed
-- target      the command, the host, the path
-- pid, comm   the process that did it
-- evidence    named (the arguments have the target), alone (no other tool was at work), shared
-- leave first: comm, pid, time, arguments
SELECT f.tool_use_id AS call, strftime(:time, f.timestamp_ns / 1e9, 'unixepoch', :zone) AS time, f.tool,
	substr(x.text, 1, min(:chars, 2 * :chars / 3)) AS arguments, f.kind, substr(f.target, 1, :chars) AS target, f.pid, f.comm, f.evidence
FROM tool_effects f JOIN tool_uses u ON u.id = f.tool_use_id LEFT JOIN texts x ON x.id = u.arguments_id
WHERE :run IS NULL OR f.run_id = :run ORDER BY f.tool_use_id, f.timestamp_ns LIMIT :limit;
