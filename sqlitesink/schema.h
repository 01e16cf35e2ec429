/*
 * schema.h - the schema of the database, by version
 */
#ifndef SQLITESINK_SCHEMA_H
#define SQLITESINK_SCHEMA_H

#define SCHEMA_APPLICATION 0x61677374	/* "agst", PRAGMA application_id */
#define SCHEMA_VERSION 3		/* PRAGMA user_version of what we write */

/* schema_step[n] makes version n + 1 of version n; 0 is an empty database. */
extern const char *const schema_step[SCHEMA_VERSION];

/* Fills the table reasons anew, whatever version wrote it before. */
const char *schema_reasons(void);

#endif
