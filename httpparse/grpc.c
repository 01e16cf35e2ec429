/* grpc.c - gRPC message framing; see grpc.h */
#include "grpc.h"

int
grpc_feed(struct grpc *g, const void *bytes, size_t n, const struct grpc_ops *ops, void *arg)
{
	const unsigned char *p = bytes, *end = p + n;

	while (p < end || (g->inside && !g->left)) {
		if (!g->inside) {
			g->head[g->nhead++] = *p++;
			if (g->nhead < sizeof(g->head))
				continue;
			g->nhead = 0;
			g->inside = true;
			g->left = (uint32_t)g->head[1] << 24 | g->head[2] << 16 | g->head[3] << 8 |
			    g->head[4];
			ops->begin(arg, g->head[0], g->left);
		} else if (g->left) {
			size_t k = (size_t)(end - p) < g->left ? (size_t)(end - p) : g->left;

			if (ops->data(arg, (const char *)p, k))
				return -1;
			p += k;
			g->left -= k;
		} else {
			g->inside = false;
			if (ops->end(arg))
				return -1;
		}
	}
	return 0;
}

bool
grpc_is_cut(const struct grpc *g)
{
	return g->inside || g->nhead;
}
