/* messages.c - messages in the shape of the GenAI schemas; see messages.h */
#include "vendor/messages.h"

#include "lib/lenient.h"
#include "vendor/vendor.h"

#include <stdlib.h>

enum { DEEP = 1500 };	/* of the 2048 levels that a line may have */

/* --- JSON text ---------------------------------------------------------------- */

/* Whether the text nests deeper than DEEP. */
static bool
too_deep(struct value v)
{
	const char *p = v.p, *end = v.p + v.n;
	unsigned depth = 0;
	bool string = false;

	if (v.kind < VALUE_ARRAY || v.n < 2 * DEEP)
		return false;
	for (; p < end; p++) {
		if (string) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				string = false;
		} else if (*p == '"') {
			string = true;
		} else if (*p == '{' || *p == '[') {
			if (++depth > DEEP)
				return true;
		} else if (*p == '}' || *p == ']') {
			depth--;
		}
	}
	return false;
}

/* Copies without the white space between tokens. */
static void
put_compact(struct jput *j, const char *key, struct value v)
{
	const char *p = v.p, *end = v.p + v.n;
	char *to = malloc(v.n), *d = to;
	bool string = false;

	if (!to) {
		jput_raw(j, key, "null", 4);
		return;
	}
	for (; p < end; p++) {
		if (string) {
			if (*p == '\\')
				*d++ = *p++;
			else if (*p == '"')
				string = false;
		} else if (*p == '"') {
			string = true;
		} else if (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
			continue;
		}
		*d++ = *p;
	}
	jput_raw(j, key, to, d - to);
	free(to);
}

void
put_json(struct jput *j, const char *key, struct value v)
{
	if (too_deep(v))
		jput_bytes(j, key, v.p, v.n);
	else if (v.kind >= VALUE_ARRAY && (memchr(v.p, '\n', v.n) || memchr(v.p, '\r', v.n)))
		put_compact(j, key, v);
	else
		jput_value(j, key, v);
}

/* --- sections ------------------------------------------------------------------- */

void
section_init(struct section *s)
{
	*s = (struct section){ 0 };
	line_out_init(&s->out, -1);
}

void
section_free(struct section *s)
{
	line_out_free(&s->out);
}

void
section_begin(struct section *s)
{
	s->out.len = 0;
	s->count = 0;
	s->j = (struct jput){ &s->out, false };
	jput_array(&s->j, NULL);
}

void
section_end(struct section *s)
{
	jput_array_end(&s->j);
}

void
section_put(const struct section *s, struct jput *j, const char *key)
{
	if (s->count)
		jput_raw(j, key, s->out.buf, s->out.len);
}

/* --- messages ------------------------------------------------------------------- */

/* name, or the value */
static void
open_as(struct messages *m, const char *name, struct value role)
{
	if (!m->list)
		return;
	m->list->count++;
	jput_object(&m->list->j, NULL);
	if (name)
		jput_str(&m->list->j, "role", name);
	else
		jput_value(&m->list->j, "role", role);
	jput_array(&m->list->j, "parts");
}

void
message_open(struct messages *m, const char *role)
{
	open_as(m, role, (struct value){ 0 });
}

void
message_open_value(struct messages *m, struct value role)
{
	const char *name = vendor_role(role);

	open_as(m, name || role.kind == VALUE_STRING ? name : "user", role);
}

void
message_close(struct messages *m, const char *finish)
{
	if (!m->list)
		return;
	jput_array_end(&m->list->j);
	if (finish)
		jput_str(&m->list->j, "finish_reason", finish);
	jput_object_end(&m->list->j);
}

/* --- parts ---------------------------------------------------------------------- */

static struct jput *
part_open(struct messages *m, const char *type)
{
	struct jput *j = &m->list->j;

	jput_object(j, NULL);
	jput_str(j, "type", type);
	return j;
}

static void
part_simple(struct messages *m, const char *type, struct value text)
{
	struct jput *j;

	if (!m->list || !is_given(text))
		return;
	j = part_open(m, type);
	put_json(j, "content", text);
	jput_object_end(j);
}

void
part_text(struct messages *m, struct value text)
{
	if (is_text(text))
		m->last = text;
	part_simple(m, "text", text);
}

void
part_reasoning(struct messages *m, struct value text)
{
	if (is_text(text))
		part_simple(m, "reasoning", text);
}

void
part_refusal(struct messages *m, struct value text)
{
	if (is_text(text))
		part_simple(m, "refusal", text);
}

/* Arguments are an object, or a string that holds one. */
static struct value
arguments_open(struct messages *m, struct value v)
{
	struct value inner;
	const char *p;
	size_t n;

	if (v.kind != VALUE_STRING || !(p = value_str(&m->ev->arena, v, &n)) || !n)
		return v;
	inner = lenient_scan(m->ev, p, n, &m->lenient);
	return inner.kind >= VALUE_ARRAY ? inner : v;
}

