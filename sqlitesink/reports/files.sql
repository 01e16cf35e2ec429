-- Files, by what was done with them
--
-- path            absolute, as its process saw it
-- processes       that used it
-- opens           that succeeded
-- read_bytes      by all of them
-- written_bytes   by all of them
-- changes         c created, t truncated, w written, d deleted, r renamed, a attributes were set
-- failed          calls that failed
-- last_error      why
-- leave first: last_error, failed, processes, opens
SELECT p.path, count(*) AS processes, sum(f.opens) AS opens, sum(f.read_bytes) AS read_bytes, sum(f.written_bytes) AS written_bytes,
	iif(sum(f.created), 'c', '') || iif(sum(f.truncated), 't', '') || iif(sum(f.writes), 'w', '') ||
	iif(sum(f.deleted), 'd', '') || iif(sum(f.renamed), 'r', '') || iif(sum(f.attributes), 'a', '') AS changes,
	sum(f.failed) AS failed, max(f.last_error) AS last_error
FROM files f JOIN processes s ON s.id = f.process_id JOIN paths p ON p.id = f.path_id
WHERE :run IS NULL OR s.run_id = :run
GROUP BY f.path_id ORDER BY sum(f.written_bytes) DESC, sum(f.read_bytes) DESC, sum(f.opens) DESC, p.path LIMIT :limit;
