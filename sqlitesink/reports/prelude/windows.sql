-- The view tool_windows as a table that is searched in the order of tool calls, and the
-- agents whose processes count as each agent's.
CREATE TEMP TABLE windows(id INTEGER PRIMARY KEY, agent_id, from_ns, to_ns, alone, call_id);
INSERT INTO temp.windows SELECT w.*, u.call_id FROM tool_windows w JOIN tool_uses u ON u.id = w.tool_use_id ORDER BY u.id;
CREATE TEMP TABLE members(agent_id, member_id, PRIMARY KEY(agent_id, member_id)) WITHOUT ROWID;
INSERT INTO temp.members SELECT agent_id, member_id FROM agent_trees;
