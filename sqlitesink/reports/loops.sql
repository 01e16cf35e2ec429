-- Again and again: the same tool with the same arguments, the same file, the same error
--
-- what           tool, error (of a model call), file (read by the agent itself); note: what is not known
-- times          how often, three at least
-- name           the tool, the error, the path
-- detail         the arguments
-- conversation   where
-- failed         of them
-- first          when
-- seconds        until the last
-- leave first: conversation, first, failed, seconds
-- collected by: sslsniff process
SELECT 'tool' AS what, count(*) AS times, u.name, substr(x.text, 1, :chars) AS detail, u.conversation_id AS conversation,
	coalesce(sum(u.is_error), 0) AS failed, strftime(:time, min(u.asked_ns) / 1e9, 'unixepoch', :zone) AS first,
	round((max(u.asked_ns) - min(u.asked_ns)) / 1e9, 1) AS seconds
FROM tool_uses u LEFT JOIN texts x ON x.id = u.arguments_id WHERE u.asked_ns IS NOT NULL AND (:all OR u.process_id IN temp.chosen)
GROUP BY u.run_id, u.conversation_id, u.name, u.arguments_id HAVING count(*) >= 3
UNION ALL
SELECT 'error', count(*), c.error_type, max(c.error_message), c.conversation_id, count(*),
	strftime(:time, min(c.started_ns) / 1e9, 'unixepoch', :zone), round((max(c.started_ns) - min(c.started_ns)) / 1e9, 1)
FROM model_calls c WHERE c.counted AND c.error_type IS NOT NULL AND (:all OR c.process_id IN temp.chosen)
GROUP BY c.run_id, c.conversation_id, c.error_type HAVING count(*) >= 3
UNION ALL
SELECT 'file', f.opens, p.shown, f.read_bytes || ' bytes read', NULL, f.failed,
	strftime(:time, f.first_ns / 1e9, 'unixepoch', :zone), round((f.last_ns - f.first_ns) / 1e9, 1)
FROM agents a CROSS JOIN files f ON f.process_id = a.process_id CROSS JOIN paths p ON p.id = f.path_id
WHERE f.opens >= 3 AND f.reads > 0 AND (:all OR f.process_id IN temp.chosen)
	AND p.path NOT GLOB '/proc/*' AND p.path NOT GLOB '/sys/*' AND p.path NOT GLOB '/dev/*'
UNION ALL
SELECT 'note', NULL, 'reads were not recorded', 'files that were read again and again are not known', NULL, NULL, NULL, NULL
FROM (SELECT max(recorded) AS recorded FROM recorded_reads) WHERE recorded = 0
ORDER BY 2 DESC LIMIT :limit;
