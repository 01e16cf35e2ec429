-- schema2.sql - what version 2 of the database adds to schema.sql: the books of a recording
--
-- Who took part in it, how each of them ended, and so whether it is whole: run.begin,
-- run.end, stage.begin and stage.end (agentsight-events(5)), put together with losses.

ALTER TABLE runs ADD COLUMN run TEXT;		-- its name in run.begin; null: a pipeline made by hand
ALTER TABLE runs ADD COLUMN began_ns INTEGER;	-- run.begin
ALTER TABLE runs ADD COLUMN ended_ns INTEGER;	-- run.end
ALTER TABLE runs ADD COLUMN kernel TEXT;
ALTER TABLE runs ADD COLUMN stages TEXT;	-- array: all that were to take part
ALTER TABLE runs ADD COLUMN command TEXT;	-- array: the program that was run
ALTER TABLE runs ADD COLUMN options TEXT;	-- array
ALTER TABLE runs ADD COLUMN status INTEGER;	-- of the program
ALTER TABLE runs ADD COLUMN failed TEXT;	-- array of objects: stage, how, at_ns; null: run.end did not come
ALTER TABLE runs ADD COLUMN input_ended INTEGER NOT NULL DEFAULT 0;	-- 1: sqlitesink came to the end of its input
ALTER TABLE runs ADD COLUMN part INTEGER NOT NULL DEFAULT 1;	-- which file of the recording, with --rotate
ALTER TABLE runs ADD COLUMN continued INTEGER NOT NULL DEFAULT 0;	-- 1: it goes on in another file

ALTER TABLE losses ADD COLUMN pid INTEGER;	-- who lost most of these events
ALTER TABLE losses ADD COLUMN comm TEXT;
ALTER TABLE losses ADD COLUMN pid_events INTEGER;	-- how many of them

-- A stage that took part: from stage.begin to stage.end. Where why is null the second did
-- not come.
CREATE TABLE stages (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	stage TEXT NOT NULL,
	version TEXT,
	pid INTEGER,
	began_ns INTEGER,
	ended_ns INTEGER,
	lines_read INTEGER,
	lines_written INTEGER,
	lost INTEGER,
	why TEXT
) STRICT;
CREATE INDEX stages_run ON stages(run_id, stage);

-- The stages that we know, in the order of a pipeline: rank 0 collects.
CREATE TABLE stage_ranks (
	stage TEXT PRIMARY KEY,
	rank INTEGER NOT NULL,
	sees TEXT			-- of a collector
) STRICT, WITHOUT ROWID;
INSERT INTO stage_ranks VALUES ('sslsniff', 0, 'what crosses TLS'), ('process', 0, 'what processes do'),
	('stdiocap', 0, 'what passes standard input and output'), ('tcpsniff', 0, 'HTTP without TLS'),
	('sysmon', 0, 'what processes cost'), ('httpparse', 1, NULL), ('ssemerge', 2, NULL), ('llmparse', 3, NULL),
	('authstrip', 4, NULL), ('jsonfilter', 4, NULL), ('otelsink', 5, NULL), ('websink', 5, NULL), ('sqlitesink', 5, NULL);

-- Reasons to lose something, from docs/losses.md; stage is empty where all have it.
-- The row of no reason says by which version they were written. counts_as: 'lost'; 'follows' from a loss before, when there is one; 'kept', nothing is missing.
CREATE TABLE reasons (
	stage TEXT NOT NULL,
	reason TEXT NOT NULL,
	counts_as TEXT NOT NULL,
	what TEXT NOT NULL,
	helps TEXT NOT NULL,
	PRIMARY KEY (stage, reason)
) STRICT, WITHOUT ROWID;

