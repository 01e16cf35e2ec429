-- schema3.sql - what version 3 of the database adds: whose messages a call continues, what an
-- agent made of a prompt, and which tool call each process worked for

ALTER TABLE model_calls ADD COLUMN chain_id TEXT;	-- the exchange that its chain of messages began with
ALTER TABLE model_calls ADD COLUMN tools_offered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE prompts ADD COLUMN chain_id TEXT;
ALTER TABLE prompts ADD COLUMN added_id INTEGER REFERENCES texts(id);	-- what the agent added in the user's name
ALTER TABLE tool_uses ADD COLUMN chain_id TEXT;
-- Programs that could not be started (process.exec with an error).
CREATE TABLE failed_execs (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	filename ANY,
	command ANY,			-- the arguments with a blank between them
	cwd ANY,
	error TEXT NOT NULL
) STRICT;
-- Containers in which programs ran (process.exec), as far as it says what they are called.
CREATE TABLE containers (
	run_id INTEGER NOT NULL REFERENCES runs(id),
	container_id TEXT NOT NULL,	-- as processes has it
	container_name TEXT,
	pod_name TEXT,
	pod_namespace TEXT,
	pod_uid TEXT,
	PRIMARY KEY (run_id, container_id)
) STRICT, WITHOUT ROWID;
ALTER TABLE execs ADD COLUMN comm ANY;	-- the name of the process from then on
CREATE INDEX execs_of ON execs(process_id, timestamp_ns);
ALTER TABLE processes ADD COLUMN first_comm ANY;	-- its name when it began, before any program of its own
ALTER TABLE stages ADD COLUMN collects TEXT;	-- array: what a collector was asked for; null: it does not say
ALTER TABLE processes ADD COLUMN tool_use_id INTEGER REFERENCES tool_uses(id);	-- that it was started for, with all above it
ALTER TABLE http_exchanges ADD COLUMN scheme TEXT;	-- https, or http: without TLS
ALTER TABLE http_exchanges ADD COLUMN side TEXT;	-- client, server: the end that was seen
ALTER TABLE http_exchanges ADD COLUMN peer_pid INTEGER;	-- the process at the other end, when it was observed, too
ALTER TABLE model_calls ADD COLUMN agent_id INTEGER REFERENCES processes(id);	-- whose call it is: its process, or that which this made it for
UPDATE model_calls SET agent_id = process_id;
-- Calls of a proxy: the call that this one was made for, and the one that all of it was for in the end.
ALTER TABLE model_calls ADD COLUMN parent_id INTEGER REFERENCES model_calls(id);
ALTER TABLE model_calls ADD COLUMN root_id INTEGER REFERENCES model_calls(id);
ALTER TABLE model_calls ADD COLUMN counted INTEGER NOT NULL DEFAULT 1;	-- 0: totals have those that were made for it
CREATE INDEX model_calls_root ON model_calls(root_id) WHERE root_id IS NOT NULL;
DROP VIEW token_usage;
CREATE VIEW token_usage AS
SELECT 'token-llm-' || c.id AS id, 'llm-' || c.id AS llm_call_id, c.ended_ns / 1000000 AS timestamp_ms, p.pid, p.comm,
	c.provider, coalesce(c.request_model, c.response_model, 'unknown') AS model,
	max(0, coalesce(c.input_tokens, 0) - coalesce(c.cache_read_tokens, 0) - coalesce(c.cache_creation_tokens, 0)) AS input_tokens,
	coalesce(c.output_tokens, 0) AS output_tokens,
	coalesce(c.cache_creation_tokens, 0) AS cache_creation_tokens, coalesce(c.cache_read_tokens, 0) AS cache_read_tokens,
	max(coalesce(c.input_tokens, 0), coalesce(c.cache_read_tokens, 0) + coalesce(c.cache_creation_tokens, 0)) +
		coalesce(c.output_tokens, 0) AS total_tokens,
	'response_usage' AS source, 'live_view' AS view_source, 1.0 AS confidence, c.run_id
FROM model_calls c JOIN processes p ON p.id = c.process_id
WHERE c.counted AND coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) + coalesce(c.cache_read_tokens, 0) +
	coalesce(c.cache_creation_tokens, 0) > 0;
