-- What users asked, and what came of it
--
-- prompt         its number
-- time           when it was sent first
-- agent          the program that sent it
-- conversation   its name
-- text           the prompt
-- calls          of models that worked on it
-- tokens         of all kinds that they took
-- tools          calls of tools
-- seconds        until the end of the last answer
-- answer         the last text that came back
-- leave first: conversation, agent, time, tools, calls, seconds, tokens
SELECT q.id AS prompt, strftime(:time, q.timestamp_ns / 1e9, 'unixepoch', :zone) AS time,
	coalesce(a.name, CAST(p.comm AS TEXT)) AS agent, q.conversation_id AS conversation, substr(x.text, 1, :chars) AS text,
	count(c.id) AS calls, sum(max(coalesce(c.input_tokens, 0), coalesce(c.cache_read_tokens, 0) + coalesce(c.cache_creation_tokens, 0)) +
		coalesce(c.output_tokens, 0)) AS tokens,
	(SELECT count(*) FROM tool_uses u JOIN model_calls m ON m.id = u.call_id WHERE m.prompt_id = q.id) AS tools,
	round((max(c.ended_ns) - q.timestamp_ns) / 1e9, 1) AS seconds,
	(SELECT substr(t.text, 1, :chars) FROM model_calls m JOIN messages g ON g.call_id = m.id JOIN texts t ON t.id = g.text_id
	 WHERE m.prompt_id = q.id AND g.direction = 'output' AND g.type = 'text' ORDER BY m.ended_ns DESC, g.message, g.part DESC LIMIT 1) AS answer
FROM prompts q JOIN processes p ON p.id = q.process_id LEFT JOIN agents a ON a.process_id = q.process_id
JOIN texts x ON x.id = q.text_id LEFT JOIN model_calls c ON c.prompt_id = q.id
WHERE (:all OR q.process_id IN temp.chosen) AND q.timestamp_ns BETWEEN :since AND :until
	AND (:call IS NULL OR q.id = (SELECT prompt_id FROM model_calls WHERE id = :call))
GROUP BY q.id ORDER BY q.timestamp_ns, q.id LIMIT :limit;
