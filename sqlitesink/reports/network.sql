-- Hosts: who reached them, how often, with how many bytes
--
-- host             its name when it is known, else its address
-- port             of the other end
-- what             http (exchanges), connect, accept, listen; send, received: datagrams; unix, a socket of this machine
-- count            exchanges or connections
-- failed           of them: status 400 and above, or an error
-- sent_bytes       bodies of requests, or what the socket sent
-- received_bytes   the same, the other way
-- processes        who, by the names that they had then
-- first            when it was first seen
-- leave first: first, processes, failed, received_bytes
-- collected by: sslsniff tcpsniff process
SELECT * FROM (
SELECT CAST(x.host AS TEXT) AS host, NULL AS port, 'http' AS what, count(*) AS count, sum(coalesce(x.status_code >= 400, 0)) AS failed,
	sum(x.request_bytes) AS sent_bytes, sum(x.response_bytes) AS received_bytes,
	group_concat(DISTINCT CAST(coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= x.started_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS TEXT)) AS processes, strftime(:time, min(x.started_ns) / 1e9, 'unixepoch', :zone) AS first
FROM http_exchanges x CROSS JOIN processes p ON p.id = x.process_id
WHERE (:all OR x.process_id IN temp.chosen) AND x.started_ns BETWEEN :since AND :until GROUP BY 1
UNION ALL
SELECT coalesce(n.host, n.address, CAST(n.path AS TEXT)), CASE WHEN n.kind <> 'accept' THEN n.port END,
	CASE WHEN n.family = 'unix' THEN 'unix' WHEN n.listening THEN 'listen' ELSE n.kind END, count(*), sum(n.error IS NOT NULL), sum(n.sent_bytes), sum(n.received_bytes),
	group_concat(DISTINCT CAST(coalesce((SELECT e.comm FROM execs e WHERE e.process_id = p.id AND e.timestamp_ns <= n.opened_ns
		ORDER BY e.timestamp_ns DESC LIMIT 1), p.first_comm, p.comm) AS TEXT)), strftime(:time, min(n.opened_ns) / 1e9, 'unixepoch', :zone)
FROM connections n CROSS JOIN processes p ON p.id = n.process_id
WHERE (:all OR n.process_id IN temp.chosen) AND n.opened_ns BETWEEN :since AND :until GROUP BY 1, 2, 3)
ORDER BY what = 'unix', count DESC, host, port LIMIT :limit;
