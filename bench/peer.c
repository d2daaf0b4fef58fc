/* SPDX-License-Identifier: MIT */
/* peer drain ADDRESS COMMAND...        listens there, and whoever connects is read from, each byte looked at
 * peer feed ADDRESS FILE COMMAND...    listens there, and whoever connects is given the file
 *
 * COMMAND takes this process's place once it listens; the peer is a process that nobody waits for, so that only the
 * command is counted. ADDRESS is unix:PATH or tcp:127.0.0.1:PORT. */
#include "socket.h"
#include <fcntl.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BLOCK    (256 * 1024)
#define PATIENCE 20 /* seconds */

static volatile uint64_t sum;

static void drain(int fd)
{
    uint64_t *buffer = tool_buffer(BLOCK), total = 0;
    ssize_t n;
    while ((n = read(fd, buffer, BLOCK)) > 0)
        for (size_t i = 0; i < (size_t)n / sizeof(*buffer); i++)
            total += buffer[i];
    sum += total;
}

static void feed(int fd, const char *path)
{
    struct stat st;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &st) < 0)
        tool_fail(path);
    for (off_t at = 0; at < st.st_size;)
        if (sendfile(fd, file, &at, (size_t)(st.st_size - at)) <= 0)
            tool_fail("sendfile");
}

static int listen_there(const char *text)
{
    struct tool_address address;
    int fd = tool_socket(text, &address);
    if (fd < 0)
        tool_usage("the address is unix:PATH or tcp:127.0.0.1:PORT");
    if (address.at.any.sa_family == AF_UNIX)
        unlink(address.at.local.sun_path);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    /* The peer of the command before has the port until it has accepted, which may be after that command's end. */
    int r;
    for (int i = 0; (r = bind(fd, &address.at.any, address.size)) < 0 && errno == EADDRINUSE && i < 500; i++)
        usleep(10000);
    if (r < 0 || listen(fd, 1) < 0)
        tool_fail(text);
    return fd;
}

int main(int argc, char **argv)
{
    bool feeds = argc > 1 && strcmp(argv[1], "feed") == 0;
    if (argc < 4 + feeds)
        tool_usage("peer drain ADDRESS COMMAND... | peer feed ADDRESS FILE COMMAND...");
    int listener = listen_there(argv[2]);
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            alarm(PATIENCE); /* the command may have failed, or never begun */
            int fd = accept(listener, NULL, NULL);
            alarm(0);
            if (fd < 0)
                tool_fail("accept");
            close(listener);
            if (feeds)
                feed(fd, argv[3]);
            else
                drain(fd);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
    close(listener);
    execvp(argv[3 + feeds], argv + 3 + feeds);
    tool_fail(argv[3 + feeds]);
}