-- The calls that totals have, each once: those of a proxy with the model, the tokens and the times of
-- what it asked, as calls of who asked the proxy.
CREATE VIEW counted_calls AS
SELECT c.id, c.run_id, r.agent_id AS process_id, r.agent, r.conversation_id, r.chain_id, r.prompt_id, c.started_ns, c.ended_ns, c.duration_ms,
	c.provider, c.operation, c.request_model, c.response_model, c.error_type, c.input_tokens, c.output_tokens,
	c.cache_read_tokens, c.cache_creation_tokens, c.reasoning_tokens, c.total_tokens
FROM model_calls c JOIN model_calls r ON r.id = coalesce(c.root_id, c.id) WHERE c.counted;
UPDATE model_calls SET chain_id = conversation_id;
UPDATE prompts SET chain_id = conversation_id;
UPDATE tool_uses SET chain_id = conversation_id;
CREATE INDEX model_calls_chain ON model_calls(chain_id, started_ns);
CREATE INDEX prompts_chain ON prompts(chain_id);
CREATE INDEX tool_uses_chain ON tool_uses(chain_id, asked_ns);
CREATE INDEX files_path ON files(path_id);
-- A path of a mount namespace that is not the recorder's is another file: paths is made anew
-- with that. Its rows keep their ids.
CREATE TEMP TABLE paths_before AS SELECT id, path FROM paths;
DROP TABLE paths;
-- Each path once in each mount namespace.
CREATE TABLE paths (
	id INTEGER PRIMARY KEY,
	path ANY NOT NULL,
	mnt_ns INTEGER NOT NULL DEFAULT 0,	-- as /proc/PID/ns/mnt numbers it; 0: the recorder's
	shown ANY AS (iif(mnt_ns = 0, path, CAST(path AS TEXT) || ' (mount namespace ' || mnt_ns || ')')),
	UNIQUE (path, mnt_ns)
) STRICT;
INSERT INTO paths (id, path) SELECT id, path FROM temp.paths_before;
DROP TABLE temp.paths_before;
-- 1: others read it in the same time, and the row of one of them has how often and how much
ALTER TABLE files ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
DROP INDEX processes_parent;
CREATE INDEX processes_parent ON processes(parent_id, start_ns);
CREATE INDEX processes_tool ON processes(tool_use_id) WHERE tool_use_id IS NOT NULL;

DROP VIEW prompt_effects;
DROP VIEW tool_effects;
DROP VIEW window_effects;
DROP VIEW prompt_windows;
DROP VIEW tool_windows;

-- From when to when each tool was at work. Asked for before the recording: from its beginning.
-- When no result came, until the next call of its chain, or the end of the run. names_files:
-- its arguments say which files it works on.
CREATE VIEW tool_spans (tool_use_id, run_id, agent_id, chain_id, from_ns, to_ns, names_files) AS
SELECT u.id, u.run_id, u.process_id, u.chain_id,
	coalesce(u.asked_ns, (SELECT r.first_ns FROM runs r WHERE r.id = u.run_id)),
	coalesce(u.answered_ns,
		(SELECT min(m.started_ns) FROM model_calls m
		 WHERE m.chain_id = u.chain_id AND m.started_ns > u.asked_ns AND m.run_id = u.run_id),
		(SELECT r.last_ns FROM runs r WHERE r.id = u.run_id)),
	iif(json_valid(a.text), coalesce(a.text ->> '$.file_path', a.text ->> '$.path', a.text ->> '$.filePath',
		a.text ->> '$.filename', a.text ->> '$.notebook_path', a.text ->> '$.target_file',
		a.text ->> '$.absolute_path', a.text ->> '$.file') IS NOT NULL, 0)
FROM tool_uses u LEFT JOIN texts a ON a.id = u.arguments_id;

-- The strings in the arguments of tool calls.
CREATE VIEW tool_arguments (tool_use_id, value) AS
SELECT u.id, j.atom FROM tool_uses u JOIN texts a ON a.id = u.arguments_id, json_tree(iif(json_valid(a.text), a.text, 'null')) j
WHERE j.type = 'text'
UNION ALL
SELECT u.id, a.text FROM tool_uses u JOIN texts a ON a.id = u.arguments_id WHERE NOT json_valid(a.text);

