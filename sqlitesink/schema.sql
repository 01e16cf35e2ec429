-- schema.sql - the tables of an agentsight database, version 1
--
-- Written by sqlitesink(1), which says what it reads into them; the events are
-- those of agentsight-events(5), and columns that are named as a key hold it.
-- Reports read these tables through the views at the end.
--
--   *_ns      nanoseconds since 1970-01-01 UTC; *_ms milliseconds; *_bytes bytes
--   ANY       bytes of others: text when they are UTF-8 without NUL, else a blob
--   *_id      the id of a row in the table of that name
--   run_id    ids of connections and exchanges are unique within a run alone

-- One start of sqlitesink on this file.
CREATE TABLE runs (
	id INTEGER PRIMARY KEY,
	first_ns INTEGER,		-- of all its events; null before the first
	last_ns INTEGER,
	version TEXT NOT NULL,		-- of sqlitesink
	lines INTEGER NOT NULL DEFAULT 0,	-- read
	unstored INTEGER NOT NULL DEFAULT 0,	-- of them, of types that have no table
	complete INTEGER NOT NULL DEFAULT 0	-- 1: it came to the end of its input
) STRICT;

-- One life of a process: a pid that comes again is another row.
CREATE TABLE processes (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	pid INTEGER NOT NULL,
	ppid INTEGER,
	parent_id INTEGER REFERENCES processes(id),
	agent_id INTEGER REFERENCES agents(process_id),	-- the nearest ancestor that is an agent, or itself
	uid INTEGER,
	comm ANY,			-- the last that was seen; before its first program first_comm, then execs.comm
	start_ns INTEGER NOT NULL,	-- of its fork, or the first that was seen of it
	end_ns INTEGER,			-- null: its exit was not seen
	seen TEXT NOT NULL,		-- first by: fork, exec, seed (it ran before), event
	exec_id INTEGER REFERENCES execs(id),	-- the program it ran last
	exit_code INTEGER,
	signal INTEGER,			-- that killed it, in place of exit_code
	rss_max_kb INTEGER,
	container_id TEXT
) STRICT;
CREATE INDEX processes_pid ON processes(pid, run_id);
CREATE INDEX processes_parent ON processes(parent_id);
CREATE INDEX processes_agent ON processes(agent_id) WHERE agent_id IS NOT NULL;

-- A process that calls models.
CREATE TABLE agents (
	process_id INTEGER PRIMARY KEY REFERENCES processes(id),
	parent_id INTEGER REFERENCES agents(process_id),	-- the agent that it runs under
	name TEXT,
	version TEXT
) STRICT;

-- Programs that processes ran (process.exec).
CREATE TABLE execs (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	filename ANY,
	exe ANY,
	argv TEXT,			-- array; what is not UTF-8 is in base64, then argv_base64 is 1
	argv_base64 INTEGER NOT NULL DEFAULT 0,
	command ANY,			-- the arguments with a blank between them
	cwd ANY,
	sid INTEGER,
	seed INTEGER NOT NULL DEFAULT 0	-- 1: it ran before the recording began
) STRICT;
CREATE INDEX execs_process ON execs(process_id);
CREATE INDEX execs_time ON execs(timestamp_ns);

-- process.signal
CREATE TABLE signals (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	target_pid INTEGER,
	signal INTEGER,
	signal_name TEXT,
	outcome TEXT,
	error TEXT
) STRICT;

-- bash.readline
CREATE TABLE shell_lines (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	command ANY
) STRICT;

-- Each path once; version 3 makes this table anew, for paths of other mount namespaces.
CREATE TABLE paths (
	id INTEGER PRIMARY KEY,
	path ANY NOT NULL UNIQUE
) STRICT;

-- What a process did with a path, summed up over its life.
CREATE TABLE files (
	process_id INTEGER NOT NULL REFERENCES processes(id),
	path_id INTEGER NOT NULL REFERENCES paths(id),
	first_ns INTEGER NOT NULL,
	last_ns INTEGER NOT NULL,
	opens INTEGER NOT NULL,		-- that succeeded
	reads INTEGER NOT NULL,		-- calls
	read_bytes INTEGER NOT NULL,
	writes INTEGER NOT NULL,
	written_bytes INTEGER NOT NULL,
	created INTEGER NOT NULL,
	truncated INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	renamed INTEGER NOT NULL,	-- from this path
	attributes INTEGER NOT NULL,	-- permissions or owner were set
	failed INTEGER NOT NULL,	-- calls that failed, of any kind
	last_error TEXT,
	PRIMARY KEY (process_id, path_id)
) STRICT, WITHOUT ROWID;

