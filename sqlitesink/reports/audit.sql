-- The audit trail, newest first: llm, process, file and network
--
-- timestamp_ms   milliseconds since 1970
-- time           the same
-- audit_type     llm, process, file, network
-- pid, comm      who
-- action         call, exec, exit, write, delete, NET_CONNECT and so on
-- target         of the action
-- status         success, failure, observed
-- summary        in words
-- leave first: timestamp_ms, status, comm, action
-- collected by: sslsniff process
SELECT timestamp_ms, strftime(:time, timestamp_ms / 1e3, 'unixepoch', :zone) AS time, audit_type, pid, comm, action,
	substr(target, 1, :chars) AS target, status, substr(summary, 1, :chars) AS summary
FROM temp.audit WHERE :query IN ('', audit_type) ORDER BY timestamp_ms DESC, id DESC LIMIT :limit;