-- Chains of messages. kind: 'main', a user's; 'sub-agent', begun by a tool call of another;
-- 'helper', a call on the side, for a title, a summary or a look at a command: it offers no
-- tools, and others of its process do, or a tool made it. tool_use_id: the tool call that began
-- it; evidence: 'process', its process was started for it; 'named', its first message is an
-- argument of it; 'alone', no other tool was at work.
CREATE VIEW chains (run_id, chain_id, call_id, process_id, started_ns, kind, tool_use_id, evidence) AS
WITH chain AS MATERIALIZED (
	SELECT c.run_id, coalesce(c.chain_id, 'call ' || c.id) AS chain_id, min(c.id) AS call_id, c.agent_id AS process_id, c.process_id AS caller_id,
		min(c.started_ns) AS started_ns, max(c.tools_offered) AS tools
	FROM model_calls c WHERE c.parent_id IS NULL GROUP BY 1, 2),
said AS MATERIALIZED (
	SELECT q.run_id, q.chain_id, min(q.id), x.text FROM prompts q JOIN texts x ON x.id = q.text_id
	WHERE q.chain_id IS NOT NULL GROUP BY 1, 2),
works(process_id) AS MATERIALIZED (SELECT DISTINCT agent_id FROM model_calls WHERE tools_offered),
-- tools of the same process that were at work when it began, or had been answered just before:
-- a sub-agent in the background has exactly what an argument says
open AS MATERIALIZED (
	SELECT c.run_id, c.chain_id, u.id AS tool_use_id, u.asked_ns AS from_ns, coalesce(u.answered_ns, c.started_ns) >= c.started_ns AS at_work,
		sum(coalesce(u.answered_ns, c.started_ns) >= c.started_ns) OVER (PARTITION BY c.run_id, c.chain_id) AS n,
		(SELECT max(CASE WHEN j.atom = t.text THEN 2 WHEN length(j.atom) > 2 AND instr(t.text, j.atom) THEN 1 END)
		 FROM json_tree((SELECT iif(json_valid(a.text), a.text, json_quote(a.text)) FROM texts a WHERE a.id = u.arguments_id)) j
		 WHERE j.type = 'text') AS fits
	FROM chain c CROSS JOIN tool_uses u ON u.process_id = c.process_id AND u.asked_ns <= c.started_ns
	LEFT JOIN said t ON t.run_id = c.run_id AND t.chain_id = c.chain_id
	WHERE u.run_id = c.run_id AND u.chain_id IS NOT c.chain_id 
		AND coalesce(u.answered_ns, c.started_ns) >= c.started_ns - 60000000000
		AND (u.answered_ns IS NOT NULL OR NOT EXISTS (SELECT 1 FROM model_calls m WHERE m.chain_id = u.chain_id
			AND m.started_ns > u.asked_ns AND m.started_ns < c.started_ns AND m.run_id = u.run_id))),
best AS MATERIALIZED (
	SELECT run_id, chain_id, tool_use_id, n, fits, row_number() OVER (PARTITION BY run_id, chain_id
		ORDER BY coalesce(fits, 0) DESC, from_ns DESC) AS rank
	FROM open WHERE at_work OR fits = 2),
below AS MATERIALIZED (SELECT process_id FROM agents WHERE parent_id IS NOT NULL)
SELECT c.run_id, c.chain_id, c.call_id, c.process_id, c.started_ns,
	CASE WHEN b.fits IS NOT NULL THEN iif(c.tools, 'sub-agent', 'helper')
		WHEN NOT c.tools AND (b.tool_use_id IS NOT NULL OR c.process_id IN (SELECT process_id FROM works)) THEN 'helper'
		WHEN c.process_id IN (SELECT process_id FROM below) THEN 'sub-agent'
		WHEN (SELECT p.tool_use_id FROM processes p WHERE p.id = c.caller_id) IS NULL THEN 'main'
		WHEN c.tools THEN 'sub-agent' ELSE 'helper' END,
	CASE WHEN b.fits IS NOT NULL OR (NOT c.tools AND b.n = 1) THEN b.tool_use_id
		ELSE (SELECT p.tool_use_id FROM processes p WHERE p.id = c.caller_id) END,
	CASE WHEN b.fits IS NOT NULL THEN 'named' WHEN NOT c.tools AND b.n = 1 THEN 'alone'
		WHEN (SELECT p.tool_use_id FROM processes p WHERE p.id = c.caller_id) IS NOT NULL THEN 'process' END
