-- The snapshot of AgentSight 0.2, schema_version 1, as one JSON object
WITH audit AS (
	SELECT * FROM (SELECT * FROM temp.audit ORDER BY timestamp_ms DESC, id DESC
		LIMIT CASE WHEN :limit IN (-1, 100) THEN 10000 ELSE :limit END) ORDER BY timestamp_ms, id),
usage AS (SELECT * FROM token_usage WHERE :run IS NULL OR run_id = :run),
call AS (SELECT * FROM counted_calls WHERE conversation_id IS NOT NULL AND (:run IS NULL OR run_id = :run)),
session AS (
	SELECT c.conversation_id AS id, max(c.agent) AS agent_type, min(c.started_ns) / 1000000 AS s, max(c.ended_ns) / 1000000 AS e,
		max(coalesce(c.request_model, c.response_model)) AS model, sum(u.input_tokens) AS input, sum(u.output_tokens) AS output,
		sum(u.total_tokens) AS total, min(c.process_id) AS process_id, c.run_id
	FROM call c LEFT JOIN token_usage u ON u.llm_call_id = 'llm-' || c.id GROUP BY c.run_id, c.conversation_id)
SELECT json_object(
	'schema_version', 1,
	'generated_at', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'),
	'summary', json_object(
		'source', 'sqlite',
		'view_events', (SELECT coalesce(sum(lines), 0) FROM runs WHERE :run IS NULL OR id = :run),
		'llm_calls', (SELECT count(*) FROM counted_calls WHERE :run IS NULL OR run_id = :run),
		'token_usage_rows', (SELECT count(*) FROM usage),
		'audit_events', (SELECT count(*) FROM execs WHERE NOT seed AND (:all OR process_id IN temp.chosen)) +
			(SELECT count(*) FROM processes WHERE (exit_code IS NOT NULL OR signal IS NOT NULL) AND (:all OR id IN temp.chosen)) +
			(SELECT count(*) FROM file_changes WHERE :all OR process_id IN temp.chosen) +
			(SELECT count(*) FROM connections WHERE :all OR process_id IN temp.chosen) +
			(SELECT count(*) FROM counted_calls WHERE :all OR process_id IN temp.chosen),
		'sessions', (SELECT count(*) FROM session),
		'input_tokens', (SELECT coalesce(sum(input_tokens), 0) FROM usage),
		'output_tokens', (SELECT coalesce(sum(output_tokens), 0) FROM usage),
		'total_tokens', (SELECT coalesce(sum(total_tokens), 0) FROM usage),
		'start_timestamp_ms', (SELECT min(first_ns) / 1000000 FROM runs WHERE :run IS NULL OR id = :run),
		'end_timestamp_ms', (SELECT max(last_ns) / 1000000 FROM runs WHERE :run IS NULL OR id = :run),
		'audit_limit', CASE WHEN :limit IN (-1, 100) THEN 10000 ELSE :limit END),
	'token_summary', (SELECT json_group_array(json_object('group', model, 'input_tokens', i, 'output_tokens', o,
			'cache_creation_tokens', cc, 'cache_read_tokens', cr, 'total_tokens', t, 'calls', n))
		FROM (SELECT model, sum(input_tokens) AS i, sum(output_tokens) AS o, sum(cache_creation_tokens) AS cc,
			sum(cache_read_tokens) AS cr, sum(total_tokens) AS t, count(*) AS n FROM usage GROUP BY model ORDER BY t DESC)),
	'network_targets', (SELECT json_group_array(json_object('id', CAST(id AS TEXT), 'pid', pid, 'comm', CAST(comm AS TEXT),
			'host', CAST(host AS TEXT), 'path', CAST(path AS TEXT), 'count', count, 'error_count', error_count,
			'first_timestamp_ms', first_timestamp_ms, 'last_timestamp_ms', last_timestamp_ms))
		FROM (SELECT * FROM network_targets WHERE :run IS NULL OR run_id = :run ORDER BY count DESC)),
	'process_nodes', (SELECT json_group_array(json_object('id', id, 'pid', pid, 'ppid', ppid, 'root_pid', root_pid,
			'start_timestamp_ms', start_timestamp_ms, 'end_timestamp_ms', end_timestamp_ms, 'comm', CAST(comm AS TEXT),
			'command', CAST(command AS TEXT), 'argv', json(argv_json), 'cwd', CAST(cwd AS TEXT), 'exit_code', exit_code,
			'status', status, 'view_source', view_source, 'confidence', confidence))
		FROM (SELECT * FROM process_nodes WHERE :run IS NULL OR run_id = :run ORDER BY start_timestamp_ms, process_id)),
	'audit_events', (SELECT json_group_array(json_object('id', id, 'timestamp_ms', timestamp_ms, 'audit_type', audit_type,
			'pid', pid, 'comm', CAST(comm AS TEXT), 'subject', CAST(subject AS TEXT), 'action', action, 'target', CAST(target AS TEXT),
			'status', status, 'summary', CAST(summary AS TEXT), 'details', json(details_json))) FROM audit),
	'resource_samples', (SELECT json_group_array(json_object('timestamp_ms', timestamp_ms, 'pid', pid, 'comm', CAST(comm AS TEXT),
			'cpu_percent', cpu_percent, 'rss_mb', rss_mb))
		FROM (SELECT * FROM resource_samples WHERE :run IS NULL OR run_id = :run ORDER BY timestamp_ms)),
	'sessions', (SELECT json_group_array(json_object('id', s.id, 'agent_type', s.agent_type, 'start_timestamp_ms', s.s,
			'end_timestamp_ms', s.e, 'status', 'observed', 'model', s.model, 'input_tokens', s.input, 'output_tokens', s.output,
			'total_tokens', s.total, 'view_source', 'live_view', 'confidence', 1.0,
			'attributes', json_object('display_id', coalesce(s.agent_type, 'agent') || ':' || substr(s.id, 1, 8),
				'prompt_preview', (SELECT substr(CAST(x.text AS TEXT), 1, 96) FROM prompts q JOIN texts x ON x.id = q.text_id
					WHERE q.conversation_id = s.id AND q.run_id = s.run_id ORDER BY q.id LIMIT 1),
				'prompt_count', (SELECT count(*) FROM prompts q WHERE q.conversation_id = s.id AND q.run_id = s.run_id),
				'cwd', CAST(e.cwd AS TEXT), 'last_message_at', s.e)))
		FROM session s JOIN processes p ON p.id = s.process_id LEFT JOIN execs e ON e.id = p.exec_id),
	'tool_calls', (SELECT json_group_array(json_object('id', id, 'session_id', session_id, 'conversation_id', conversation_id,
			'timestamp_ms', timestamp_ms, 'start_timestamp_ms', start_timestamp_ms, 'end_timestamp_ms', end_timestamp_ms,
			'duration_ms', duration_ms, 'tool_name', tool_name, 'tool_call_id', tool_call_id, 'status', status,
			'input', json(input_json), 'output', json(output_json), 'related_pid', related_pid, 'related_event_id', related_event_id,
			'view_source', view_source, 'confidence', confidence))
		FROM (SELECT * FROM tool_calls WHERE :run IS NULL OR run_id = :run ORDER BY timestamp_ms, tool_use_id)));
