/* door.c - see door.h */
#include "door.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct door_guest {
	struct door_guest *next, **at;	/* at: NULL when it is no stranger (any more) */
	uint64_t until_ms;
	int fd;
};

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static void
unlink_guest(struct door *d, struct door_guest *g)
{
	if (!g->at)
		return;
	*g->at = g->next;
	if (g->next)
		g->next->at = g->at;
	g->at = NULL;
	d->strangers--;
}

/* Its thread finds the connection ended, and closes it. */
static void
turn_out(struct door *d, struct door_guest *g)
{
	unlink_guest(d, g);
	shutdown(g->fd, SHUT_RDWR);
}

static void *
watch(void *arg)
{
	struct door *d = arg;

	pthread_mutex_lock(&d->lock);
	while (!d->stop) {
		uint64_t now = now_ms();
		struct timespec t;

		while (d->first && d->first->until_ms <= now)
			turn_out(d, d->first);
		if (!d->first) {
			pthread_cond_wait(&d->moved, &d->lock);
			continue;
		}
		t = (struct timespec){ d->first->until_ms / 1000,
		    d->first->until_ms % 1000 * 1000000 };
		pthread_cond_timedwait(&d->moved, &d->lock, &t);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

int
door_open(struct door *d)
{
	pthread_condattr_t attr;
	int rc;

	*d = (struct door){ 0 };
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->moved, &attr);
	pthread_condattr_destroy(&attr);
	rc = pthread_create(&d->thread, NULL, watch, d);
	d->running = !rc;
	return rc;
}

void
door_close(struct door *d)
{
	if (!d->running)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->moved);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	pthread_cond_destroy(&d->moved);
	pthread_mutex_destroy(&d->lock);
	d->running = false;
}

struct door_guest *
door_enter(struct door *d, int fd)
{
	struct door_guest *g = calloc(1, sizeof(*g)), **end;

	if (!g)
		return NULL;
	g->fd = fd;
	g->until_ms = now_ms() + DOOR_MS;
	pthread_mutex_lock(&d->lock);
	if (d->strangers == DOOR_STRANGERS)
		turn_out(d, d->first);
	for (end = &d->first; *end; end = &(*end)->next)
		;
	*end = g;
	g->at = end;
	d->strangers++;
	pthread_cond_signal(&d->moved);
	pthread_mutex_unlock(&d->lock);
	return g;
}

void
door_know(struct door *d, struct door_guest *g)
{
	pthread_mutex_lock(&d->lock);
	if (g)
		unlink_guest(d, g);
	pthread_mutex_unlock(&d->lock);
}

void
door_leave(struct door *d, struct door_guest *g)
{
	door_know(d, g);
	free(g);
}
