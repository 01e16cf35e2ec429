/*
 * decode.h - content decoding as the bytes arrive: gzip, deflate, br, zstd
 *
 * A chain of decoders for what Content-Encoding (RFC 9110 8.4) and
 * Transfer-Encoding list, at most DECODE_LAYERS deep. "deflate" is taken both
 * as zlib (RFC 1950) and as raw (RFC 1951); gzip may have several members,
 * zstd several frames of at most 8 MiB window (RFC 9659).
 *
 * Input is worked on in blocks that depend on the stream alone, not on how it
 * arrived, unless the caller asks for what there is (flush). So even a corrupt
 * body comes out the same however it was cut.
 */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stddef.h>

enum { DECODE_LAYERS = 4 };

enum decode_rc {
	DECODE_OK,
	DECODE_STOP,	/* the sink wants no more */
	DECODE_BAD,	/* corrupt: what came before has been given */
	DECODE_CUT,	/* decode_end: the coding's own end has not come */
	DECODE_NOMEM,
};

struct decode;

/* Takes decoded bytes; nonzero stops. */
typedef int decode_sink(void *arg, const void *p, size_t n);

/* codings: "gzip, br", in the order in which they were applied. NULL and
 * *unknown: one that we do not know or too many; NULL without: out of memory,
 * or no coding at all ("", "identity") when *none. */
struct decode *decode_new(const char *codings, size_t n, decode_sink *, void *arg,
    bool *unknown, bool *none);
void decode_free(struct decode *);

/* flush: give all that can be decoded now. After anything but DECODE_OK the
 * same is returned for ever. */
enum decode_rc decode_feed(struct decode *, const void *p, size_t n, bool flush);
enum decode_rc decode_end(struct decode *);

/* The body was not what its header said: it failed before a first byte came
 * out, within its first 4 KiB, and was given to the sink as it is. */
bool decode_is_raw(const struct decode *);

size_t decode_memory(const struct decode *);	/* bytes of memory */

#endif
