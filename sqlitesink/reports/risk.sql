-- What deserves a look: credentials, uploads, downloads that run, deleting outside, sudo, new hosts
--
-- level       high or low; note, what the recording cannot show
-- what        credentials: a file that holds some was read (or could not be), or a command names it
--             credentials, then sent: and the same agent sent bytes to a host that is no model's
--             upload: to a host that is no model's
--             download runs: a file that curl or wget wrote was run
--             packages: some were installed
--             delete outside, write outside: of the agent's working directory
--             pipe to shell: a download goes straight to a shell
--             privilege: sudo, su, doas, pkexec
--             permissions: chmod, chown
--             new host: reached for the first time in this file, not by the agent itself
--             signal: sent to a process that is not below the agent
-- time        when
-- pid, comm   who, all of them below an agent
-- target      the path, the command, the host
-- times       how often
-- leave first: times, comm, time, pid
-- collected by: sslsniff process
WITH home(agent_id, cwd) AS MATERIALIZED (	-- where each agent works
	SELECT a.process_id, rtrim(e.cwd, '/') || '/' FROM agents a JOIN processes p ON p.id = a.process_id LEFT JOIN execs e ON e.id = p.exec_id),
secret(path_id) AS MATERIALIZED (
	SELECT id FROM paths p
	WHERE (instr(p.path, '/.') OR p.path GLOB '/etc/s*')	-- all that follow have one of these: few are left
		AND (p.path GLOB '*/.ssh/id_*' OR p.path GLOB '*/.aws/credentials' OR p.path GLOB '*/.aws/config'
		OR p.path GLOB '*/.gnupg/*' OR p.path GLOB '*/.netrc' OR p.path GLOB '*/.git-credentials' OR p.path GLOB '*/.docker/config.json'
		OR p.path GLOB '*/.kube/config' OR p.path GLOB '*/.config/gcloud/*' OR p.path GLOB '*/.azure/*' OR p.path GLOB '*/.npmrc'
		OR p.path GLOB '*/.pypirc' OR p.path GLOB '*/.env' OR p.path GLOB '*/.env.*' OR p.path GLOB '*/.pgpass' OR p.path GLOB '*/.my.cnf'
		OR p.path GLOB '*/.config/gh/hosts.yml' OR p.path GLOB '/etc/shadow*' OR p.path GLOB '/etc/sudoers*' OR p.path GLOB '/etc/ssh/*_key'
		OR p.path GLOB '*/.password-store/*' OR p.path GLOB '*/.mozilla/*' OR p.path GLOB '*/.config/google-chrome/*')
		AND p.path NOT GLOB '*.pub'),
program AS MATERIALIZED (	-- what is looked for below has one of these: few are left
	SELECT timestamp_ns, process_id, command, argv, filename FROM execs
	WHERE NOT seed AND (command GLOB '*.[adegkns]*' OR instr(command, '/etc/shadow') OR instr(command, 'curl') OR instr(command, 'wget')
		OR instr(argv, 'install') OR argv GLOB '*"[acgi]["dei]*' OR filename GLOB '*/[dps][kou]*')),
-- commands that name such a file
telling(ns, process_id, command) AS MATERIALIZED (
	SELECT timestamp_ns, process_id, command FROM program
	WHERE (instr(command, '/.ssh/id_') OR instr(command, '.aws/credentials') OR instr(command, '.gnupg/') OR instr(command, '/.netrc')
		OR instr(command, '.git-credentials') OR instr(command, '.docker/config.json') OR instr(command, '.kube/config') OR instr(command, '/etc/shadow')
		OR (instr(command, '.env') AND (command GLOB '*[ /].env' OR command GLOB '*[ /].env *' OR command GLOB '*[ /].env;*'))) AND command NOT GLOB '*.pub'),
taken(agent_id, ns) AS MATERIALIZED (
	SELECT p.agent_id, min(ns) FROM (
		SELECT f.process_id, f.first_ns AS ns FROM files f WHERE f.path_id IN (SELECT path_id FROM secret) AND (f.reads OR f.opens OR f.shared)
		UNION ALL SELECT process_id, ns FROM telling) t CROSS JOIN processes p ON p.id = t.process_id
	WHERE p.agent_id IS NOT NULL GROUP BY 1),
-- bodies that went to hosts that are no model's
sent(ns, process_id, host, bytes) AS MATERIALIZED (
	SELECT x.started_ns, x.process_id, CAST(x.host AS TEXT), x.request_bytes FROM http_exchanges x
	WHERE x.request_bytes > 0 AND x.method <> 'GET' AND NOT EXISTS (SELECT 1 FROM model_calls c WHERE c.run_id = x.run_id AND c.exchange = x.exchange)
		AND CAST(x.host AS TEXT) NOT IN (SELECT CAST(m.server_address AS TEXT) FROM model_calls m WHERE m.server_address IS NOT NULL)
		AND x.exchange NOT IN (SELECT m.exchange FROM mcp_calls m WHERE m.exchange IS NOT NULL)),
