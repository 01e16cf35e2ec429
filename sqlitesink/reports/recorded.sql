-- What was recorded, in three lines
--
-- line   of text
WITH r AS (SELECT * FROM runs WHERE id = coalesce(:run, (SELECT max(id) FROM runs))),
p AS (SELECT id, seen FROM processes WHERE run_id IN (SELECT id FROM r)),
n(calls, tokens, execs, files, hosts, exchanges, lost) AS (
	SELECT (SELECT count(*) FROM model_calls WHERE run_id IN (SELECT id FROM r)),
		(SELECT coalesce(sum(total_tokens), 0) FROM token_usage WHERE run_id IN (SELECT id FROM r)),
		(SELECT count(*) FROM execs WHERE NOT seed AND process_id IN (SELECT id FROM p)),
		(SELECT count(DISTINCT path_id) FROM file_changes WHERE op <> 'open' AND process_id IN (SELECT id FROM p)),
		(SELECT count(*) FROM (
			SELECT CAST(host AS TEXT) FROM http_exchanges WHERE run_id IN (SELECT id FROM r)
			UNION SELECT coalesce(host, address) FROM connections WHERE kind = 'connect' AND family <> 'unix' AND process_id IN (SELECT id FROM p))),
		(SELECT count(*) FROM http_exchanges WHERE run_id IN (SELECT id FROM r)) +
			(SELECT count(*) FROM losses WHERE stage = 'httpparse' AND run_id IN (SELECT id FROM r)),
		(SELECT coalesce(sum(events), 0) FROM losses WHERE run_id IN (SELECT id FROM r)))
SELECT line FROM (
	SELECT 1 AS place, 'recorded ' || coalesce(round((r.last_ns - r.first_ns) / 1e9, 1), 0) || ' s in ' || :file || ': ' || calls || ' model calls, ' ||
		tokens || ' tokens, ' || execs || ' programs, ' || files || ' files changed, ' || hosts || ' hosts' ||
		iif(calls = 0 AND exchanges = 0, ' (no TLS data)', '') AS line FROM r, n
	UNION ALL
	SELECT 2, iif(lost, 'INCOMPLETE: ' || lost || ' events were lost, report losses says which', 'nothing was lost') ||
		iif(r.complete, '', '; the recording was not ended properly') FROM r, n
	UNION ALL
	SELECT 3, 'look at it: agentsight report --db ' || :file)
ORDER BY place;
