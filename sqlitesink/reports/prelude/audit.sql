-- The newest rows of the view audit_events, :limit or 10000 of them, whichever is more: the
-- view would put all there is into words first. :query is the type, or empty.
CREATE TEMP TABLE audit AS
WITH newest(kind, id, ns) AS MATERIALIZED (
	SELECT * FROM (
		SELECT * FROM (SELECT 1 AS kind, id, timestamp_ns AS ns FROM execs WHERE NOT seed AND :query IN ('', 'process')
			AND (:all OR process_id IN temp.chosen) AND timestamp_ns BETWEEN :since AND :until
			ORDER BY timestamp_ns DESC LIMIT iif(:limit < 0, -1, max(:limit, 10000)))
		UNION ALL
		SELECT * FROM (SELECT 2, id, end_ns FROM processes WHERE (exit_code IS NOT NULL OR signal IS NOT NULL) AND :query IN ('', 'process')
			AND (:all OR id IN temp.chosen) AND end_ns BETWEEN :since AND :until
			ORDER BY end_ns DESC LIMIT iif(:limit < 0, -1, max(:limit, 10000)))
		UNION ALL
		SELECT * FROM (SELECT 3, id, timestamp_ns FROM file_changes WHERE :query IN ('', 'file')
			AND (:all OR process_id IN temp.chosen) AND timestamp_ns BETWEEN :since AND :until
			ORDER BY timestamp_ns DESC LIMIT iif(:limit < 0, -1, max(:limit, 10000)))
		UNION ALL
		SELECT * FROM (SELECT 4, id, opened_ns FROM connections WHERE :query IN ('', 'network')
			AND (:all OR process_id IN temp.chosen) AND opened_ns BETWEEN :since AND :until
			ORDER BY opened_ns DESC LIMIT iif(:limit < 0, -1, max(:limit, 10000)))
		UNION ALL
		SELECT * FROM (SELECT 5, id, started_ns FROM model_calls WHERE :query IN ('', 'llm')
			AND (:all OR process_id IN temp.chosen) AND started_ns BETWEEN :since AND :until
			ORDER BY started_ns DESC LIMIT iif(:limit < 0, -1, max(:limit, 10000))))
	ORDER BY ns DESC LIMIT iif(:limit < 0, -1, max(:limit, 10000)))
SELECT 'exec-' || e.id AS id, e.timestamp_ns / 1000000 AS timestamp_ms, 'process' AS audit_type, p.pid, coalesce(e.comm, p.comm) AS comm,
	coalesce(e.comm, p.comm) AS subject, 'exec' AS action, coalesce(e.filename, e.command) AS target, 'observed' AS status,
	'exec ' || coalesce(e.filename, e.command, '') AS summary,
	json_object('filename', CAST(e.filename AS TEXT), 'argv', json(coalesce(e.argv, '[]')), 'cwd', CAST(e.cwd AS TEXT),
		'ppid', p.ppid) AS details_json
FROM newest n CROSS JOIN execs e ON e.id = n.id CROSS JOIN processes p ON p.id = e.process_id WHERE n.kind = 1
UNION ALL
SELECT 'exit-' || p.id, p.end_ns / 1000000, 'process', p.pid, p.comm, p.comm, 'exit', coalesce(e.filename, p.comm),
	CASE WHEN p.exit_code = 0 THEN 'success' ELSE 'failure' END,
	CASE WHEN p.signal IS NULL THEN 'exit code ' || p.exit_code ELSE 'signal ' || p.signal END ||
		' (' || ((p.end_ns - p.start_ns) / 1000000) || 'ms)',
	json_object('exit_code', p.exit_code, 'signal', p.signal, 'duration_ms', (p.end_ns - p.start_ns) / 1000000)
FROM newest n CROSS JOIN processes p ON p.id = n.id LEFT JOIN execs e ON e.id = p.exec_id WHERE n.kind = 2
UNION ALL
SELECT 'file-' || c.id, c.timestamp_ns / 1000000, 'file', p.pid, coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= c.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm),
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= c.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm),
	CASE WHEN c.op IN ('open', 'create', 'truncate') THEN 'write' ELSE c.op END, f.shown, 'observed', 'file ' || f.shown,
	json_object('op', c.op, 'bytes', c.bytes, 'to', CAST(t.shown AS TEXT), 'detail', CAST(c.detail AS TEXT))
FROM newest n CROSS JOIN file_changes c ON c.id = n.id CROSS JOIN processes p ON p.id = c.process_id CROSS JOIN paths f ON f.id = c.path_id
LEFT JOIN paths t ON t.id = c.to_path_id WHERE n.kind = 3
UNION ALL
SELECT 'net-' || x.id, x.opened_ns / 1000000, 'network', p.pid, coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= x.opened_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm),
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= x.opened_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm), 'NET_' || upper(x.kind),
	coalesce(x.address || ':' || x.port, x.path), CASE WHEN x.error IS NULL THEN 'success' ELSE 'failure' END,
	x.kind || ' ' || coalesce(x.host, x.address, x.path, ''),
	json_object('host', x.host, 'address', x.address, 'port', x.port, 'error', x.error, 'sent_bytes', x.sent_bytes,
		'received_bytes', x.received_bytes)
FROM newest n CROSS JOIN connections x ON x.id = n.id CROSS JOIN processes p ON p.id = x.process_id WHERE n.kind = 4
UNION ALL
SELECT 'llm-' || c.id, c.started_ns / 1000000, 'llm', p.pid, p.comm, coalesce(c.request_model, c.response_model, 'unknown'),
	'call', coalesce(c.server_address, c.provider),
	CASE WHEN c.error_type IS NULL THEN 'success' ELSE 'failure' END,
	coalesce(c.provider, '') || ' ' || coalesce(c.request_model, c.response_model, 'unknown'),
	json_object('prompt_source', 'ssl', 'text_content', CAST(x.text AS TEXT), 'error_type', c.error_type,
		'total_tokens', c.total_tokens, 'conversation_id', c.conversation_id)
FROM newest n CROSS JOIN model_calls c ON c.id = n.id CROSS JOIN processes p ON p.id = c.process_id
LEFT JOIN prompts q ON q.id = c.prompt_id AND q.call_id = c.id LEFT JOIN texts x ON x.id = q.text_id WHERE n.kind = 5;
