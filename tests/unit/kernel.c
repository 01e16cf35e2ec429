/* kernel.c - names among the strings of the kernel's BTF */
#include "lib/kernel.c"
#include "tap.h"

int
main(void)
{
	static const char strings[] = "\0int\0tracepoint_ext\0faultable\0last";

	ok(has_name(strings, sizeof(strings), "tracepoint_ext"), "a name is found");
	ok(has_name(strings, sizeof(strings), "last"), "the last one, too");
	ok(!has_name(strings, sizeof(strings) - 1, "last"), "but not when its end is missing");
	ok(!has_name(strings, sizeof(strings), "point_ext"), "the end of a name is none");
	ok(!has_name(strings, sizeof(strings), "tracepoint"), "nor is its beginning");
	ok(!has_name(strings, 0, "int"), "nothing is in no strings");
	return done();
}
