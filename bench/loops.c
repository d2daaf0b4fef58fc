/* SPDX-License-Identifier: MIT */
/* loops LOOP BLOCK SOURCE SINK...: the bare loop of each route, without all that makes a copy one can rely on: what the
 * kernel gives at best. "-" is standard input or output; a SINK is created and truncated ("+NAME": overwritten); either
 * may be the address of a socket to connect to (unix:PATH, tcp:127.0.0.1:PORT).
 *
 *     read-write      through a buffer of BLOCK bytes
 *     splice          through a pipe of its own of BLOCK bytes
 *     splice-direct   one call; SOURCE or SINK is a pipe
 *     copy-range      copy_file_range
 *     sendfile
 *     tee             through pipes of its own of BLOCK bytes, one for each SINK */
#include "socket.h"
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define SINKS_MAX 8

struct files {
    int in, out[SINKS_MAX];
    size_t sinks, block;
};

static size_t checked(ssize_t n, const char *call)
{
    if (n < 0)
        tool_fail(call);
    return (size_t)n;
}

static void write_all(int fd, const char *bytes, size_t n)
{
    for (size_t done = 0; done < n;)
        done += checked(write(fd, bytes + done, n - done), "write");
}

static void read_write(const struct files *f)
{
    char *buffer = tool_buffer(f->block);
    size_t n;
    while ((n = checked(read(f->in, buffer, f->block), "read")) > 0)
        write_all(f->out[0], buffer, n);
}

static void make_pipe(int fd[2], size_t size)
{
    if (pipe2(fd, O_CLOEXEC) < 0 || fcntl(fd[1], F_SETPIPE_SZ, (int)size) < 0)
        tool_fail("pipe");
}

static void splice_all(int in, int out, size_t n)
{
    while (n > 0)
        n -= checked(splice(in, NULL, out, NULL, n, SPLICE_F_MOVE), "splice");
}

static void splice_through(const struct files *f)
{
    int fd[2];
    size_t n;
    make_pipe(fd, f->block);
    while ((n = checked(splice(f->in, NULL, fd[1], NULL, f->block, SPLICE_F_MOVE), "splice")) > 0)
        splice_all(fd[0], f->out[0], n);
}

static void splice_direct(const struct files *f)
{
    while (checked(splice(f->in, NULL, f->out[0], NULL, f->block, SPLICE_F_MOVE), "splice") > 0)
        ;
}

static void copy_range(const struct files *f)
{
    while (checked(copy_file_range(f->in, NULL, f->out[0], NULL, f->block, 0), "copy_file_range") > 0)
        ;
}

static void send_file(const struct files *f)
{
    while (checked(sendfile(f->out[0], f->in, NULL, f->block), "sendfile") > 0)
        ;
}

/* Each round fills the last pipe, duplicates it into the others, which are empty and as large, and empties them all. */
static void tee_loop(const struct files *f)
{
    int stage[SINKS_MAX][2] = {{0}};
    size_t last = f->sinks - 1, n;
    for (size_t i = 0; i < f->sinks; i++)
        make_pipe(stage[i], f->block);
    while ((n = checked(splice(f->in, NULL, stage[last][1], NULL, f->block, SPLICE_F_MOVE), "splice")) > 0) {
        for (size_t i = 0; i < last; i++)
            if (checked(tee(stage[last][0], stage[i][1], n, 0), "tee") != n)
                tool_usage("tee came short"); /* only where the pipes could not be made as large */
        for (size_t i = 0; i < f->sinks; i++)
            splice_all(stage[i][0], f->out[i], n);
    }
}

static const struct loop {
    const char *name;
    void (*run)(const struct files *);
    size_t most; /* sinks */
} loops[] = {
    {"read-write", read_write, 1}, {"splice", splice_through, 1}, {"splice-direct", splice_direct, 1},
    {"copy-range", copy_range, 1}, {"sendfile", send_file, 1},    {"tee", tee_loop, SINKS_MAX},
};

/* -1: it is no address. */
static int open_address(const char *name)
{
    struct tool_address address;
    int fd = tool_socket(name, &address);
    if (fd >= 0 && connect(fd, &address.at.any, address.size) < 0)
        tool_fail(name);
    return fd;
}

static int open_source(const char *name)
{
    if (strcmp(name, "-") == 0)
        return STDIN_FILENO;
    int fd = open_address(name);
    if (fd < 0 && (fd = open(name, O_RDONLY | O_CLOEXEC)) < 0)
        tool_fail(name);
    return fd;
}

static int open_sink(const char *name)
{
    if (strcmp(name, "-") == 0)
        return STDOUT_FILENO;
    int connected = open_address(name);
    if (connected >= 0)
        return connected;
    int fd = name[0] == '+' ? open(name + 1, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)
                            : open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        tool_fail(name);
    return fd;
}

int main(int argc, char **argv)
{
    const size_t count = sizeof(loops) / sizeof(loops[0]);
    struct files f = {.sinks = argc > 4 ? (size_t)argc - 4 : 0};
    const struct loop *loop = loops;
    while (argc > 1 && loop < loops + count && strcmp(loop->name, argv[1]) != 0)
        loop++;
    if (f.sinks < 1 || loop == loops + count || f.sinks > loop->most)
        tool_usage("loops LOOP BLOCK SOURCE SINK...");
    f.block = (size_t)tool_number(argv[2]);
    f.in = open_source(argv[3]);
    for (size_t i = 0; i < f.sinks; i++)
        f.out[i] = open_sink(argv[4 + i]);
    loop->run(&f);
    return 0;
}
