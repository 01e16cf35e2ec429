/*
 * openssl.h - where to probe a file that has OpenSSL's functions as symbols
 */
#ifndef OPENSSL_H
#define OPENSSL_H

#include <stdbool.h>

struct sites;

/* Finds the sites in an ELF file: a libssl of OpenSSL, LibreSSL or BoringSSL, or a
 * program that exports its own. NULL, or why there are none (static text). */
const char *openssl_sites(int fd, bool handshake, struct sites *);

#endif
