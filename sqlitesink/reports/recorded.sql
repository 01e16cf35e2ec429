-- What was recorded, in three lines; a fourth says why there is no model call among TLS
--
-- line   of text
WITH r AS (SELECT * FROM runs WHERE id = coalesce(:run, (SELECT max(id) FROM runs))),
only(n) AS (SELECT count(*) = 1 FROM runs),
p AS (SELECT id, seen FROM processes WHERE run_id IN (SELECT id FROM r)),
n(calls, tokens, execs, files, hosts, exchanges, lost) AS (
	SELECT (SELECT count(*) FROM model_calls WHERE run_id IN (SELECT id FROM r)),
		(SELECT coalesce(sum(total_tokens), 0) FROM token_usage WHERE run_id IN (SELECT id FROM r)),
		(SELECT count(*) FROM execs WHERE NOT seed AND ((SELECT n FROM only) OR process_id IN (SELECT id FROM p))),
		(SELECT count(DISTINCT path_id) FROM file_changes WHERE op <> 'open' AND ((SELECT n FROM only) OR process_id IN (SELECT id FROM p))),
		(SELECT count(*) FROM (
			SELECT CAST(host AS TEXT) FROM http_exchanges WHERE run_id IN (SELECT id FROM r)
			UNION SELECT coalesce(host, address) FROM connections WHERE kind = 'connect' AND family <> 'unix' AND ((SELECT n FROM only) OR process_id IN (SELECT id FROM p)))),
		(SELECT count(*) FROM http_exchanges WHERE run_id IN (SELECT id FROM r)) +
			(SELECT count(*) FROM losses WHERE stage = 'httpparse' AND run_id IN (SELECT id FROM r)),
		(SELECT coalesce(sum(events), 0) FROM losses WHERE run_id IN (SELECT id FROM r)))
SELECT line FROM (
	SELECT 1 AS place, 'recorded ' || coalesce(round((r.last_ns - r.first_ns) / 1e9, 1), 0) || ' s in ' || :file || ': ' || calls || ' model calls, ' ||
		tokens || ' tokens, ' || execs || ' programs, ' || files || ' files changed, ' || hosts || ' hosts' ||
		iif(calls = 0 AND exchanges = 0, ' (no TLS data)', '') AS line FROM r, n
	UNION ALL
	SELECT 2, iif(v.verdict = 'WHOLE', 'WHOLE: nothing was lost', 'INCOMPLETE: ' || (SELECT group_concat(what, '; ')
			FROM (SELECT what || iif(helps <> '', ' (what helps: ' || helps || ')', '') AS what FROM run_gaps g
				WHERE g.run_id = r.id AND NOT g.follows ORDER BY place, events DESC LIMIT 4)) ||
			(SELECT iif(count(*) > 4, '; and ' || (count(*) - 4) || ' more causes, see report losses', '') FROM run_gaps g
				WHERE g.run_id = r.id AND NOT g.follows))
		FROM r JOIN verdicts v ON v.run_id = r.id
	UNION ALL
	SELECT 3, 'no model call was seen, although TLS was: ' || coalesce((SELECT 'the requests were to ' || group_concat(place, ', ') FROM (
			SELECT coalesce(CAST(host AS TEXT), '?') || CAST(CASE instr(path, '?') WHEN 0 THEN path ELSE substr(path, 1, instr(path, '?') - 1) END AS TEXT) ||
				iif(count(*) > 1, ' (' || count(*) || ')', '') AS place
			FROM http_exchanges WHERE run_id IN (SELECT id FROM r) GROUP BY host, path ORDER BY count(*) DESC LIMIT 5)
			HAVING count(*)),
		(SELECT 'no HTTP was among it (' || group_concat(reason || ' ' || n, ', ') || ')' FROM (
			SELECT reason, sum(events) AS n FROM losses WHERE stage = 'httpparse' AND run_id IN (SELECT id FROM r) GROUP BY reason))) FROM n
		WHERE calls = 0 AND exchanges > 0
	UNION ALL
	SELECT 4, 'look at it: agentsight report --db ' || :file)
ORDER BY place;
