-- What users asked, and what came of it; below each the sub-agents that worked for it
--
-- prompt         its number
-- time           when it was sent first
-- agent          the program that sent it
-- conversation   its name
-- text           what was typed; of a sub-agent, what it was told
-- under          of a sub-agent: the number of the prompt that it worked for
-- added          characters that the agent added in the user's name (<system-reminder> and so on)
-- tool_call      of a sub-agent: the number of the tool call that began it
-- evidence       of a sub-agent, how that is known: named (what it was told is an argument of the tool call),
--                process (its process was started for it), alone (no other tool was at work)
-- calls          of models that worked on it, without those of sub-agents and helpers
-- tools          calls of tools in these
-- tokens         of all kinds that they took
-- all_tokens     with those of sub-agents, and of helper calls that its tools made
-- seconds        until the end of the last answer
-- answer         the last text that came back
-- leave first: added, evidence, conversation, tool_call, under, agent, time, tools, calls, seconds, tokens
-- collected by: sslsniff tcpsniff
WITH chain AS MATERIALIZED (SELECT * FROM chains),
shown AS MATERIALIZED (
	SELECT q.*, h.kind, h.evidence, w.depth, w.tool_use_id, iif(h.kind = 'main', q.id, w.prompt_id) AS top
	FROM prompts q JOIN chain h ON h.run_id = q.run_id AND h.chain_id = coalesce(q.chain_id, 'call ' || q.call_id)
	LEFT JOIN temp.work w ON w.call_id = q.call_id
	WHERE h.kind <> 'helper' AND (:all OR q.process_id IN temp.chosen) AND q.timestamp_ns BETWEEN :since AND :until
		AND (:call IS NULL OR q.id = (SELECT prompt_id FROM model_calls WHERE id = :call)))
SELECT q.id AS prompt, strftime(:time, q.timestamp_ns / 1e9, 'unixepoch', :zone) AS time,
	coalesce(a.name, CAST(p.comm AS TEXT)) AS agent, q.conversation_id AS conversation,
	substr(x.text, 1, :chars) AS text, iif(q.kind = 'main', NULL, q.top) AS under,
	(SELECT length(t.text) FROM texts t WHERE t.id = q.added_id) AS added, q.tool_use_id AS tool_call, iif(q.kind = 'main', NULL, q.evidence) AS evidence,
	count(c.id) AS calls,
	(SELECT count(*) FROM tool_uses u JOIN model_calls m ON m.id = u.call_id WHERE m.prompt_id = q.id) AS tools,
	sum(max(coalesce(c.input_tokens, 0), coalesce(c.cache_read_tokens, 0) + coalesce(c.cache_creation_tokens, 0)) +
		coalesce(c.output_tokens, 0)) AS tokens,
	iif(q.kind = 'main', (SELECT sum(max(coalesce(m.input_tokens, 0), coalesce(m.cache_read_tokens, 0) +
			coalesce(m.cache_creation_tokens, 0)) + coalesce(m.output_tokens, 0))
		FROM temp.work w JOIN counted_calls m ON m.id = w.call_id WHERE w.prompt_id = q.id), NULL) AS all_tokens,
	round((max(c.ended_ns) - q.timestamp_ns) / 1e9, 1) AS seconds,
	(SELECT substr(t.text, 1, :chars) FROM model_calls m JOIN messages g ON g.call_id = m.id JOIN texts t ON t.id = g.text_id
	 WHERE m.prompt_id = q.id AND g.direction = 'output' AND g.type = 'text'
	 ORDER BY m.ended_ns DESC, g.message, g.part DESC LIMIT 1) AS answer
FROM shown q JOIN processes p ON p.id = q.process_id LEFT JOIN agents a ON a.process_id = q.process_id
JOIN texts x ON x.id = q.text_id LEFT JOIN counted_calls c ON c.prompt_id = q.id
LEFT JOIN prompts o ON o.id = q.top
GROUP BY q.id ORDER BY coalesce(o.timestamp_ns, q.timestamp_ns), coalesce(q.top, q.id), q.kind <> 'main', q.timestamp_ns, q.id
LIMIT :limit;
