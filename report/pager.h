/*
 * pager.h - long output of a terminal, through the user's pager
 *
 * As git does: $AGENTSIGHT_PAGER, else $PAGER, else less; none when that is empty or
 * "cat". Options of less that keep colours and leave short output alone are given in
 * $LESS, unless it is set.
 */
#ifndef PAGER_H
#define PAGER_H

/* From now on standard output is the pager's, when there is one. */
void pager_start(void);
/* Ends the output and waits until the user has left the pager. */
void pager_end(void);

#endif
