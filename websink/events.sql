-- events.sql - what the tables of sqlitesink(1) hold, played as event lines for the page
--
-- Beside reports/export/ndjson.sql, which has what can be replayed exactly, or every
-- line where --events kept them: here is the rest, as far as a page can use it.
-- What the tables sum up (reads of a file) is one event with the sum.
--
-- Each query gives events in the order of their time. A column is a key of
-- agentsight-events(5), left out when it is null; "key:json" holds JSON, of
-- "key:flag" only true is written, and bytes that are no text become key_b64.
-- played and quiet are the processes and the runs whose lines were not kept.

SELECT 'run.begin' AS type, r.began_ns AS timestamp_ns, r.run, r.stages AS "stages:json", r.command AS "command:json", r.kernel
FROM runs r JOIN quiet q ON q.id = r.id WHERE r.stages IS NOT NULL ORDER BY r.began_ns;

SELECT 'stage.begin' AS type, s.began_ns AS timestamp_ns, s.stage, s.version, s.pid, s.collects AS "collects:json"
FROM stages s JOIN quiet q ON q.id = s.run_id WHERE s.collects IS NOT NULL ORDER BY s.began_ns;

SELECT 'process.fork' AS type, c.start_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= c.start_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	p.ppid, c.pid AS child_pid
FROM played c JOIN played p ON p.id = c.parent_id WHERE c.seen = 'fork' ORDER BY c.start_ns;

SELECT 'process.signal' AS type, s.timestamp_ns, p.pid, p.pid AS tid, p.uid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= s.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	s.target_pid, s.signal, s.signal_name,
	CASE WHEN s.error IS NULL THEN 0 END AS result, s.outcome, s.error
FROM signals s JOIN played p ON p.id = s.process_id ORDER BY s.timestamp_ns;

SELECT 'file.read' AS type, f.first_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= f.first_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	t.path, nullif(t.mnt_ns, 0) AS mnt_ns, f.read_bytes AS bytes,
	f.reads AS count, f.last_ns
FROM files f JOIN played p ON p.id = f.process_id JOIN paths t ON t.id = f.path_id
WHERE f.reads > 0 ORDER BY f.first_ns;

SELECT 'file.open' AS type, f.first_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= f.first_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	t.path, nullif(t.mnt_ns, 0) AS mnt_ns,
	coalesce(f.last_error, 'failed') AS error, f.failed AS count
FROM files f JOIN played p ON p.id = f.process_id JOIN paths t ON t.id = f.path_id
WHERE f.failed > 0 ORDER BY f.first_ns;

SELECT CASE c.op WHEN 'open' THEN 'file.open' WHEN 'create' THEN 'file.open' WHEN 'mkdir' THEN 'dir.create'
		WHEN 'rmdir' THEN 'dir.delete' ELSE 'file.' || c.op END AS type,
	c.timestamp_ns, p.pid, p.pid AS tid, p.uid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= c.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	t.path, o.path AS "to", nullif(t.mnt_ns, 0) AS mnt_ns,
	CASE WHEN c.op IN ('open', 'create') THEN '["write"]' END AS "mode:json", c.op = 'create' AS "created:flag",
	CASE WHEN c.op = 'write' THEN c.bytes END AS bytes, CASE WHEN c.op = 'truncate' THEN c.bytes END AS length,
	CASE WHEN c.op IN ('chmod', 'mkdir') THEN c.detail END AS permissions, CASE WHEN c.op = 'symlink' THEN c.detail END AS target,
	c.last_ns
FROM file_changes c JOIN played p ON p.id = c.process_id JOIN paths t ON t.id = c.path_id
LEFT JOIN paths o ON o.id = c.to_path_id ORDER BY c.timestamp_ns;

SELECT 'net.dns' AS type, d.timestamp_ns, p.pid, p.pid AS tid, p.uid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= d.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	d.kind, d.name, d.qtype, d.server, d.rcode,
	d.addresses AS "addresses:json"
FROM dns d JOIN played p ON p.id = d.process_id ORDER BY d.timestamp_ns;

SELECT CASE n.kind WHEN 'bind' THEN CASE WHEN n.listening THEN 'net.listen' ELSE 'net.bind' END ELSE 'net.' || n.kind END AS type,
	n.opened_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= n.opened_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	n.fd, n.family, n.transport, n.address, n.port, n.local, n.path,
	CASE WHEN n.error IS NULL AND n.kind <> 'send' THEN 0 END AS result, n.error, n.latency_ms, iif(n.kind = 'send', n.sent_bytes, NULL) AS bytes
FROM connections n JOIN played p ON p.id = n.process_id WHERE n.kind NOT IN ('close', 'connect', 'received') ORDER BY n.opened_ns;

SELECT 'net.close' AS type, n.closed_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= n.closed_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	n.fd, n.family, n.transport, n.address,
	n.port, n.local, n.path, n.sent_bytes, n.received_bytes
FROM connections n JOIN played p ON p.id = n.process_id WHERE n.closed_ns IS NOT NULL AND n.kind <> 'send' ORDER BY n.closed_ns;

SELECT 'http.request' AS type, x.started_ns AS timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, x.exchange AS id, x.method, x.path,
	x.host, x.protocol, x.request_headers AS "headers:json", x.request_body AS body, x.request_bytes AS body_len
FROM http_exchanges x JOIN played p ON p.id = x.process_id ORDER BY x.started_ns;

SELECT 'http.response' AS type, x.started_ns + CAST(coalesce(x.duration_ms, 0) * 1e6 AS INTEGER) AS timestamp_ns, p.pid, p.pid AS tid,
	p.uid, p.comm, x.exchange AS id, x.method, x.path, x.host, x.status_code, x.status_text, x.protocol,
	x.response_headers AS "headers:json", x.response_body AS body, x.response_bytes AS body_len, x.ttfb_ms, x.duration_ms,
	x.streaming AS "streaming:flag", x.incomplete
FROM http_exchanges x JOIN played p ON p.id = x.process_id WHERE x.status_code IS NOT NULL ORDER BY 2;

SELECT 'stdio.data' AS type, s.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, s.direction, s.fd, s.fd_role, s.fd_target, s.off,
	s.len, s.latency_ms, s.data
FROM stdio s JOIN played p ON p.id = s.process_id ORDER BY s.timestamp_ns;

SELECT 'system.process' AS type, s.timestamp_ns, p.pid, p.pid AS tid, p.uid, p.comm, s.cpu_percent, s.rss_bytes, s.vsz_bytes,
	s.pss_bytes, s.rss_peak_bytes, s.threads, s.children, s.io_read_bytes, s.io_write_bytes, s.cgroup AS "cgroup:json",
	s.alert AS "alert:flag"
FROM samples s JOIN played p ON p.id = s.process_id ORDER BY s.timestamp_ns;

SELECT 'system.host' AS type, s.timestamp_ns, s.cores, s.load1, s.load5, s.load15, s.mem_total_bytes, s.mem_available_bytes
FROM samples s WHERE s.process_id IS NULL AND s.run_id IN (SELECT id FROM quiet) ORDER BY s.timestamp_ns;
