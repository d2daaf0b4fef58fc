/* SPDX-License-Identifier: MIT */
#include "tree/archive/unpack_input.h"
#include <leat/filter.h>
#include <leat/pipe.h>
#include <leat/pipeline.h>
#include <leat/report.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD = 4,          /* bytes that tell how an archive is compressed */
    BETWEEN = 4 << 20, /* bytes between the two threads */
};

struct unpack_input {
    leat_pipeline *pipeline;
    leat_writer *writer;
    leat_reader *reader;
    unsigned char head[HEAD];
    size_t gathered; /* of `head` */
    bool begun;      /* the head was written */
    size_t given;    /* bytes that unpack_input_next gave last */
};

/* ---- on the thread of the pipeline ---- */

static const char *codec_of(const unsigned char *head, size_t n)
{
    if (n >= 2 && head[0] == 0x1F && head[1] == 0x8B)
        return "gunzip";
    if (n >= 4 && memcmp(head, "\x28\xB5\x2F\xFD", 4) == 0)
        return "unzstd";
    return NULL;
}

/* Writes the head, once it is known how it is to be read. */
static int begin(struct unpack_input *input)
{
    const char *name = codec_of(input->head, input->gathered);
    leat_filter *filter;
    int r = name ? leat_filter_codec(&filter, name, NULL) : 0;
    if (name && r == 0)
        r = leat_writer_filter(input->writer, filter, -1, NULL);
    if (r == 0)
        r = leat_writer_write(input->writer, input->head, input->gathered, NULL, -1);
    input->begun = r == 0;
    return r;
}

static int sink_write(void *user, const void *bytes, size_t n, size_t *ret_n)
{
    struct unpack_input *input = user;
    if (input->begun)
        return leat_writer_write(input->writer, bytes, n, ret_n, -1);
    *ret_n = n < HEAD - input->gathered ? n : HEAD - input->gathered;
    memcpy(input->head + input->gathered, bytes, *ret_n);
    input->gathered += *ret_n;
    return input->gathered == HEAD ? begin(input) : 0;
}

static int sink_finish(void *user, int code)
{
    struct unpack_input *input = user;
    if (code == 0 && !input->begun)
        code = begin(input);
    if (code == 0)
        return leat_writer_finish(input->writer, -1);
    leat_writer_fail(input->writer, code);
    return code;
}

/* ---- on that of the caller ---- */

void unpack_input_close(struct unpack_input *input)
{
    if (!input)
        return;
    leat_reader_close(input->reader); /* a write that waits ends with this */
    leat_pipeline_free(input->pipeline);
    leat_writer_close(input->writer);
    free(input);
}

/* Takes `source`, on failure too. */
static int build(struct unpack_input *input, leat_endpoint *source, struct leat_error *error)
{
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    struct leat_pipe_options between = LEAT_INIT(struct leat_pipe_options);
    leat_endpoint *sink;
    callbacks.write = sink_write;
    callbacks.finish = sink_finish;
    between.memory_limit = BETWEEN;
    int r = leat_pipe_open(&input->writer, &input->reader, &between, error);
    if (r == 0)
        r = leat_pipeline_new(&input->pipeline, NULL, error);
    if (r < 0) {
        leat_endpoint_close(source);
        return r;
    }
    r = leat_pipeline_source(input->pipeline, source);
    if (r == 0)
        r = leat_endpoint_from_callbacks(&sink, &callbacks, input, error);
    if (r == 0)
        r = leat_pipeline_sink(input->pipeline, sink, NULL, error);
    return r == 0 ? leat_pipeline_start(input->pipeline) : r;
}

int unpack_input_open(struct unpack_input **ret, leat_endpoint *source, struct leat_error *error)
{
    struct unpack_input *input = calloc(1, sizeof(*input));
    if (!input) {
        leat_endpoint_close(source);
        return error_set(error, -ENOMEM, "out of memory");
    }
    int r = build(input, source, error);
    if (r == 0) {
        *ret = input;
        return 0;
    }
    unpack_input_close(input);
    return error->code ? r : error_set(error, r, "The archive can't be read");
}

ssize_t unpack_input_next(struct unpack_input *input, const void **ret, int timeout_ms)
{
    size_t n;
    if (input->given)
        leat_reader_consume(input->reader, input->given);
    input->given = 0;
    int r = leat_reader_peek(input->reader, ret, &n, timeout_ms);
    if (r < 0)
        return r;
    input->given = n;
    return (ssize_t)n;
}

void unpack_input_error(struct unpack_input *input, struct leat_error *error)
{
    struct leat_error reason = LEAT_INIT(struct leat_error);
    leat_report *report = NULL;
    if (leat_reader_error(input->reader, &reason) == 0 && reason.code && reason.text[0]) {
        *error = reason;
        return;
    }
    int r = leat_pipeline_wait(input->pipeline, -1, &report);
    if (report && leat_report_error(report))
        *error = *leat_report_error(report);
    else
        error_set(error, r < 0 ? r : -EIO, "The archive can't be read");
    leat_report_free(report);
}