-- Each change of a file or directory; opening for writing alone is op 'open'. Not of
-- /dev/null, terminals and the like.
CREATE TABLE file_changes (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	last_ns INTEGER,		-- of the last call, when it stands for several
	op TEXT NOT NULL,		-- open create write truncate delete rename link symlink chmod chown mkdir rmdir
	path_id INTEGER NOT NULL REFERENCES paths(id),
	to_path_id INTEGER REFERENCES paths(id),	-- rename, link
	bytes INTEGER,			-- write; truncate: the new length
	detail ANY			-- chmod: permissions; chown: user:group; symlink: what it says
) STRICT;
CREATE INDEX file_changes_time ON file_changes(timestamp_ns);

-- Sockets (net.*): one row from connect, accept or bind to close.
CREATE TABLE connections (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	kind TEXT NOT NULL,		-- connect, accept, bind (listen too), close (only its end was seen), send
					-- (datagrams to an address), received (by a socket that sent such)
	opened_ns INTEGER NOT NULL,
	closed_ns INTEGER,
	fd INTEGER,
	family TEXT,
	transport TEXT,
	address TEXT,
	port INTEGER,
	local TEXT,
	path ANY,
	host TEXT,			-- the name that the address was an answer for (dns)
	listening INTEGER NOT NULL DEFAULT 0,
	sent_bytes INTEGER,
	received_bytes INTEGER,
	error TEXT,			-- of connect, accept, bind
	latency_ms REAL
) STRICT;
CREATE INDEX connections_time ON connections(opened_ns);
CREATE INDEX connections_process ON connections(process_id, fd);

-- net.dns
CREATE TABLE dns (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	kind TEXT,			-- query, answer
	name TEXT,
	qtype TEXT,
	server TEXT,
	rcode TEXT,
	addresses TEXT			-- array
) STRICT;

-- HTTP within TLS: a request and its response.
CREATE TABLE http_exchanges (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	process_id INTEGER NOT NULL REFERENCES processes(id),
	exchange TEXT NOT NULL,		-- the id of the events
	started_ns INTEGER NOT NULL,
	method TEXT,
	host ANY,
	path ANY,
	protocol TEXT,
	status_code INTEGER,
	status_text ANY,
	request_headers TEXT,		-- object
	response_headers TEXT,
	request_bytes INTEGER,		-- of the body
	response_bytes INTEGER,
	request_body ANY,		-- of calls of models only with --bodies
	response_body ANY,
	streaming INTEGER NOT NULL DEFAULT 0,
	ttfb_ms REAL,
	duration_ms REAL,
	incomplete TEXT,
	UNIQUE (run_id, exchange)
) STRICT;
CREATE INDEX http_exchanges_time ON http_exchanges(started_ns);

-- Each text once: prompts, answers, arguments and results of tools.
CREATE TABLE texts (
	id INTEGER PRIMARY KEY,
	hash BLOB NOT NULL UNIQUE,	-- SHA-256
	text ANY NOT NULL
) STRICT;

-- Calls of models (llm.call). Tokens as OpenTelemetry counts them: input_tokens
-- holds what came from or went to a cache, output_tokens what was spent on reasoning.
CREATE TABLE model_calls (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	process_id INTEGER NOT NULL REFERENCES processes(id),
	exchange TEXT,
	turn INTEGER,
	prompt_id INTEGER REFERENCES prompts(id),	-- the user's, that it works on
	conversation_id TEXT,
	conversation_source TEXT,
	started_ns INTEGER NOT NULL,
	ended_ns INTEGER NOT NULL,
	duration_ms REAL,
	first_token_ms REAL,
	provider TEXT,
	api TEXT,
	operation TEXT,
	request_model TEXT,
	response_model TEXT,
	response_id TEXT,
	stream INTEGER NOT NULL DEFAULT 0,
	status_code INTEGER,
	error_type TEXT,
	error_message TEXT,
	finish_reasons TEXT,		-- array
	input_tokens INTEGER,
	output_tokens INTEGER,
	cache_read_tokens INTEGER,
	cache_creation_tokens INTEGER,
	reasoning_tokens INTEGER,
	total_tokens INTEGER,
	usage TEXT,			-- object: all that was said
	service_tier TEXT,
	parameters TEXT,		-- object: request_max_tokens and so on
	tools_id INTEGER REFERENCES texts(id),		-- definitions, array
	agent TEXT,
	agent_version TEXT,
	server_address ANY,
	server_port INTEGER,
	incomplete TEXT
) STRICT;
CREATE INDEX model_calls_exchange ON model_calls(exchange, run_id);
CREATE INDEX model_calls_time ON model_calls(started_ns);
CREATE INDEX model_calls_conversation ON model_calls(conversation_id, started_ns);
CREATE INDEX model_calls_prompt ON model_calls(prompt_id);

