-- Where the time went, prompt by prompt
--
-- prompt       its number
-- time         when it was sent
-- text         the prompt
-- seconds      until the end of the last answer
-- model        of them, a model was at work
-- tools        no model was, but a tool
-- waiting      neither
-- slowest      the tool that took longest, and how long
-- leave first: time, waiting
-- collected by: sslsniff process
WITH part(prompt_id, tool, s, e) AS (
	SELECT prompt_id, 0, started_ns, ended_ns FROM model_calls WHERE prompt_id IS NOT NULL
	UNION ALL
	SELECT m.prompt_id, 1, u.asked_ns, u.answered_ns FROM tool_uses u JOIN model_calls m ON m.id = u.call_id
	WHERE m.prompt_id IS NOT NULL AND u.answered_ns IS NOT NULL),
-- time that several were at work counts once: of each, what is behind the end of all before it
model(prompt_id, ns) AS (
	SELECT prompt_id, sum(max(0, e - max(s, coalesce(b, s)))) FROM (
		SELECT *, max(e) OVER (PARTITION BY prompt_id ORDER BY s, e ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS b
		FROM part WHERE NOT tool) GROUP BY prompt_id),
busy(prompt_id, ns, total) AS (
	SELECT prompt_id, sum(max(0, e - max(s, coalesce(b, s)))), max(e) - min(s) FROM (
		SELECT *, max(e) OVER (PARTITION BY prompt_id ORDER BY s, e ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS b
		FROM part) GROUP BY prompt_id)
SELECT q.id AS prompt, strftime(:time, q.timestamp_ns / 1e9, 'unixepoch', :zone) AS time, substr(x.text, 1, :chars) AS text,
	round(b.total / 1e9, 1) AS seconds, round(m.ns / 1e9, 1) AS model, round((b.ns - m.ns) / 1e9, 1) AS tools,
	round((b.total - b.ns) / 1e9, 1) AS waiting,
	(SELECT u.name || ' ' || round((u.answered_ns - u.asked_ns) / 1e9, 1) || ' s' FROM tool_uses u JOIN model_calls c ON c.id = u.call_id
	 WHERE c.prompt_id = q.id AND u.answered_ns IS NOT NULL ORDER BY u.answered_ns - u.asked_ns DESC LIMIT 1) AS slowest
FROM prompts q JOIN texts x ON x.id = q.text_id JOIN model m ON m.prompt_id = q.id JOIN busy b ON b.prompt_id = q.id
WHERE (:all OR q.process_id IN temp.chosen) AND q.timestamp_ns BETWEEN :since AND :until ORDER BY b.total DESC LIMIT :limit;
