/*
 * prompt.h - what users asked: the prompts of a call, and which of them it works on
 */
#ifndef SQLITESINK_PROMPT_H
#define SQLITESINK_PROMPT_H

#include "sqlitesink/call.h"
#include "sqlitesink/typed.h"

/* Stores what is new in its chain of messages, and gives the call, whose row is there, and
 * those behind it that came before, their prompt. */
void prompts_of(struct call *);

#endif
