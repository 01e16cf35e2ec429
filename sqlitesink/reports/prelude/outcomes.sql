-- What became of each path that was changed, after all that happened to it: change as report files
-- has it; source_id: where it came from, or whose content it got; last_id: the file_changes that
-- was the last. What happened is numbered: 0 open, 1 create, 2 mkdir, 3 symlink, 4 write, 5 truncate,
-- 6 chmod, 7 chown, 8 link, 9 delete, 10 rmdir, 11 rename, 12 it got another one's name, 13 it is
-- a link to another; behind the number of its row, so that the least is the first of them.
CREATE TEMP TABLE path_lives(path_id INTEGER PRIMARY KEY, first INTEGER, last INTEGER, n INTEGER, bytes INTEGER,
	content INTEGER, before INTEGER);
INSERT INTO temp.path_lives
WITH event(path_id, id, what, bytes) AS (
	SELECT path_id, id, CASE op WHEN 'write' THEN 4 WHEN 'open' THEN 0 WHEN 'create' THEN 1 WHEN 'mkdir' THEN 2 WHEN 'symlink' THEN 3
		WHEN 'truncate' THEN 5 WHEN 'chmod' THEN 6 WHEN 'chown' THEN 7 WHEN 'link' THEN 8 WHEN 'delete' THEN 9
		WHEN 'rmdir' THEN 10 WHEN 'rename' THEN 11 ELSE 4 END, iif(op = 'write', bytes, 0)
	FROM file_changes WHERE :all OR process_id IN temp.chosen
	UNION ALL
	SELECT to_path_id, id, iif(op = 'rename', 12, 13), 0 FROM file_changes
	WHERE to_path_id IS NOT NULL AND (:all OR process_id IN temp.chosen))
SELECT path_id, first, last, n, bytes, content, first & 15 NOT IN (1, 2, 3, 13) FROM (
	SELECT path_id, min(16 * id + what) AS first, max(16 * id + what) AS last, sum(what > 0) AS n, sum(bytes) AS bytes,
		max(what BETWEEN 1 AND 5 OR what > 7) AS content
	FROM event GROUP BY path_id);
-- it was there before something else got its name: it was opened, or sed -i, which needs it, did that
UPDATE temp.path_lives SET before = NULL WHERE first & 15 = 12
AND NOT EXISTS (SELECT 1 FROM files f CROSS JOIN file_changes c ON c.id = path_lives.first >> 4
	WHERE f.path_id = path_lives.path_id AND f.opens > f.created AND f.first_ns <= c.timestamp_ns)
AND NOT EXISTS (SELECT 1 FROM file_changes c CROSS JOIN paths p ON p.id = c.path_id CROSS JOIN processes s ON s.id = c.process_id
	WHERE c.id = path_lives.first >> 4 AND s.comm = 'sed' AND p.path GLOB '*/sed??????');
CREATE TEMP TABLE outcomes(path_id INTEGER PRIMARY KEY, change TEXT, source_id INTEGER, written INTEGER, changes INTEGER,
	last_id INTEGER);
INSERT INTO temp.outcomes
WITH state AS (
	SELECT l.*, l.last & 15 NOT IN (9, 10, 11) AS after,
		iif(l.last & 15 > 11, (SELECT c.path_id FROM file_changes c WHERE c.id = l.last >> 4), NULL) AS source
	FROM temp.path_lives l)
SELECT s.path_id, CASE WHEN NOT s.after AND NOT coalesce(s.before, 0) THEN 'temporary' WHEN NOT s.after THEN 'deleted'
		WHEN NOT coalesce(s.before, 0) AND b.before AND b.last & 15 IN (9, 10, 11) THEN 'renamed'
		WHEN s.before IS NULL THEN 'created or changed' WHEN NOT s.before THEN 'created' WHEN s.content THEN 'changed'
		WHEN s.n THEN 'attributes' ELSE 'unchanged' END,
	s.source, s.bytes + coalesce(b.bytes, 0), s.n, s.last >> 4
FROM state s LEFT JOIN temp.path_lives b ON b.path_id = s.source CROSS JOIN paths p ON p.id = s.path_id
WHERE p.path NOT GLOB '/proc/*' AND p.path NOT GLOB '/sys/*' AND p.path NOT GLOB '/dev/*';
-- what was moved elsewhere is told there
UPDATE temp.outcomes SET change = 'moved' WHERE change = 'deleted'
AND path_id IN (SELECT source_id FROM temp.outcomes WHERE change = 'renamed');