FROM chain c LEFT JOIN best b ON b.run_id = c.run_id AND b.chain_id = c.chain_id AND b.rank = 1;

-- What the processes of tool servers did while they worked for a tool call (mcp.call): one of
-- the agent that they run under, with the same name, best with the same arguments.
CREATE VIEW tool_servers (tool_use_id, mcp_call_id, process_id, from_ns, to_ns) AS
WITH name AS MATERIALIZED (SELECT DISTINCT name FROM tool_uses)
SELECT coalesce(same, other), id, process_id, from_ns, to_ns FROM (
	SELECT m.id, m.timestamp_ns AS from_ns, m.timestamp_ns + CAST(coalesce(m.duration_ms, 0) * 1000000 AS INTEGER) AS to_ns,
		coalesce((SELECT p.id FROM processes p WHERE p.pid = m.server_pid AND p.run_id = c.run_id
			AND p.start_ns <= m.timestamp_ns ORDER BY p.start_ns DESC LIMIT 1), m.process_id) AS process_id,
		(SELECT max(u.id) FROM tool_uses u WHERE u.process_id = coalesce(c.agent_id, c.parent_id)
			AND u.asked_ns <= m.timestamp_ns AND (u.answered_ns IS NULL OR u.answered_ns >= m.timestamp_ns)
			AND (u.name = m.tool OR substr(u.name, -length(m.tool) - 1) IN ('_' || m.tool, '.' || m.tool,
				'/' || m.tool, ':' || m.tool, '-' || m.tool)) AND u.arguments_id = m.arguments_id) AS same,
		(SELECT max(u.id) FROM tool_uses u WHERE u.process_id = coalesce(c.agent_id, c.parent_id)
			AND u.asked_ns <= m.timestamp_ns AND (u.answered_ns IS NULL OR u.answered_ns >= m.timestamp_ns)
			AND (u.name = m.tool OR substr(u.name, -length(m.tool) - 1) IN ('_' || m.tool, '.' || m.tool,
				'/' || m.tool, ':' || m.tool, '-' || m.tool))) AS other
	FROM mcp_calls m JOIN processes c ON c.id = m.process_id
	WHERE m.tool IS NOT NULL AND EXISTS (SELECT 1 FROM name n WHERE substr(n.name, -length(m.tool)) = m.tool))
WHERE other IS NOT NULL;

-- The same with what decides to whom an effect belongs. alone: no other tool of this agent was
-- at work, not counting those that have a sub-agent at work for them; began: 1, processes were
-- started for it, or a sub-agent; since_ns and until_ns: with their time.
CREATE VIEW tool_windows (tool_use_id, agent_id, from_ns, to_ns, alone, names_files, began, since_ns, until_ns) AS
WITH span AS MATERIALIZED (SELECT * FROM tool_spans),
owned AS MATERIALIZED (
	SELECT p.tool_use_id, min(p.start_ns) AS since_ns, max(coalesce(p.end_ns, r.last_ns)) AS until_ns
	FROM processes p JOIN runs r ON r.id = p.run_id WHERE p.tool_use_id IS NOT NULL GROUP BY 1),
nests(tool_use_id) AS MATERIALIZED (SELECT DISTINCT tool_use_id FROM chains WHERE tool_use_id IS NOT NULL),
alone AS (
	SELECT s.*, coalesce(max(to_ns) OVER (PARTITION BY agent_id ORDER BY from_ns, tool_use_id
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) <= from_ns, 1)
		AND coalesce(lead(from_ns) OVER (PARTITION BY agent_id ORDER BY from_ns, tool_use_id) >= to_ns, 1) AS alone
	FROM span s WHERE tool_use_id NOT IN (SELECT tool_use_id FROM nests))
SELECT s.tool_use_id, s.agent_id, s.from_ns, s.to_ns, coalesce(a.alone, 0), s.names_files,
	o.tool_use_id IS NOT NULL OR a.tool_use_id IS NULL, min(s.from_ns, coalesce(o.since_ns, s.from_ns)),
	max(s.to_ns, coalesce(o.until_ns, 0))
FROM span s LEFT JOIN alone a USING (tool_use_id) LEFT JOIN owned o USING (tool_use_id);

