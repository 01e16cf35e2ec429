/*
 * wire.h - writes OTLP messages, as protobuf or as JSON, through one set of calls
 *
 * The two encodings of OTLP 1.9 (docs/specification.md of opentelemetry-proto)
 * hold the same fields: by number in protobuf, by lowerCamelCase name in JSON,
 * where 64-bit integers are decimal strings and trace and span ids are hex.
 * Protobuf is written here and not by a library: OTLP needs five wire types
 * of it and no reading, and spans are written once, straight into their batch;
 * libprotobuf-c would build a tree of each span first, and JSON would still be
 * to be written.
 *
 * Errors (out of memory) stay in the line_out.
 */
#ifndef OTEL_WIRE_H
#define OTEL_WIRE_H

#include "lib/jput.h"
#include "lib/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field of a message: its number in the .proto file and its JSON name. */
struct field {
	unsigned char number;
	const char *name;
};

enum { WIRE_DEPTH = 96 };

struct wire {
	struct line_out *out;
	bool json;
	struct jput j;
	int depth;
	struct { size_t start; bool list; } at[WIRE_DEPTH];
};

/* Writes behind what out holds. comma: in JSON, whether an element is there. */
void wire_init(struct wire *, struct line_out *out, bool json, bool comma);

/* A nested message, as the value of a field or as an element of a list. */
void wire_open(struct wire *, struct field);
void wire_close(struct wire *);
/* A repeated field; its elements are written with the same field. */
void wire_list(struct wire *, struct field);
void wire_list_end(struct wire *);

void wire_str(struct wire *, struct field, const void *p, size_t n);	/* UTF-8 */
void wire_id(struct wire *, struct field, const unsigned char *p, size_t n);
void wire_enum(struct wire *, struct field, uint32_t);		/* uint32 and enums */
void wire_bool(struct wire *, struct field, bool);
void wire_int(struct wire *, struct field, int64_t);		/* int64: varint */
void wire_sfixed64(struct wire *, struct field, int64_t);
void wire_fixed64(struct wire *, struct field, uint64_t);	/* times and counts */
void wire_fixed32(struct wire *, struct field, uint32_t);
void wire_double(struct wire *, struct field, double);
/* Packed repeated fields. */
void wire_fixed64s(struct wire *, struct field, const uint64_t *, size_t n);
void wire_doubles(struct wire *, struct field, const double *, size_t n);

/* For whole messages that are encoded already: the head of a message of n
 * bytes, protobuf only. */
void wire_head(struct wire *, struct field, size_t n);
size_t wire_head_size(struct field, size_t n);

#endif
