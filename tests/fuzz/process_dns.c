/* process_dns.c - any DNS message: bounds, and names that are printable text */
#include "process/dns.c"
#include <stdlib.h>

static void
check_name(const char *name)
{
	size_t n = strnlen(name, DNS_NAME);

	if (n == 0 || n == DNS_NAME)
		abort();
	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] > '~')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct dns_message m;

	if (!dns_parse(&m, p, n))
		return 0;
	check_name(m.name);
	if (m.naddresses > DNS_ADDRESSES || m.naliases > DNS_ALIASES)
		abort();
	for (size_t i = 0; i < m.naliases; i++)
		check_name(m.aliases[i]);
	for (size_t i = 0; i < m.naddresses; i++)
		if (m.addresses[i].len != 4 && m.addresses[i].len != 16)
			abort();
	return 0;
}
