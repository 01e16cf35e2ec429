/* A client that speaks as soon as it runs: GET /NAME1 to /NAME3, a connection each. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char text[200], answer[400];

	if (!ctx || argc < 3)
		return 1;
	for (int i = 1; i <= 3; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		SSL *s = SSL_new(ctx);

		if (connect(fd, (void *)&to, sizeof(to)) || !SSL_set_fd(s, fd) || SSL_connect(s) != 1)
			return 1;
		snprintf(text, sizeof(text), "GET /%s%d HTTP/1.1\r\nConnection: close\r\n\r\n", argv[2], i);
		if (SSL_write(s, text, strlen(text)) <= 0 || SSL_read(s, answer, sizeof(answer)) <= 0)
			return 1;
		SSL_free(s);
		close(fd);
	}
	return 0;
}
