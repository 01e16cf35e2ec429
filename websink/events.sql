-- events.sql - a database of sqlitesink(1) told as event lines again, for the page
--
-- Each query gives events in the order of their time. A column is a key of
-- agentsight-events(5), left out when it is null; "key:json" holds JSON, of
-- "key:flag" only true is told, and bytes that are no text become key_b64. What
-- the tables sum up (reads of a file) is one event with the sum.

SELECT 'process.fork' AS type, c.start_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, p.ppid, c.pid AS child_pid
FROM processes c JOIN processes p ON p.id = c.parent_id WHERE c.seen = 'fork' ORDER BY c.start_ns;

SELECT 'process.exec' AS type, e.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, p.container_id, p.ppid, e.filename, e.exe,
	CASE WHEN NOT e.argv_base64 THEN e.argv END AS "argv:json", CASE WHEN e.argv_base64 THEN e.argv END AS "argv_b64:json",
	e.cwd, e.seed AS "seed:flag"
FROM execs e JOIN processes p ON p.id = e.process_id ORDER BY e.timestamp_ns;

SELECT 'process.exit' AS type, p.end_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, p.ppid, p.exit_code, p.signal,
	CASE WHEN p.seen = 'fork' THEN (p.end_ns - p.start_ns) / 1e6 END AS duration_ms, p.rss_max_kb
FROM processes p WHERE p.end_ns IS NOT NULL AND (p.exit_code IS NOT NULL OR p.signal IS NOT NULL) ORDER BY p.end_ns;

SELECT 'process.signal' AS type, s.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, s.target_pid, s.signal, s.signal_name,
	CASE WHEN s.error IS NULL THEN 0 END AS result, s.outcome, s.error
FROM signals s JOIN processes p ON p.id = s.process_id ORDER BY s.timestamp_ns;

SELECT 'bash.readline' AS type, l.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, l.command
FROM shell_lines l JOIN processes p ON p.id = l.process_id ORDER BY l.timestamp_ns;

SELECT 'file.read' AS type, f.first_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, t.path, f.read_bytes AS bytes,
	f.reads AS count, f.last_ns
FROM files f JOIN processes p ON p.id = f.process_id JOIN paths t ON t.id = f.path_id
WHERE f.reads > 0 ORDER BY f.first_ns;

SELECT 'file.open' AS type, f.first_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, t.path,
	coalesce(f.last_error, 'failed') AS error, f.failed AS count
FROM files f JOIN processes p ON p.id = f.process_id JOIN paths t ON t.id = f.path_id
WHERE f.failed > 0 ORDER BY f.first_ns;

SELECT CASE c.op WHEN 'open' THEN 'file.open' WHEN 'create' THEN 'file.open' WHEN 'mkdir' THEN 'dir.create'
		WHEN 'rmdir' THEN 'dir.delete' ELSE 'file.' || c.op END AS type,
	c.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, t.path, o.path AS "to",
	CASE WHEN c.op IN ('open', 'create') THEN '["write"]' END AS "mode:json", c.op = 'create' AS "created:flag",
	CASE WHEN c.op = 'write' THEN c.bytes END AS bytes, CASE WHEN c.op = 'truncate' THEN c.bytes END AS length,
	CASE WHEN c.op IN ('chmod', 'mkdir') THEN c.detail END AS permissions, CASE WHEN c.op = 'symlink' THEN c.detail END AS target,
	c.last_ns
FROM file_changes c JOIN processes p ON p.id = c.process_id JOIN paths t ON t.id = c.path_id
LEFT JOIN paths o ON o.id = c.to_path_id ORDER BY c.timestamp_ns;

SELECT 'net.dns' AS type, d.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, d.kind, d.name, d.qtype, d.server, d.rcode,
	d.addresses AS "addresses:json"
FROM dns d JOIN processes p ON p.id = d.process_id ORDER BY d.timestamp_ns;

SELECT CASE n.kind WHEN 'bind' THEN CASE WHEN n.listening THEN 'net.listen' ELSE 'net.bind' END ELSE 'net.' || n.kind END AS type,
	n.opened_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, n.fd, n.family, n.transport, n.address, n.port, n.local, n.path,
	CASE WHEN n.error IS NULL THEN 0 END AS result, n.error, n.latency_ms
FROM connections n JOIN processes p ON p.id = n.process_id WHERE n.kind <> 'close' ORDER BY n.opened_ns;

SELECT 'net.close' AS type, n.closed_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, n.fd, n.family, n.transport, n.address,
	n.port, n.local, n.path, n.sent_bytes, n.received_bytes
FROM connections n JOIN processes p ON p.id = n.process_id WHERE n.closed_ns IS NOT NULL ORDER BY n.closed_ns;

SELECT 'http.request' AS type, x.started_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, x.exchange AS id, x.method, x.path,
	x.host, x.protocol, x.request_headers AS "headers:json", x.request_body AS body, x.request_bytes AS body_len
FROM http_exchanges x JOIN processes p ON p.id = x.process_id ORDER BY x.started_ns;

SELECT 'http.response' AS type, x.started_ns + CAST(coalesce(x.duration_ms, 0) * 1e6 AS INTEGER) AS timestamp_ns, p.pid, p.pid AS tid,
	p.uid, p.comm, x.exchange AS id, x.method, x.path, x.host, x.status_code, x.status_text, x.protocol,
	x.response_headers AS "headers:json", x.response_body AS body, x.response_bytes AS body_len, x.ttfb_ms, x.duration_ms,
	x.streaming AS "streaming:flag", x.incomplete
