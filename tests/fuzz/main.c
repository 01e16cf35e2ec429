/*
 * main.c - runs a fuzz target without a fuzzer: its corpus, and mutations of it
 *
 * usage: TARGET [-n MUTATIONS] [FILE|DIRECTORY]...
 * Deterministic, so that `make test` finds the same today and tomorrow.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct {
	uint64_t rnd;
	long mutations, inputs, runs;
} self = { .rnd = 88172645463325252u, .mutations = 2000 };

static uint32_t
rnd(uint32_t below)
{
	self.rnd ^= self.rnd << 13;
	self.rnd ^= self.rnd >> 7;
	self.rnd ^= self.rnd << 17;
	return (uint32_t)(self.rnd >> 16) % below;
}

/* Exact-size copy, so that a read past the end is caught. */
static void
run(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	self.runs++;
}

static size_t
mutate(uint8_t *p, size_t n, size_t cap)
{
	static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, '"', '\\', '{', '}', '[', ']', ',',
	    ':', '\n', '\r', '0' };
	size_t at = n ? rnd(n) : 0, len;

	switch (rnd(6)) {
	case 0:
		if (n)
			p[at] ^= 1 << rnd(8);
		break;
	case 1:
		if (n)
			p[at] = odd[rnd(sizeof(odd))];
		break;
	case 2:		/* cut out */
		len = n - at ? rnd(n - at) : 0;
		memmove(p + at, p + at + len, n - at - len);
		n -= len;
		break;
	case 3:		/* say twice */
		len = n - at ? rnd(n - at < 64 ? n - at : 64) : 0;
		if (n + len <= cap) {
			memmove(p + at + len, p + at, n - at);
			n += len;
		}
		break;
	case 4:
		n = at;
		break;
	case 5:
		if (n < cap) {
			memmove(p + at + 1, p + at, n - at);
			p[at] = odd[rnd(sizeof(odd))];
			n++;
		}
	}
	return n;
}

static void
file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *orig, *p;
	struct stat st;
	size_t n, cap;

	if (!f || fstat(fileno(f), &st)) {
		perror(path);
		exit(2);
	}
	n = st.st_size;
	cap = n + 256;
	orig = malloc(cap);
	p = malloc(cap);
	n = fread(orig, 1, n, f);
	fclose(f);
	self.inputs++;
	run(orig, n);
	for (long i = 0; i < self.mutations; i++) {
		size_t k = n;

		memcpy(p, orig, n);
		for (uint32_t m = 1 + rnd(4); m; m--)
			k = mutate(p, k, cap);
		run(p, k);
	}
	free(orig);
	free(p);
}

static void
path(const char *name)
{
	struct dirent **e;
	struct stat st;
	int n;

	if (stat(name, &st) || !S_ISDIR(st.st_mode)) {
		file(name);
		return;
	}
	n = scandir(name, &e, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char sub[4096];

		if (e[i]->d_name[0] != '.') {
			snprintf(sub, sizeof(sub), "%s/%s", name, e[i]->d_name);
			path(sub);
		}
		free(e[i]);
	}
	free(e);
}

int
main(int argc, char **argv)
{
	int i = 1;

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		self.mutations = atol(argv[2]);
		i = 3;
	}
	for (; i < argc; i++)
		path(argv[i]);
	printf("%ld inputs, %ld runs\n", self.inputs, self.runs);
	return self.inputs ? 0 : 2;
}
