/* process.c - the parts of process that only read bytes: DNS, paths, arguments */
#include "process/args.c"
#include "process/dns.c"
#include "process/path.c"
#include "line.h"
#include "tap.h"

/* --- paths ------------------------------------------------------------------- */

static void
join(const char *base, const char *root, const char *name, const char *wanted, bool plain)
{
	char out[PATH_TEXT];
	bool got;
	size_t n = path_join(out, (struct text){ base, strlen(base) },
	    (struct text){ root, strlen(root) }, (struct text){ name, strlen(name) }, &got);

	is(out, n, wanted, name);
	ok(got == plain, plain ? "nothing is left to resolve" : "it is left to be resolved");
}

static void
test_join(void)
{
	join("", "", "", "/", true);
	join("", "", "x", "/x", true);
	join("/a/b", "", "c", "/a/b/c", true);
	join("/a/b", "", "c/d", "/a/b/c/d", false);
	join("/a/b", "", ".//./c/", "/a/b/c", true);
	join("/a/b", "", "../c", "/a/c", true);
	join("/a/b", "", "../../../c", "/c", true);
	join("/jail/a", "/jail", "../../../c", "/jail/c", true);
	join("/a", "", "l/../c", "/a/l/../c", false);
	join("/a", "", "..", "/", true);
	join("/a", "", "...", "/a/...", true);
	join("", "", "/", "/", true);
	ok(path_dir("/a/b", 4) == 2 && path_dir("/a", 2) == 0 &&
	    path_dir("", 0) == 0, "directories");
}

/* --- DNS --------------------------------------------------------------------- */

static struct dns_message m;

static const char answer[] =
    "\x12\x34\x81\x80\0\1\0\3\0\0\0\0" "\3www\7example\3com\0\0\1\0\1"
    "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\7\4host\xc0\x10"
    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
    "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1";
enum { WITHOUT_LAST = sizeof(answer) - 1 - 28 };

static void
test_dns(void)
{
	char bad[sizeof(answer)];

	ok(dns_parse(&m, answer, sizeof(answer) - 1), "an answer");
	ok(m.answer && m.id == 0x1234 && m.type == 1 && m.rcode == 0 && !m.truncated, "its header");
	is(m.name, strlen(m.name), "www.example.com", "the name asked for");
	ok(m.naddresses == 2 && m.addresses[0].len == 4 && m.addresses[1].len == 16 &&
	    memcmp(m.addresses[0].bytes, "\xc0\0\2\1", 4) == 0, "addresses");
	ok(m.naliases == 1, "an alias");
	is(m.aliases[0], strlen(m.aliases[0]), "host.example.com", "and its name, compressed");
	ok(dns_parse(&m, answer, WITHOUT_LAST + 5) &&
	    m.naddresses == 1, "a cut answer keeps what is whole");
	for (size_t n = 0; n < 12 + 17 + 4; n++)
		if (dns_parse(&m, answer, n)) {
			ok(false, "a piece of a question is no message");
			return;
		}
	ok(true, "less than a question is no message");
	memcpy(bad, answer, sizeof(bad));
	bad[12] = '\xc0';
	bad[13] = 12;
	ok(!dns_parse(&m, bad, sizeof(bad) - 1), "a name that points to itself");
	memcpy(bad, answer, sizeof(bad));
	bad[5] = 2;
	ok(!dns_parse(&m, bad, sizeof(bad) - 1), "two questions");
	memcpy(bad, answer, sizeof(bad));
	bad[13] = '.';
	bad[14] = '\0';
	ok(dns_parse(&m, bad, sizeof(bad) - 1), "odd bytes in a name");
	is(m.name, strlen(m.name), "\\.\\000w.example.com", "are escaped");
	is(dns_type_name(28), 4, "AAAA", "a type");
	ok(!dns_type_name(999) && !dns_rcode_name(11), "types and codes without a name");
	is(dns_rcode_name(3), 8, "NXDOMAIN", "a code");
}

/* --- arguments --------------------------------------------------------------- */

static void
args(const char *p, size_t n, const char *wanted)
{
	struct line_out out;
	struct jput j;

	line_out_init(&out, -1);
	jput_open(&j, &out, "t");
	args_put(&j, p, n);
	is(out.buf + strlen("{\"type\":\"t\","), out.len - strlen("{\"type\":\"t\","), wanted,
	    wanted);
	out.len = 0;
	line_out_free(&out);
}

static void
test_args(void)
{
	args("a\0b c\0\0\"\0", 9, "\"argv\":[\"a\",\"b c\",\"\",\"\\\"\"]");
	args("a\0b", 3, "\"argv\":[\"a\",\"b\"]");
	args("", 0, "\"argv\":[]");
	args("\xff\0fine\0\0", 8, "\"argv_b64\":[\"/w==\",\"ZmluZQ==\",\"\"]");
	/* half a character at the end of one is no half of the next */
	args("\xc3\0\xbc\0", 4, "\"argv_b64\":[\"ww==\",\"vA==\"]");
}

int
main(void)
{
	test_join();
	test_dns();
	test_args();
	return done();
}
