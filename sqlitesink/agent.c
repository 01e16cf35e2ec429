/* agent.c - see agent.h */
#include "agent.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Programs, and the packages they come in. */
static const struct { const char *part, *name; } packages[] = {
	{ "@anthropic-ai/claude-code", "claude" }, { "@openai/codex", "codex" },
	{ "@google/gemini-cli", "gemini" },
	{ "@github/copilot", "copilot" }, { "@sourcegraph/amp", "amp" },
	{ "@qwen-code/qwen-code", "qwen" },
	{ "@augmentcode/auggie", "auggie" }, { "@mariozechner/pi-coding-agent", "pi" },
	{ "opencode-ai", "opencode" },
	{ "aider", "aider" },
};
static const char *const programs[] = {
	"aider", "amp", "auggie", "claude", "cline", "codex", "copilot", "crush", "cursor-agent",
	"droid", "gemini", "goose",
	"kimi", "openclaw", "opencode", "openhands", "pi", "qwen",
};
static const char *const runtimes[] = {
	"node", "nodejs", "MainThread", "bun", "deno", "python", "pypy", "ruby", "java", "perl",
	"php", "electron", "tsx",
	"ts-node", "npx", "uv", "uvx", "pipx", "sh", "bash", "dash", "env", "npm",
};

static bool
is_runtime(const char *p, size_t n)
{
	for (size_t i = 0; i < COUNT(runtimes); i++) {
		size_t m = strlen(runtimes[i]);

		if (n < m || strncasecmp(p, runtimes[i], m))
			continue;
		while (m < n && (isdigit((unsigned char)p[m]) || p[m] == '.' || p[m] == ' '))
			m++;	/* python3.11, Python 3.11 */
		if (m == n)
			return true;
	}
	return false;
}

bool
agent_is_process(const char *name, size_t n, const char *comm, size_t commlen)
{
	return is_runtime(name, n) || (n == commlen && !memcmp(name, comm, n));
}

static const char *
behind_slash(const char *path)
{
	const char *at = strrchr(path, '/');

	return at ? at + 1 : path;
}

/* A program that is known: its name, or that and what it was built for (codex-x86_64-...). */
static const char *
known_program(const char *name)
{
	for (size_t i = 0; i < COUNT(programs); i++) {
		size_t n = strlen(programs[i]);

		if (!strncmp(name, programs[i], n) &&
		    (!name[n] || !strncmp(name + n, "-x86_64", 7) ||
		    !strncmp(name + n, "-aarch64", 8) || !strncmp(name + n, "-linux", 6) ||
		    name[n] == '.'))
			return programs[i];
	}
	return NULL;
}

static const char *
known_package(const char *path)
{
	for (size_t i = 0; i < COUNT(packages); i++) {
		const char *at = strstr(path, packages[i].part);
		size_t n = strlen(packages[i].part);

		if (at && at > path && at[-1] == '/' && (at[n] == '/' || !at[n]))
			return packages[i].name;
	}
	return NULL;
}

/* The name of a script without its ending; of index.js, cli.mjs and the like, and in bin or dist,
 * the folder's. */
static bool
script_name(const char *path, char *to, size_t size)
{
	static const char *const empty[] = { "index", "cli", "main", "__main__", "bin", "dist",
	    "src", "build", "lib", "run",
		"start", "app" };
	const char *end = path + strlen(path);

	while (end > path) {
		const char *from = end;
		size_t n;
		bool says = true;

		while (from > path && from[-1] != '/')
			from--;
		for (n = 0; from + n < end && (from[n] != '.' || n == 0); n++)
			;
		for (size_t i = 0; i < COUNT(empty); i++)
			says &= n != strlen(empty[i]) || strncasecmp(from, empty[i], n);
		if (says && n) {
			snprintf(to, size, "%.*s", (int)n, from);
			return true;
		}
		for (end = from; end > path && end[-1] == '/'; end--)
			;
	}
	return false;
}

static bool
set(const char *name, char *to, size_t size)
{
	if (name)
		snprintf(to, size, "%s", name);
	return name != NULL;
}

bool
agent_name(const char *file, const char *const *words, size_t n, char *to, size_t size)
{
	const char *base = behind_slash(file);
	size_t i = 1;

	if (set(known_program(base), to, size) || set(known_package(file), to, size) ||
	    (n && set(known_program(behind_slash(words[0])), to, size)))
		return true;
	if (!is_runtime(base, strlen(base)))
		return set(*base ? base : NULL, to, size);
	for (; i < n && (words[i][0] == '-' || !strcmp(words[i], "run")); i++)
		if ((!strcmp(words[i], "-m") || !strcmp(words[i], "-e") ||
		    !strcmp(words[i], "-c")) && ++i < n)
			return words[i - 1][1] == 'm' && set(words[i], to, size);
	if (i >= n)
		return false;
	if (set(known_package(words[i]), to, size) ||
	    set(known_program(behind_slash(words[i])), to, size))
		return true;
	return script_name(words[i], to, size);
}