FROM http_exchanges x JOIN processes p ON p.id = x.process_id WHERE x.status_code IS NOT NULL ORDER BY 2;

WITH part AS MATERIALIZED (
	SELECT m.call_id, m.direction, m.message, m.part, m.role, m.finish_reason,
		CASE WHEN m.text_key IS NULL THEN json_set(coalesce(m.attributes, '{}'), '$.type', m.type)
			ELSE json_set(coalesce(m.attributes, '{}'), '$.type', m.type, '$.' || m.text_key,
				CASE WHEN m.text_json THEN json(CAST(t.text AS TEXT)) ELSE CAST(t.text AS TEXT) END) END AS body
	FROM messages m LEFT JOIN texts t ON t.id = m.text_id
	ORDER BY m.call_id, m.direction, m.message, m.part),
message AS MATERIALIZED (
	SELECT call_id, direction, message,
		CASE WHEN max(finish_reason) IS NULL THEN json_object('role', role, 'parts', json_group_array(json(body)))
			ELSE json_object('role', role, 'parts', json_group_array(json(body)), 'finish_reason', max(finish_reason)) END AS body,
		json_group_array(json(body)) AS parts
	FROM part GROUP BY call_id, direction, message)
SELECT 'llm.call' AS type, c.started_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, coalesce(c.exchange, 'call-' || c.id) AS id,
	c.turn, c.provider, c.api, c.operation, c.request_model, c.response_model, c.response_id, c.stream AS "stream:flag", c.status_code,
	c.error_type, c.error_message, c.finish_reasons AS "finish_reasons:json", c.usage AS "usage:json", c.service_tier,
	(SELECT m.parts FROM message m WHERE m.call_id = c.id AND m.direction = 'system') AS "system_instructions:json",
	(SELECT json_group_array(json(m.body)) FROM message m WHERE m.call_id = c.id AND m.direction = 'input' HAVING count(*) > 0) AS "input_messages:json",
	(SELECT json_group_array(json(m.body)) FROM message m WHERE m.call_id = c.id AND m.direction = 'output' HAVING count(*) > 0) AS "output_messages:json",
	(SELECT json_group_array(json_object('id', u.tool_call_id, 'name', u.name, 'arguments',
			CASE WHEN json_valid(a.text) THEN json(a.text) ELSE CAST(a.text AS TEXT) END))
		FROM tool_uses u LEFT JOIN texts a ON a.id = u.arguments_id WHERE u.call_id = c.id HAVING count(*) > 0) AS "tool_calls:json",
	(SELECT json_group_array(json_object('id', u.tool_call_id, 'name', u.name, 'response', CAST(r.text AS TEXT), 'is_error',
			json(CASE WHEN u.is_error THEN 'true' ELSE 'false' END)))
		FROM tool_uses u LEFT JOIN texts r ON r.id = u.result_id WHERE u.result_call_id = c.id HAVING count(*) > 0) AS "tool_results:json",
	c.conversation_id, c.conversation_source, c.agent, c.agent_version, c.server_address, c.server_port, c.first_token_ms,
	c.duration_ms, c.incomplete
FROM model_calls c JOIN processes p ON p.id = c.process_id ORDER BY c.started_ns;

SELECT 'mcp.call' AS type, m.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, m.exchange AS id, m.transport, m.role, m.server,
	m.client_pid, m.server_pid, m.session_id, m.request_id, m.method, m.tool, m.prompt, m.resource,
	CASE WHEN json_valid(a.text) THEN a.text ELSE json_quote(a.text) END AS "arguments:json",
	CASE WHEN json_valid(r.text) THEN r.text ELSE json_quote(r.text) END AS "result:json", m.error AS "error:json", m.error_type,
	m.status_code, m.notification AS "notification:flag", m.from_server AS "from_server:flag", m.duration_ms, m.incomplete
FROM mcp_calls m JOIN processes p ON p.id = m.process_id LEFT JOIN texts a ON a.id = m.arguments_id
LEFT JOIN texts r ON r.id = m.result_id ORDER BY m.timestamp_ns;

SELECT 'stdio.data' AS type, s.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, s.direction, s.fd, s.fd_role, s.fd_target, s.off,
	s.len, s.latency_ms, s.data
FROM stdio s JOIN processes p ON p.id = s.process_id ORDER BY s.timestamp_ns;

SELECT 'system.process' AS type, s.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, s.cpu_percent, s.rss_bytes, s.vsz_bytes,
	s.pss_bytes, s.rss_peak_bytes, s.threads, s.children, s.io_read_bytes, s.io_write_bytes, s.cgroup AS "cgroup:json",
	s.alert AS "alert:flag"
FROM samples s JOIN processes p ON p.id = s.process_id ORDER BY s.timestamp_ns;

SELECT 'system.host' AS type, s.timestamp_ns, s.cores, s.load1, s.load5, s.load15, s.mem_total_bytes, s.mem_available_bytes
FROM samples s WHERE s.process_id IS NULL ORDER BY s.timestamp_ns;

SELECT 'loss' AS type, l.timestamp_ns, l.stage, l.reason, l.events, l.bytes, l.conn FROM losses l ORDER BY l.timestamp_ns;