static void
put_given(struct jput *j, const char *key, struct value v)
{
	if (is_given(v))
		put_json(j, key, v);
}

static void
call_put(struct jput *j, struct value id, struct value name, struct value arguments)
{
	if (is_text(id))
		jput_value(j, "id", id);
	if (name.kind == VALUE_STRING)
		jput_value(j, "name", name);
	else
		jput_str(j, "name", "");
	put_given(j, "arguments", arguments);
	jput_object_end(j);
}

void
part_call(struct messages *m, struct value id, struct value name, struct value arguments)
{
	if (m->call)
		m->call(m->arg, id, name);
	if (m->list || m->calls)
		arguments = arguments_open(m, arguments);
	if (m->list)
		call_put(part_open(m, "tool_call"), id, name, arguments);
	if (m->calls) {
		m->calls->count++;
		jput_object(&m->calls->j, NULL);
		call_put(&m->calls->j, id, name, m->content ? arguments : (struct value){ 0 });
	}
}

/* The only text of a list of blocks, without the list. */
struct value
sole_text(struct value v)
{
	struct value_iter it;
	struct value k, block, second, text;

	if (v.kind != VALUE_ARRAY)
		return v;
	value_iter(&it, v);
	if (!value_next(&it, &k, &block) || value_next(&it, &k, &second))
		return v;
	text = value_get(block, "text");
	return text.kind == VALUE_STRING ? text : v;
}

void
part_result(struct messages *m, struct value id, struct value name, struct value response,
    bool error)
{
	struct jput *j;

	response = sole_text(response);
	if (is_text(response))
		m->last = response;
	if (m->list) {
		j = part_open(m, "tool_call_response");
		if (is_text(id))
			jput_value(j, "id", id);
		if (is_given(response))
			put_json(j, "response", response);
		else
			jput_str(j, "response", "");
		jput_object_end(j);
	}
	if (!m->results)
		return;
	m->results->count++;
	j = &m->results->j;
	jput_object(j, NULL);
	if (is_text(id))
		jput_value(j, "id", id);
	if (m->known)
		m->known(m->arg, j, id, name);
	else if (is_text(name))
		jput_value(j, "name", name);
	if (m->content)
		put_given(j, "response", response);
	if (error)
		jput_bool(j, "is_error", true);
	jput_object_end(j);
}

/* {"type":NAME, and what the vendor says}. The schema wants a type inside. */
static void
put_inside(struct jput *j, const char *key, const char *type, struct value what)
{
	struct value_iter it;
	struct value k, v;

	jput_object(j, key);
	if (value_get(what, "type").kind != VALUE_STRING)
		jput_str(j, "type", type);
	value_iter(&it, what);
	while (what.kind == VALUE_OBJECT && value_next(&it, &k, &v)) {
		char name[128];

		if (k.n > sizeof(name) || k.escaped ||
		    (value_eq(k, "type") && v.kind != VALUE_STRING))
			continue;
		memcpy(name, k.p + 1, k.n - 2);
		name[k.n - 2] = '\0';
		put_json(j, name, v);
	}
	jput_object_end(j);
}

void
part_server_call(struct messages *m, struct value id, struct value name, struct value what)
{
	struct jput *j;

	if (!m->list)
		return;
	j = part_open(m, "server_tool_call");
	if (is_text(id))
		jput_value(j, "id", id);
	if (name.kind == VALUE_STRING)
		jput_value(j, "name", name);
	else
		jput_str(j, "name", "");
	put_inside(j, "server_tool_call", "call", what);
	jput_object_end(j);
}

void
part_server_result(struct messages *m, struct value id, struct value what)
{
	struct jput *j;

	if (!m->list)
		return;
	j = part_open(m, "server_tool_call_response");
	if (is_text(id))
		jput_value(j, "id", id);
	put_inside(j, "server_tool_call_response", "response", what);
	jput_object_end(j);
}

static const char *
modality_of(const char *modality, struct value mime)
{
	if (modality)
		return modality;
	return text_begins(mime, "image/") ? "image" : text_begins(mime, "audio/") ? "audio" :
	    text_begins(mime, "video/") ? "video" : "document";
}

static void
part_media(struct messages *m, const char *type, const char *modality, struct value mime,
    const char *key, struct value v)
{
	struct jput *j;

	if (!m->list || v.kind != VALUE_STRING)
		return;
	j = part_open(m, type);
	jput_str(j, "modality", modality_of(modality, mime));
	if (is_text(mime))
		jput_value(j, "mime_type", mime);
	jput_value(j, key, v);
	jput_object_end(j);
}

void
part_blob(struct messages *m, const char *modality, struct value mime, struct value base64)
{
	part_media(m, "blob", modality, mime, "content", base64);
}

