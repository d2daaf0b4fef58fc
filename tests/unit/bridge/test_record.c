/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * Records: lines, frames and messages, from pipes and channels through stages into others; ends in the middle,
 * failures, and a cancel of whoever waits. */
#include "unit/unit.h"
#include <leat/leat.h>
#include <pthread.h>
#include <sys/wait.h>

static const size_t sizes[] = {0, 1, 0, 7, 238, 239, 240, 241, 479, 480, 481, 5000, 0, 100000, 2};

static char letter(size_t record, size_t at)
{
    char c = (char)(record * 31 + at * 7 + at / 256);
    return c == '\n' ? '\0' : c; /* so that it may be a line, too */
}

static struct leat_record *record_of(size_t index, size_t n)
{
    struct leat_record *record;
    assert_int_equal(leat_record_new(&record, NULL, n), 0);
    for (size_t i = 0; i < n; i++)
        record->bytes[i] = letter(index, i);
    return record;
}

static void is_record(const void *item, size_t index, size_t n)
{
    const struct leat_record *record = item;
    assert_int_equal(record->length, n);
    assert_int_equal(leat_record_size(NULL, record), n);
    assert_int_equal(record->bytes[n], '\0');
    for (size_t i = 0; i < n; i++)
        if (record->bytes[i] != letter(index, i))
            fail_msg("record %zu differs at %zu", index, i);
}

struct pipe_ends {
    leat_writer *writer;
    leat_reader *reader;
};

static void finish_and_close(leat_writer *writer)
{
    leat_writer_finish(writer, -1);
    leat_writer_close(writer);
}

static struct pipe_ends pipe_of(uint64_t limit)
{
    struct pipe_ends ends;
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    options.memory_limit = limit;
    options.backend = LEAT_PIPE_QUEUE;
    assert_int_equal(leat_pipe_open(&ends.writer, &ends.reader, &options, NULL), 0);
    return ends;
}

static int pass(leat_work *work, void *item, void *user UNUSED)
{
    leat_work_emit(work, item, -1);
    return 0;
}

static leat_stages *passing(void (*wake)(void *), void *user)
{
    leat_stages *stages;
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    options.dispose = stage.dispose = leat_record_dispose;
    options.wake = wake;
    options.user = user;
    stage.name = "pass";
    stage.function = pass;
    stage.workers = 2;
    stage.ordered = 1;
    assert_int_equal(leat_stages_new(&stages, &options, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    return stages;
}

/* ---- from the beginning to the end ---- */

struct flow {
    leat_next_fn next;
    leat_emit_fn emit;
    void *from, *to;
    int r;
};

static void *send_all(void *user)
{
    struct flow *flow = user;
    for (size_t i = 0; i < COUNT(sizes) && flow->r == 0; i++)
        flow->r = flow->emit(flow->to, record_of(i, sizes[i]));
    if (flow->emit == leat_record_emit_message)
        leat_channel_close(flow->to);
    else
        finish_and_close(flow->to);
    return NULL;
}

static void *run_all(void *user)
{
    struct flow *flow = user;
    leat_stages *stages = passing(NULL, NULL);
    flow->r = leat_stages_run(stages, flow->next, flow->from, flow->emit, flow->to, NULL);
    leat_stages_free(stages);
    if (flow->emit == leat_record_emit_message)
        leat_channel_close(flow->to);
    else
        finish_and_close(flow->to);
    return NULL;
}

/* `first` feeds what `second` takes from, and that what is read here. */
static void flows(struct flow first, struct flow second, leat_next_fn next, void *from)
{
    pthread_t thread[2];
    void *item = NULL;
    assert_int_equal(pthread_create(&thread[0], NULL, send_all, &first), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, run_all, &second), 0);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_int_equal(next(from, &item), 0);
        is_record(item, i, sizes[i]);
        leat_record_free(item);
    }
    assert_int_equal(next(from, &item), LEAT_STAGES_END);
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    assert_int_equal(first.r, 0);
    assert_int_equal(second.r, 0);
}

