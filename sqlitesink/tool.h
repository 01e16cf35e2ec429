/*
 * tool.h - the tools that a call asks for, and the results that it carries
 *
 * A tool call is the same when it has the vendor's id within a conversation, else (Gemini
 * gives none) the name and the place among those of this name that a call asked for. A
 * result that is sent again, for the call failed, is no other one; a call whose line comes
 * behind its result's finds the row that this made.
 */
#ifndef SQLITESINK_TOOL_H
#define SQLITESINK_TOOL_H

#include "sqlitesink/call.h"

/* Returns whether there are any: asked for, or results. */
bool tools_of(struct call *);

#endif
