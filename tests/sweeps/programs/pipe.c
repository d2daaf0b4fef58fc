/* SPDX-License-Identifier: MIT */
/* leat/pipe.h: both backends, with filters and without. The argument: kernel or queue. */
#include "../swept.h"

static void use(int32_t backend, int with_filters)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_pipe_stats stats = LEAT_INIT(struct leat_pipe_stats);
    struct leat_view view = {0};
    leat_filter *filters[2] = {NULL, NULL}, *late = NULL;
    leat_endpoint *in = NULL, *out = NULL;
    leat_writer *writer = NULL;
    leat_reader *reader = NULL;
    const void *seen;
    size_t n, done;
    void *room;
    char line[64];
    int fd, taken;
    options.backend = backend;
    options.memory_limit = 65536;
    if (with_filters) {
        TRY(leat_filter_meter(&filters[0]));
        TRY(leat_filter_digest(&filters[1], "crc32c", NULL, NULL));
        options.filters = filters;
        options.filter_count = 2;
    }
    taken = leat_pipe_open(&writer, &reader, &options, &error); /* which takes the filters, in any case */
    filters[0] = filters[1] = NULL;
    TRY(taken);
    TRY(leat_writer_write(writer, "one\ntwo\n", 8, &done, 1000));
    TRY(leat_writer_reserve(writer, 6, &room, &n, 1000));
    memcpy(room, "three\n", 6);
    TRY(leat_writer_commit(writer, 6, -1));
    TRY(leat_writer_flush(writer, -1));
    TRY(leat_filter_skip(&late, 0));
    taken = leat_writer_filter(writer, late, -1, &error); /* which takes the filter, as nothing timed out */
    TRY(taken);
    TRY(leat_writer_fd(writer, &fd));
    TRY(leat_reader_fd(reader, &fd));
    TRY(leat_reader_read_line(reader, line, sizeof(line), &done, 1000));
    EXPECT(done == 4);
    TRY(leat_reader_peek(reader, &seen, &n, 1000));
    EXPECT(n > 0);
    TRY(leat_reader_consume(reader, 1));
    TRY(leat_reader_read_full(reader, line, 9, &done, 1000));
    EXPECT(memcmp(line, "wo\nthree\n", 9) == 0);
    TRY(leat_writer_stats(writer, &stats));
    TRY(leat_writer_finish(writer, -1));
    taken = leat_endpoint_from_reader(&in, reader); /* which takes the reader, likewise */
    reader = NULL;
    TRY(taken);
    TRY(leat_endpoint_open(&out, "null:", LEAT_WRITE, NULL, &error));
done:
    leat_view_release(&view);
    leat_endpoint_close(in);
    leat_endpoint_close(out);
    leat_writer_close(writer);
    leat_reader_close(reader);
    leat_filter_free(filters[0]);
    leat_filter_free(filters[1]);
}

int main(int argc, char **argv)
{
    int32_t backend = argc > 1 && strcmp(argv[1], "kernel") == 0 ? LEAT_PIPE_KERNEL : LEAT_PIPE_QUEUE;
    use(backend, 0);
    if (swept_result == 0)
        use(backend, 1);
    return swept_result;
}
