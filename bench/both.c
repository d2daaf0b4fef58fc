/* SPDX-License-Identifier: MIT */
/* both [--server] PORT RECEIVER... -- SENDER...: runs two commands, the sender as soon as somebody listens at the TCP
 * port PORT, and waits for both; a receiver that is a server is told to end when the sender has ended. It exits as the
 * first one that failed. */
#include "tool.h"
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LISTENS 0x0a /* the state in /proc/net/tcp */
#define LOOK_NS 100000

static pid_t spawn(char **command)
{
    pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command);
        tool_fail(command[0]);
    }
    if (child < 0)
        tool_fail("fork");
    return child;
}

static bool listens(uint64_t port)
{
    char line[256];
    unsigned local, state;
    bool found = false;
    FILE *table = fopen("/proc/net/tcp", "re");
    if (!table)
        tool_fail("/proc/net/tcp");
    while (!found && fgets(line, sizeof(line), table))
        found = sscanf(line, " %*u: %*x:%x %*x:%*x %x", &local, &state) == 2 && local == port && state == LISTENS;
    fclose(table);
    return found;
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    bool server = argc > 1 && strcmp(argv[1], "--server") == 0;
    if (server) {
        argv++;
        argc--;
    }
    int between = 2;
    while (between < argc && strcmp(argv[between], "--") != 0)
        between++;
    if (between == 2 || between + 1 >= argc)
        tool_usage("both [--server] PORT RECEIVER... -- SENDER...");
    argv[between] = NULL;
    uint64_t port = tool_number(argv[1]);
    int status, code;
    pid_t receiver = spawn(argv + 2);
    while (!listens(port)) {
        if (waitpid(receiver, &status, WNOHANG) == receiver)
            return code_of(status) ? code_of(status) : 1;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    }
    pid_t sender = spawn(argv + between + 1);
    if (waitpid(sender, &status, 0) < 0)
        tool_fail("waitpid");
    code = code_of(status);
    if (server || code != 0)
        kill(receiver, SIGTERM); /* else it may wait for a connection that never comes */
    if (waitpid(receiver, &status, 0) < 0)
        tool_fail("waitpid");
    return code ? code : code_of(status);
}
