-- The view tool_windows as a table that is searched in the order of tool calls, what their
-- arguments name, the servers that worked for them, and the agents whose processes count as
-- each agent's.
CREATE TEMP TABLE windows(id INTEGER PRIMARY KEY, agent_id INTEGER, from_ns INTEGER, to_ns INTEGER,
	alone INTEGER, names_files INTEGER, began INTEGER, since_ns INTEGER, until_ns INTEGER, call_id INTEGER);
INSERT INTO temp.windows SELECT w.*, u.call_id FROM tool_windows w
JOIN tool_uses u ON u.id = w.tool_use_id ORDER BY u.id;
CREATE INDEX temp.windows_agent ON windows(agent_id, from_ns);
CREATE TEMP TABLE named_paths(id INTEGER, path ANY, PRIMARY KEY(id, path)) WITHOUT ROWID;
INSERT OR IGNORE INTO temp.named_paths SELECT tool_use_id, path FROM tool_paths WHERE path IS NOT NULL;
CREATE TEMP TABLE servers(id INTEGER, process_id INTEGER, from_ns INTEGER, to_ns INTEGER);
INSERT INTO temp.servers SELECT tool_use_id, process_id, from_ns, to_ns FROM tool_servers;
CREATE INDEX temp.servers_process ON servers(process_id, from_ns);
CREATE TEMP TABLE members(agent_id INTEGER, member_id INTEGER, PRIMARY KEY(agent_id, member_id)) WITHOUT ROWID;
INSERT INTO temp.members SELECT agent_id, member_id FROM agent_trees;
-- The hosts of its models, which an agent reaches without an effect.
CREATE TEMP TABLE model_hosts(process_id INTEGER, host TEXT, PRIMARY KEY(process_id, host)) WITHOUT ROWID;
INSERT INTO temp.model_hosts SELECT DISTINCT process_id, CAST(server_address AS TEXT) FROM model_calls
WHERE server_address IS NOT NULL;
