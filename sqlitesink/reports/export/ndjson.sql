-- Events as lines: those that sqlitesink --events kept; of runs without, what can be told
-- from the tables: llm.call, mcp.call, process.exec, process.exit, net.connect, bash.readline, loss
WITH told(id) AS (SELECT id FROM runs WHERE (:run IS NULL OR id = :run) AND id NOT IN (SELECT run_id FROM events)),
-- e has the process's last name, who none: by which it did something is its program's of then
env(process_id, who, e) AS (
	SELECT id, who, who || json_quote(CAST(coalesce(comm, '') AS TEXT)) FROM (
		SELECT id, comm, '"pid":' || pid || ',"tid":' || pid || ',"uid":' || coalesce(uid, 0) || ',"comm":' AS who
		FROM processes WHERE run_id IN (SELECT id FROM told))),
part(call_id, direction, message, part, role, finish, json) AS (
	SELECT g.call_id, g.direction, g.message, g.part, g.role, g.finish_reason, '{"type":' || json_quote(g.type) ||
		coalesce(',' || substr(g.attributes, 2, length(g.attributes) - 2), '') ||
		iif(g.text_key IS NULL, '', ',' || json_quote(g.text_key) || ':' || iif(g.text_json, x.text, json_quote(CAST(x.text AS TEXT)))) || '}'
	FROM messages g LEFT JOIN texts x ON x.id = g.text_id),
message(call_id, direction, message, json) AS (
	SELECT call_id, direction, message, '{"role":' || json_quote(role) || ',"parts":[' || group_concat(json, ',') || ']' ||
		iif(finish IS NULL, '', ',"finish_reason":' || json_quote(finish)) || '}'
	FROM (SELECT * FROM part WHERE direction <> 'system' ORDER BY call_id, direction, message, part) GROUP BY call_id, direction, message),
list(call_id, key, json) AS (
	SELECT call_id, direction || '_messages', group_concat(json, ',') FROM (SELECT * FROM message ORDER BY call_id, direction, message)
	GROUP BY call_id, direction
	UNION ALL
	SELECT call_id, 'system_instructions', group_concat(json, ',') FROM (SELECT * FROM part WHERE direction = 'system' ORDER BY call_id, part)
	GROUP BY call_id
	UNION ALL
	SELECT u.call_id, 'tool_calls', group_concat('{' || iif(u.tool_call_id IS NULL, '', '"id":' || json_quote(u.tool_call_id) || ',') || '"name":' || json_quote(coalesce(u.name, '')) ||
		iif(a.text IS NULL, '', ',"arguments":' || iif(json_valid(a.text), a.text, json_quote(a.text))) || '}', ',')
	FROM (SELECT * FROM tool_uses WHERE call_id IS NOT NULL ORDER BY id) u LEFT JOIN texts a ON a.id = u.arguments_id GROUP BY u.call_id
	UNION ALL
	SELECT u.result_call_id, 'tool_results', group_concat('{' || substr(json_patch('{}', json_object('id', u.tool_call_id, 'name', u.name,
		'call', m.exchange, 'response', CAST(r.text AS TEXT), 'is_error', json(iif(u.is_error, 'true', NULL)))), 2), ',')
	FROM (SELECT * FROM tool_uses WHERE result_call_id IS NOT NULL ORDER BY id) u LEFT JOIN texts r ON r.id = u.result_id
	LEFT JOIN model_calls m ON m.id = u.call_id GROUP BY u.result_call_id),
call(ns, process_id, id, json) AS (
	SELECT c.started_ns, c.process_id, c.id, json_patch('{}', json_object('conn', rtrim(rtrim(c.exchange, '0123456789s'), '/'), 'id', c.exchange, 'turn', c.turn,
		'provider', c.provider, 'api', c.api, 'operation', c.operation, 'request_model', c.request_model, 'response_model', c.response_model,
		'response_id', c.response_id, 'stream', json(iif(c.stream, 'true', 'false')), 'status_code', c.status_code, 'error_type', c.error_type,
		'error_message', c.error_message, 'finish_reasons', json(c.finish_reasons), 'usage', json(c.usage), 'service_tier', c.service_tier,
		'conversation_id', c.conversation_id, 'conversation_source', c.conversation_source, 'agent', c.agent, 'agent_version', c.agent_version,
		'server_address', CAST(c.server_address AS TEXT), 'server_port', c.server_port, 'first_token_ms', c.first_token_ms,
		'duration_ms', c.duration_ms, 'incomplete', c.incomplete, 'chain_id', iif(c.chain_id <> c.conversation_id, c.chain_id, NULL),
		'relayed_to', (SELECT json_group_array(i.exchange) FROM model_calls i WHERE NOT c.counted AND i.root_id = coalesce(c.root_id, c.id)
			AND i.parent_id = c.id HAVING count(*)),
		'relayed_for', (SELECT o.exchange FROM model_calls o WHERE NOT c.counted AND o.id = c.parent_id AND o.counted)))
	FROM model_calls c WHERE c.run_id IN (SELECT id FROM told)),
