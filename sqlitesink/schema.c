/* schema.c - see schema.h; the text is sqlitesink/schema.sql as it was when this was built */
#include "schema.h"

__asm__(
    ".section .rodata\n"
    "schema_1:\n"
    ".incbin \"sqlitesink/schema.sql\"\n"
    ".byte 0\n"
    ".previous\n");

extern const char schema_1[];

const char *const schema_step[SCHEMA_VERSION] = { schema_1 };
