/* schema.c - see schema.h; the texts are the .sql files, and docs/losses.md, as they were
 * when this was built */
#include "schema.h"

#define TEXT(symbol, file) \
	__asm__( \
	    ".section .rodata\n" \
	    #symbol ":\n" \
	    ".incbin \"" file "\"\n" \
	    ".byte 0\n" \
	    ".previous\n"); \
	extern const char symbol[]

TEXT(schema_1, "sqlitesink/schema.sql");
TEXT(schema_2, "sqlitesink/schema2.sql");
TEXT(schema_3, "sqlitesink/schema3.sql");
TEXT(schema_words, REASONS_FILE);

const char *const schema_step[SCHEMA_VERSION] = { schema_1, schema_2, schema_3 };

const char *
schema_reasons(void)
{
	return schema_words;
}