-- What was said in a call, part by part. The text of a part is the value of its
-- key text_key; the other keys are in attributes.
CREATE TABLE messages (
	call_id INTEGER NOT NULL REFERENCES model_calls(id),
	direction TEXT NOT NULL,	-- system, input, output
	message INTEGER NOT NULL,	-- which, from 0
	part INTEGER NOT NULL,		-- which of the message, from 0
	role TEXT,
	type TEXT,			-- text, reasoning, tool_call, tool_call_response, blob, ...
	text_key TEXT,			-- content, arguments, response; null: there is none
	text_json INTEGER NOT NULL DEFAULT 0,	-- 1: the text is JSON, not a string
	text_id INTEGER REFERENCES texts(id),
	attributes TEXT,		-- object
	finish_reason TEXT,
	PRIMARY KEY (call_id, direction, message, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_text ON messages(text_id);

-- What users asked: a message of the role user with text in it, when it is new
-- to its conversation.
CREATE TABLE prompts (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	call_id INTEGER NOT NULL REFERENCES model_calls(id),	-- the first that carried it
	process_id INTEGER NOT NULL REFERENCES processes(id),
	conversation_id TEXT,
	timestamp_ns INTEGER NOT NULL,
	text_id INTEGER NOT NULL REFERENCES texts(id)
) STRICT;
CREATE INDEX prompts_conversation ON prompts(conversation_id);

-- Tools that a model asked for. Answered by the call that carried the result.
CREATE TABLE tool_uses (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	process_id INTEGER NOT NULL REFERENCES processes(id),
	call_id INTEGER REFERENCES model_calls(id),	-- null: asked before the recording
	result_call_id INTEGER REFERENCES model_calls(id),
	conversation_id TEXT,
	tool_call_id TEXT,		-- the vendor's
	name TEXT,
	asked_ns INTEGER,		-- the end of the answer that asked
	answered_ns INTEGER,		-- the start of the request that carried the result
	arguments_id INTEGER REFERENCES texts(id),
	result_id INTEGER REFERENCES texts(id),
	is_error INTEGER		-- null before there is a result
) STRICT;
CREATE INDEX tool_uses_call ON tool_uses(call_id);
CREATE INDEX tool_uses_tool_call ON tool_uses(tool_call_id);
CREATE INDEX tool_uses_time ON tool_uses(process_id, asked_ns);

-- mcp.call
CREATE TABLE mcp_calls (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	duration_ms REAL,
	transport TEXT,
	role TEXT,
	server TEXT,
	client_pid INTEGER,
	server_pid INTEGER,
	session_id TEXT,
	exchange TEXT,
	request_id TEXT,
	method TEXT,
	tool TEXT,
	prompt TEXT,
	resource TEXT,
	arguments_id INTEGER REFERENCES texts(id),
	result_id INTEGER REFERENCES texts(id),
	error TEXT,			-- JSON
	error_type TEXT,
	status_code INTEGER,
	notification INTEGER NOT NULL DEFAULT 0,
	from_server INTEGER NOT NULL DEFAULT 0,
	incomplete TEXT
) STRICT;

-- stdio.data
CREATE TABLE stdio (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	direction TEXT,
	fd INTEGER,
	fd_role TEXT,
	fd_target ANY,
	off INTEGER,
	len INTEGER,
	latency_ms REAL,
	data ANY
) STRICT;

-- system.process, and with process_id null system.host.
CREATE TABLE samples (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	process_id INTEGER REFERENCES processes(id),
	timestamp_ns INTEGER NOT NULL,
	cpu_percent REAL,
	rss_bytes INTEGER,
	vsz_bytes INTEGER,
	pss_bytes INTEGER,
	rss_peak_bytes INTEGER,
	threads INTEGER,
	children INTEGER,
	io_read_bytes INTEGER,
	io_write_bytes INTEGER,
	cgroup TEXT,			-- object
	alert INTEGER,
	cores INTEGER,
	load1 REAL,
	load5 REAL,
	load15 REAL,
	mem_total_bytes INTEGER,
	mem_available_bytes INTEGER
) STRICT;

-- What was not seen (loss), by all stages; what sqlitesink could not keep, too.
CREATE TABLE losses (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	timestamp_ns INTEGER,
	stage TEXT,
	reason TEXT,
	events INTEGER,
	bytes INTEGER,
	conn TEXT
) STRICT;

-- Every line as it was read, with --events.
CREATE TABLE events (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs(id),
	line ANY NOT NULL
) STRICT;

-- Words of texts (rowid 4 * id), of commands (execs: + 1), of paths (+ 2) and of
-- lines typed into bash (+ 3), as far as search_done says.
CREATE VIRTUAL TABLE search USING fts5(text, content='', columnsize=0);
-- How far search goes: when sqlitesink was killed, not to the end.
CREATE TABLE search_done (
	kind INTEGER PRIMARY KEY,	-- 0..3, as above
	upto INTEGER NOT NULL		-- the last id that is in search
) STRICT;
INSERT INTO search_done VALUES (0, 0), (1, 0), (2, 0), (3, 0);

----------------------------------------------------------------------------
-- Views: the questions that are asked most.

-- Every agent with all that run under it, itself too.
CREATE VIEW agent_trees (agent_id, member_id) AS
WITH RECURSIVE tree(agent_id, member_id) AS (
	SELECT process_id, process_id FROM agents
	UNION
	SELECT t.agent_id, a.process_id FROM tree t JOIN agents a ON a.parent_id = t.member_id)
SELECT agent_id, member_id FROM tree;

-- Programs, changed files and reached hosts, as one list of what was done.
CREATE VIEW effects (timestamp_ns, last_ns, process_id, kind, target, detail) AS
SELECT timestamp_ns, timestamp_ns, process_id, 'exec', command, cwd FROM execs WHERE NOT seed
UNION ALL
SELECT c.timestamp_ns, coalesce(c.last_ns, c.timestamp_ns), c.process_id, c.op, p.path, coalesce(t.path, c.detail, c.bytes)
FROM file_changes c JOIN paths p ON p.id = c.path_id LEFT JOIN paths t ON t.id = c.to_path_id
WHERE c.op <> 'open'
UNION ALL
SELECT opened_ns, opened_ns, process_id, 'connect',
	coalesce(host, address, path) || coalesce(':' || port, ''), error
FROM connections WHERE kind = 'connect' AND family <> 'unix';

-- How long each tool was at work. When no result came, until the next call of its
-- conversation, or the end of the run. alone: no other of its agent was, meanwhile.
CREATE VIEW tool_windows (tool_use_id, agent_id, from_ns, to_ns, alone) AS
SELECT id, agent_id, from_ns, to_ns,
	coalesce(max(to_ns) OVER (PARTITION BY agent_id ORDER BY from_ns, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) <= from_ns, 1)
	AND coalesce(lead(from_ns) OVER (PARTITION BY agent_id ORDER BY from_ns, id) >= to_ns, 1)
FROM (SELECT u.id, u.process_id AS agent_id, u.asked_ns AS from_ns, coalesce(u.answered_ns,
		(SELECT min(m.started_ns) FROM model_calls m
		 WHERE m.conversation_id = u.conversation_id AND m.started_ns > u.asked_ns AND m.run_id = u.run_id),
		(SELECT r.last_ns FROM runs r WHERE r.id = u.run_id)) AS to_ns
	FROM tool_uses u WHERE u.asked_ns IS NOT NULL);

-- How long each prompt was worked on: until the answer of its last call, or the end
-- of the tools that this asked for.
CREATE VIEW prompt_windows (prompt_id, agent_id, from_ns, to_ns) AS
SELECT q.id, q.process_id, q.timestamp_ns, max(max(m.ended_ns), coalesce(max(w.to_ns), 0))
FROM prompts q JOIN model_calls m ON m.prompt_id = q.id
LEFT JOIN tool_uses u ON u.call_id = m.id LEFT JOIN tool_windows w ON w.tool_use_id = u.id GROUP BY q.id;

-- What was done by anybody in the time of a tool call or prompt: from windows to what
-- happened, by the indexes of time (hence CROSS JOIN), not the other way round.
CREATE VIEW window_effects AS
WITH window(what, id, agent_id, from_ns, to_ns, alone) AS (
	SELECT 'tool', * FROM tool_windows UNION ALL SELECT 'prompt', prompt_id, agent_id, from_ns, to_ns, NULL FROM prompt_windows)
SELECT w.*, e.timestamp_ns, e.timestamp_ns AS last_ns, e.process_id, 'exec' AS kind, e.command AS target, e.cwd AS detail
FROM window w CROSS JOIN execs e ON e.timestamp_ns BETWEEN w.from_ns AND w.to_ns WHERE NOT e.seed
UNION ALL
SELECT w.*, c.timestamp_ns, coalesce(c.last_ns, c.timestamp_ns), c.process_id, c.op, p.path, coalesce(t.path, c.detail, c.bytes)
FROM window w CROSS JOIN file_changes c ON c.timestamp_ns BETWEEN w.from_ns AND w.to_ns
CROSS JOIN paths p ON p.id = c.path_id LEFT JOIN paths t ON t.id = c.to_path_id WHERE c.op <> 'open'
UNION ALL
SELECT w.*, n.opened_ns, n.opened_ns, n.process_id, 'connect', coalesce(n.host, n.address, n.path) || coalesce(':' || n.port, ''), n.error
FROM window w CROSS JOIN connections n ON n.opened_ns BETWEEN w.from_ns AND w.to_ns WHERE n.kind = 'connect' AND n.family <> 'unix';

-- What a tool call did: everything within its agent's process tree from the
-- answer that asked for it to the request that carried its result.
-- evidence: 'named', the arguments have the target in them, or the command has the
-- command that they have; 'alone', no other tool of this agent was at work; else 'shared'.
CREATE VIEW tool_effects AS
SELECT u.run_id, u.id AS tool_use_id, u.name AS tool, e.timestamp_ns, e.last_ns, e.process_id, p.pid, p.comm,
	e.kind, e.target, e.detail,
	CASE WHEN instr(a.text, e.target) > 0 OR (e.kind = 'exec' AND instr(e.target, json_extract(
			CASE WHEN json_valid(a.text) THEN a.text END, '$.command')) > 0) THEN 'named'
		WHEN e.alone THEN 'alone' ELSE 'shared' END AS evidence
FROM window_effects e CROSS JOIN processes p ON p.id = e.process_id CROSS JOIN tool_uses u ON u.id = e.id
LEFT JOIN texts a ON a.id = u.arguments_id
WHERE e.what = 'tool' AND (p.agent_id = e.agent_id
	OR p.agent_id IN (SELECT member_id FROM agent_trees t WHERE t.agent_id = e.agent_id));

-- The same for a user's prompt.
CREATE VIEW prompt_effects AS
SELECT q.run_id, q.id AS prompt_id, e.timestamp_ns, e.last_ns, e.process_id, p.pid, p.comm, e.kind, e.target, e.detail
FROM window_effects e CROSS JOIN processes p ON p.id = e.process_id CROSS JOIN prompts q ON q.id = e.id
WHERE e.what = 'prompt' AND (p.agent_id = e.agent_id
	OR p.agent_id IN (SELECT member_id FROM agent_trees t WHERE t.agent_id = e.agent_id));

----------------------------------------------------------------------------
-- The seven tables of AgentSight 0.2, with its columns and their meaning, so that
-- queries written for it run. Columns behind those are ours.

-- Per process, host and path.
CREATE VIEW network_targets AS
SELECT 'net:' || p.pid || ':' || length(x.host) || ':' || x.host || ':' || length(coalesce(x.path, '')) || ':' ||
		coalesce(x.path, '') AS id,
	p.pid, p.comm, x.host, x.path, count(*) AS count, sum(coalesce(x.status_code >= 400, 0)) AS error_count,
	min(x.started_ns) / 1000000 AS first_timestamp_ms,
	max(x.started_ns + CAST(coalesce(x.duration_ms, 0) * 1000000 AS INTEGER)) / 1000000 AS last_timestamp_ms,
	p.run_id
FROM http_exchanges x JOIN processes p ON p.id = x.process_id
WHERE x.host IS NOT NULL GROUP BY p.run_id, p.pid, x.host, x.path;

-- Calls of models, with the exchange that they were.
CREATE VIEW llm_calls AS
SELECT 'llm-' || c.id AS id, c.started_ns / 1000000 AS start_timestamp_ms,
	CASE WHEN c.error_type IS 'no_response' THEN NULL ELSE c.ended_ns / 1000000 END AS end_timestamp_ms,
	p.pid, p.comm, c.provider, coalesce(c.request_model, c.response_model, 'unknown') AS model,
	coalesce(c.server_address, x.host) AS host, x.path, c.status_code,
	x.request_body AS request_body_json, x.response_body AS response_body_json,
	'live_view' AS view_source, 1.0 AS confidence,
	c.id AS call_id, c.run_id, c.process_id, c.prompt_id, c.conversation_id, c.started_ns, c.ended_ns, c.duration_ms,
	c.first_token_ms, c.api, c.operation, c.request_model, c.response_model, c.response_id, c.stream, c.error_type,
	c.error_message, c.finish_reasons, c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_creation_tokens,
	c.reasoning_tokens, c.total_tokens, c.agent, c.agent_version, c.incomplete
FROM model_calls c JOIN processes p ON p.id = c.process_id
LEFT JOIN http_exchanges x ON x.run_id = c.run_id AND x.exchange = c.exchange;

-- Tokens as AgentSight counts them: input_tokens leaves the cache out, and total_tokens adds all four.
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
WHERE coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) + coalesce(c.cache_read_tokens, 0) +
	coalesce(c.cache_creation_tokens, 0) > 0;

-- Lives of processes with the program that they ran last.
CREATE VIEW process_nodes AS
SELECT 'process-' || p.pid || '-' || (p.start_ns / 1000000) AS id, p.pid, p.ppid, a.pid AS root_pid,
	p.start_ns / 1000000 AS start_timestamp_ms, p.end_ns / 1000000 AS end_timestamp_ms, p.comm,
	coalesce(e.filename, p.comm) AS command, coalesce(e.argv, '[]') AS argv_json, e.cwd, p.exit_code,
	CASE WHEN p.exit_code = 0 THEN 'success' WHEN p.exit_code IS NOT NULL OR p.signal IS NOT NULL THEN 'failure'
		ELSE 'observed' END AS status,
	'live_view' AS view_source, 1.0 AS confidence, p.signal, p.run_id, p.id AS process_id
FROM processes p LEFT JOIN execs e ON e.id = p.exec_id LEFT JOIN processes a ON a.id = p.agent_id;

-- Tools that models asked for, with arguments and result.
CREATE VIEW tool_calls AS
SELECT 'tool-' || u.id AS id, NULL AS session_id, u.conversation_id,
	coalesce(u.asked_ns, u.answered_ns) / 1000000 AS timestamp_ms, u.asked_ns / 1000000 AS start_timestamp_ms,
	u.answered_ns / 1000000 AS end_timestamp_ms, (u.answered_ns - u.asked_ns) / 1000000 AS duration_ms,
	u.name AS tool_name, u.tool_call_id,
	CASE u.is_error WHEN 0 THEN 'success' WHEN 1 THEN 'failure' ELSE 'observed' END AS status,
	CASE WHEN json_valid(a.text) THEN a.text ELSE json_quote(a.text) END AS input_json,
	CASE WHEN r.id IS NULL THEN NULL WHEN json_valid(r.text) THEN r.text ELSE json_quote(r.text) END AS output_json,
	p.pid AS related_pid, 'llm-' || u.call_id AS related_event_id, 'live_view' AS view_source, 1.0 AS confidence,
	u.id AS tool_use_id, u.run_id, u.call_id, u.result_call_id, u.process_id, u.asked_ns, u.answered_ns,
	a.text AS arguments, r.text AS result
FROM tool_uses u JOIN processes p ON p.id = u.process_id
LEFT JOIN texts a ON a.id = u.arguments_id LEFT JOIN texts r ON r.id = u.result_id;

-- CPU and memory of processes.
CREATE VIEW resource_samples AS
SELECT s.timestamp_ns / 1000000 AS timestamp_ms, p.pid, p.comm, s.cpu_percent, s.rss_bytes / 1048576 AS rss_mb, s.run_id
FROM samples s JOIN processes p ON p.id = s.process_id;