-- Which file a string in the arguments of a tool means, from the agent's directory on; without
-- what has line breaks, and is a text.
CREATE VIEW tool_paths (tool_use_id, path) AS
SELECT tool_use_id, CASE WHEN value GLOB '/*' THEN value WHEN value GLOB '~/*' THEN substr(value, 2)
	WHEN value GLOB './*' THEN rtrim(coalesce(cwd, ''), '/') || substr(value, 2)
	ELSE rtrim(coalesce(cwd, ''), '/') || '/' || value END
FROM (SELECT a.tool_use_id, a.value, CAST(e.cwd AS TEXT) AS cwd
	FROM tool_arguments a JOIN tool_uses u ON u.id = a.tool_use_id JOIN processes p ON p.id = u.process_id
	LEFT JOIN execs e ON e.id = p.exec_id
	WHERE length(a.value) BETWEEN 2 AND 4096 AND instr(a.value, char(10)) = 0 AND a.value NOT GLOB '*://*');

-- Processes that ask models for an agent (a curl for each call), and what it started for that.
CREATE VIEW callers (process_id) AS
SELECT process_id FROM model_calls WHERE agent_id <> process_id
UNION
SELECT q.id FROM model_calls m JOIN processes p ON p.id = m.process_id JOIN processes q ON q.id = p.parent_id
WHERE m.agent_id <> m.process_id AND q.id <> m.agent_id AND q.agent_id = m.agent_id;

-- What tool calls did: programs, changed files, reached hosts; not what an agent did to reach
-- its models. evidence: 'process', a process that was started for the tool did it, or the
-- tool's server while it was at work; 'named', the agent itself, and the arguments name it;
-- 'alone', no other tool of the agent was at work, and this one started no process and names
-- no other file; else 'shared', and then it is here once for each tool that was at work.
CREATE VIEW tool_effects AS
WITH w AS MATERIALIZED (SELECT * FROM tool_windows),
path AS MATERIALIZED (SELECT tool_use_id, path FROM tool_paths),
member AS MATERIALIZED (SELECT agent_id, member_id FROM agent_trees),
server AS MATERIALIZED (SELECT * FROM tool_servers),
model(process_id, host) AS MATERIALIZED (SELECT DISTINCT process_id, CAST(server_address AS TEXT) FROM model_calls),
happened AS (
	SELECT w.*, e.timestamp_ns, e.timestamp_ns AS last_ns, e.process_id, 'exec' AS kind, e.command AS target, e.cwd AS detail, NULL AS other
	FROM w CROSS JOIN execs e ON e.timestamp_ns BETWEEN w.since_ns AND w.until_ns
	CROSS JOIN processes p ON p.id = e.process_id WHERE NOT e.seed AND (p.tool_use_id = w.tool_use_id
		OR EXISTS (SELECT 1 FROM member m WHERE m.agent_id = w.agent_id AND m.member_id = p.agent_id))
	UNION ALL
	SELECT w.*, c.timestamp_ns, coalesce(c.last_ns, c.timestamp_ns), c.process_id, c.op, f.path, coalesce(t.path, c.detail, c.bytes), t.path
	FROM w CROSS JOIN file_changes c ON c.timestamp_ns BETWEEN w.since_ns AND w.until_ns
	CROSS JOIN processes p ON p.id = c.process_id CROSS JOIN paths f ON f.id = c.path_id LEFT JOIN paths t ON t.id = c.to_path_id
	WHERE c.op <> 'open' AND (p.tool_use_id = w.tool_use_id
		OR EXISTS (SELECT 1 FROM member m WHERE m.agent_id = w.agent_id AND m.member_id = p.agent_id))
	UNION ALL
	SELECT w.*, n.opened_ns, n.opened_ns, n.process_id, 'connect', coalesce(n.host, n.address, n.path) || coalesce(':' || n.port, ''), n.error,
		coalesce(n.host, n.address)
	FROM w CROSS JOIN connections n ON n.opened_ns BETWEEN w.since_ns AND w.until_ns
	CROSS JOIN processes p ON p.id = n.process_id WHERE n.kind IN ('connect', 'send') AND n.family <> 'unix' AND (p.tool_use_id = w.tool_use_id
		OR EXISTS (SELECT 1 FROM member m WHERE m.agent_id = w.agent_id AND m.member_id = p.agent_id))
		AND NOT EXISTS (SELECT 1 FROM model m WHERE m.process_id = n.process_id AND m.host = n.host)),
