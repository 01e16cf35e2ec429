/*
 * door.h - connections of whom nothing is known yet
 *
 * Whoever reaches the port can open connections and say nothing, or a byte now and
 * then. Until one has shown the token it is a stranger: there are at most
 * DOOR_STRANGERS of them, the oldest goes when one more comes, and none stays longer
 * than DOOR_MS. So there is always room for the owner, whose request comes at once.
 */
#ifndef DOOR_H
#define DOOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { DOOR_STRANGERS = 64, DOOR_MS = 10000 };

struct door_guest;

struct door {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	pthread_t thread;
	bool running, stop;
	struct door_guest *first;	/* strangers, the oldest first */
	unsigned strangers;
};

/* Starts the thread that ends those who stay too long. 0, or an error number. */
int door_open(struct door *);
/* After the last connection has gone. */
void door_close(struct door *);

/* A connection begins, fd its socket, which stays open until door_leave. To be handed to
 * the other two; NULL: no memory, and it must be refused. */
struct door_guest *door_enter(struct door *, int fd);
/* It has shown the token. */
void door_know(struct door *, struct door_guest *);
/* It ends. */
void door_leave(struct door *, struct door_guest *);

#endif
