/* sql.c - see sql.h; the parameters are numbered in the order that they are given */
#include "sql.h"

const char *const sql_text[SQL_COUNT] = {
	[SQL_RUN_NEW] = "INSERT INTO runs(version) VALUES(?)",
	[SQL_RUN_UPDATE] = "UPDATE runs SET first_ns=min(coalesce(first_ns, ?1), ?1), last_ns=max(coalesce(last_ns, ?2), ?2),"
	    " lines=?3, unstored=?4, input_ended=?5 WHERE id=?6",
	[SQL_RUN_BEGIN] = "UPDATE runs SET run=?, began_ns=?, kernel=?, stages=?, command=?, options=? WHERE id=?",
	[SQL_RUN_ENDED] = "UPDATE runs SET ended_ns=?, status=?, failed=? WHERE id=?",
	[SQL_RUN_CONTINUED] = "UPDATE runs SET continued=1, complete=1 WHERE id=?",
	[SQL_RUN_CLOSE] = "UPDATE runs SET complete=NOT EXISTS (SELECT 1 FROM run_gaps g WHERE g.run_id=runs.id"
	    " AND g.kind NOT IN ('loss', 'unsaid')) WHERE id=?",
	[SQL_STAGE_NEW] = "INSERT INTO stages(run_id, stage, version, pid, began_ns) VALUES(?,?,?,?,?)",
	[SQL_STAGE_MOVE] = "UPDATE stages SET run_id=? WHERE run_id=? AND id>=?",
	[SQL_STAGE_OPEN] = "SELECT min(id) FROM stages WHERE run_id=? AND stage=? AND pid IS ? AND why IS NULL HAVING min(id)",
	[SQL_STAGE_ENDED] = "UPDATE stages SET ended_ns=?, lines_read=?, lines_written=?, lost=?, why=? WHERE id=?",

	[SQL_PROCESS_NEW] = "INSERT INTO processes(run_id, pid, ppid, parent_id, agent_id, uid, comm, start_ns, seen,"
	    " container_id) VALUES(?,?,?,?,?,?,?,?,?,?)",
	/* what changes in every life, and what seldom does and has indexes */
	[SQL_PROCESS_UPDATE] = "UPDATE processes SET comm=?, start_ns=?, end_ns=?, seen=?, exec_id=?, exit_code=?, signal=?,"
	    " rss_max_kb=? WHERE id=?",
	[SQL_PROCESS_PARENT] = "UPDATE processes SET ppid=?, parent_id=?, agent_id=? WHERE id=?",
	[SQL_PROCESS_LAST] = "SELECT id, ppid, parent_id, agent_id, uid, comm, start_ns, end_ns, seen, exec_id, exit_code,"
	    " signal, rss_max_kb FROM processes WHERE pid=? AND run_id=? ORDER BY id DESC LIMIT 1",
	[SQL_PROCESS_AT] = "SELECT id FROM processes WHERE pid=? AND run_id=? AND start_ns<=? ORDER BY start_ns DESC LIMIT 1",
	[SQL_PROCESS_EXIT] = "UPDATE processes SET end_ns=?, exit_code=?, signal=?, rss_max_kb=? WHERE id=?",

	[SQL_AGENT_NEW] = "INSERT INTO agents(process_id, parent_id, name, version) VALUES(?,?,?,?)",
	/* those below it that belonged to the same agent as it did, not those of agents between */
	[SQL_AGENT_MEMBERS] = "WITH RECURSIVE below(id) AS (SELECT ?1 UNION ALL SELECT p.id FROM below b"
	    " JOIN processes p ON p.parent_id=b.id WHERE p.agent_id IS ?2)"
	    " UPDATE processes SET agent_id=?1 WHERE id IN (SELECT id FROM below)",
	[SQL_AGENT_BELOW] = "WITH RECURSIVE up(agent, id) AS (SELECT process_id, process_id FROM agents WHERE parent_id IS ?2"
	    " AND process_id<>?1 UNION ALL SELECT u.agent, p.parent_id FROM up u JOIN processes p ON p.id=u.id"
	    " WHERE p.parent_id IS NOT NULL)"
	    " UPDATE agents SET parent_id=?1 WHERE process_id IN (SELECT agent FROM up WHERE id=?1)",

	[SQL_EXEC_NEW] = "INSERT INTO execs(process_id, timestamp_ns, filename, exe, argv, argv_base64, command, cwd, sid, seed)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?)",
	[SQL_SIGNAL_NEW] = "INSERT INTO signals(process_id, timestamp_ns, target_pid, signal, signal_name, outcome, error)"
	    " VALUES(?,?,?,?,?,?,?)",
	[SQL_SHELL_LINE_NEW] = "INSERT INTO shell_lines(process_id, timestamp_ns, command) VALUES(?,?,?)",

	[SQL_PATH_FIND] = "SELECT id FROM paths WHERE path=?",
	[SQL_PATH_NEW] = "INSERT INTO paths(path) VALUES(?)",
	[SQL_FILE_ADD] = "INSERT INTO files(process_id, path_id, first_ns, last_ns, opens, reads, read_bytes, writes,"
	    " written_bytes, created, truncated, deleted, renamed, attributes, failed, last_error)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET first_ns=min(first_ns, excluded.first_ns),"
	    " last_ns=max(last_ns, excluded.last_ns), opens=opens+excluded.opens, reads=reads+excluded.reads,"
	    " read_bytes=read_bytes+excluded.read_bytes, writes=writes+excluded.writes,"
	    " written_bytes=written_bytes+excluded.written_bytes, created=created+excluded.created,"
	    " truncated=truncated+excluded.truncated, deleted=deleted+excluded.deleted, renamed=renamed+excluded.renamed,"
	    " attributes=attributes+excluded.attributes, failed=failed+excluded.failed,"
	    " last_error=coalesce(excluded.last_error, last_error)",
	[SQL_FILE_CHANGE_NEW] = "INSERT INTO file_changes(process_id, timestamp_ns, last_ns, op, path_id, to_path_id, bytes,"
	    " detail) VALUES(?,?,?,?,?,?,?,?)",

	[SQL_CONNECTION_NEW] = "INSERT INTO connections(process_id, kind, opened_ns, closed_ns, fd, family, transport, address,"
	    " port, local, path, host, listening, sent_bytes, received_bytes, error, latency_ms)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_CONNECTION_FIND] = "SELECT id FROM connections WHERE process_id=? AND fd=? AND closed_ns IS NULL AND opened_ns<=?"
	    " ORDER BY id DESC LIMIT 1",
	[SQL_CONNECTION_CLOSE] = "UPDATE connections SET closed_ns=?, sent_bytes=?, received_bytes=? WHERE id=?",
	[SQL_CONNECTION_LISTEN] = "UPDATE connections SET listening=1 WHERE id=? AND kind='bind'",
	[SQL_DNS_NEW] = "INSERT INTO dns(process_id, timestamp_ns, kind, name, qtype, server, rcode, addresses)"
	    " VALUES(?,?,?,?,?,?,?,?)",

	[SQL_REQUEST_PUT] = "INSERT INTO http_exchanges(run_id, process_id, exchange, started_ns, method, host, path, protocol,"
	    " request_headers, request_bytes, request_body, incomplete) VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
	    " started_ns=excluded.started_ns, method=excluded.method, host=excluded.host, path=excluded.path,"
	    " protocol=excluded.protocol, request_headers=excluded.request_headers, request_bytes=excluded.request_bytes,"
	    " request_body=excluded.request_body",
	[SQL_RESPONSE_PUT] = "INSERT INTO http_exchanges(run_id, process_id, exchange, started_ns, method, host, path, protocol,"
	    " status_code, status_text, response_headers, response_bytes, response_body, streaming, ttfb_ms, duration_ms,"
	    " incomplete) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET status_code=excluded.status_code,"
	    " status_text=excluded.status_text, response_headers=excluded.response_headers,"
	    " response_bytes=excluded.response_bytes, response_body=coalesce(excluded.response_body, response_body),"
	    " streaming=excluded.streaming, ttfb_ms=excluded.ttfb_ms, duration_ms=excluded.duration_ms,"
	    " incomplete=coalesce(excluded.incomplete, incomplete)",
	[SQL_STREAM_PUT] = "INSERT INTO http_exchanges(run_id, process_id, exchange, started_ns, method, host, path, status_code,"
	    " response_body, streaming) VALUES(?,?,?,?,?,?,?,?,?,1) ON CONFLICT DO UPDATE SET"
	    " response_body=excluded.response_body",
	[SQL_BODIES_DROP] = "UPDATE http_exchanges SET request_body=NULL, response_body=NULL WHERE run_id=? AND exchange=?"
	    " AND (request_body IS NOT NULL OR response_body IS NOT NULL)",

	[SQL_TEXT_FIND] = "SELECT id FROM texts WHERE hash=?",
	[SQL_TEXT_NEW] = "INSERT INTO texts(hash, text) VALUES(?,?)",

	[SQL_CALL_NEW] = "INSERT INTO model_calls(run_id, process_id, exchange, turn, prompt_id, conversation_id,"
	    " conversation_source, started_ns, ended_ns, duration_ms, first_token_ms, provider, api, operation, request_model,"
	    " response_model, response_id, stream, status_code, error_type, error_message, finish_reasons, input_tokens,"
	    " output_tokens, cache_read_tokens, cache_creation_tokens, reasoning_tokens, total_tokens, usage, service_tier,"
	    " parameters, tools_id, agent, agent_version, server_address, server_port, incomplete)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_CALL_PROMPT] = "UPDATE model_calls SET prompt_id=? WHERE id=?",
	[SQL_MESSAGE_NEW] = "INSERT INTO messages(call_id, direction, message, part, role, type, text_key, text_json, text_id,"
	    " attributes, finish_reason) VALUES(?,?,?,?,?,?,?,?,?,?,?)",

	[SQL_PROMPT_NEW] = "INSERT INTO prompts(run_id, call_id, process_id, conversation_id, timestamp_ns, text_id)"
	    " VALUES(?,?,?,?,?,?)",
	[SQL_PROMPT_LAST] = "SELECT id FROM prompts WHERE conversation_id=? AND run_id=? ORDER BY id DESC LIMIT 1",
	[SQL_PROMPT_LIST] = "SELECT text_id FROM prompts WHERE conversation_id=? AND run_id=? ORDER BY id",

	[SQL_TOOL_NEW] = "INSERT INTO tool_uses(run_id, process_id, call_id, result_call_id, conversation_id, tool_call_id, name,"
	    " asked_ns, answered_ns, arguments_id, result_id, is_error) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_TOOL_FIND] = "SELECT u.id FROM model_calls m JOIN tool_uses u ON u.call_id=m.id WHERE m.exchange=?1 AND m.run_id=?2"
	    " AND u.tool_call_id IS ?3 AND (?3 IS NOT NULL OR u.name IS ?4) AND u.answered_ns IS NULL ORDER BY u.id LIMIT 1",
	[SQL_TOOL_RESULT] = "UPDATE tool_uses SET result_call_id=?, answered_ns=?, result_id=?, is_error=? WHERE id=?",

	[SQL_MCP_NEW] = "INSERT INTO mcp_calls(process_id, timestamp_ns, duration_ms, transport, role, server, client_pid,"
	    " server_pid, session_id, exchange, request_id, method, tool, prompt, resource, arguments_id, result_id, error,"
	    " error_type, status_code, notification, from_server, incomplete)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_STDIO_NEW] = "INSERT INTO stdio(process_id, timestamp_ns, direction, fd, fd_role, fd_target, off, len, latency_ms,"
	    " data) VALUES(?,?,?,?,?,?,?,?,?,?)",
	[SQL_SAMPLE_NEW] = "INSERT INTO samples(run_id, process_id, timestamp_ns, cpu_percent, rss_bytes, vsz_bytes, pss_bytes,"
	    " rss_peak_bytes, threads, children, io_read_bytes, io_write_bytes, cgroup, alert)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_HOST_NEW] = "INSERT INTO samples(run_id, timestamp_ns, cores, load1, load5, load15, mem_total_bytes,"
	    " mem_available_bytes) VALUES(?,?,?,?,?,?,?,?)",
	[SQL_LOSS_NEW] = "INSERT INTO losses(run_id, timestamp_ns, stage, reason, events, bytes, conn) VALUES(?,?,?,?,?,?,?)",
	[SQL_EVENT_NEW] = "INSERT INTO events(run_id, line) VALUES(?,?)",

	[SQL_SEARCH_DONE] = "SELECT upto FROM search_done WHERE kind=?",
	[SQL_SEARCH_UPTO] = "UPDATE search_done SET upto=? WHERE kind=?",
	[SQL_SEARCH_ADD] = "INSERT INTO search(rowid, text) VALUES(?,?)",
	[SQL_TEXTS_FROM] = "SELECT id, text FROM texts WHERE id>? ORDER BY id",
	[SQL_EXECS_FROM] = "SELECT id, command FROM execs WHERE id>? ORDER BY id",
	[SQL_PATHS_FROM] = "SELECT id, path FROM paths WHERE id>? ORDER BY id",
	[SQL_SHELL_LINES_FROM] = "SELECT id, command FROM shell_lines WHERE id>? ORDER BY id",
};