-- What each stage of a run lost, by reason, with what is known of the reason. follows: 1, it
-- is the consequence of what a stage before it lost.
CREATE VIEW run_losses (run_id, stage, reason, events, bytes, counts_as, follows, what, helps) AS
WITH l AS (SELECT run_id, stage, reason, sum(events) AS events, sum(bytes) AS bytes FROM losses GROUP BY 1, 2, 3),
k AS (SELECT l.*, coalesce(s.counts_as, g.counts_as, 'lost') AS counts_as, coalesce(s.what, g.what, l.reason) AS what,
		coalesce(s.helps, g.helps, '') AS helps, coalesce(o.rank, 4) AS rank
	FROM l LEFT JOIN reasons s ON s.stage = l.stage AND s.reason = l.reason
	LEFT JOIN reasons g ON g.stage = '' AND g.reason = l.reason LEFT JOIN stage_ranks o ON o.stage = l.stage)
SELECT k.run_id, k.stage, k.reason, k.events, k.bytes, k.counts_as,
	k.counts_as = 'follows' AND EXISTS (SELECT 1 FROM k u WHERE u.run_id = k.run_id AND u.counts_as = 'lost' AND u.rank < k.rank),
	k.what, k.helps
FROM k;

-- All that is missing in a run, one row for each cause, in plain words. kind: not_ended,
-- no_end, failed, cut, stopped, unknown, loss, unsaid; follows: 1, a consequence of another row.
CREATE VIEW run_gaps (run_id, place, kind, stage, reason, events, bytes, follows, what, helps) AS
WITH broken AS (SELECT r.id AS run_id, f.value ->> 'stage' AS stage, f.value ->> 'how' AS how,
		(max(r.ended_ns, r.last_ns) - (f.value ->> 'at_ns')) / 1e9 AS seconds, coalesce(o.rank, 4) AS rank, o.sees
	FROM runs r, json_each(r.failed) f LEFT JOIN stage_ranks o ON o.stage = f.value ->> 'stage'),
-- a filter that is gone lets nothing through, so what is missing of others is missing for that
stuck AS (SELECT run_id FROM broken WHERE rank > 0 UNION
	SELECT run_id FROM stages WHERE stage = 'sqlitesink' AND why IN ('signal', 'failed')),
closed AS (SELECT * FROM runs WHERE input_ended AND NOT continued)
SELECT id, 1, 'not_ended', 'sqlitesink', NULL, NULL, NULL, 0,
	'the recording is not at its end: it is still going on, or sqlitesink was killed', '' FROM runs
	WHERE NOT input_ended AND NOT continued
UNION ALL
SELECT id, 2, 'no_end', 'agentsight', NULL, NULL, NULL, 0,
	'agentsight was ended before it could close the recording (killed, or the machine stopped): ' ||
	'what happened behind the last event is missing', '' FROM closed
	WHERE run IS NOT NULL AND failed IS NULL AND id NOT IN (SELECT run_id FROM stuck)
UNION ALL
SELECT run_id, 3, 'failed', stage, NULL, NULL, NULL, 0, stage || ' ' || how || CASE
		WHEN seconds IS NULL THEN ': what it had still to do is missing'
		ELSE format(', %.1f s before the end: ', seconds) || CASE
			WHEN rank > 0 AND rank < 5 THEN 'nothing is recorded from then on'
			ELSE coalesce(sees || ' is missing from then on', 'what it had still to do is missing') END END,
	iif(how LIKE 'ended with status %' AND how NOT LIKE 'ended with status 0%', 'its message was on standard error', '') FROM broken
UNION ALL
SELECT s.run_id, 4, 'cut', s.stage, NULL, NULL, NULL, s.run_id IN (SELECT run_id FROM stuck),
	s.stage || ' was cut off: it began, and its last line is not here', '' FROM closed r JOIN stages s ON s.run_id = r.id
	WHERE s.why IS NULL AND NOT EXISTS (SELECT 1 FROM broken b WHERE b.run_id = r.id AND b.stage = s.stage)
