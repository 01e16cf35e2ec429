-- Files, by how much was read and written
--
-- path            absolute, as its process saw it
-- processes       that used it
-- opens           that succeeded
-- read_bytes      by all of them; empty: reads were not recorded
-- written_bytes   by all of them
-- changes         c created, t truncated, w written, d deleted, r renamed, a attributes were set
-- failed          calls that failed
-- last_error      why
-- leave first: last_error, failed, processes, opens
-- collected by: process
WITH shown(path_id) AS MATERIALIZED (	-- only of these the rest is summed up
	SELECT u.path_id FROM temp.used u CROSS JOIN paths p ON p.id = u.path_id
	ORDER BY u.written_bytes DESC, u.read_bytes DESC, u.opens DESC, p.path LIMIT :limit),
done AS (
	SELECT path_id, count(*) AS processes, sum(opens) AS opens, sum(read_bytes) AS read_bytes, sum(written_bytes) AS written_bytes,
		iif(sum(created), 'c', '') || iif(sum(truncated), 't', '') || iif(sum(writes), 'w', '') ||
		iif(sum(deleted), 'd', '') || iif(sum(renamed), 'r', '') || iif(sum(attributes), 'a', '') AS changes,
		sum(failed) AS failed, max(last_error) AS last_error
	FROM files WHERE path_id IN (SELECT path_id FROM shown) AND (:all OR process_id IN temp.chosen) GROUP BY path_id)
SELECT p.shown AS path, d.processes, d.opens,
	iif((SELECT max(recorded) FROM recorded_reads) = 0, NULL, d.read_bytes) AS read_bytes, d.written_bytes, d.changes, d.failed, d.last_error
FROM done d CROSS JOIN paths p ON p.id = d.path_id ORDER BY d.written_bytes DESC, d.read_bytes DESC, d.opens DESC, p.path;
