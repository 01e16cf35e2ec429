/* sql.c - see sql.h */
#include "sql.h"

#define INTO(name, ...) { .table = name, .text = __VA_ARGS__ }
#define SQL(...) { .text = __VA_ARGS__ }

const struct sql_text sql_text[SQL_COUNT] = {
	[SQL_RUN_NEW] = INTO("runs", "version"),
	[SQL_RUN_UPDATE] = SQL("UPDATE runs SET first_ns=min(coalesce(first_ns, :first_ns),"
	    " :first_ns),"
	    " last_ns=max(coalesce(last_ns, :last_ns), :last_ns), lines=:lines, unstored=:unstored,"
	    " input_ended=:input_ended WHERE id=:id"),
	[SQL_RUN_BEGIN] = SQL("UPDATE runs SET run=:run, began_ns=:began_ns, kernel=:kernel,"
	    " stages=:stages,"
	    " command=:command, options=:options WHERE id=:id"),
	[SQL_RUN_ENDED] = SQL("UPDATE runs SET ended_ns=:ended_ns, status=:status, failed=:failed"
	    " WHERE id=:id"),
	[SQL_RUN_CONTINUED] = SQL("UPDATE runs SET continued=1, complete=1 WHERE id=:id"),
	[SQL_RUN_CLOSE] = SQL("UPDATE runs SET complete=NOT EXISTS (SELECT 1 FROM run_gaps g"
	    " WHERE g.run_id=runs.id AND g.kind NOT IN ('loss', 'unsaid')) WHERE id=:id"),
	[SQL_STAGE_NEW] = INTO("stages", "run_id stage version pid began_ns=timestamp_ns collects"),
	[SQL_STAGE_MOVE] = SQL("UPDATE stages SET run_id=:to WHERE run_id=:from AND id>=:first"),
	[SQL_STAGE_OPEN] = SQL("SELECT min(id) FROM stages WHERE run_id=:run_id AND stage=:stage"
	    " AND pid IS :pid"
	    " AND why IS NULL HAVING min(id)"),
	[SQL_STAGE_ENDED] = SQL("UPDATE stages SET ended_ns=:ended_ns, lines_read=:read,"
	    " lines_written=:written,"
	    " lost=:lost, why=:why WHERE id=:id"),

	[SQL_PROCESS_NEW] = INTO("processes", "run_id pid ppid parent_id agent_id tool_use_id uid"
	    " comm start_ns seen"
	    " container_id first_comm"),
	/* what changes in every life, and what seldom does and has indexes */
	[SQL_PROCESS_UPDATE] = SQL("UPDATE processes SET comm=:comm,"
	    " end_ns=:end_ns, seen=:seen,"
	    " exec_id=:exec_id, exit_code=:exit_code, signal=:signal, rss_max_kb=:rss_max_kb WHERE"
	    " id=:id"),
	[SQL_PROCESS_BORN] = SQL("UPDATE processes SET first_comm=:comm WHERE id=:id"),
	[SQL_CONTAINER_PUT] = INTO("containers", "run_id container_id container_name:?"
	    " pod_name:? pod_namespace:? pod_uid:?"),
	[SQL_PROCESS_PARENT] = SQL("UPDATE processes SET start_ns=:start_ns, ppid=:ppid,"
	    " parent_id=:parent_id,"
	    " agent_id=:agent_id,"
	    " tool_use_id=:tool_use_id WHERE id=:id"),
	[SQL_PROCESS_LAST] = SQL("SELECT id, ppid, parent_id, agent_id, uid, comm, start_ns,"
	    " end_ns, seen, exec_id,"
	    " exit_code, signal, rss_max_kb, tool_use_id,"
	    " (SELECT u.process_id FROM tool_uses u WHERE u.id=tool_use_id) FROM processes WHERE"
	    " pid=:pid AND run_id=:run_id ORDER BY id DESC LIMIT 1"),
	[SQL_PROCESS_AT] = SQL("SELECT id FROM processes WHERE pid=:pid AND run_id=:run_id AND"
	    " start_ns<=:ns"
	    " ORDER BY start_ns DESC LIMIT 1"),
	[SQL_PROCESS_EXIT] = SQL("UPDATE processes SET end_ns=:timestamp_ns, exit_code=:exit_code,"
	    " signal=:signal,"
	    " rss_max_kb=:rss_max_kb WHERE id=:id"),

	/* children of an agent that began since then, and are not at work for a tool of it, or for
	 * one whose result was there before */
	[SQL_PROGRAMS_SINCE] = SQL("SELECT p.id, e.timestamp_ns, e.command, p.tool_use_id,"
	    " u.process_id IS :agent FROM processes p"
	    " JOIN execs e ON e.process_id=p.id LEFT JOIN tool_uses u ON u.id=p.tool_use_id WHERE"
	    " p.parent_id=:agent"
	    " AND p.start_ns>=:ns AND NOT e.seed AND (u.process_id IS NOT :agent OR"
	    " u.answered_ns<e.timestamp_ns)"
	    " ORDER BY e.id"),
	/* a process and those below it that worked for what it worked for, or for nothing */
	[SQL_PROCESS_TOOL] = SQL("WITH RECURSIVE below(id) AS (SELECT :id UNION ALL SELECT p.id"
	    " FROM below b"
	    " JOIN processes p ON p.parent_id=b.id WHERE p.tool_use_id IS :before OR p.tool_use_id"
	    " IS NULL)"
	    " UPDATE processes SET tool_use_id=:tool WHERE id IN (SELECT id FROM below)"),

	[SQL_PROCESS_AGENT] = SQL("SELECT agent_id FROM processes WHERE id=:id AND agent_id IS NOT"
	    " NULL"),
	/* it and those above that ran a program of their own, with the first word after its name */
	[SQL_PROGRAMS_ABOVE] = SQL("WITH RECURSIVE up(id, depth) AS (SELECT :id, 0 UNION ALL SELECT"
	    " p.parent_id, depth+1"
	    " FROM up u JOIN processes p ON p.id=u.id WHERE p.parent_id IS NOT NULL AND depth<32)"
	    " SELECT u.id, coalesce(CAST(e.filename AS TEXT), ''), iif(e.argv_base64, NULL,"
	    " e.argv ->> 1),"
	    " e.seed FROM up u JOIN processes p ON p.id=u.id JOIN execs e ON e.id=p.exec_id"
	    " ORDER BY u.depth"),
	/* programs that began between what a call's results answer and the call, no agent's */
	[SQL_PROGRAMS_WITHIN] = SQL("SELECT p.id, p.parent_id, e.timestamp_ns, e.command"
	    " FROM execs e CROSS JOIN processes p ON p.id=e.process_id WHERE e.timestamp_ns BETWEEN"
	    " (SELECT min(asked_ns) FROM tool_uses WHERE result_call_id=:call) AND"
	    " (SELECT max(answered_ns) FROM tool_uses WHERE result_call_id=:call)"
	    " AND NOT e.seed AND p.agent_id IS NULL AND p.tool_use_id IS NULL"
	    " AND p.parent_id IS NOT NULL AND p.id<>:caller ORDER BY e.id"),
	[SQL_CHANGES_WITHIN] = SQL("SELECT DISTINCT c.process_id, u.id FROM tool_uses u CROSS JOIN"
	    " file_changes c ON c.timestamp_ns BETWEEN u.asked_ns AND u.answered_ns"
	    " CROSS JOIN paths f ON f.id=c.path_id CROSS JOIN processes p ON p.id=c.process_id"
	    " WHERE u.result_call_id=:call AND p.agent_id IS NULL AND f.path IN"
	    " (SELECT a.value FROM tool_arguments a WHERE a.tool_use_id=u.id"
	    " AND a.value GLOB '/*')"),
	[SQL_HAS_PROGRAMS] = SQL("SELECT 1 FROM tool_uses u JOIN processes p ON p.tool_use_id=u.id"
	    " WHERE u.process_id=:caller LIMIT 1"),
	[SQL_ADOPT_CALLS] = SQL("UPDATE model_calls SET agent_id=:owner,"
	    " agent=coalesce((SELECT name"
	    " FROM agents WHERE process_id=:owner), agent) WHERE process_id=:caller AND (run_id,"
	    " chain_id)=(SELECT run_id, chain_id FROM tool_uses WHERE id=:tool)"),
	[SQL_ADOPT_PROMPTS] = SQL("UPDATE prompts SET process_id=:owner WHERE process_id=:caller"
	    " AND (run_id, chain_id)=(SELECT run_id, chain_id FROM tool_uses WHERE id=:tool)"),
	[SQL_ADOPT_TOOLS] = SQL("UPDATE tool_uses SET process_id=:owner WHERE process_id=:caller"
	    " AND (run_id, chain_id)=(SELECT run_id, chain_id FROM tool_uses WHERE id=:tool)"),
	[SQL_AGENT_PROGRAM] = SQL("SELECT e.filename, j.value FROM processes p JOIN execs e ON"
	    " e.id=p.exec_id,"
	    " json_each(e.argv) j WHERE p.id=:id AND NOT e.argv_base64 LIMIT 16"),
	[SQL_AGENT_NAME] = SQL("SELECT name FROM agents WHERE process_id=:id"),
	[SQL_AGENT_NEW] = INTO("agents", "process_id parent_id name version"),
	/* those below it that belonged to the same agent as it did, not those of agents between */
	[SQL_AGENT_MEMBERS] = SQL("WITH RECURSIVE below(id) AS (SELECT :id UNION ALL SELECT p.id"
	    " FROM below b"
	    " JOIN processes p ON p.parent_id=b.id WHERE p.agent_id IS :before)"
	    " UPDATE processes SET agent_id=:id WHERE id IN (SELECT id FROM below)"),
	[SQL_AGENT_BELOW] = SQL("WITH RECURSIVE up(agent, id) AS (SELECT process_id, process_id"
	    " FROM agents"
	    " WHERE parent_id IS :before AND process_id<>:id UNION ALL SELECT u.agent, p.parent_id"
	    " FROM up u"
	    " JOIN processes p ON p.id=u.id WHERE p.parent_id IS NOT NULL)"
	    " UPDATE agents SET parent_id=:id WHERE process_id IN (SELECT agent FROM up WHERE"
	    " id=:id)"),

	[SQL_EXEC_NEW] = INTO("execs", "process_id timestamp_ns filename:b exe:b argv:j argv_base64"
	    " command cwd:b sid seed:f"
	    " comm"),
	[SQL_EXEC_FAILED_NEW] = INTO("failed_execs", "process_id timestamp_ns filename:b command"
	    " cwd:b error"),
	[SQL_SIGNAL_NEW] = INTO("signals", "process_id timestamp_ns target_pid signal signal_name"
	    " outcome error"),
	[SQL_SHELL_LINE_NEW] = INTO("shell_lines", "process_id timestamp_ns command:b"),

	[SQL_PATH_FIND] = SQL("SELECT id FROM paths WHERE path=:path AND mnt_ns=:mnt_ns"),
	[SQL_PATH_NEW] = INTO("paths", "path mnt_ns"),
	[SQL_FILE_ADD] = INTO("files", "process_id path_id first_ns:< last_ns:> opens:+ reads:+"
	    " read_bytes:+ writes:+"
	    " written_bytes:+ created:+ truncated:+ deleted:+ renamed:+ attributes:+ failed:+"
	    " last_error:? shared:>"),
	[SQL_FILE_CHANGE_NEW] = INTO("file_changes", "process_id timestamp_ns last_ns op path_id"
	    " to_path_id bytes detail"),

	[SQL_CONNECTION_NEW] = INTO("connections", "process_id kind opened_ns=timestamp_ns"
	    " closed_ns fd family transport"
	    " address port local path:b host listening sent_bytes received_bytes error latency_ms"),
	[SQL_CONNECTION_FIND] = SQL("SELECT id FROM connections WHERE process_id=:process_id AND"
	    " fd=:fd"
	    " AND kind<>'send' AND closed_ns IS NULL AND opened_ns<=:ns ORDER BY id DESC LIMIT 1"),
	/* datagrams to an address: one row for each, as long as the socket is open */
	[SQL_CONNECTION_TO] = SQL("SELECT id FROM connections WHERE process_id=:process_id AND"
	    " fd=:fd AND kind='send'"
	    " AND closed_ns IS NULL AND address IS :address AND port IS :port AND path IS :path"
	    " ORDER BY id DESC LIMIT 1"),
	[SQL_CONNECTION_SENT] = SQL("UPDATE connections SET sent_bytes=coalesce(sent_bytes,"
	    " 0)+:bytes WHERE id=:id"),
	[SQL_CONNECTION_SHUT] = SQL("UPDATE connections SET closed_ns=:ns WHERE"
	    " process_id=:process_id AND fd=:fd"
	    " AND kind='send' AND closed_ns IS NULL"),
	/* a copy of its descriptor may have been closed before, with what passed there */
	[SQL_CONNECTION_CLOSE] = SQL("UPDATE connections SET closed_ns=:closed_ns,"
	    " sent_bytes=coalesce(coalesce(sent_bytes, 0)+:sent_bytes, sent_bytes),"
	    " received_bytes=coalesce(coalesce(received_bytes, 0)+:received_bytes, received_bytes)"
	    " WHERE id=:id"),
	[SQL_CONNECTION_COPY] = SQL("SELECT id FROM connections WHERE process_id=:process_id AND"
	    " kind IN ('connect', 'accept') AND local=:local AND address=:address AND port=:port"
	    " ORDER BY id DESC LIMIT 1"),
	[SQL_CONNECTION_MORE] = SQL("UPDATE connections SET"
	    " sent_bytes=coalesce(coalesce(sent_bytes, 0)+:sent_bytes, sent_bytes),"
	    " received_bytes=coalesce(coalesce(received_bytes, 0)+:received_bytes, received_bytes)"
	    " WHERE id=:id"),
	[SQL_CONNECTION_LISTEN] = SQL("UPDATE connections SET listening=1 WHERE id=:id AND"
	    " kind='bind'"),
	/* the name by SNI, else by the Host header of what was said in it, without its port */
	[SQL_CONNECTION_NAME] = SQL("UPDATE connections SET host=coalesce(:sni, (SELECT CASE"
	    " instr(x.host, ':')"
	    " WHEN 0 THEN x.host WHEN 1 THEN NULL ELSE substr(x.host, 1, instr(x.host, ':')-1) END"
	    " FROM http_exchanges x"
	    " WHERE x.run_id=:run_id AND x.exchange>:conn||'/' AND x.exchange<:conn||'0' AND x.host"
	    " NOT GLOB '*:*:*'"
	    " LIMIT 1)) WHERE process_id=:process_id AND host IS NULL"
	    " AND (local=:local OR (:local IS NULL AND fd=:fd AND closed_ns IS NULL))"),
	[SQL_DNS_NEW] = INTO("dns", "process_id timestamp_ns kind name qtype server rcode"
	    " addresses"),

	[SQL_REQUEST_PUT] = INTO("http_exchanges", "run_id process_id exchange=id"
	    " started_ns=timestamp_ns:! method:!"
	    " host:!b path:!b protocol:! scheme:! side:! request_headers=headers:!"
	    " request_bytes=body_len:! request_body=body:!b"
	    " incomplete"),
	[SQL_RESPONSE_PUT] = INTO("http_exchanges", "run_id process_id exchange=id"
	    " started_ns=timestamp_ns method host:b"
	    " path:b protocol scheme side peer_pid:! status_code:! status_text:!b"
	    " response_headers=headers:! response_bytes=body_len:!"
	    " response_body=body:?b streaming:!f ttfb_ms:! duration_ms:! incomplete:?"),
	[SQL_STREAM_PUT] = INTO("http_exchanges", "run_id process_id exchange=id"
	    " started_ns=timestamp_ns method host:b"
	    " path:b status_code response_body:! streaming"),
	[SQL_BODIES_DROP] = SQL("UPDATE http_exchanges SET request_body=NULL, response_body=NULL"
	    " WHERE run_id=:run_id"
	    " AND exchange=:id AND (request_body IS NOT NULL OR response_body IS NOT NULL)"),

	[SQL_TEXT_FIND] = SQL("SELECT id FROM texts WHERE hash=:hash"),
	[SQL_TEXT_NEW] = INTO("texts", "hash text"),

	[SQL_CALL_NEW] = INTO("model_calls", "run_id process_id exchange=id turn prompt_id"
	    " conversation_id chain_id"
	    " conversation_source started_ns=timestamp_ns ended_ns duration_ms first_token_ms"
	    " provider api operation"
	    " request_model response_model response_id stream:f status_code error_type"
	    " error_message finish_reasons"
	    " input_tokens output_tokens cache_read_tokens cache_creation_tokens reasoning_tokens"
	    " total_tokens usage"
	    " service_tier parameters tools_id tools_offered=request_tools:f agent agent_version"
	    " server_address:b server_port incomplete counted agent_id"),
	[SQL_CALL_RELAYED] = SQL("UPDATE model_calls SET parent_id=iif(id=:id, :parent, parent_id),"
	    " root_id=:parent WHERE id=:id OR root_id=:id"),
	[SQL_CALL_AT] = SQL("SELECT id FROM model_calls WHERE exchange=:exchange AND run_id=:run_id"
	    " ORDER BY id DESC LIMIT 1"),
	/* what its messages say is said in those of the call that it was made for */
	[SQL_CALL_NO_PROMPT] = SQL("UPDATE model_calls SET prompt_id=NULL WHERE prompt_id IN"
	    " (SELECT id FROM prompts WHERE call_id=:id)"),
	[SQL_PROMPTS_DROP] = SQL("DELETE FROM prompts WHERE call_id=:id"),
	[SQL_TOOLS_DROP] = SQL("DELETE FROM tool_uses WHERE call_id=:id OR (call_id IS NULL AND"
	    " result_call_id=:id)"),
	[SQL_CALL_PROMPT] = SQL("UPDATE model_calls SET prompt_id=:prompt_id WHERE id=:id"),
	[SQL_MESSAGE_NEW] = INTO("messages", "call_id direction message part role type text_key"
	    " text_json text_id"
	    " attributes finish_reason"),

	[SQL_CHAIN_AGENT] = SQL("SELECT agent_id FROM model_calls WHERE chain_id=:chain_id AND"
	    " run_id=:run_id AND process_id=:process_id AND agent_id<>process_id LIMIT 1"),
	[SQL_CALLER_NO_TOOL] = SQL("UPDATE processes SET tool_use_id=NULL"
	    " WHERE id IN (SELECT process_id"
	    " FROM callers WHERE process_id=:process_id OR process_id=(SELECT parent_id"
	    " FROM processes WHERE id=:process_id)) AND tool_use_id IN (SELECT id FROM tool_uses"
	    " WHERE result_call_id=:call)"),
	[SQL_CHAIN_OF] = SQL("SELECT chain_id FROM model_calls WHERE exchange=:exchange AND"
	    " run_id=:run_id"),
	[SQL_PROMPT_NEW] = INTO("prompts", "run_id call_id process_id conversation_id chain_id"
	    " timestamp_ns text_id"
	    " added_id"),
	[SQL_PROMPT_LAST] = SQL("SELECT id FROM prompts WHERE chain_id=:chain_id AND run_id=:run_id"
	    " AND timestamp_ns<=:ns ORDER BY timestamp_ns DESC, id DESC LIMIT 1"),
	[SQL_PROMPT_LIST] = SQL("SELECT text_id FROM prompts WHERE chain_id=:chain_id AND"
	    " run_id=:run_id ORDER BY id"),
	[SQL_PROMPT_AGAIN] = SQL("SELECT q.id FROM prompts q WHERE q.chain_id=:chain_id AND"
	    " q.run_id=:run_id"
	    " AND q.text_id=:text_id AND NOT EXISTS (SELECT 1 FROM model_calls m WHERE"
	    " m.prompt_id=q.id"
	    " AND m.error_type IS NULL AND m.started_ns<:ns) ORDER BY q.id DESC LIMIT 1"),
	[SQL_PROMPT_EARLIER] = SQL("UPDATE prompts SET timestamp_ns=:ns, call_id=:call_id WHERE"
	    " id=:id"
	    " AND timestamp_ns>:ns"),
	/* of two prompts the later one is the nearer */
	[SQL_CALLS_BEHIND] = SQL("UPDATE model_calls SET prompt_id=:prompt_id WHERE"
	    " chain_id=:chain_id"
	    " AND run_id=:run_id AND started_ns>:ns AND (prompt_id IS NULL"
	    " OR (SELECT q.timestamp_ns FROM prompts q WHERE q.id=model_calls.prompt_id)<:ns)"),

	[SQL_TOOL_NEW] = INTO("tool_uses", "run_id process_id call_id result_call_id"
	    " conversation_id chain_id"
	    " tool_call_id name asked_ns answered_ns arguments_id result_id is_error"),
	[SQL_TOOL_OF_CALL] = SQL("SELECT u.id, u.answered_ns FROM model_calls m JOIN tool_uses u ON"
	    " u.call_id=m.id"
	    " WHERE m.exchange=:call AND m.run_id=:run_id AND u.tool_call_id=:id"),
	/* an id that comes again, as some count them anew each turn, is the latest before this */
	[SQL_TOOL_OF_ID] = SQL("SELECT id, answered_ns FROM tool_uses WHERE tool_call_id=:id AND"
	    " run_id=:run_id"
	    " AND conversation_id IS :conversation_id ORDER BY coalesce(asked_ns, 0)>:ns, asked_ns"
	    " DESC LIMIT 1"),
	[SQL_TOOL_OF_NAME] = SQL("SELECT id, answered_ns FROM tool_uses WHERE name=:name AND"
	    " tool_call_id IS NULL"
	    " AND call_id=(SELECT u.call_id FROM tool_uses u WHERE u.chain_id=:chain_id AND"
	    " u.run_id=:run_id"
	    " AND u.tool_call_id IS NULL AND u.asked_ns<=:ns ORDER BY u.asked_ns DESC LIMIT 1)"
	    " ORDER BY id LIMIT 1 OFFSET :place"),
	[SQL_TOOL_RESULT_ALONE] = SQL("SELECT id, answered_ns FROM tool_uses WHERE run_id=:run_id"
	    " AND call_id IS NULL"
	    " AND answered_ns>=:ns AND tool_call_id IS :id AND ((:id IS NOT NULL AND"
	    " conversation_id IS :conversation_id)"
	    " OR (:id IS NULL AND chain_id=:chain_id AND name IS :name)) ORDER BY answered_ns, id"
	    " LIMIT 1"),
	[SQL_TOOL_REQUESTED] = SQL("UPDATE tool_uses SET call_id=:call_id, asked_ns=:asked_ns,"
	    " arguments_id=:arguments_id,"
	    " process_id=:process_id WHERE id=:id"),
	[SQL_TOOL_RESULT] = SQL("UPDATE tool_uses SET result_call_id=:result_call_id,"
	    " answered_ns=:answered_ns,"
	    " result_id=:result_id, is_error=:is_error WHERE id=:id"),

	[SQL_MCP_NEW] = INTO("mcp_calls", "process_id timestamp_ns duration_ms transport role"
	    " server client_pid server_pid"
	    " session_id exchange=id request_id method tool prompt resource arguments_id result_id"
	    " error:j error_type"
	    " status_code notification:f from_server:f incomplete"),
	[SQL_STDIO_NEW] = INTO("stdio", "process_id timestamp_ns direction fd fd_role fd_target:b"
	    " off len latency_ms"
	    " data:b"),
	[SQL_SAMPLE_NEW] = INTO("samples", "run_id process_id timestamp_ns cpu_percent rss_bytes"
	    " vsz_bytes pss_bytes"
	    " rss_peak_bytes threads children io_read_bytes io_write_bytes cgroup alert"),
	[SQL_HOST_NEW] = INTO("samples", "run_id timestamp_ns cores load1 load5 load15"
	    " mem_total_bytes"
	    " mem_available_bytes"),
	[SQL_LOSS_NEW] = INTO("losses", "run_id timestamp_ns stage reason events bytes conn pid"
	    " comm"
	    " pid_events"),
	[SQL_EVENT_NEW] = INTO("events", "run_id line"),

	[SQL_SEARCH_DONE] = SQL("SELECT upto FROM search_done WHERE kind=:kind"),
	[SQL_SEARCH_UPTO] = SQL("UPDATE search_done SET upto=:upto WHERE kind=:kind"),
	[SQL_SEARCH_ADD] = INTO("search", "rowid text"),
	[SQL_TEXTS_FROM] = SQL("SELECT id, text FROM texts WHERE id>:upto ORDER BY id"),
	[SQL_EXECS_FROM] = SQL("SELECT id, command FROM execs WHERE id>:upto ORDER BY id"),
	[SQL_PATHS_FROM] = SQL("SELECT id, path FROM paths WHERE id>:upto ORDER BY id"),
	[SQL_SHELL_LINES_FROM] = SQL("SELECT id, command FROM shell_lines WHERE id>:upto ORDER BY"
	    " id"),
};
