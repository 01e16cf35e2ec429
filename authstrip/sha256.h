/*
 * sha256.h - SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104)
 */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t h[8];
	uint64_t n;
	uint8_t block[64];
};

void sha256_init(struct sha256 *);
void sha256_add(struct sha256 *, const void *, size_t);
void sha256_end(struct sha256 *, uint8_t out[32]);

void sha256_hmac(const void *key, size_t keylen, const void *, size_t, uint8_t out[32]);

#endif