UNION ALL
SELECT s.run_id, 4, 'stopped', s.stage, s.why, NULL, NULL, s.stage <> 'sqlitesink' AND s.run_id IN (SELECT run_id FROM stuck),
	s.stage || CASE s.why
		WHEN 'failed' THEN ' failed: what it had still to do is missing'
		WHEN 'output_closed' THEN ' stopped, for nobody read what it wrote any more'
		ELSE ' was ended before its input was: what came behind is missing' END,
	CASE s.why WHEN 'failed' THEN 'its message was on standard error' ELSE '' END
	FROM closed r JOIN stages s ON s.run_id = r.id LEFT JOIN stage_ranks o ON o.stage = s.stage
	WHERE (s.why IN ('failed', 'output_closed') OR (s.why = 'signal' AND coalesce(o.rank, 4) > 0))
	AND NOT EXISTS (SELECT 1 FROM broken b WHERE b.run_id = r.id AND b.stage = s.stage)
UNION ALL
SELECT r.id, 5, 'unknown', n.value, NULL, NULL, NULL, r.id IN (SELECT run_id FROM stuck),
	'nothing is known of ' || n.value || ': it was to take part, and said neither that it began nor how it ended', ''
	FROM closed r, json_each(r.stages) n JOIN stage_ranks o ON o.stage = n.value	-- not a role of jsonfilter
	WHERE NOT EXISTS (SELECT 1 FROM stages s WHERE s.run_id = r.id AND s.stage = n.value)
	AND NOT EXISTS (SELECT 1 FROM broken b WHERE b.run_id = r.id AND b.stage = n.value)
UNION ALL
SELECT r.id, 5, 'unknown', NULL, NULL, NULL, NULL, 0,
	'where the events come from is not known: no collector says here that it began and how it ended, ' ||
	'so what is missing cannot be told', 'pass the stage.* lines on, where lines are selected'
	FROM closed r WHERE r.run IS NULL AND NOT EXISTS (SELECT 1 FROM stages s JOIN stage_ranks o ON o.stage = s.stage AND o.rank = 0
		WHERE s.run_id = r.id)
UNION ALL
SELECT run_id, 6, 'loss', stage, reason, events, bytes, follows,
	format('%,d', events) || iif(events = 1, ' event', ' events') || iif(bytes > 0, format(' (%,d bytes)', bytes), '') ||
	iif(follows, ' of ', ' lost by ') || stage || ' (' || reason || '): ' || what || coalesce((SELECT
		format('; process %d%s lost at least %,d of them', pid, coalesce(' (' || max(comm) || ')', ''), sum(pid_events))
		FROM losses l WHERE l.run_id = g.run_id AND l.stage = g.stage AND l.reason = g.reason AND pid IS NOT NULL
		GROUP BY pid ORDER BY sum(pid_events) DESC LIMIT 1), ''), helps
	FROM run_losses g WHERE counts_as <> 'kept'
UNION ALL
SELECT s.run_id, 7, 'unsaid', s.stage, NULL, s.lost - s.told, NULL, 0,
	format('%,d', s.lost - s.told) || iif(s.lost - s.told = 1, ' event', ' events') || ' lost by ' || s.stage ||
	': the lines that say why are not here', 'pass the loss lines on, where lines are selected'
	FROM (SELECT s.run_id, s.stage, sum(s.lost) AS lost, coalesce((SELECT sum(l.events) FROM losses l
		WHERE l.run_id = s.run_id AND l.stage = s.stage), 0) AS told FROM stages s JOIN runs r ON r.id = s.run_id
		WHERE r.part = 1 AND NOT r.continued GROUP BY 1, 2) s WHERE s.lost > s.told;

-- Whether a run is WHOLE or INCOMPLETE (run_gaps says why), and what was lost, each cause once.
CREATE VIEW verdicts (run_id, verdict, lost_events, lost_bytes) AS
SELECT r.id, iif(count(g.run_id), 'INCOMPLETE', 'WHOLE'), coalesce(sum(g.events), 0), coalesce(sum(g.bytes), 0)
FROM runs r LEFT JOIN run_gaps g ON g.run_id = r.id AND NOT g.follows GROUP BY r.id;
