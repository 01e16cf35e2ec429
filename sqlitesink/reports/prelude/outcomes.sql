-- What became of each path that was changed, after all that happened to it: change as report files
-- has it; source: where it came from, or whose content it got.
CREATE TEMP TABLE outcomes(path_id INTEGER PRIMARY KEY, change TEXT, source_id INTEGER, written INTEGER, changes INTEGER,
	ns INTEGER, process_id INTEGER);
INSERT INTO temp.outcomes
WITH event(path_id, ns, id, op, bytes, process_id, other) AS (	-- what a path went through; arrive: it got another one's content
	SELECT path_id, timestamp_ns, id, op, iif(op = 'write', bytes, 0), process_id, to_path_id FROM file_changes
	WHERE :all OR process_id IN temp.chosen
	UNION ALL
	SELECT to_path_id, timestamp_ns, id, iif(op = 'rename', 'arrive', 'linked'), 0, process_id, path_id FROM file_changes
	WHERE to_path_id IS NOT NULL AND (:all OR process_id IN temp.chosen)),
first(path_id, op, id) AS MATERIALIZED (SELECT path_id, op, min(id) FROM event GROUP BY path_id),
last(path_id, op, id, other, ns, process_id, n, bytes, content) AS MATERIALIZED (
	SELECT path_id, op, max(id), other, max(ns), process_id, sum(op <> 'open'), sum(bytes),
		sum(op NOT IN ('open', 'chmod', 'chown')) FROM event GROUP BY path_id),
-- it was there before something else got its name: it was opened, or sed -i, which needs it, did that
known(path_id) AS MATERIALIZED (
	SELECT f.path_id FROM files f CROSS JOIN first a ON a.path_id = f.path_id AND a.op = 'arrive'
	CROSS JOIN file_changes c ON c.id = a.id
	WHERE f.opens > f.created AND f.first_ns <= c.timestamp_ns
	UNION
	SELECT a.path_id FROM first a CROSS JOIN file_changes c ON c.id = a.id CROSS JOIN paths p ON p.id = c.path_id
	CROSS JOIN processes s ON s.id = c.process_id WHERE a.op = 'arrive' AND s.comm = 'sed' AND p.path GLOB '*/sed??????'),
state(path_id, before, after, source) AS MATERIALIZED (
	SELECT l.path_id, CASE f.op WHEN 'create' THEN 0 WHEN 'mkdir' THEN 0 WHEN 'symlink' THEN 0 WHEN 'linked' THEN 0
			WHEN 'arrive' THEN iif(l.path_id IN (SELECT path_id FROM known), 1, NULL) ELSE 1 END,
		l.op NOT IN ('delete', 'rmdir', 'rename'), (SELECT e.path_id FROM file_changes e WHERE e.id = l.id AND e.to_path_id = l.path_id)
	FROM last l CROSS JOIN first f ON f.path_id = l.path_id),
net(path_id, change, source, written, n, ns, id, process_id) AS MATERIALIZED (
	SELECT s.path_id, CASE WHEN NOT s.after AND NOT coalesce(s.before, 0) THEN 'temporary' WHEN NOT s.after THEN 'deleted'
			WHEN NOT coalesce(s.before, 0) AND b.before AND NOT b.after THEN 'renamed' WHEN s.before IS NULL THEN 'created or changed'
			WHEN NOT s.before THEN 'created' WHEN l.content THEN 'changed' WHEN l.n THEN 'attributes' ELSE 'unchanged' END,
		s.source, l.bytes + coalesce(k.bytes, 0), l.n, l.ns, l.id, l.process_id
	FROM state s CROSS JOIN last l ON l.path_id = s.path_id
	LEFT JOIN state b ON b.path_id = s.source LEFT JOIN last k ON k.path_id = s.source
	CROSS JOIN paths p ON p.id = s.path_id
	WHERE p.path NOT GLOB '/proc/*' AND p.path NOT GLOB '/sys/*' AND p.path NOT GLOB '/dev/*')
SELECT path_id, change, source, written, n, ns, process_id FROM net;
-- what was moved elsewhere is told there
UPDATE temp.outcomes SET change = 'moved' WHERE change = 'deleted'
AND path_id IN (SELECT source_id FROM temp.outcomes WHERE change = 'renamed');
