-- Stacks of agent;prompt;tool;process with milliseconds, for flamegraph tools
--
-- A model is a frame beside the tools. Each process has what is left of its life
-- when its children's is taken away; a tool what is left of its time.
WITH RECURSIVE did(tool_use_id, process_id) AS MATERIALIZED (	-- each process once, by the first tool that can have run it
	SELECT min(tool_use_id), process_id FROM tool_effects WHERE kind = 'exec' AND (:run IS NULL OR run_id = :run) GROUP BY process_id),
life(process_id, ns) AS MATERIALIZED (
	SELECT d.process_id, coalesce(p.end_ns, w.to_ns) - p.start_ns FROM did d JOIN processes p ON p.id = d.process_id
	JOIN tool_windows w ON w.tool_use_id = d.tool_use_id),
stack(process_id, tool_use_id, frames, depth) AS (
	SELECT d.process_id, d.tool_use_id, replace(CAST(p.comm AS TEXT), ';', ','), 0 FROM did d JOIN processes p ON p.id = d.process_id
	WHERE NOT EXISTS (SELECT 1 FROM did o WHERE o.process_id = p.parent_id AND o.tool_use_id = d.tool_use_id)
	UNION ALL
	SELECT d.process_id, d.tool_use_id, s.frames || ';' || replace(CAST(p.comm AS TEXT), ';', ','), s.depth + 1
	FROM stack s JOIN processes p ON p.parent_id = s.process_id JOIN did d ON d.process_id = p.id AND d.tool_use_id = s.tool_use_id
	WHERE s.depth < 100),
base(prompt_id, run_id, frames) AS MATERIALIZED (
	SELECT q.id, q.run_id, replace(coalesce(a.name, CAST(p.comm AS TEXT)), ';', ',') || ';' ||
		q.id || ' ' || replace(replace(replace(substr(CAST(x.text AS TEXT), 1, 60), ';', ','), char(10), ' '), char(13), ' ')
	FROM prompts q JOIN processes p ON p.id = q.process_id LEFT JOIN agents a ON a.process_id = q.process_id JOIN texts x ON x.id = q.text_id),
tool(id, frames, ns) AS MATERIALIZED (
	SELECT u.id, b.frames || ';' || replace(coalesce(u.name, 'tool'), ';', ','), w.to_ns - w.from_ns
	FROM tool_uses u JOIN tool_windows w ON w.tool_use_id = u.id JOIN model_calls c ON c.id = u.call_id JOIN base b ON b.prompt_id = c.prompt_id
	WHERE :run IS NULL OR u.run_id = :run),
line(frames, ns) AS (
	SELECT b.frames || ';' || replace(coalesce(c.request_model, c.response_model, 'model'), ';', ','), c.ended_ns - c.started_ns
	FROM model_calls c JOIN base b ON b.prompt_id = c.prompt_id WHERE :run IS NULL OR c.run_id = :run
	UNION ALL
	SELECT t.frames, max(0, t.ns - coalesce((SELECT sum(l.ns) FROM stack s JOIN life l ON l.process_id = s.process_id
		WHERE s.tool_use_id = t.id AND +s.depth = 0), 0)) FROM tool t
	UNION ALL
	SELECT t.frames || ';' || s.frames, max(0, l.ns - coalesce((SELECT sum(k.ns) FROM processes c JOIN life k ON k.process_id = c.id
		WHERE c.parent_id = s.process_id), 0))
	FROM stack s JOIN tool t ON t.id = s.tool_use_id JOIN life l ON l.process_id = s.process_id)
SELECT replace(frames, char(10), ' ') || ' ' || (sum(ns) / 1000000) FROM line GROUP BY frames HAVING sum(ns) >= 1000000 ORDER BY frames;