static void lines_and_frames_through_pipes(void **state UNUSED)
{
    static const uint64_t limits[] = {64, 4096, 1 << 20};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct pipe_ends a = pipe_of(limits[i]), b = pipe_of(limits[i]);
        flows((struct flow){.emit = leat_record_emit_line, .to = a.writer},
              (struct flow){
                  .next = leat_record_next_line, .from = a.reader, .emit = leat_record_emit_frame, .to = b.writer},
              leat_record_next_frame, b.reader);
        leat_reader_close(a.reader);
        leat_reader_close(b.reader);
    }
}

struct channel_ends {
    leat_channel *sender, *receiver;
};

static struct channel_ends channel_of(uint64_t ring)
{
    struct channel_ends ends;
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    int fds[LEAT_CHANNEL_FDS];
    size_t n = LEAT_CHANNEL_FDS;
    options.ring_bytes = ring;
    int r = leat_channel_open(&ends.sender, &options, NULL);
    unit_needs(r != -ENOSYS, "channels");
    assert_int_equal(r, 0);
    assert_int_equal(leat_channel_export(ends.sender, fds, &n), 0);
    assert_int_equal(leat_channel_attach(&ends.receiver, fds, n), 0);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    return ends;
}

static void messages_through_channels(void **state UNUSED)
{
    static const uint64_t rings[] = {64, 4096, 1 << 20};
    for (size_t i = 0; i < COUNT(rings); i++) {
        struct channel_ends a = channel_of(rings[i]), b = channel_of(rings[i]);
        flows(
            (struct flow){.emit = leat_record_emit_message, .to = a.sender},
            (struct flow){
                .next = leat_record_next_message, .from = a.receiver, .emit = leat_record_emit_message, .to = b.sender},
            leat_record_next_message, b.receiver);
        leat_channel_close(a.receiver);
        leat_channel_close(b.receiver);
    }
}

/* ---- ends that are none ---- */

static leat_reader *reader_of(const void *bytes, size_t n, int code)
{
    struct pipe_ends ends = pipe_of(4096);
    assert_int_equal(leat_writer_write(ends.writer, bytes, n, &n, -1), 0);
    if (code < 0)
        leat_writer_fail(ends.writer, code);
    finish_and_close(ends.writer);
    return ends.reader;
}

static int last_of(leat_next_fn next, leat_reader *reader, unsigned *ret_n)
{
    void *item = NULL;
    int r;
    *ret_n = 0;
    while ((r = next(reader, &item)) == 0) {
        leat_record_free(item);
        ++*ret_n;
    }
    leat_reader_close(reader);
    return r;
}

static void ends_in_the_middle(void **state UNUSED)
{
    static const char frames[] = "\0\0\0\1x\0\0\0\3abc"; /* and a NUL that begins another one */
    unsigned n;
    assert_int_equal(last_of(leat_record_next_frame, reader_of(frames, 0, 0), &n), LEAT_STAGES_END);
    for (size_t cut = 1; cut < sizeof(frames); cut++) {
        bool whole = cut == 5 || cut == 12;
        assert_int_equal(last_of(leat_record_next_frame, reader_of(frames, cut, 0), &n),
                         whole ? LEAT_STAGES_END : -EBADMSG);
        assert_int_equal(n, cut >= 12 ? 2 : cut >= 5);
    }
    assert_int_equal(last_of(leat_record_next_frame, reader_of("\100\0\0\1x", 5, 0), &n), -EMSGSIZE);
    assert_int_equal(last_of(leat_record_next_frame, reader_of("\100\0\0\0x", 5, 0), &n),
                     -EBADMSG); /* 1 GiB is allowed */
    assert_int_equal(last_of(leat_record_next_frame, reader_of(frames, 12, -EIO), &n), -EIO);
    assert_int_equal(n, 2);

    assert_int_equal(last_of(leat_record_next_line, reader_of("", 0, 0), &n), LEAT_STAGES_END);
    assert_int_equal(last_of(leat_record_next_line, reader_of("a\n\nb", 4, 0), &n), LEAT_STAGES_END);
    assert_int_equal(n, 3);
    assert_int_equal(last_of(leat_record_next_line, reader_of("a\n\nb\n", 5, 0), &n), LEAT_STAGES_END);
    assert_int_equal(n, 3);
    assert_int_equal(last_of(leat_record_next_line, reader_of("a\nb", 3, -EIO), &n), -EIO);
    assert_int_equal(n, 1); /* b may be half a line */
}

