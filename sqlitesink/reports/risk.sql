-- What deserves a look: credentials, writing and deleting outside, sudo, curl | sh, new hosts
--
-- level       high or low
-- what        credentials: a file that holds some was read (or could not be)
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
WITH home(agent_id, cwd) AS MATERIALIZED (	-- where each agent works
	SELECT a.process_id, rtrim(e.cwd, '/') || '/' FROM agents a JOIN processes p ON p.id = a.process_id LEFT JOIN execs e ON e.id = p.exec_id),
secret(path_id) AS MATERIALIZED (
	SELECT id FROM paths p
	WHERE (p.path GLOB '*/.ssh/id_*' OR p.path GLOB '*/.aws/credentials' OR p.path GLOB '*/.aws/config'
		OR p.path GLOB '*/.gnupg/*' OR p.path GLOB '*/.netrc' OR p.path GLOB '*/.git-credentials' OR p.path GLOB '*/.docker/config.json'
		OR p.path GLOB '*/.kube/config' OR p.path GLOB '*/.config/gcloud/*' OR p.path GLOB '*/.azure/*' OR p.path GLOB '*/.npmrc'
		OR p.path GLOB '*/.pypirc' OR p.path GLOB '*/.env' OR p.path GLOB '*/.env.*' OR p.path GLOB '*/.pgpass' OR p.path GLOB '*/.my.cnf'
		OR p.path GLOB '*/.config/gh/hosts.yml' OR p.path GLOB '/etc/shadow*' OR p.path GLOB '/etc/sudoers*' OR p.path GLOB '/etc/ssh/*_key'
		OR p.path GLOB '*/.password-store/*' OR p.path GLOB '*/.mozilla/*' OR p.path GLOB '*/.config/google-chrome/*')
		AND p.path NOT GLOB '*.pub'),
first(host, run_id) AS MATERIALIZED (	-- in which run each host was seen first
	SELECT coalesce(n.host, n.address), min(p.run_id) FROM connections n CROSS JOIN processes p ON p.id = n.process_id
	WHERE n.kind = 'connect' GROUP BY 1),
found(level, what, ns, process_id, target, times) AS (
	SELECT 'high', 'credentials', min(f.first_ns), f.process_id, p.path, sum(f.opens + f.failed)
	FROM files f CROSS JOIN paths p ON p.id = f.path_id
	WHERE f.path_id IN (SELECT path_id FROM secret) AND (f.reads OR f.opens OR f.failed) GROUP BY p.id, f.process_id
	UNION ALL
	SELECT iif(c.op IN ('delete', 'rmdir'), 'high', 'low'), iif(c.op IN ('delete', 'rmdir'), 'delete outside', 'write outside'),
		min(c.timestamp_ns), c.process_id, f.path, count(*)
	FROM file_changes c CROSS JOIN processes s ON s.id = c.process_id CROSS JOIN home h ON h.agent_id = s.agent_id
	CROSS JOIN paths f ON f.id = c.path_id
	WHERE c.op NOT IN ('open', 'chmod', 'chown') AND substr(f.path, 1, length(h.cwd)) <> h.cwd
		AND f.path NOT GLOB '/tmp/*' AND f.path NOT GLOB '/var/tmp/*' AND f.path NOT GLOB '/dev/*' AND f.path NOT GLOB '/proc/*'
	GROUP BY c.path_id, c.process_id, c.op IN ('delete', 'rmdir')
	UNION ALL
	SELECT 'high', 'pipe to shell', e.timestamp_ns, e.process_id, e.command, 1 FROM execs e
	WHERE NOT e.seed AND (e.command GLOB '*curl *|*sh*' OR e.command GLOB '*wget *|*sh*' OR e.command GLOB '*sh <(curl*'
		OR e.command GLOB '*sh -c "$(curl*' OR e.command GLOB '*curl *|*python*' OR e.command GLOB '*wget *|*python*')
	UNION ALL
	SELECT 'high', 'privilege', e.timestamp_ns, e.process_id, e.command, 1 FROM execs e
	WHERE NOT e.seed AND (e.filename GLOB '*/sudo' OR e.filename GLOB '*/su' OR e.filename GLOB '*/doas' OR e.filename GLOB '*/pkexec')
	UNION ALL
	SELECT iif(c.op = 'chown' OR c.detail GLOB '*7' OR c.detail GLOB '0[4267]???' OR c.detail GLOB '[4267]???', 'high', 'low'), 'permissions',
		min(c.timestamp_ns), c.process_id, p.path || ' ' || coalesce(c.detail, ''), count(*)
	FROM file_changes c CROSS JOIN paths p ON p.id = c.path_id
	WHERE c.op IN ('chmod', 'chown') GROUP BY p.id, c.process_id, c.detail
	UNION ALL
	SELECT 'low', 'new host', min(n.opened_ns), n.process_id, coalesce(n.host, n.address) || coalesce(':' || n.port, ''), count(*)
	FROM connections n CROSS JOIN processes s ON s.id = n.process_id
	CROSS JOIN first f ON f.host = coalesce(n.host, n.address) AND f.run_id = s.run_id
	WHERE n.kind = 'connect' AND n.family <> 'unix' AND n.process_id <> s.agent_id AND n.address NOT GLOB '127.*' AND n.address <> '::1'
		AND (:all OR s.id IN temp.chosen)
	GROUP BY coalesce(n.host, n.address), n.port
	UNION ALL
	SELECT 'low', 'signal', s.timestamp_ns, s.process_id, s.signal_name || ' to ' || s.target_pid, 1
	FROM signals s CROSS JOIN processes i ON i.id = s.process_id
	WHERE s.error IS NULL AND s.target_pid > 0 AND NOT EXISTS (SELECT 1 FROM processes t
		WHERE t.pid = s.target_pid AND t.run_id = i.run_id AND t.agent_id IS NOT NULL))
SELECT f.level, f.what, strftime(:time, f.ns / 1e9, 'unixepoch', :zone) AS time, p.pid, p.comm, substr(f.target, 1, :chars) AS target, f.times
FROM found f CROSS JOIN processes p ON p.id = f.process_id WHERE p.agent_id IS NOT NULL AND (:all OR p.id IN temp.chosen) AND f.ns BETWEEN :since AND :until
ORDER BY f.level, f.what, f.ns LIMIT :limit;