first(host, run_id) AS MATERIALIZED (	-- in which run each host was seen first
	SELECT coalesce(n.host, n.address), min(p.run_id) FROM connections n CROSS JOIN processes p ON p.id = n.process_id
	WHERE n.kind IN ('connect', 'send') GROUP BY 1),
found(level, what, ns, process_id, target, times) AS (
	SELECT 'high', 'credentials', min(f.first_ns), f.process_id, p.shown, sum(f.opens + f.failed)
	FROM files f CROSS JOIN paths p ON p.id = f.path_id
	WHERE f.path_id IN (SELECT path_id FROM secret) AND (f.reads OR f.opens OR f.failed OR f.shared) GROUP BY p.id, f.process_id
	UNION ALL
	SELECT iif(c.op IN ('delete', 'rmdir'), 'high', 'low'), iif(c.op IN ('delete', 'rmdir'), 'delete outside', 'write outside'),
		min(c.timestamp_ns), c.process_id, f.shown, count(*)
	FROM file_changes c CROSS JOIN processes s ON s.id = c.process_id CROSS JOIN home h ON h.agent_id = s.agent_id
	CROSS JOIN paths f ON f.id = c.path_id
	WHERE c.op <> 'open' AND c.op <> 'chmod' AND c.op <> 'chown' AND substr(f.path, 1, length(h.cwd)) <> h.cwd
		AND f.path NOT GLOB '/tmp/*' AND f.path NOT GLOB '/var/tmp/*' AND f.path NOT GLOB '/dev/*' AND f.path NOT GLOB '/proc/*'
	GROUP BY c.path_id, c.process_id, c.op IN ('delete', 'rmdir')
	UNION ALL
	SELECT 'high', 'credentials', t.ns, t.process_id, t.command, 1 FROM telling t
	UNION ALL
	SELECT 'high', 'credentials, then sent', min(x.ns), x.process_id, coalesce(x.host, '?') || ' ' || sum(x.bytes) || ' bytes', count(*)
	FROM sent x CROSS JOIN processes s ON s.id = x.process_id
	WHERE EXISTS (SELECT 1 FROM taken t WHERE t.agent_id = s.agent_id AND t.ns <= x.ns) GROUP BY s.agent_id, x.host
	UNION ALL
	SELECT iif(sum(x.bytes) >= 10000, 'high', 'low'), 'upload', min(x.ns), x.process_id, coalesce(x.host, '?') || ' ' || sum(x.bytes) || ' bytes', count(*)
	FROM sent x GROUP BY x.process_id, x.host
	UNION ALL
	SELECT 'high', 'download runs', e.timestamp_ns, e.process_id, e.command, 1
	FROM (SELECT p.path, min(c.timestamp_ns) AS ns FROM file_changes c CROSS JOIN processes s ON s.id = c.process_id CROSS JOIN paths p ON p.id = c.path_id
		WHERE s.comm IN ('curl', 'wget') AND c.op IN ('create', 'write', 'truncate') GROUP BY p.path LIMIT 1000) d
	CROSS JOIN execs e ON e.timestamp_ns > d.ns AND NOT e.seed AND (e.filename = d.path OR e.exe = d.path OR e.argv LIKE '%"' || d.path || '"%')
		AND NOT e.filename GLOB '*/rm' AND NOT e.filename GLOB '*/cat' AND NOT e.filename GLOB '*/chmod'
	UNION ALL
	SELECT 'low', 'packages', e.timestamp_ns, e.process_id, e.command, 1 FROM program e
	WHERE (instr(e.argv, 'install') OR instr(e.argv, '"add"') OR instr(e.argv, '"i"') OR instr(e.argv, '"ci"') OR instr(e.argv, '"get"'))
		AND (e.argv GLOB '*"npm*","install"*' OR e.argv GLOB '*npm*","i"*' OR e.argv GLOB '*npm*","add"*' OR e.argv GLOB '*npm*","ci"*' OR e.argv GLOB '*yarn*","add"*'
			OR e.argv GLOB '*pip*","install"*' OR e.argv GLOB '*apt","install"*' OR e.argv GLOB '*apt-get",*"install"*' OR e.argv GLOB '*cargo","install"*'
			OR e.argv GLOB '*cargo","add"*' OR e.argv GLOB '*gem","install"*' OR e.argv GLOB '*go","install"*' OR e.argv GLOB '*go","get"*' OR e.argv GLOB '*dnf",*"install"*'
			OR e.argv GLOB '*yum",*"install"*' OR e.argv GLOB '*apk","add"*' OR e.argv GLOB '*uv","add"*' OR e.argv GLOB '*brew","install"*')
	UNION ALL
	SELECT 'high', 'pipe to shell', e.timestamp_ns, e.process_id, e.command, 1 FROM program e
	WHERE (instr(e.command, 'curl') OR instr(e.command, 'wget')) AND (e.command GLOB '*curl *|*sh*' OR e.command GLOB '*wget *|*sh*' OR e.command GLOB '*sh <(curl*'
		OR e.command GLOB '*sh -c "$(curl*' OR e.command GLOB '*curl *|*python*' OR e.command GLOB '*wget *|*python*')
	UNION ALL
	SELECT 'high', 'privilege', e.timestamp_ns, e.process_id, e.command, 1 FROM program e
	WHERE (e.filename GLOB '*/sudo' OR e.filename GLOB '*/su' OR e.filename GLOB '*/doas' OR e.filename GLOB '*/pkexec')
	UNION ALL
	SELECT iif(c.op = 'chown' OR c.detail GLOB '*7' OR c.detail GLOB '0[4267]???' OR c.detail GLOB '[4267]???', 'high', 'low'), 'permissions',
		min(c.timestamp_ns), c.process_id, p.shown || ' ' || coalesce(c.detail, ''), count(*)
	FROM file_changes c CROSS JOIN paths p ON p.id = c.path_id
	CROSS JOIN processes s ON s.id = c.process_id LEFT JOIN home h ON h.agent_id = s.agent_id
	-- not what changes nothing (to one's own), nor temporary files
	WHERE (c.op = 'chmod' OR (c.op = 'chown' AND coalesce(c.detail, '') NOT GLOB s.uid || ':*' AND p.path NOT GLOB '*-wal' AND p.path NOT GLOB '*-shm' AND p.path NOT GLOB '*-journal'))
		AND (substr(p.path, 1, length(h.cwd)) = h.cwd OR (p.path NOT GLOB '/tmp/*' AND p.path NOT GLOB '/var/tmp/*'))
		AND p.path NOT GLOB '*/sed??????' AND p.path NOT GLOB '*.tmp'
	GROUP BY p.id, c.process_id, c.detail
	UNION ALL
	SELECT 'low', 'new host', min(n.opened_ns), n.process_id, coalesce(n.host, n.address) || coalesce(':' || n.port, ''), count(*)
	FROM connections n CROSS JOIN processes s ON s.id = n.process_id
	CROSS JOIN first f ON f.host = coalesce(n.host, n.address) AND f.run_id = s.run_id
	WHERE n.kind IN ('connect', 'send') AND n.family <> 'unix' AND n.process_id <> s.agent_id AND n.address NOT GLOB '127.*' AND n.address <> '::1'
		AND (:all OR s.id IN temp.chosen)
	GROUP BY coalesce(n.host, n.address), n.port
	UNION ALL
	SELECT 'low', 'signal', s.timestamp_ns, s.process_id, s.signal_name || ' to ' || s.target_pid, 1
	FROM signals s CROSS JOIN processes i ON i.id = s.process_id
	WHERE s.error IS NULL AND s.target_pid > 0 AND NOT EXISTS (SELECT 1 FROM processes t
		WHERE t.pid = s.target_pid AND t.run_id = i.run_id AND t.agent_id IS NOT NULL)
	UNION ALL
	SELECT 'note', 'reads were not recorded', r.first_ns, (SELECT min(a.process_id) FROM agents a JOIN processes p ON p.id = a.process_id
		WHERE p.run_id = r.id), 'credentials that were read show in commands alone', 1
	FROM runs r JOIN recorded_reads v ON v.run_id = r.id WHERE v.recorded = 0)
SELECT f.level, f.what, strftime(:time, f.ns / 1e9, 'unixepoch', :zone) AS time, p.pid,
	-- of the program that did it, not of the one that the process ran last
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= f.ns ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS comm,
	substr(f.target, 1, :chars) AS target, f.times
FROM (SELECT f.* FROM found f CROSS JOIN processes p ON p.id = f.process_id
	WHERE p.agent_id IS NOT NULL AND (:all OR p.id IN temp.chosen) AND f.ns BETWEEN :since AND :until
	ORDER BY f.level, f.what, f.ns LIMIT :limit) f CROSS JOIN processes p ON p.id = f.process_id
ORDER BY f.level, f.what, f.ns;
