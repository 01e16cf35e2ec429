/* page.c - the page, and the page with data in it; see page.h */
#include "page.h"

#include "recent.h"
#include "recorded.h"

#include "jput.h"
#include "line.h"

#include <string.h>

/* build/ui/page.html and page.csp, by way of the assembler. */
__asm__(
	"	.section .rodata\n"
	"page_start:\n"
	"	.incbin \"" PAGE_FILE ".html\"\n"
	"page_end:\n"
	"	.byte 0\n"
	"page_csp_start:\n"
	"	.incbin \"" PAGE_FILE ".csp\"\n"
	"	.byte 0\n"
	"	.previous\n"
);
extern const char page_start[], page_end[], page_csp_start[];

/* Where the lines go; nothing else of the page has this text. */
static const char place[] = "<!--EVENTS-->";

const char *
page_text(size_t *n)
{
	*n = page_end - page_start;
	return page_start;
}

const char *
page_csp(void)
{
	return page_csp_start;
}

/* A line within a script element that is data: "<" begins neither its end nor a
 * comment (HTML standard, 13.2.5.4), for it is written as JSON allows. Only
 * strings hold one. */
static void
write_line(FILE *to, const char *s, size_t n)
{
	const char *p, *end = s + n;

	while ((p = memchr(s, '<', end - s))) {
		fwrite(s, 1, p - s, to);
		fputs("\\u003c", to);
		s = p + 1;
	}
	fwrite(s, 1, end - s, to);
	putc('\n', to);
}

/* Lines that are no JSON could hold anything, and are no events: input has
 * been scanned before it came here. */
static void
write_lines(FILE *to, struct recent *r)
{
	struct recent_line *l;
	uint64_t id = 1;

	for (; (l = recent_get(r, &id)); id++) {
		if (l->preview_n)
			write_line(to, l->text + l->n, l->preview_n);
		else
			write_line(to, l->text, l->n);
		recent_release(l);
	}
}

/* What tokens cost, as JSON. */
static void
write_prices(FILE *to)
{
	struct line_out out;
	struct jput j = { .out = &out };

	line_out_init(&out, -1);
	recorded_prices(&j, NULL);
	fputs("<script type=\"application/json\" id=\"prices\">", to);
	write_line(to, out.buf, out.len);
	fputs("</script>\n", to);
	line_out_free(&out);
}

int
page_write(FILE *to, struct recent *r, const char *source)
{
	const char *at = memmem(page_start, page_end - page_start, place, sizeof(place) - 1);

	if (!at)
		at = page_end;
	fwrite(page_start, 1, at - page_start, to);
	write_prices(to);
	fputs("<script type=\"application/x-ndjson\" id=\"events\" data-source=\"", to);
	for (; *source; source++)
		fprintf(to, strchr("<>&\"'", *source) ? "&#%d;" : "%c", *source);
	fputs("\">\n", to);
	write_lines(to, r);
	fputs("</script>", to);
	if (at < page_end)
		fwrite(at + sizeof(place) - 1, 1, page_end - at - (sizeof(place) - 1), to);
	return fflush(to) || ferror(to) ? -1 : 0;
}
