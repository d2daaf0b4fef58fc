/* SPDX-License-Identifier: MIT */
/* lines HOW FILE: counts the lines of a file, which is read 16 KiB at a time, and looks at the first byte of each.
 *
 *   borrow, take   leat_stream_take_line, with borrowed views or with views of one's own
 *   getdelim       the C library's
 *   evbuffer       libevent's evbuffer_readln, where it was there when this was built
 *   memchr         a bare loop, which forgets what a piece begins and ends with */
#include "tool.h"
#include <fcntl.h>
#include <leat/stream.h>
#include <unistd.h>
#ifdef HAVE_LIBEVENT
#include <event2/buffer.h>
#endif

#define PIECE 16384

static unsigned long lines;
static unsigned sum;

static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        tool_fail(path);
    return fd;
}

static void by_stream(const char *path, unsigned flags)
{
    leat_stream *stream;
    struct leat_view line;
    void *room;
    size_t n;
    ssize_t got;
    int fd = open_file(path);
    if (leat_stream_new(&stream, NULL, NULL, NULL) < 0)
        tool_fail("memory");
    while (leat_stream_reserve(stream, 1, &room, &n) == 0 && (got = read(fd, room, n < PIECE ? n : PIECE)) > 0) {
        leat_stream_commit(stream, (size_t)got);
        while (leat_stream_take_line(stream, flags, &line) == 0) {
            lines++;
            sum += line.length ? *(const unsigned char *)line.data : 0;
            leat_view_release(&line);
        }
    }
    leat_stream_free(stream);
}

static void by_borrowing(const char *path)
{
    by_stream(path, LEAT_STREAM_BORROW);
}

static void by_taking(const char *path)
{
    by_stream(path, 0);
}

static void by_getdelim(const char *path)
{
    char *line = NULL;
    size_t capacity = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        tool_fail(path);
    setvbuf(file, NULL, _IOFBF, PIECE);
    while (getdelim(&line, &capacity, '\n', file) > 0) {
        lines++;
        sum += (unsigned char)line[0];
    }
    fclose(file);
    free(line);
}

static void by_memchr(const char *path)
{
    char *buffer = tool_buffer(PIECE);
    ssize_t n;
    int fd = open_file(path);
    while ((n = read(fd, buffer, PIECE)) > 0)
        for (char *at = buffer, *next; (next = memchr(at, '\n', (size_t)(buffer + n - at))); at = next + 1) {
            lines++;
            sum += (unsigned char)*at;
        }
    free(buffer);
}

#ifdef HAVE_LIBEVENT
static void by_evbuffer(const char *path)
{
    struct evbuffer *buffer = evbuffer_new();
    struct evbuffer_iovec room;
    ssize_t n;
    int fd = open_file(path);
    while (evbuffer_reserve_space(buffer, PIECE, &room, 1) == 1 && (n = read(fd, room.iov_base, PIECE)) > 0) {
        room.iov_len = (size_t)n;
        evbuffer_commit_space(buffer, &room, 1);
        for (char *line; (line = evbuffer_readln(buffer, NULL, EVBUFFER_EOL_CRLF)); free(line)) {
            lines++;
            sum += (unsigned char)*line;
        }
    }
    evbuffer_free(buffer);
}
#endif

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const char *path);
    } ways[] = {
        {"borrow", by_borrowing},  {"take", by_taking}, {"getdelim", by_getdelim}, {"memchr", by_memchr},
#ifdef HAVE_LIBEVENT
        {"evbuffer", by_evbuffer},
#endif
    };
    for (size_t i = 0; argc == 3 && i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(argv[1], ways[i].name) == 0) {
            ways[i].run(argv[2]);
            printf("%lu lines, %u\n", lines, sum);
            return 0;
        }
    tool_usage("lines borrow|take|getdelim|evbuffer|memchr FILE");
}
