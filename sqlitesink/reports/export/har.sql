-- The HTTP exchanges as HAR 1.2, for the viewers of browsers
SELECT json_object('log', json_object('version', '1.2',
	'creator', json_object('name', 'agentsight', 'version', coalesce((SELECT version FROM runs ORDER BY id DESC LIMIT 1), '')),
	'entries', (SELECT json_group_array(json_object(
		'startedDateTime', strftime('%Y-%m-%dT%H:%M:%fZ', x.started_ns / 1e9, 'unixepoch'),
		'time', coalesce(x.duration_ms, 0),
		'request', json_object('method', coalesce(x.method, ''),
			'url', 'https://' || coalesce(CAST(x.host AS TEXT), 'unknown') || coalesce(CAST(x.path AS TEXT), '/'),
			'httpVersion', coalesce(x.protocol, ''), 'cookies', json('[]'),
			'headers', (SELECT json_group_array(json_object('name', h.key, 'value', v.value)) FROM json_each(coalesce(x.request_headers, '{}')) h,
				json_each(CASE h.type WHEN 'array' THEN h.value ELSE json_array(h.value) END) v),
			'queryString', (SELECT json_group_array(json_object('name', substr(q.value, 1, iif(instr(q.value, '='), instr(q.value, '=') - 1, length(q.value))),
					'value', iif(instr(q.value, '='), substr(q.value, instr(q.value, '=') + 1), '')))
				FROM json_each(CASE WHEN instr(CAST(x.path AS TEXT), '?') THEN '[' || replace(json_quote(
					substr(CAST(x.path AS TEXT), instr(CAST(x.path AS TEXT), '?') + 1)), '&', '","') || ']' ELSE '[]' END) q),
			'headersSize', -1, 'bodySize', coalesce(x.request_bytes, 0),
			'postData', json(CASE WHEN coalesce(x.request_bytes, 0) = 0 THEN NULL WHEN typeof(x.request_body) = 'text' THEN json_object(
					'mimeType', coalesce(json_extract(x.request_headers, '$."content-type"'), ''), 'text', x.request_body)
				ELSE json_object('mimeType', coalesce(json_extract(x.request_headers, '$."content-type"'), ''), 'text', '',
					'comment', iif(x.request_body IS NULL, 'not kept (sqlitesink --bodies)', 'not text')) END)),
		'response', json_object('status', coalesce(x.status_code, 0), 'statusText', coalesce(CAST(x.status_text AS TEXT), ''),
			'httpVersion', coalesce(x.protocol, ''), 'cookies', json('[]'),
			'headers', (SELECT json_group_array(json_object('name', h.key, 'value', v.value)) FROM json_each(coalesce(x.response_headers, '{}')) h,
				json_each(CASE h.type WHEN 'array' THEN h.value ELSE json_array(h.value) END) v),
			'content', json(CASE WHEN typeof(x.response_body) = 'text' THEN json_object('size', coalesce(x.response_bytes, 0),
					'mimeType', coalesce(json_extract(x.response_headers, '$."content-type"'), ''), 'text', x.response_body)
				ELSE json_object('size', coalesce(x.response_bytes, 0), 'mimeType', coalesce(json_extract(x.response_headers, '$."content-type"'), ''),
					'comment', CASE WHEN coalesce(x.response_bytes, 0) = 0 THEN '' WHEN x.response_body IS NULL THEN 'not kept (sqlitesink --bodies)'
						ELSE 'not text' END) END),
			'redirectURL', coalesce(json_extract(x.response_headers, '$.location'), ''),
			'headersSize', -1, 'bodySize', coalesce(x.response_bytes, 0)),
		'cache', json('{}'),
		'timings', json_object('send', 0, 'wait', coalesce(x.ttfb_ms, 0), 'receive', max(0, coalesce(x.duration_ms, 0) - coalesce(x.ttfb_ms, 0))),
		'_pid', p.pid, '_process', CAST(p.comm AS TEXT)))
		FROM (SELECT * FROM http_exchanges WHERE :run IS NULL OR run_id = :run ORDER BY started_ns) x JOIN processes p ON p.id = x.process_id)));
