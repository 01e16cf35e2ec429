/*
 * jput.h - writes one JSON object straight into the output, no heap per event
 *
 * Errors (out of memory, failed write) stay in the line_out; nothing here needs
 * to be checked call by call. Keys are C strings that need no escaping.
 */
#ifndef JPUT_H
#define JPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct json_t;
struct line_out;
struct value;

struct jput {
	struct line_out *out;
	bool comma;
};

/* Begins a line {"type":"TYPE". */
void jput_open(struct jput *, struct line_out *, const char *type);
/* Ends the object and the line. */
void jput_close(struct jput *);

/* The envelope of design.md section 3, as a collector knows it. comm is the
 * process's name and thread the calling thread's, written when they differ. */
struct envelope {
	uint64_t timestamp_ns;	/* Unix epoch */
	uint32_t pid, tid, uid;
	char comm[16], thread[16];	/* NUL-padded, any bytes */
	uint32_t ns_pid;	/* 0: not in a container */
	const char *container_id;	/* NULL: none */
};
void jput_envelope(struct jput *, const struct envelope *);

/* The envelope of an event that a filter derives from another: timestamp_ns
 * as given (0: the event's own), everything else copied. */
void jput_inherit(struct jput *, const struct event *from, uint64_t timestamp_ns);

/* A key of another event, copied as it stands; nothing when absent. */
void jput_copy(struct jput *, const struct event *from, const char *key);

/* Bytes: KEY as text when they are valid UTF-8, else KEY_b64. In an array, which
 * has no key to say so, the caller checks with utf8_valid and names the array. */
void jput_bytes(struct jput *, const char *key, const void *p, size_t n);
/* Bytes as base64 whatever they are; key names them so itself. */
void jput_base64(struct jput *, const char *key, const void *p, size_t n);
void jput_str(struct jput *, const char *key, const char *s);	/* jput_bytes of a C string */
void jput_int(struct jput *, const char *key, int64_t);
void jput_uint(struct jput *, const char *key, uint64_t);
void jput_bool(struct jput *, const char *key, bool);
void jput_real(struct jput *, const char *key, double);	/* shortest text that reads back; finite */
/* nanoseconds, written as ms with 3 decimals */
void jput_ms(struct jput *, const char *key, uint64_t ns);
void jput_value(struct jput *, const char *key, struct value);	/* JSON text as it stands */
void jput_raw(struct jput *, const char *key, const char *json, size_t n);
/* a jansson value, compact */
void jput_json(struct jput *, const char *key, const struct json_t *);

/* Nested: key is NULL inside an array. Every open needs its end. */
void jput_object(struct jput *, const char *key);
void jput_object_end(struct jput *);
void jput_array(struct jput *, const char *key);
void jput_array_end(struct jput *);

/* As the above for keys that are any bytes (header names): escaped; bytes that
 * are not UTF-8 become U+FFFD. */
void jput_bytes_key(struct jput *, const void *key, size_t keylen, const void *p, size_t n);
void jput_array_key(struct jput *, const void *key, size_t keylen);

/* How many bytes at the start of p[0..n) are valid UTF-8 (RFC 3629); n when all. */
size_t utf8_valid(const void *p, size_t n);

#endif