judged AS MATERIALIZED (
	SELECT h.*, p.pid, coalesce(p.first_comm, p.comm) AS comm, CASE
		WHEN p.tool_use_id = h.tool_use_id AND NOT (p.agent_id = p.id AND EXISTS (SELECT 1 FROM w v WHERE v.agent_id = p.id
			AND h.timestamp_ns BETWEEN v.from_ns AND v.to_ns AND ((v.alone AND NOT v.began AND NOT v.names_files)
				OR EXISTS (SELECT 1 FROM path a WHERE a.tool_use_id = v.tool_use_id AND (h.target = a.path OR h.other = a.path
					OR substr(h.target, 1, length(a.path) + 1) = a.path || '.' OR substr(a.path, 1, length(h.target) + 1) = h.target || '/')))))
			THEN 'process'
		WHEN h.timestamp_ns NOT BETWEEN h.from_ns AND h.to_ns
			OR NOT EXISTS (SELECT 1 FROM member m WHERE m.agent_id = h.agent_id AND m.member_id = p.agent_id) THEN NULL
		WHEN EXISTS (SELECT 1 FROM server s WHERE s.tool_use_id = h.tool_use_id AND s.process_id IN (p.id, p.parent_id)
			AND h.timestamp_ns BETWEEN s.from_ns AND s.to_ns) THEN 'process'
		WHEN (p.tool_use_id IS NOT NULL AND p.id <> h.agent_id) OR EXISTS (SELECT 1 FROM server s
			WHERE s.process_id IN (p.id, p.parent_id) AND h.timestamp_ns BETWEEN s.from_ns AND s.to_ns) THEN NULL
		WHEN EXISTS (SELECT 1 FROM path a WHERE a.tool_use_id = h.tool_use_id AND (h.target = a.path OR h.other = a.path
			OR substr(h.target, 1, length(a.path) + 1) = a.path || '.' OR substr(a.path, 1, length(h.target) + 1) = h.target || '/')) THEN 'named'
		WHEN NOT h.alone AND EXISTS (SELECT 1 FROM w v JOIN path a USING (tool_use_id) WHERE v.agent_id = h.agent_id
			AND h.timestamp_ns BETWEEN v.from_ns AND v.to_ns AND (h.target = a.path OR h.other = a.path
			OR substr(h.target, 1, length(a.path) + 1) = a.path || '.' OR substr(a.path, 1, length(h.target) + 1) = h.target || '/')) THEN NULL
		WHEN h.alone AND NOT h.began AND NOT h.names_files THEN 'alone'
		WHEN p.tool_use_id IS NULL THEN 'shared' END AS evidence
	FROM happened h CROSS JOIN processes p ON p.id = h.process_id
	WHERE h.process_id NOT IN (SELECT process_id FROM callers))
SELECT u.run_id, j.tool_use_id, u.name AS tool, j.timestamp_ns, j.last_ns, j.process_id, j.pid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = j.process_id AND e.timestamp_ns <= j.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), j.comm) AS comm, j.kind, j.target, j.detail, j.evidence
FROM judged j CROSS JOIN tool_uses u ON u.id = j.tool_use_id WHERE j.evidence IS NOT NULL;

-- How long each prompt was worked on: until the answer of its last call, or the end
-- of the tools that this asked for.
CREATE VIEW prompt_windows (prompt_id, agent_id, from_ns, to_ns) AS
SELECT q.id, q.process_id, q.timestamp_ns, max(max(m.ended_ns), coalesce(max(s.to_ns), 0))
FROM prompts q JOIN model_calls m ON m.prompt_id = q.id
LEFT JOIN tool_uses u ON u.call_id = m.id LEFT JOIN tool_spans s ON s.tool_use_id = u.id GROUP BY q.id;

-- What came of each prompt that a user typed: all that was done for its tool calls, and in its
-- time within its agent's tree for none of them.
CREATE VIEW prompt_effects AS
WITH top AS MATERIALIZED (SELECT call_id, prompt_id FROM call_work),
effect AS (
	SELECT 'exec' AS kind, e.timestamp_ns, e.timestamp_ns AS last_ns, e.process_id, e.command AS target, e.cwd AS detail FROM execs e WHERE NOT e.seed
	UNION ALL
	SELECT c.op, c.timestamp_ns, coalesce(c.last_ns, c.timestamp_ns), c.process_id, f.path, coalesce(t.path, c.detail, c.bytes)
	FROM file_changes c JOIN paths f ON f.id = c.path_id LEFT JOIN paths t ON t.id = c.to_path_id WHERE c.op <> 'open'
	UNION ALL
	SELECT 'connect', n.opened_ns, n.opened_ns, n.process_id, coalesce(n.host, n.address, n.path) || coalesce(':' || n.port, ''), n.error
	FROM connections n WHERE n.kind IN ('connect', 'send') AND n.family <> 'unix'),
