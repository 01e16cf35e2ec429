-- Runs
--
-- run         its number, for --run
-- began       when
-- seconds     how long, by its events
-- agents      programs that called models
-- prompts     of users
-- calls       of models
-- tokens      input, output and cache
-- tools       calls of tools
-- programs    that ran
-- changed     files
-- lost        events, each cause once
-- complete    0: something else is missing, too (losses says what), or it is not at its end yet
-- file        the database
-- leave first: file, complete, changed, programs, seconds, tools, prompts
WITH programs(run_id, n) AS (
	SELECT p.run_id, count(*) FROM execs e CROSS JOIN processes p ON p.id = e.process_id WHERE NOT e.seed GROUP BY 1),
changed(run_id, n) AS (
	SELECT p.run_id, count(DISTINCT f.path_id) FROM file_changes f CROSS JOIN processes p ON p.id = f.process_id WHERE f.op <> 'open' GROUP BY 1)
SELECT r.id AS run, strftime(:time, r.first_ns / 1e9, 'unixepoch', :zone) AS began,
	round((r.last_ns - r.first_ns) / 1e9, 1) AS seconds,
	(SELECT group_concat(n, ', ') FROM (SELECT DISTINCT coalesce(a.name, CAST(p.comm AS TEXT)) AS n
		FROM agents a CROSS JOIN processes p ON p.id = a.process_id WHERE p.run_id = r.id)) AS agents,
	(SELECT count(*) FROM typed_prompts q WHERE q.run_id = r.id) AS prompts,
	(SELECT count(*) FROM counted_calls c WHERE c.run_id = r.id) AS calls,
	(SELECT coalesce(sum(total_tokens), 0) FROM token_usage t WHERE t.run_id = r.id) AS tokens,
	(SELECT count(*) FROM tool_uses u WHERE u.run_id = r.id) AS tools,
	coalesce((SELECT n FROM programs p WHERE p.run_id = r.id), 0) AS programs,
	coalesce((SELECT n FROM changed p WHERE p.run_id = r.id), 0) AS changed,
	(SELECT v.lost_events FROM verdicts v WHERE v.run_id = r.id) AS lost, r.complete, :file AS file
FROM runs r WHERE (:run IS NULL OR r.id = :run) AND coalesce(r.first_ns, :until) <= :until AND coalesce(r.last_ns, :since) >= :since
ORDER BY r.id LIMIT :limit;
