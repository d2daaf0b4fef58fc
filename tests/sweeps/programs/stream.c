/* SPDX-License-Identifier: MIT */
/* leat/stream.h */
#include "../swept.h"
#include <sys/socket.h>
#include <unistd.h>

static void release(void *user, const void *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)user += n;
}

static void use_stream(leat_pool *pool)
{
    static char large[100000];
    struct leat_view view = {0}, other = {0}, part = {0};
    struct leat_stream_usage stats = LEAT_INIT(struct leat_stream_usage);
    char one[] = "one\n", two[] = "two\n", word[4];
    struct iovec pieces[2] = {{one, 4}, {two, 4}}, seen[8];
    leat_stream *stream = NULL;
    size_t n, at, released = 0;
    void *room;
    TRY(leat_stream_new(&stream, pool, NULL, NULL));
    TRY(leat_stream_reserve(stream, 5, &room, &n));
    memcpy(room, "zero\n", 5);
    TRY(leat_stream_commit(stream, 5));
    TRY(leat_stream_append_iov(stream, pieces, 2));
    TRY(leat_stream_append(stream, large, sizeof(large)));
    TRY(leat_stream_append_ref(stream, large, sizeof(large), release, &released));
    EXPECT(leat_stream_length(stream) == 13 + 2 * sizeof(large));
    TRY(leat_stream_find(stream, "two", 3, 0, 20, &at));
    EXPECT(at == 9);
    TRY(leat_stream_take_line(stream, 0, &view));
    EXPECT(view.length == 4);
    leat_view_release(&view);
    TRY(leat_stream_read(stream, word, 4, &n));
    TRY(leat_stream_take(stream, 4, &view));
    TRY(leat_view_ref(&view, &other));
    TRY(leat_view_slice(&view, 1, 2, &part));
    EXPECT(leat_view_compare(&view, &other) == 0);
    leat_view_release(&view);
    TRY(leat_stream_take(stream, 150000, &view));
    TRY(leat_view_iov(&view, seen, 8, &n));
    TRY(leat_stream_append_view(stream, &view));
    TRY(leat_view_join(&view));
    TRY(leat_stream_skip(stream, 10));
    TRY(leat_stream_stats(stream, &stats));
    TRY(leat_stream_finish(stream, 0));
    EXPECT(leat_stream_length(stream) == 2 * sizeof(large) - 10);
done:
    leat_view_release(&view);
    leat_view_release(&other);
    leat_view_release(&part);
    leat_stream_free(stream);
}

static void use_connection(leat_pool *pool)
{
    struct leat_connection_options options = LEAT_INIT(struct leat_connection_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_view line = {0};
    leat_connection *a = NULL, *b = NULL;
    int ends[2] = {-1, -1};
    char word[8];
    size_t n;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        swept_failed("socketpair", -errno);
        return;
    }
    options.pool = pool;
    int r = leat_connection_from_fd(&a, ends[0], LEAT_TAKE, &options, NULL);
    if (r < 0) {
        swept_failed("leat_connection_from_fd", r);
        close(ends[1]);
        return;
    }
    TRY(leat_connection_from_fd(&b, ends[1], LEAT_TAKE, &options, NULL));
    TRY(leat_connection_deadline(a, 60000));
    TRY(leat_connection_write(a, "hello\nworld", 11, &n));
    TRY(leat_connection_flush(a));
    TRY(leat_connection_finish(a));
    TRY(leat_connection_read_line(b, 0, &line));
    EXPECT(line.length == 5);
    TRY(leat_connection_read(b, word, sizeof(word), &n));
    EXPECT(n == 5);
    TRY(leat_connection_peer(b, word, sizeof(word)));
done:
    leat_view_release(&line);
    leat_connection_close(a);
    leat_connection_close(b);
    a = NULL;
    if (swept_result == 0 && (r = leat_connection_open(&a, "unix:none", &options, &error)) != -ENOENT)
        swept_failed("leat_connection_open", r);
    leat_connection_close(a);
}

int main(void)
{
    leat_pool *pool;
    int r = leat_pool_new(&pool, NULL, NULL);
    if (r < 0) {
        swept_failed("leat_pool_new", r);
        return swept_result;
    }
    use_stream(pool);
    if (swept_result == 0)
        use_connection(pool);
    leat_pool_free(pool);
    return swept_result;
}