mine AS (
	SELECT e.*, p.run_id, p.pid, coalesce(p.first_comm, p.comm) AS comm, coalesce(
		(SELECT t.prompt_id FROM tool_uses u JOIN top t ON t.call_id = u.call_id WHERE u.id = p.tool_use_id),
		(SELECT w.prompt_id FROM prompt_windows w JOIN prompts q ON q.id = w.prompt_id
		 JOIN chains c ON c.run_id = q.run_id AND c.chain_id = q.chain_id AND c.kind = 'main'
		 WHERE e.timestamp_ns BETWEEN w.from_ns AND w.to_ns AND (w.agent_id = p.agent_id
			OR p.agent_id IN (SELECT member_id FROM agent_trees t WHERE t.agent_id = w.agent_id))
		 ORDER BY w.from_ns DESC LIMIT 1)) AS prompt_id
	FROM effect e JOIN processes p ON p.id = e.process_id)
SELECT run_id, prompt_id, timestamp_ns, last_ns, process_id, pid,
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = mine.process_id AND e.timestamp_ns <= mine.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), comm) AS comm, kind, target, detail FROM mine WHERE prompt_id IS NOT NULL;

-- Whose each call is: kind as in chains, the tool call that began its chain, and the prompt
-- that a user typed and that all of this is for (null: none, or a helper's that no tool made).
CREATE VIEW call_work (call_id, run_id, chain_id, kind, tool_use_id, depth, prompt_id) AS
WITH RECURSIVE chain AS MATERIALIZED (SELECT * FROM chains),
-- from each chain to those above it
up(run_id, chain_id, depth, at, prompt_id) AS (
	SELECT run_id, chain_id, 0, tool_use_id, NULL FROM chain
	UNION ALL
	SELECT u.run_id, u.chain_id, u.depth + 1, h.tool_use_id, iif(h.kind = 'main', m.prompt_id, NULL)
	FROM up u JOIN tool_uses t ON t.id = u.at JOIN model_calls m ON m.id = t.call_id
	JOIN chain h ON h.run_id = m.run_id AND h.chain_id = coalesce(m.chain_id, 'call ' || m.id) WHERE u.depth < 20),
top AS MATERIALIZED (SELECT run_id, chain_id, max(depth) AS depth, coalesce(max(prompt_id), 0) AS prompt_id FROM up GROUP BY 1, 2)
SELECT c.id, c.run_id, c.chain_id, h.kind, h.tool_use_id, t.depth, nullif(max(t.prompt_id, iif(h.kind = 'main', coalesce(r.prompt_id, 0), 0)), 0)
FROM model_calls c CROSS JOIN model_calls r ON r.id = coalesce(c.root_id, c.id)
CROSS JOIN chain h ON h.run_id = c.run_id AND h.chain_id = coalesce(r.chain_id, 'call ' || r.id)
CROSS JOIN top t ON t.run_id = h.run_id AND t.chain_id = h.chain_id;

-- The prompts that users typed, not those of sub-agents and helper calls.
CREATE VIEW typed_prompts AS
SELECT q.* FROM prompts q JOIN chains h ON h.run_id = q.run_id AND h.chain_id = coalesce(q.chain_id, 'call ' || q.call_id)
WHERE h.kind = 'main';

-- Whether what processes read and opened for reading was recorded: 1, it was; 0, it was not, by
-- what the recording says of itself; null, that is not known.
CREATE VIEW recorded_reads (run_id, recorded) AS
SELECT r.id, CASE
	WHEN EXISTS (SELECT 1 FROM stages s, json_each(s.collects) j WHERE s.run_id = r.id AND j.value = 'reads') THEN 1
	WHEN EXISTS (SELECT 1 FROM files f JOIN processes p ON p.id = f.process_id WHERE p.run_id = r.id AND f.reads > 0) THEN 1
	WHEN EXISTS (SELECT 1 FROM stages s WHERE s.run_id = r.id AND s.stage = 'process' AND s.collects IS NOT NULL) THEN 0
	WHEN r.stages IS NOT NULL AND NOT EXISTS (SELECT 1 FROM json_each(r.stages) WHERE value = 'process') THEN 0 END
FROM runs r;

DROP VIEW IF EXISTS audit_events;
-- Programs, exits, files, network and calls as one list.
CREATE VIEW audit_events AS
SELECT 'exec-' || e.id AS id, e.timestamp_ns / 1000000 AS timestamp_ms, 'process' AS audit_type, p.pid, coalesce(e.comm, p.comm) AS comm,
	coalesce(e.comm, p.comm) AS subject, 'exec' AS action, coalesce(e.filename, e.command) AS target, 'observed' AS status,
	'exec ' || coalesce(e.filename, e.command, '') AS summary,
	json_object('filename', CAST(e.filename AS TEXT), 'argv', json(coalesce(e.argv, '[]')), 'cwd', CAST(e.cwd AS TEXT),
		'ppid', p.ppid) AS details_json, p.run_id
FROM execs e JOIN processes p ON p.id = e.process_id WHERE NOT e.seed
UNION ALL
SELECT 'exit-' || p.id, p.end_ns / 1000000, 'process', p.pid, p.comm, p.comm, 'exit', coalesce(e.filename, p.comm),
	CASE WHEN p.exit_code = 0 THEN 'success' ELSE 'failure' END,
	CASE WHEN p.signal IS NULL THEN 'exit code ' || p.exit_code ELSE 'signal ' || p.signal END ||
		' (' || ((p.end_ns - p.start_ns) / 1000000) || 'ms)',
	json_object('exit_code', p.exit_code, 'signal', p.signal, 'duration_ms', (p.end_ns - p.start_ns) / 1000000), p.run_id
FROM processes p LEFT JOIN execs e ON e.id = p.exec_id
WHERE p.exit_code IS NOT NULL OR p.signal IS NOT NULL
UNION ALL
SELECT 'file-' || c.id, c.timestamp_ns / 1000000, 'file', p.pid, coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= c.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm),
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= c.timestamp_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm),
	CASE WHEN c.op IN ('open', 'create', 'truncate') THEN 'write' ELSE c.op END, f.shown, 'observed', 'file ' || f.shown,
	json_object('op', c.op, 'bytes', c.bytes, 'to', CAST(t.shown AS TEXT), 'detail', CAST(c.detail AS TEXT)), p.run_id
