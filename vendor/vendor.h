/*
 * vendor.h - one entry for each model API: all that is known of it
 *
 * An API is one file of this folder, which ends in VENDOR_ENTRY: its hosts and
 * paths, the shapes of its bodies, its words, how its streams grow, what its
 * counts mean. ssemerge, llmparse and the page take all of that from here, so
 * another API is another file (docs/adding-a-vendor.md). A vendor's file points
 * at values of a body and writes messages; whose call it is, and what is made of
 * it, is not its business.
 */
#ifndef VENDOR_H
#define VENDOR_H

#include "vendor/merge.h"
#include "vendor/messages.h"
#include "vendor/usage.h"
#include "vendor/values.h"

/* What a request says. Values are spans of its body. */
struct request {
	const char *operation;	/* gen_ai.operation.name; preset to the vendor's */
	struct value model;
	const char *path_model;	/* of the path, preset; not NUL-terminated */
	size_t path_modellen;
	struct value list;	/* the messages: an array, or one that stands alone */
	struct value last;	/* one more behind them, where an API has it apart */
	struct value system;	/* instructions apart from the list */
	struct value tools;
	bool stream;
	struct value max_tokens, temperature, top_p, top_k, seed, choices, stop, reasoning;
	struct value frequency_penalty, presence_penalty;
	bool json;		/* the answer is to be JSON */
	bool background;	/* the response is to be asked for later */
	bool prewarm;		/* nothing is to be generated yet */
	struct value conversation;	/* the client's name for it, or an object with an "id" */
	struct value metadata;	/* where clients hide one */
	struct value cache_key;
	struct value previous;	/* id of the response that it continues */
};

/* What an answer says. */
struct response {
	struct value model, id, tier;
	struct usage usage;
	struct section *finish;	/* reasons, in the schema's words where it has some */
	struct value error;	/* a vendor's error object or text inside an answer */
	const char *failed;	/* an error without one */
	double cost;		/* in US dollars, as the provider says; below 0: it does not */
	bool ended;		/* a finish reason is there; */
	bool unended;		/* of another choice there is none */
	bool stream;		/* it came as one; set before the vendor reads it */
	bool usage_open;	/* the counts are of a beginning, not of the whole */
	unsigned lenient;	/* marks of JSON within texts */
};

/* A domain and what is below it; with a leading '*', any host that ends so, with a
 * trailing one, any label that begins so. provider: gen_ai.provider.name. */
struct vendor_host { const char *host, *provider; };

/* How the path of a call ends; within: what it holds besides, or NULL. Of several
 * the longest end counts, then the one with more within. */
struct vendor_path {
	const char *end, *within;
	bool stream;		/* the path asks for a stream */
	bool shape;		/* only when the body has the API's shape: others use the path */
};

/* A vendor's word in the words of OpenTelemetry's schemas. */
struct vendor_word { const char *from, *to; };

/* Lists end in an entry of NULLs. */
struct vendor {
	const char *api;	/* llm.call.api */
	const char *operation;	/* gen_ai.operation.name */
	const char *provider;	/* when there is no host to tell */
	const struct vendor_host *hosts;
	const struct vendor_path *paths;
	/* beside user, assistant, system, developer, tool */
	const struct vendor_word *roles;
	/* beside stop, length, tool_call, content_filter, error */
	const struct vendor_word *finishes;
	const char *conversation;	/* what stands in a path before a conversation's name */
	const char *header;	/* of a request, that only this API's clients send */
	const char *mark;	/* a key that every request's body has */
	/* May a body be known by its shape alone, where no path tells? In the order of
	 * their ranks, for others' shapes may be contained in it; 0: never. */
	int request_rank, response_rank;
	/* Is this the body of a request, of a response? By several keys, never one. */
	bool (*is_request)(struct value body);
	bool (*is_response)(struct value body);
	/* The same of a request whose path is another's or nobody's. NULL: is_request. */
	bool (*is_request_alone)(struct value body);
	/* What other shapes go with its paths? NULL: none. */
	bool (*fits)(struct value body);
	void (*request)(struct request *, struct value body);
	/* One element of request.list, as the messages that it is. */
	void (*item)(struct messages *, struct value item);
	/* Is it one that the model said? NULL: by its "role". */
	bool (*item_is_response)(struct value item);
	void (*response)(struct response *, struct messages *, struct value body);
	/* Is the response still being made, to be asked for by its "id"? NULL: never. */
	bool (*is_pending)(struct value body);
	/* How its streams grow; several APIs may share one. NULL: it has none. */
	const struct merge_format *stream;
};

/* Puts a vendor into the registry. */
#define VENDOR_ENTRY(v) static const struct vendor *const v##_entry \
	__attribute__((section("vendors"), used)) = &v

/* The registry: calls with each; a walk ends at NULL. */
const struct vendor *vendor_next(const struct vendor *const **at);
/* By host, without its port; NULL: not a vendor's. */
const char *vendor_host(const char *host, size_t n);
/* By path, without its query. NULL with *never: the path says that it is no call. */
const struct vendor *vendor_path(const char *path, size_t n, const struct vendor_path **,
    bool *never);
/* By a body alone. header: is that of a request's headers there? */
const struct vendor *vendor_of_request(struct value body,
    bool (*header)(void *arg, const char *name), void *arg);
const struct vendor *vendor_of_response(struct value body);
/* Words of any vendor; NULL: nobody's. */
const char *vendor_role(struct value);
const char *vendor_finish(struct value);
/* May the text of a body, as it stands in an event, be a request's? A look that is
 * cheaper than reading it. */
bool vendor_marks(const char *p, size_t n);

/* Those that others speak as well, or that need more than a table. */
extern const struct vendor vendor_messages, vendor_chat, vendor_embeddings, vendor_responses,
    vendor_realtime,
	vendor_live;

/* The members that most APIs share, by their most common names. */
void request_common(struct request *, struct value body);

/* Adds a finish reason; the word for it, for message_close. "incomplete" when
 * it is not given, and nothing is added. */
const char *response_finish(struct response *, struct messages *, struct value reason);

/* What the provider itself says that the call cost, of its usage object. */
void response_cost(struct response *, struct value usage);

/* Is an element of the vendor's list one that the model said? */
bool item_is_response(const struct vendor *, struct value item);

/* A content that is text or a list of blocks, by a function for one block. */
void content_put(struct messages *, struct value content,
    void (*block)(struct messages *, struct value));

#endif
