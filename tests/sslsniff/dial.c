/* dial PORT N [COMMAND...]: begins N TCP connections, sends nothing, then becomes COMMAND;
 * with "fork" before it in a child. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int status = 0, at = 3;

	if (argc < 3)
		return 1;
	to.sin_port = htons(atoi(argv[1]));
	for (int i = 0; i < atoi(argv[2]); i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (void *)&to, sizeof(to)))
			return 1;
		close(fd);
	}
	if (at < argc && strcmp(argv[at], "fork") == 0) {
		at++;
		if (fork())
			return wait(&status) < 0 || status;
	}
	if (at < argc)
		execv(argv[at], argv + at);
	return at < argc;
}