FROM file_changes c JOIN processes p ON p.id = c.process_id JOIN paths f ON f.id = c.path_id
LEFT JOIN paths t ON t.id = c.to_path_id
UNION ALL
SELECT 'net-' || n.id, n.opened_ns / 1000000, 'network', p.pid, coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= n.opened_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm),
	coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= n.opened_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm), 'NET_' || upper(n.kind),
	coalesce(n.address || ':' || n.port, n.path), CASE WHEN n.error IS NULL THEN 'success' ELSE 'failure' END,
	n.kind || ' ' || coalesce(n.host, n.address, n.path, ''),
	json_object('host', n.host, 'address', n.address, 'port', n.port, 'error', n.error, 'sent_bytes', n.sent_bytes,
		'received_bytes', n.received_bytes), p.run_id
FROM connections n JOIN processes p ON p.id = n.process_id
UNION ALL
SELECT 'llm-' || c.id, c.started_ns / 1000000, 'llm', p.pid, p.comm, coalesce(c.request_model, c.response_model, 'unknown'),
	'call', coalesce(c.server_address, c.provider),
	CASE WHEN c.error_type IS NULL THEN 'success' ELSE 'failure' END,
	coalesce(c.provider, '') || ' ' || coalesce(c.request_model, c.response_model, 'unknown'),
	json_object('prompt_source', 'ssl', 'text_content', CAST(x.text AS TEXT), 'error_type', c.error_type,
		'total_tokens', c.total_tokens, 'conversation_id', c.conversation_id), c.run_id
FROM model_calls c JOIN processes p ON p.id = c.process_id
LEFT JOIN prompts q ON q.id = c.prompt_id AND q.call_id = c.id LEFT JOIN texts x ON x.id = q.text_id;
