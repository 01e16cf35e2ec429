/* http.c - see http.h */
#include "http.h"

/* A request or a response: one row of both. */
static void
half(struct db *db, enum sql sql, struct event *ev, int64_t process)
{
	struct row r = row_of(db, sql);

	row_int(&r, "run_id", db->run);
	row_id(&r, "process_id", process);
	row_keys(&r, ev);
	row_run(&r);
}

/* The body of a stream is the message that it comes to; of one that is not known,
 * the list of its events. */
static void
stream(struct db *db, struct event *ev, int64_t process)
{
	struct row r = row_of(db, SQL_STREAM_PUT);
	struct value message = event_get(ev, "message");

	row_int(&r, "run_id", db->run);
	row_id(&r, "process_id", process);
	row_int(&r, "streaming", 1);
	row_value(&r, "response_body", ev,
	    message.kind == VALUE_OBJECT || message.kind == VALUE_ARRAY ? message :
	    (struct value){ 0 });
	row_keys(&r, ev);
	row_run(&r);
}

bool
http_event(struct db *db, struct event *ev, int64_t process)
{
	if (event_is(ev, "http.request"))
		half(db, SQL_REQUEST_PUT, ev, process);
	else if (event_is(ev, "http.response"))
		half(db, SQL_RESPONSE_PUT, ev, process);
	else if (event_is(ev, "sse.message"))
		stream(db, ev, process);
	else
		return false;
	return true;
}

void
http_forget_bodies(struct db *db, struct event *call)
{
	struct row r = row_of(db, SQL_BODIES_DROP);

	row_int(&r, "run_id", db->run);
	row_key(&r, "id", call, "id");
	row_run(&r);
}
