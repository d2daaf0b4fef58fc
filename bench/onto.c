/* SPDX-License-Identifier: MIT */
/* onto unix|tcp COMMAND...: runs the command with one end of a connection as its standard output. The other end is read
 * by a child, which looks at each byte. Ends as the command did. */
#include "tool.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK (128 * 1024)

static volatile uint64_t sum;

static void connect_tcp(int ret[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ret[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, n) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &n) < 0 ||
        connect(ret[0], (struct sockaddr *)&address, n) < 0 || (ret[1] = accept(listener, NULL, NULL)) < 0)
        tool_fail("onto");
    close(listener);
}

static void drain(int fd)
{
    unsigned char *buffer = tool_buffer(BLOCK);
    ssize_t n;
    while ((n = read(fd, buffer, BLOCK)) > 0)
        for (ssize_t i = 0; i + 8 <= n; i += 8) {
            uint64_t word;
            memcpy(&word, buffer + i, sizeof(word));
            sum += word;
        }
    if (n < 0)
        tool_fail("onto");
}

int main(int argc, char **argv)
{
    int fd[2], status;
    if (argc < 3)
        tool_usage("onto unix|tcp COMMAND...");
    if (strcmp(argv[1], "tcp") == 0)
        connect_tcp(fd);
    else if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
        tool_fail("socketpair");
    pid_t command = fork();
    if (command == 0) {
        dup2(fd[0], STDOUT_FILENO);
        close(fd[0]);
        close(fd[1]);
        execvp(argv[2], argv + 2);
        tool_fail(argv[2]);
    }
    close(fd[0]);
    close(STDIN_FILENO);
    drain(fd[1]);
    if (command < 0 || waitpid(command, &status, 0) < 0)
        tool_fail("onto");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