/* "data:MIME;base64,TEXT" is bytes, not a route. */
static bool
part_data_uri(struct messages *m, const char *modality, struct value uri)
{
	const char *comma = text_begins(uri, "data:") ? memchr(uri.p, ',', uri.n) : NULL;
	const char *from = uri.p + 6, *mark = comma ? comma - 7 : NULL;
	char mime[128];
	struct jput *j;

	if (!comma || uri.escaped || mark < from || memcmp(mark, ";base64", 7) ||
	    (size_t)(mark - from) > sizeof(mime) - 3)
		return false;
	mime[0] = '"';
	memcpy(mime + 1, from, mark - from);
	mime[mark - from + 1] = '"';
	j = part_open(m, "blob");
	jput_str(j, "modality", modality_of(modality,
	    (struct value){ mime, mark - from + 2, VALUE_STRING, false }));
	if (mark > from)
		jput_bytes(j, "mime_type", from, mark - from);
	jput_bytes(j, "content", comma + 1, uri.p + uri.n - 1 - (comma + 1));
	jput_object_end(j);
	return true;
}

void
part_uri(struct messages *m, const char *modality, struct value mime, struct value uri)
{
	if (m->list && uri.kind == VALUE_STRING && !part_data_uri(m, modality, uri))
		part_media(m, "uri", modality, mime, "uri", uri);
}

void
part_file(struct messages *m, const char *modality, struct value mime, struct value id)
{
	part_media(m, "file", modality, mime, "file_id", id);
}

void
part_other(struct messages *m, const char *type, struct value object)
{
	struct jput *j;

	if (!m->list || !is_given(object))
		return;
	if (object.kind == VALUE_OBJECT && value_get(object, "type").kind == VALUE_STRING) {
		put_json(&m->list->j, NULL, object);
		return;
	}
	j = part_open(m, type);
	put_json(j, "content", object);
	jput_object_end(j);
}

/* --- instructions, tools ---------------------------------------------------------- */

static void
instruction_put(struct section *s, struct value text)
{
	if (!is_text(text))
		return;
	s->count++;
	jput_object(&s->j, NULL);
	jput_str(&s->j, "type", "text");
	jput_value(&s->j, "content", text);
	jput_object_end(&s->j);
}

void
instructions_put(struct section *s, struct value v)
{
	struct value_iter it;
	struct value k, part, text;

	if (v.kind == VALUE_OBJECT) {	/* a message, a content, a block */
		text = value_get(v, "text");
		if (!is_given(text))
			text = first_given(value_get(v, "parts"), value_get(v, "content"));
		if (text.kind == VALUE_OBJECT)
			text = value_get(text, "text");
		v = text;
	}
	if (v.kind == VALUE_STRING)
		instruction_put(s, v);
	value_iter(&it, v);
	while (v.kind == VALUE_ARRAY && value_next(&it, &k, &part))
		instruction_put(s, part.kind == VALUE_STRING ? part : value_get(part, "text"));
}

static void
function_put(struct section *s, struct value name, struct value description,
    struct value parameters)
{
	s->count++;
	jput_object(&s->j, NULL);
	jput_str(&s->j, "type", "function");
	jput_value(&s->j, "name", name);
	put_given(&s->j, "description", description);
	put_given(&s->j, "parameters", parameters);
	jput_object_end(&s->j);
}

/* The vendors' shapes differ in where the function is and how its schema is called. */
void
tool_put(struct section *s, struct value v)
{
	static const char *const where[] = { "function", "toolSpec", "functionDeclarations",
		"function_declarations" };
	static const char *const key[] = { "name", "description", "parameters", "input_schema",
		"inputSchema", "parametersJsonSchema", "parameterDefinitions" };
	struct value w[4], m[7], several, schema, json;
	struct value_iter it;
	struct value k, one;

	MEMBERS(v, where, w);
	several = first_given(w[2], w[3]);
	value_iter(&it, several);
	while (several.kind == VALUE_ARRAY && value_next(&it, &k, &one))
		tool_put(s, one);
	if (several.kind == VALUE_ARRAY)
		return;
	if (w[0].kind == VALUE_OBJECT || w[1].kind == VALUE_OBJECT)
		MEMBERS(first_given(w[0], w[1]), key, m);
	else
		MEMBERS(v, key, m);
	schema = first_given(first_given(m[2], m[3]), first_given(m[4], first_given(m[5], m[6])));
	json = value_get(schema, "json");	/* Converse: inputSchema.json */
	if (m[4].kind == VALUE_OBJECT && is_given(json))
		schema = json;
	if (m[0].kind == VALUE_STRING) {
		function_put(s, m[0], m[1], schema);
	} else if (v.kind == VALUE_OBJECT) {
		s->count++;
		if (value_get(v, "type").kind == VALUE_STRING) {
			put_json(&s->j, NULL, v);
			return;
		}
		jput_object(&s->j, NULL);
		jput_str(&s->j, "type", "extension");
		put_json(&s->j, "definition", v);
		jput_object_end(&s->j);
	}
}
