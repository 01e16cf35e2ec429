-- What was recorded, in three lines; a fourth says why there is no model call, or what was reached
--
-- line   of text
WITH r AS (SELECT * FROM runs WHERE id = coalesce(:run, (SELECT max(id) FROM runs))),
only(n) AS (SELECT count(*) = 1 FROM runs),
p AS (SELECT id, seen FROM processes WHERE run_id IN (SELECT id FROM r)),
reached(place, n) AS (	-- what was connected to, but for names to be looked up
	SELECT coalesce(host, address) || ':' || port, count(*) FROM connections
	WHERE kind IN ('connect', 'send') AND family <> 'unix' AND port <> 53 AND error IS NULL AND (transport = 'tcp' OR sent_bytes > 0) AND ((SELECT n FROM only) OR process_id IN (SELECT id FROM p))
	GROUP BY 1 ORDER BY count(*) DESC),
n(calls, tokens, execs, files, hosts, exchanges, lost, reached, watched) AS (
	SELECT (SELECT count(*) FROM counted_calls WHERE run_id IN (SELECT id FROM r)),
		(SELECT coalesce(sum(total_tokens), 0) FROM token_usage WHERE run_id IN (SELECT id FROM r)),
		(SELECT count(*) FROM execs WHERE NOT seed AND ((SELECT n FROM only) OR process_id IN (SELECT id FROM p))),
		(SELECT group_concat(n || iif(place > 1, ' ', iif(n = 1, ' file ', ' files ')) || iif(change = 'attributes', 'with other attributes', change), ', ') FROM (	-- as the first line of report files
			SELECT count(*) AS n, change, row_number() OVER (ORDER BY instr(' created, created or changed; changed; renamed; deleted; attributes; temporary', ' ' || change)) AS place FROM temp.outcomes
			WHERE change NOT IN ('moved', 'unchanged') GROUP BY change ORDER BY place)),
		(SELECT count(*) FROM (
			SELECT trim(iif(rtrim(host, '0123456789') LIKE '%:', substr(rtrim(host, '0123456789'), 1, length(rtrim(host, '0123456789')) - 1), host), '[]')
			FROM (SELECT CAST(host AS TEXT) AS host FROM http_exchanges WHERE run_id IN (SELECT id FROM r))
			UNION SELECT coalesce(host, address) FROM connections WHERE kind IN ('connect', 'send') AND family <> 'unix' AND ((SELECT n FROM only) OR process_id IN (SELECT id FROM p)))),
		(SELECT count(*) FROM http_exchanges WHERE run_id IN (SELECT id FROM r)) +
			(SELECT count(*) FROM losses WHERE stage = 'httpparse' AND run_id IN (SELECT id FROM r)),
		(SELECT coalesce(sum(events), 0) FROM losses WHERE run_id IN (SELECT id FROM r)),
		(SELECT count(*) FROM reached),
		(SELECT count(*) > 0 FROM stages WHERE stage = 'process' AND run_id IN (SELECT id FROM r)) AND NOT EXISTS (
			SELECT 1 FROM losses l LEFT JOIN reasons w ON w.reason = l.reason AND w.stage IN ('', l.stage)	-- among it may be what was sent
			WHERE l.stage = 'process' AND coalesce(w.counts_as, 'lost') = 'lost' AND l.run_id IN (SELECT id FROM r))
			AND NOT EXISTS (SELECT 1 FROM connections WHERE kind = 'close' AND sent_bytes > 0 AND family <> 'unix'
				AND ((SELECT n FROM only) OR process_id IN (SELECT id FROM p)))),
took(tls, process) AS (	-- which collectors took part; by hand that is not said
	SELECT stages IS NULL OR EXISTS (SELECT 1 FROM json_each(stages) WHERE value = 'sslsniff'),
		stages IS NULL OR EXISTS (SELECT 1 FROM json_each(stages) WHERE value = 'process') FROM r)
SELECT line FROM (
	SELECT 1 AS place, 'recorded ' || coalesce(round((r.last_ns - r.first_ns) / 1e9, 1), 0) || ' s in ' || :file || ': ' || calls || ' model calls, ' ||
		tokens || ' tokens, ' || iif(took.process, execs || ' programs, ' || coalesce(files, '0 files changed') || ', ' || hosts || ' hosts',
			'programs, files and connections were not recorded') ||
		CASE WHEN calls > 0 OR exchanges > 0 THEN iif((SELECT count(*) > 0 AND min(scheme = 'http') FROM http_exchanges WHERE run_id IN (SELECT id FROM r)), ' (plain HTTP, no TLS)', '') WHEN reached = 0 AND watched THEN ' (nothing was sent)' WHEN NOT took.tls THEN ' (what crosses TLS was not recorded)' ELSE ' (no TLS data)' END AS line FROM r, n, took
	UNION ALL
	SELECT 2, iif(v.verdict = 'WHOLE', 'WHOLE: nothing was lost', 'INCOMPLETE: ' || (SELECT group_concat(what, '; ')
			FROM (SELECT what || iif(helps <> '', ' (what helps: ' || helps || ')', '') AS what FROM run_gaps g
				WHERE g.run_id = r.id AND NOT g.follows ORDER BY place, events DESC LIMIT 4)) ||
			(SELECT iif(count(*) > 4, '; and ' || (count(*) - 4) || ' more causes, see report losses', '') FROM run_gaps g
				WHERE g.run_id = r.id AND NOT g.follows))
		FROM r JOIN verdicts v ON v.run_id = r.id
	UNION ALL
	SELECT 3, 'no model call was seen in what was said: ' || coalesce((SELECT 'the requests were to ' || group_concat(place, ', ') FROM (
			SELECT coalesce(CAST(host AS TEXT), '?') || CAST(CASE instr(path, '?') WHEN 0 THEN path ELSE substr(path, 1, instr(path, '?') - 1) END AS TEXT) ||
				iif(count(*) > 1, ' (' || count(*) || ')', '') AS place
			FROM http_exchanges WHERE run_id IN (SELECT id FROM r) GROUP BY host, path ORDER BY count(*) DESC LIMIT 5)
			HAVING count(*)),
		(SELECT 'no HTTP was among it (' || group_concat(reason || ' ' || n, ', ') || ')' FROM (
			SELECT reason, sum(events) AS n FROM losses WHERE stage = 'httpparse' AND run_id IN (SELECT id FROM r) GROUP BY reason))) FROM n
		WHERE calls = 0 AND exchanges > 0
	UNION ALL
	SELECT 3, 'it connected to ' || (SELECT group_concat(place || iif(n > 1, ' (' || n || ')', ''), ', ') FROM (SELECT * FROM reached LIMIT 5)) ||
			iif(reached > 5, ', and ' || (reached - 5) || ' more', '') FROM n
		WHERE calls = 0 AND exchanges = 0 AND reached > 0
	UNION ALL
	SELECT 3, format('%,d', sum(bytes)) || ' bytes of terminal output were cut (--stdio-max-bytes)' FROM losses
		WHERE stage = 'stdiocap' AND reason = 'max_bytes' AND run_id IN (SELECT id FROM r) HAVING sum(bytes) > 0
	UNION ALL
	SELECT DISTINCT 3, 'reads were not recorded (--no-reads)' FROM recorded_reads v JOIN stages s ON s.run_id = v.run_id AND s.stage = 'process'
		WHERE v.recorded = 0 AND v.run_id IN (SELECT id FROM r)
	UNION ALL
	SELECT 4, 'look at it: agentsight report --db ' || :file)
ORDER BY place;
