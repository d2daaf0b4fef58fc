/* SPDX-License-Identifier: MIT */
/* feeds HOW BYTES [EACH]: BYTES of memory through a buffer, by a feed that copies them in.
 *
 *   take     into a leat_stream, taken out as views of 1 MiB, each byte of which is looked at; nothing else may copy
 *   memcpy   1 MiB at a time into a buffer, where each byte is looked at: what `take` would be if it cost nothing
 *   miss     1 KiB at a time without a newline, a line asked for each time, as many streams of EACH bytes as that makes
 *   memchr   the same with a bare buffer, of which only the new bytes are searched */
#include "tool.h"
#include <leat/stream.h>

#define TAKE  (1u << 20)
#define PIECE 1024

static volatile uint64_t sum;

static void look_at(const void *bytes, size_t n)
{
    const uint64_t *at = bytes;
    uint64_t total = 0;
    for (size_t i = 0; i < n / sizeof(*at); i++)
        total += at[i];
    sum += total;
}

static void check(int r)
{
    if (r < 0) {
        errno = -r;
        tool_fail("stream");
    }
}

static leat_stream *new_stream(void)
{
    leat_stream *stream;
    check(leat_stream_new(&stream, NULL, NULL, NULL));
    return stream;
}

/* ---- 1 MiB at a time ---- */

static void feed(leat_stream *stream, const char *source)
{
    void *room;
    size_t n;
    for (size_t at = 0; at < TAKE; at += n) {
        check(leat_stream_reserve(stream, 1, &room, &n));
        n = n < TAKE - at ? n : TAKE - at;
        memcpy(room, source + at, n);
        check(leat_stream_commit(stream, n));
    }
}

static void by_taking(uint64_t bytes)
{
    leat_stream *stream = new_stream();
    struct leat_stream_usage stats = LEAT_INIT(struct leat_stream_usage);
    struct leat_view view;
    struct iovec iov[TAKE / 4096 + 1];
    char *source = tool_buffer(TAKE);
    size_t pieces;
    for (uint64_t done = 0; done < bytes; done += TAKE) {
        feed(stream, source);
        check(leat_stream_take(stream, TAKE, &view));
        leat_view_iov(&view, iov, sizeof(iov) / sizeof(iov[0]), &pieces);
        for (size_t i = 0; i < pieces; i++)
            look_at(iov[i].iov_base, iov[i].iov_len);
        leat_view_release(&view);
    }
    leat_stream_stats(stream, &stats);
    if (stats.bytes_copied) {
        fprintf(stderr, "the stream has copied %llu bytes\n", (unsigned long long)stats.bytes_copied);
        exit(1);
    }
    leat_stream_free(stream);
    free(source);
}

static void by_memcpy(uint64_t bytes)
{
    char *source = tool_buffer(TAKE), *to = tool_buffer(TAKE);
    for (uint64_t done = 0; done < bytes; done += TAKE) {
        memcpy(to, source, TAKE);
        look_at(to, TAKE);
    }
    free(source);
    free(to);
}

/* ---- no newline ---- */

/* What one stream has used the next one uses again, as the bare buffer is: pages that are new are no part of this. */
static void by_missing(uint64_t bytes, uint64_t each)
{
    struct leat_pool_options options = LEAT_INIT(struct leat_pool_options);
    char *piece = tool_buffer(PIECE);
    struct leat_view line;
    leat_stream *stream;
    leat_pool *pool;
    options.keep = 2 * each;
    check(leat_pool_new(&pool, &options, NULL));
    for (uint64_t done = 0; done < bytes; done += each) {
        check(leat_stream_new(&stream, pool, NULL, NULL));
        for (uint64_t at = 0; at < each; at += PIECE) {
            check(leat_stream_append(stream, piece, PIECE));
            sum += leat_stream_take_line(stream, 0, &line) == 0;
        }
        leat_stream_free(stream);
    }
    leat_pool_free(pool);
    free(piece);
}

static void by_memchr(uint64_t bytes, uint64_t each)
{
    char *piece = tool_buffer(PIECE), *buffer = tool_buffer(each + PIECE);
    for (uint64_t done = 0; done < bytes; done += each)
        for (uint64_t at = 0; at < each; at += PIECE) {
            memcpy(buffer + at, piece, PIECE);
            sum += memchr(buffer + at, '\n', PIECE) != NULL;
        }
    free(buffer);
    free(piece);
}

int main(int argc, char **argv)
{
    uint64_t bytes = argc > 2 ? tool_number(argv[2]) : 0, each = argc > 3 ? tool_number(argv[3]) : 0;
    if (argc == 3 && strcmp(argv[1], "take") == 0)
        by_taking(bytes);
    else if (argc == 3 && strcmp(argv[1], "memcpy") == 0)
        by_memcpy(bytes);
    else if (argc == 4 && each && strcmp(argv[1], "miss") == 0)
        by_missing(bytes, each);
    else if (argc == 4 && each && strcmp(argv[1], "memchr") == 0)
        by_memchr(bytes, each);
    else
        tool_usage("feeds take|memcpy BYTES | feeds miss|memchr BYTES EACH");
    return 0;
}
