/* http.c - see http.h */
#include "http.h"

static void
put_place(struct row *r, struct event *ev, int64_t process)
{
	row_int(r, r->db->run);
	row_id(r, process);
	row_key(r, ev, "id");
	row_int(r, event_time(ev));
	row_key(r, ev, "method");
	row_key_bytes(r, ev, "host");
	row_key_bytes(r, ev, "path");
}

static void
request(struct db *db, struct event *ev, int64_t process)
{
	struct row r = row_of(db, SQL_REQUEST_PUT);

	put_place(&r, ev, process);
	row_key(&r, ev, "protocol");
	row_key(&r, ev, "headers");
	row_key(&r, ev, "body_len");
	row_key_bytes(&r, ev, "body");
	row_key(&r, ev, "incomplete");
	row_run(&r);
}

static void
response(struct db *db, struct event *ev, int64_t process)
{
	struct row r = row_of(db, SQL_RESPONSE_PUT);

	put_place(&r, ev, process);
	row_key(&r, ev, "protocol");
	row_key(&r, ev, "status_code");
	row_key_bytes(&r, ev, "status_text");
	row_key(&r, ev, "headers");
	row_key(&r, ev, "body_len");
	row_key_bytes(&r, ev, "body");
	row_key_flag(&r, ev, "streaming");
	row_key(&r, ev, "ttfb_ms");
	row_key(&r, ev, "duration_ms");
	row_key(&r, ev, "incomplete");
	row_run(&r);
}

/* The body of a stream is the message that it comes to; of one that is not known,
 * the list of its events. */
static void
stream(struct db *db, struct event *ev, int64_t process)
{
	struct row r = row_of(db, SQL_STREAM_PUT);
	struct value message = event_get(ev, "message");

	put_place(&r, ev, process);
	row_key(&r, ev, "status_code");
	row_value(&r, ev, message.kind == VALUE_OBJECT || message.kind == VALUE_ARRAY ? message : (struct value){ 0 });
	row_run(&r);
}

bool
http_event(struct db *db, struct event *ev, int64_t process)
{
	if (event_is(ev, "http.request"))
		request(db, ev, process);
	else if (event_is(ev, "http.response"))
		response(db, ev, process);
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

	row_int(&r, db->run);
	row_key(&r, call, "id");
	row_run(&r);
}
