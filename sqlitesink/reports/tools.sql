-- Tools: how often, how long, how often in vain
--
-- tool          its name; of MCP, server and name
-- by            model (asked for in an answer) or mcp (seen at the tool server)
-- calls         how often
-- failed        results that are errors
-- unanswered    no result was seen
-- total_ms      from answer to next request, or to the server's response
-- average_ms    of those that were answered
-- longest_ms    the same
-- leave first: longest_ms, by, unanswered, average_ms
-- collected by: sslsniff stdiocap
SELECT u.name AS tool, 'model' AS by, count(*) AS calls, coalesce(sum(u.is_error), 0) AS failed, sum(u.answered_ns IS NULL) AS unanswered,
	round(sum(u.answered_ns - u.asked_ns) / 1e6, 1) AS total_ms, round(avg(u.answered_ns - u.asked_ns) / 1e6, 1) AS average_ms,
	round(max(u.answered_ns - u.asked_ns) / 1e6, 1) AS longest_ms
FROM tool_uses u WHERE (:all OR u.process_id IN temp.chosen) AND (:call IS NULL OR u.call_id = :call)
	AND coalesce(u.asked_ns, u.answered_ns) BETWEEN :since AND :until GROUP BY u.name
UNION ALL
SELECT coalesce(m.server || '/', '') || m.tool, 'mcp', count(*), sum(m.error_type IS NOT NULL AND m.error_type <> 'no_response'),
	sum(m.error_type IS 'no_response'), round(sum(m.duration_ms), 1), round(avg(m.duration_ms), 1), round(max(m.duration_ms), 1)
FROM mcp_calls m
WHERE m.tool IS NOT NULL AND (:all OR m.process_id IN temp.chosen) AND :call IS NULL AND m.timestamp_ns BETWEEN :since AND :until GROUP BY m.server, m.tool
ORDER BY 3 DESC, 1 LIMIT :limit;