static void a_sender_that_dies_is_no_end(void **state UNUSED)
{
    struct channel_ends ends = channel_of(4096);
    struct leat_error error = LEAT_INIT(struct leat_error);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        leat_channel_close(ends.receiver);
        _exit(leat_channel_send(ends.sender, "hello", 5, -1) < 0);
    }
    leat_channel_close(ends.sender);
    leat_stages *stages = passing(NULL, NULL);
    assert_int_equal(leat_stages_run(stages, leat_record_next_message, ends.receiver, NULL, NULL, &error), -EOWNERDEAD);
    assert_int_equal(error.side, LEAT_SIDE_SOURCE);
    assert_int_equal(error.offset, 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    leat_stages_free(stages);
    leat_channel_close(ends.receiver);
}

static void a_sink_that_nobody_reads(void **state UNUSED)
{
    static const leat_emit_fn emits[] = {leat_record_emit_line, leat_record_emit_frame};
    for (size_t i = 0; i < COUNT(emits); i++) {
        struct pipe_ends out = pipe_of(4096);
        leat_stages *stages = passing(NULL, NULL);
        leat_reader *in = reader_of("1\n2\n3\n", 6, 0);
        leat_reader_close(out.reader);
        assert_int_equal(leat_stages_run(stages, leat_record_next_line, in, emits[i], out.writer, NULL), -EPIPE);
        leat_stages_free(stages);
        leat_reader_close(in);
        leat_writer_close(out.writer);
    }
}

/* ---- cancel ---- */

struct waiters {
    leat_channel *receiver;
    leat_writer *writer;
};

static void wake(void *user)
{
    struct waiters *waiters = user;
    leat_channel_cancel(waiters->receiver);
    leat_writer_fail(waiters->writer, -ECANCELED);
}

/* The source waits for messages, the sink for room. */
static void a_cancel_wakes_source_and_sink(void **state UNUSED)
{
    for (int how = 0; how < 3; how++) {
        struct channel_ends in = channel_of(1 << 20);
        struct pipe_ends out = pipe_of(64);
        struct waiters waiters = {in.receiver, out.writer};
        leat_stages *stages = passing(wake, &waiters);
        assert_int_equal(leat_stages_source(stages, leat_record_next_message, in.receiver), 0);
        assert_int_equal(leat_stages_sink(stages, leat_record_emit_line, out.writer), 0);
        assert_int_equal(leat_stages_start(stages), 0);
        for (int i = 0; i < 100; i++)
            assert_int_equal(leat_channel_send(in.sender, "a message", 9, -1), 0);
        if (how == 1)
            usleep(20000); /* so that, most likely, both wait */
        if (how < 2) {
            leat_stages_cancel(stages);
            assert_int_equal(leat_stages_wait(stages, -1, NULL), -ECANCELED);
        }
        leat_stages_free(stages);
        leat_channel_close(in.sender);
        leat_channel_close(in.receiver);
        leat_writer_close(out.writer);
        leat_reader_close(out.reader);
    }
}

static void records(void **state UNUSED)
{
    struct leat_record *record;
    assert_int_equal(leat_record_new(&record, "abc", 3), 0);
    assert_string_equal(record->bytes, "abc");
    leat_record_dispose(NULL, record);
    assert_int_equal(leat_record_new(&record, "abc", 0), 0);
    assert_string_equal(record->bytes, "");
    leat_record_free(record);
    assert_int_equal(leat_record_new(&record, NULL, SIZE_MAX), -ENOMEM);
    leat_record_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(lines_and_frames_through_pipes),
        cmocka_unit_test(messages_through_channels),
        cmocka_unit_test(ends_in_the_middle),
        cmocka_unit_test(a_sender_that_dies_is_no_end),
        cmocka_unit_test(a_sink_that_nobody_reads),
        cmocka_unit_test(a_cancel_wakes_source_and_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
