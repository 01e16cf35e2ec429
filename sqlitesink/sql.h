/*
 * sql.h - every statement that sqlitesink runs, and the columns of every table it fills
 *
 * Values are bound by name alone. What goes into a table is written once, as the list of
 * its columns: COLUMN[=KEY][:MARKS], where KEY is the key of the event that the column is
 * filled from (row_keys), its own name when absent. Marks say how the value is taken: b
 * bytes (KEY, else KEY_b64), f a flag (absent is 0), j JSON text whatever it is; and
 * what becomes of the column when the row is there already: ! the new value, ? the new
 * one unless it is null, + the sum, < the lesser, > the greater.
 */
#ifndef SQLITESINK_SQL_H
#define SQLITESINK_SQL_H

enum sql {
	SQL_RUN_NEW, SQL_RUN_UPDATE, SQL_RUN_BEGIN, SQL_RUN_ENDED, SQL_RUN_CONTINUED, SQL_RUN_CLOSE,
	SQL_STAGE_NEW, SQL_STAGE_MOVE, SQL_STAGE_OPEN, SQL_STAGE_ENDED,
	SQL_PROCESS_NEW, SQL_PROCESS_UPDATE, SQL_PROCESS_BORN, SQL_PROCESS_PARENT, SQL_PROCESS_LAST,
	SQL_PROCESS_AT, SQL_PROCESS_EXIT,
	SQL_PROGRAMS_SINCE, SQL_PROCESS_TOOL,
	SQL_AGENT_PROGRAM, SQL_AGENT_NAME, SQL_AGENT_NEW, SQL_AGENT_MEMBERS, SQL_AGENT_BELOW,
	SQL_EXEC_NEW, SQL_EXEC_FAILED_NEW, SQL_SIGNAL_NEW, SQL_SHELL_LINE_NEW,
	SQL_PATH_FIND, SQL_PATH_NEW, SQL_FILE_ADD, SQL_FILE_CHANGE_NEW,
	SQL_CONNECTION_NEW, SQL_CONNECTION_FIND, SQL_CONNECTION_CLOSE, SQL_CONNECTION_LISTEN, SQL_CONNECTION_TO, SQL_CONNECTION_SENT, SQL_CONNECTION_SHUT, SQL_CONNECTION_NAME, SQL_DNS_NEW,
	SQL_REQUEST_PUT, SQL_RESPONSE_PUT, SQL_STREAM_PUT, SQL_BODIES_DROP,
	SQL_TEXT_FIND, SQL_TEXT_NEW,
	SQL_CALL_NEW, SQL_CALL_PARENT, SQL_CALL_CHILDREN, SQL_CALL_PROMPT, SQL_MESSAGE_NEW,
	SQL_CHAIN_OF, SQL_PROMPT_NEW, SQL_PROMPT_LAST, SQL_PROMPT_LIST, SQL_PROMPT_AGAIN, SQL_PROMPT_EARLIER, SQL_CALLS_BEHIND,
	SQL_TOOL_NEW, SQL_TOOL_OF_CALL, SQL_TOOL_OF_ID, SQL_TOOL_OF_NAME, SQL_TOOL_RESULT_ALONE,
	SQL_TOOL_REQUESTED,
	SQL_TOOL_RESULT,
	SQL_MCP_NEW, SQL_STDIO_NEW, SQL_SAMPLE_NEW, SQL_HOST_NEW, SQL_LOSS_NEW, SQL_EVENT_NEW,
	SQL_SEARCH_DONE, SQL_SEARCH_UPTO, SQL_SEARCH_ADD,
	SQL_TEXTS_FROM, SQL_EXECS_FROM, SQL_PATHS_FROM, SQL_SHELL_LINES_FROM,
	SQL_COUNT
};

struct sql_text {
	const char *table;	/* NULL: text is a statement, not a list of columns */
	const char *text;
};
extern const struct sql_text sql_text[SQL_COUNT];

#endif
