/*
 * vendor.h - what a request and an answer say, and one struct vendor per API
 *
 * A vendor's file knows its shapes only: it points at values of the body and
 * writes messages. Whose call it is, and what is made of it, is not its business.
 */
#ifndef LLM_VENDOR_H
#define LLM_VENDOR_H

#include "llmparse/messages.h"
#include "llmparse/usage.h"
#include "llmparse/values.h"

/* What a request says. Values are spans of its body. */
struct request {
	const char *operation;	/* gen_ai.operation.name; preset to the vendor's */
	struct value model;
	const char *path_model;	/* of the path, preset; not NUL-terminated */
	size_t path_modellen;
	struct value list;	/* the messages: an array, or one that stands alone */
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
	bool ended;		/* a finish reason is there */
	bool stream;		/* it came as one; set before the vendor reads it */
	bool usage_open;	/* the counts are of a beginning, not of the whole */
	unsigned lenient;	/* marks of JSON within texts */
};

struct vendor {
	const char *api;	/* llm.call.api */
	const char *operation;	/* gen_ai.operation.name */
	const char *provider;	/* when the host does not tell */
	const char *format;	/* sse.message.format of its streams; NULL: none of its own */
	/* Is this the body of a request, of an answer? By several keys, never one. */
	bool (*is_request)(struct value body);
	bool (*is_response)(struct value body);
	void (*request)(struct request *, struct value body);
	/* One element of request.list, as the messages that it is. */
	void (*item)(struct messages *, struct value item);
	void (*response)(struct response *, struct messages *, struct value body);
	/* Is the response still being made, to be asked for by its "id"? NULL: never. */
	bool (*is_pending)(struct value body);
};

extern const struct vendor vendor_messages, vendor_complete, vendor_chat, vendor_completions,
    vendor_embeddings, vendor_responses, vendor_realtime, vendor_gemini, vendor_gemini_embed, vendor_ollama_chat,
    vendor_ollama_generate, vendor_ollama_embed, vendor_converse, vendor_invoke, vendor_cohere,
    vendor_cohere_embed, vendor_rerank, vendor_dashscope;

/* The members that most APIs share, by their most common names. */
void request_common(struct request *, struct value body);

/* Adds a finish reason; the word for it, for message_close. "incomplete" when
 * it is not given, and nothing is added. */
const char *response_finish(struct response *, struct messages *, struct value reason);

/* What the provider itself says that the call cost, of its usage object. */
void response_cost(struct response *, struct value usage);

/* Is an element of a list one that the model said? */
bool item_is_response(struct value item);

/* A content that is text or a list of blocks, by a function for one block. */
void content_put(struct messages *, struct value content, void (*block)(struct messages *, struct value));

#endif
