/* SPDX-License-Identifier: MIT */
/* leat/endpoint.h: one pipeline for each pair of makers. */
#include "../swept.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int read_once(void *user, void *bytes, size_t n, size_t *ret_n)
{
    size_t *left = user;
    *ret_n = n < *left ? n : *left;
    memset(bytes, 'x', *ret_n);
    *left -= *ret_n;
    return 0;
}

static int write_all(void *user, const void *bytes, size_t n, size_t *ret_n)
{
    (void)bytes;
    *(size_t *)user += n;
    *ret_n = n;
    return 0;
}

static void run(leat_endpoint *in, leat_endpoint *out)
{
    leat_pipeline *pipeline = NULL;
    TRY(leat_pipeline_new(&pipeline, NULL, NULL));
    TRY(leat_pipeline_source(pipeline, leat_endpoint_ref(in)));
    TRY(leat_pipeline_sink(pipeline, leat_endpoint_ref(out), NULL, NULL));
    TRY(leat_pipeline_run(pipeline, NULL));
done:
    leat_endpoint_close(in);
    leat_endpoint_close(out);
    leat_pipeline_free(pipeline);
}

static void use_callbacks(void)
{
    struct leat_endpoint_callbacks source = LEAT_INIT(struct leat_endpoint_callbacks);
    struct leat_endpoint_callbacks sink = LEAT_INIT(struct leat_endpoint_callbacks);
    leat_endpoint *in = NULL, *out = NULL;
    size_t left = 100000, taken = 0;
    source.read = read_once;
    sink.write = write_all;
    TRY(leat_endpoint_from_callbacks(&in, &source, &left, NULL));
    TRY(leat_endpoint_from_callbacks(&out, &sink, &taken, NULL));
    run(in, out);
    in = out = NULL;
    EXPECT(swept_result || taken == 100000);
done:
    leat_endpoint_close(in);
    leat_endpoint_close(out);
}

static void use_specs(const char *from, const char *to)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *in = NULL, *out = NULL;
    TRY(leat_endpoint_open(&in, from, LEAT_READ, NULL, &error));
    TRY(leat_endpoint_open(&out, to, LEAT_WRITE, NULL, &error));
    run(in, out);
    return;
done:
    if (!error.text[0])
        swept_result = 6;
    leat_endpoint_close(in);
    leat_endpoint_close(out);
}

static void use_descriptors(void)
{
    leat_endpoint *in = NULL, *out = NULL, *read_end = NULL, *write_end = NULL;
    int ends[2];
    if (pipe(ends) < 0) {
        swept_failed("pipe", -errno);
        return;
    }
    ssize_t n = write(ends[1], "bytes", 5);
    close(ends[1]);
    TRY(leat_endpoint_from_fd(&in, ends[0], LEAT_TAKE));
    TRY(leat_endpoint_open(&out, "b", LEAT_WRITE, NULL, NULL));
    run(in, out);
    in = out = NULL;
    EXPECT(n == 5);
    if (swept_result == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
        close(ends[1]);
        TRY(leat_endpoint_duplex(&read_end, &write_end, ends[0], LEAT_TAKE));
    }
done:
    leat_endpoint_close(read_end);
    leat_endpoint_close(write_end);
    leat_endpoint_close(in);
    leat_endpoint_close(out);
}

int main(void)
{
    use_callbacks();
    if (swept_result == 0)
        use_specs("exec:cat a", "file:b");
    if (swept_result == 0)
        use_specs("a", "exec:cat >c");
    if (swept_result == 0)
        use_descriptors();
    return swept_result;
}