line(ns, id, json) AS (
	SELECT c.ns, c.id, '{"type":"llm.call","timestamp_ns":' || c.ns || ',' || v.e || ',' || substr(c.json, 2, length(c.json) - 2) ||
		coalesce((SELECT group_concat(',"' || l.key || '":[' || l.json || ']', '') FROM list l WHERE l.call_id = c.id), '') || '}'
	FROM call c JOIN env v ON v.process_id = c.process_id
	UNION ALL
	SELECT m.timestamp_ns, m.id, '{"type":"mcp.call","timestamp_ns":' || m.timestamp_ns || ',' || v.e || ',' ||
		rtrim(substr(json_patch('{}', json_object('transport', m.transport, 'role', m.role, 'conn', rtrim(rtrim(m.exchange, '0123456789s'), '/'),
			'id', m.exchange, 'server', m.server, 'client_pid', m.client_pid, 'server_pid', m.server_pid, 'session_id', m.session_id,
			'request_id', m.request_id, 'method', m.method, 'tool', m.tool, 'prompt', m.prompt, 'resource', m.resource,
			'status_code', m.status_code, 'error_type', m.error_type, 'duration_ms', m.duration_ms, 'incomplete', m.incomplete,
			'notification', json(iif(m.notification, 'true', NULL)), 'from_server', json(iif(m.from_server, 'true', NULL)))), 2), '}') ||
		iif(a.text IS NULL, '', ',"arguments":' || iif(json_valid(a.text), a.text, json_quote(a.text))) ||
		iif(r.text IS NULL, '', ',"result":' || iif(json_valid(r.text), r.text, json_quote(r.text))) || coalesce(',"error":' || m.error, '') || '}'
	FROM mcp_calls m JOIN env v ON v.process_id = m.process_id LEFT JOIN texts a ON a.id = m.arguments_id LEFT JOIN texts r ON r.id = m.result_id
	UNION ALL
	SELECT e.timestamp_ns, e.id, '{"type":"process.exec","timestamp_ns":' || e.timestamp_ns || ',' || v.who ||
		json_quote(CAST(coalesce(e.comm, p.comm, '') AS TEXT)) || ',' ||
		substr(json_patch('{}', json_object('ppid', p.ppid, 'filename', CAST(e.filename AS TEXT), 'exe', CAST(e.exe AS TEXT),
			iif(e.argv_base64, 'argv_b64', 'argv'), json(e.argv), 'cwd', CAST(e.cwd AS TEXT), 'sid', e.sid, 'seed', json(iif(e.seed, 'true', NULL)))), 2)
	FROM execs e JOIN env v ON v.process_id = e.process_id JOIN processes p ON p.id = e.process_id
	UNION ALL
	SELECT p.end_ns, p.id, '{"type":"process.exit","timestamp_ns":' || p.end_ns || ',' || v.e || ',' ||
		substr(json_patch('{}', json_object('ppid', p.ppid, 'exit_code', p.exit_code, 'signal', p.signal,
			'duration_ms', round((p.end_ns - p.start_ns) / 1e6, 3), 'rss_max_kb', p.rss_max_kb)), 2)
	FROM processes p JOIN env v ON v.process_id = p.id WHERE p.exit_code IS NOT NULL OR p.signal IS NOT NULL
	UNION ALL
	SELECT n.opened_ns, n.id, '{"type":"net.connect","timestamp_ns":' || n.opened_ns || ',' || v.who ||
		json_quote(CAST(coalesce((SELECT x.comm FROM execs x WHERE x.process_id = p.id AND x.timestamp_ns <= n.opened_ns
			ORDER BY x.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm, '') AS TEXT)) || ',' ||
		substr(json_patch('{}', json_object('fd', n.fd, 'family', n.family, 'transport', n.transport, 'address', n.address, 'port', n.port,
			'local', n.local, 'path', CAST(n.path AS TEXT), 'result', iif(n.error IS NULL, 0, -1), 'error', n.error)), 2)
	FROM connections n JOIN env v ON v.process_id = n.process_id JOIN processes p ON p.id = n.process_id WHERE n.kind = 'connect'
	UNION ALL
	SELECT s.timestamp_ns, s.id, '{"type":"bash.readline","timestamp_ns":' || s.timestamp_ns || ',' || v.e || ',"command":' ||
		json_quote(CAST(s.command AS TEXT)) || '}'
	FROM shell_lines s JOIN env v ON v.process_id = s.process_id
	UNION ALL
	SELECT l.timestamp_ns, l.id, '{"type":"loss",' || substr(json_patch('{}', json_object('timestamp_ns', l.timestamp_ns, 'stage', l.stage,
		'reason', l.reason, 'events', l.events, 'bytes', l.bytes, 'conn', l.conn)), 2)
	FROM losses l WHERE l.run_id IN (SELECT id FROM told))
SELECT line FROM (SELECT 0 AS kept, run_id AS a, id AS b, CAST(line AS TEXT) AS line FROM events WHERE :run IS NULL OR run_id = :run
	UNION ALL SELECT 1, ns, id, json FROM line) ORDER BY kept, a, b;
