-- Tool servers (Model Context Protocol)
--
-- server       its name or host
-- transport    stdio or http
-- method       of the protocol
-- about        the tool, prompt or resource
-- calls        how often
-- failed       errors, tool errors, no response
-- average_ms   until the response
-- longest_ms   the same
-- leave first: transport, longest_ms, average_ms, failed
-- collected by: sslsniff stdiocap
SELECT m.server, m.transport, m.method, coalesce(m.tool, m.prompt, m.resource) AS about, count(*) AS calls,
	sum(m.error_type IS NOT NULL) AS failed, round(avg(m.duration_ms), 1) AS average_ms, round(max(m.duration_ms), 1) AS longest_ms
FROM mcp_calls m WHERE (:all OR m.process_id IN temp.chosen) AND m.timestamp_ns BETWEEN :since AND :until
GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 3, 4 LIMIT :limit;
