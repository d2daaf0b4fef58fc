/* SPDX-License-Identifier: MIT */
/* emscripten: its pipes have no end, and it has no processes
 * timeout: 120
 * What only the kernel's pipe has: descriptors that others use, chunks handed over without a copy and never reused too
 * early, calls that are refused, processes that die. */
#include "base/op.h"
#include "unit/pipe/pipes.h"
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static bool quick(void)
{
    return getenv("LEAT_TEST_QUICK") != NULL;
}

static int zero_copy(leat_writer *w)
{
    struct leat_pipe_stats s = LEAT_INIT(struct leat_pipe_stats);
    assert_int_equal(leat_writer_stats(w, &s), 0);
    return s.zero_copy;
}

static size_t commit_pattern(leat_writer *w, uint64_t from, size_t n)
{
    void *room;
    size_t have;
    assert_int_equal(leat_writer_reserve(w, n, &room, &have, SOON), 0);
    n = MIN(n, have);
    fill_pattern(room, from, n);
    assert_int_equal(leat_writer_commit(w, n, -1), 0);
    return n;
}

/* ---- descriptors ---- */

static void the_descriptors_are_the_pipe_s_own(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 65536);
    char bytes[10];
    int in, out;
    assert_int_equal(leat_writer_fd(e.w, &in), 0);
    assert_int_equal(leat_reader_fd(e.r, &out), 0);
    assert_true(fcntl(in, F_GETFD) == FD_CLOEXEC && (fcntl(in, F_GETFL) & O_NONBLOCK));
    assert_int_equal(write(in, "abc", 3), 3);
    puts_text(e.w, "def");
    assert_int_equal(read(out, bytes, 2), 2);
    gives_text(e.r, "cdef");
    assert_int_equal(commit_pattern(e.w, 0, 8192), 8192);
    assert_int_equal(zero_copy(e.w), 0);
    close_both(e);
}

static void buffered_bytes_keep_the_descriptor(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 65536);
    const void *bytes;
    size_t n;
    int fd = -5;
    puts_text(e.w, "abc");
    assert_int_equal(leat_reader_peek(e.r, &bytes, &n, SOON), 0);
    assert_int_equal(leat_reader_fd(e.r, &fd), -EBUSY);
    assert_int_equal(fd, -5);
    assert_int_equal(leat_reader_consume(e.r, 3), 0);
    assert_int_equal(leat_reader_fd(e.r, &fd), 0);
    close_both(e);
}

static void bytes_without_a_copy_keep_the_descriptor(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 65536);
    uint8_t bytes[8192];
    int fd;
    commit_pattern(e.w, 0, sizeof(bytes));
    if (!zero_copy(e.w)) {
        close_both(e);
        skip();
    }
    assert_int_equal(leat_reader_fd(e.r, &fd), -EBUSY);
    assert_int_equal(leat_writer_fd(e.w, &fd), -EBUSY);
    assert_int_equal(leat_reader_read_full(e.r, bytes, sizeof(bytes), NULL, SOON), 0);
    is_pattern(bytes, 0, sizeof(bytes));
    assert_int_equal(leat_reader_fd(e.r, &fd), 0);
    commit_pattern(e.w, 0, sizeof(bytes)); /* a plain write from now on: others may read it any time later */
    assert_int_equal(commit_pattern(e.w, 1000, 4096), 4096);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
    is_pattern(bytes, 0, sizeof(bytes));
    close_both(e);
}

static struct leat_pipe_stats stats_of(struct ends e)
{
    struct leat_pipe_stats s = LEAT_INIT(struct leat_pipe_stats);
    assert_int_equal(leat_reader_stats(e.r, &s), 0);
    return s;
}

/* The bytes of a peek have left the pipe, and are still unread. Once other code may read too, nothing is known. */
static void unread_and_room_of_a_kernel_pipe(void **state UNUSED)
{
    static uint8_t bytes[65536];
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 16384);
    const void *seen;
    size_t n, done;
    int fd;
    uint64_t limit = stats_of(e).memory_limit;
    assert_true(stats_of(e).unread == 0 && stats_of(e).room == limit);
    assert_int_equal(leat_writer_write(e.w, bytes, 5000, NULL, 0), 0);
    assert_true(stats_of(e).unread == 5000 && stats_of(e).room == limit - 5000);
    assert_int_equal(leat_reader_peek(e.r, &seen, &n, 0), 0);
    assert_true(stats_of(e).unread == 5000 && stats_of(e).room == limit - 5000 + n);
    assert_int_equal(leat_writer_write(e.w, bytes, sizeof(bytes), &done, 0), -EAGAIN);
    assert_true(done <= limit - 5000 + n && stats_of(e).unread == 5000 + done);
    assert_int_equal(leat_reader_read_full(e.r, bytes, 5000 + done, NULL, 0), 0);
    assert_true(stats_of(e).unread == 0 && stats_of(e).room == limit);
    assert_int_equal(leat_writer_fd(e.w, &fd), 0);
    assert_true(stats_of(e).unread == UINT64_MAX && stats_of(e).room == UINT64_MAX);
    close_both(e);
}

/* What filters have gathered is in the pipe when a write returns, for who polls it. */
static void who_polls_the_descriptor_sees_what_passed_filters(void **state UNUSED)
{
    struct watcher w = {0};
    leat_filter *filter = watcher(&w);
    struct ends e = open_with(LEAT_PIPE_KERNEL, 0, 0, &filter, 1);
    struct pollfd set = {.events = POLLIN};
    assert_int_equal(leat_reader_fd(e.r, &set.fd), 0);
    assert_int_equal(poll(&set, 1, 0), 0);
    puts_text(e.w, "a");
    assert_int_equal(poll(&set, 1, 0), 1);
    gives_text(e.r, "a");
    assert_int_equal(poll(&set, 1, 0), 0);
    close_both(e);
}

/* Of the queue it is a descriptor that is readable while there is something to do. */
static void a_queue_can_be_polled(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_QUEUE, 4096);
    struct pollfd in = {.events = POLLIN}, out = {.events = POLLIN};
    uint8_t bytes[4096] = {0};
    assert_int_equal(leat_writer_fd(e.w, &in.fd), 0);
    assert_int_equal(leat_reader_fd(e.r, &out.fd), 0);
    assert_int_equal(poll(&in, 1, 0), 1);
    assert_int_equal(poll(&out, 1, 0), 0);
    assert_int_equal(leat_writer_write(e.w, bytes, sizeof(bytes), NULL, 0), 0);
    assert_int_equal(poll(&in, 1, 0), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(poll(&out, 1, 0), 1);
        assert_int_equal(leat_reader_read(e.r, bytes, 10, NULL, 0), 0);
    }
    assert_int_equal(poll(&in, 1, 0), 1);
    assert_int_equal(leat_reader_read(e.r, bytes, sizeof(bytes), NULL, 0), 0);
    assert_int_equal(poll(&out, 1, 0), 0);
    finish_and_close(e.w);
    assert_int_equal(poll(&out, 1, 0), 1);
    gives_code(e.r, 0);
    leat_reader_close(e.r);
}

/* An event loop of one thread on each side, at a limit that is always reached. */
struct loop {
    struct ends e;
    size_t n;
};

static void *write_in_loop(void *user)
{
    struct loop *l = user;
    struct pollfd set = {.events = POLLIN};
    uint8_t bytes[100];
    assert_int_equal(leat_writer_fd(l->e.w, &set.fd), 0);
    for (size_t sent = 0, done; sent < l->n; sent += done) {
        fill_pattern(bytes, sent, sizeof(bytes));
        if (leat_writer_write_some(l->e.w, bytes, MIN(sizeof(bytes), l->n - sent), &done, 0) == -EAGAIN &&
            poll(&set, 1, SOON) != 1)
            break;
    }
    finish_and_close(l->e.w);
    return NULL;
}

static void no_event_of_a_queue_is_lost(void **state UNUSED)
{
    struct loop l = {.e = open_pipe(LEAT_PIPE_QUEUE, 7), .n = quick() ? 20000 : 200000};
    struct pollfd set = {.events = POLLIN};
    pthread_t thread;
    size_t got = 0, done;
    uint8_t bytes[10];
    int r;
    assert_int_equal(leat_reader_fd(l.e.r, &set.fd), 0);
    assert_int_equal(pthread_create(&thread, NULL, write_in_loop, &l), 0);
    while ((r = leat_reader_read(l.e.r, bytes, sizeof(bytes), &done, 0)) == -EAGAIN || done) {
        if (r == -EAGAIN)
            assert_int_equal(poll(&set, 1, SOON), 1);
        is_pattern(bytes, got, done);
        got += done;
    }
    assert_true(r == 0 && got == l.n);
    pthread_join(thread, NULL);
    leat_reader_close(l.e.r);
}

/* ---- other processes ---- */

static volatile sig_atomic_t caught;

static void count(int number UNUSED)
{
    caught++;
}

static void a_reader_process_that_is_killed_breaks_the_pipe(void **state UNUSED)
{
    struct sigaction action = {.sa_handler = count}, before;
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 4096);
    static uint8_t bytes[100000];
    struct call w = {.w = e.w, .bytes = bytes, .n = sizeof(bytes), .timeout_ms = SOON};
    int fd;
    caught = 0;
    sigaction(SIGPIPE, &action, &before);
    assert_int_equal(leat_reader_fd(e.r, &fd), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(fcntl(fd + 1, F_GETFD) >= 0 ? fd + 1 : -1); /* the writer's, or the child would keep it open */
        struct pollfd set = {.fd = fd, .events = POLLIN};
        poll(&set, 1, -1);
        _exit(read(fd, &byte, 1) == 1 ? (pause(), 0) : 1);
    }
    assert_true(child > 0);
    leat_reader_close(e.r);
    start(&w, do_write);
    let_it_block();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    wait_for(&w);
    assert_int_equal(w.result, -EPIPE);
    assert_int_equal(leat_writer_write(e.w, "x", 1, NULL, SOON), -EPIPE);
    assert_int_equal(caught, 0);
    sigaction(SIGPIPE, &before, NULL);
    finish_and_close(e.w);
}

static void a_child_writes_into_it(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 0);
    int fd;
    assert_int_equal(leat_writer_fd(e.w, &fd), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(write(fd, "from a child", 12) == 12 ? 0 : 1);
    leat_writer_close(e.w);
    gives_text(e.r, "from a child");
    gives_code(e.r, 0); /* when the child has gone, too */
    waitpid(child, NULL, 0);
    leat_reader_close(e.r);
}

/* ---- without a copy ---- */

struct refusal {
    int code;
    unsigned seen;
};

static bool refuse(void *user, struct op *op, ssize_t *ret_result)
{
    struct refusal *refusal = user;
    if (op->kind != OP_VMSPLICE)
        return true;
    refusal->seen++;
    *ret_result = -refusal->code;
    return false;
}

static void what_vmsplice_refuses_is_written(void **state UNUSED)
{
    static const int codes[] = {ENOSYS, EPERM, EINVAL, ENOMEM, EFAULT};
    uint8_t bytes[20000];
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct refusal refusal = {.code = codes[i]};
        struct ends e = open_pipe(LEAT_PIPE_KERNEL, 65536);
        op_interpose(refuse, &refusal);
        for (int round = 0; round < 3; round++) {
            assert_int_equal(commit_pattern(e.w, 0, 8192), 8192);
            assert_int_equal(leat_reader_read_full(e.r, bytes, 8192, NULL, SOON), 0);
            is_pattern(bytes, 0, 8192);
        }
        op_interpose(NULL, NULL);
        assert_true(refusal.seen == 1 && !zero_copy(e.w)); /* it is not asked again */
        close_both(e);
    }
}

/* Short counts, -EAGAIN without a reason, on every call. */
static bool disturb(void *user, struct op *op, ssize_t *ret_result)
{
    atomic_uint *state = user;
    unsigned dice = atomic_fetch_add(state, 0x9e3779b9) >> 16;
    if (op->kind != OP_VMSPLICE && op->kind != OP_WRITE && op->kind != OP_READ)
        return true;
    if (dice % 5 == 0) {
        *ret_result = -EAGAIN;
        return false;
    }
    if (dice % 3 == 0)
        op->length = 1 + dice % op->length;
    return true;
}

static void *commit_all(void *user)
{
    struct call *c = user;
    while (c->done < c->n)
        c->done += commit_pattern(c->w, c->done, MIN(c->n - c->done, 1 + c->done % 9000));
    finish_and_close(c->w);
    return NULL;
}

static void short_counts_and_eagain_lose_nothing(void **state UNUSED)
{
    static uint8_t bytes[10000];
    atomic_uint dice = 1;
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 16384);
    struct call w = {.w = e.w, .n = quick() ? 300000 : 3000000};
    size_t got = 0, done;
    op_interpose(disturb, &dice);
    start(&w, commit_all);
    while (leat_reader_read(e.r, bytes, sizeof(bytes), &done, SOON) == 0 && done) {
        is_pattern(bytes, got, done);
        got += done;
    }
    wait_for(&w);
    op_interpose(NULL, NULL);
    assert_int_equal(got, w.n);
    leat_reader_close(e.r);
}

/* Words in sequence; each chunk that comes back to the writer is poisoned before it is filled again, so a word that was
 * still to be read would be a poisoned one. The reader pauses, and leaves at random. */
#define POISON UINT64_C(0xdeaddeaddeaddead)

static void *send_words(void *user)
{
    struct call *c = user;
    uint64_t word = 0;
    unsigned dice = (unsigned)c->n;
    for (;;) {
        uint64_t *room;
        size_t n;
        if (leat_writer_reserve(c->w, 4096, (void **)&room, &n, SOON) < 0 || n < 4096)
            break;
        for (size_t i = 0; i < n / 8; i++)
            room[i] = POISON;
        dice = dice * 1103515245 + 12345;
        size_t words = 1 + (dice >> 16) % 512;
        if (dice >> 30 == 0)
            words = n / 8 / 512 * 512;
        for (size_t i = 0; i < words; i++)
            room[i] = word++;
        if (leat_writer_commit(c->w, words * 8, -1) < 0)
            break;
    }
    finish_and_close(c->w);
    return NULL;
}

static void no_chunk_is_reused_before_it_was_read(void **state UNUSED)
{
    static uint64_t words[20000];
    int spliced = 0;
    for (unsigned round = 0; round < (quick() ? 10u : 60u); round++) {
        struct ends e = open_pipe(LEAT_PIPE_KERNEL, 4096u << (round % 7));
        struct call w = {.w = e.w, .n = round};
        uint64_t word = 0, until = 1000 + round * 3000;
        start(&w, send_words);
        while (word < until) {
            size_t n = 1 + (word * 7 + round) % COUNT(words), done;
            assert_int_equal(leat_reader_read_full(e.r, words, n * 8, &done, SOON), 0);
            for (size_t i = 0; i < n; i++)
                if (words[i] != word + i)
                    fail_msg("round %u: word %llu is %llx", round, (unsigned long long)(word + i),
                             (unsigned long long)words[i]);
            word += n;
            if (word % 5 == 0)
                usleep(word % 300);
        }
        struct leat_pipe_stats s = LEAT_INIT(struct leat_pipe_stats);
        leat_reader_stats(e.r, &s);
        spliced += s.zero_copy;
        leat_reader_close(e.r);
        wait_for(&w);
    }
    if (!spliced)
        print_message("vmsplice was never taken here\n");
}

/* Through an observer that keeps chunks, as a digest's thread does. */
static void filtered_chunks_go_without_a_copy_too(void **state UNUSED)
{
    struct watcher w = {.patterned = true};
    leat_filter *filter = watcher(&w);
    struct ends e = open_with(LEAT_PIPE_KERNEL, 65536, 0, &filter, 1);
    static uint8_t bytes[500000], back[500000];
    struct call c = {.w = e.w, .bytes = bytes, .n = sizeof(bytes), .timeout_ms = SOON};
    fill_pattern(bytes, 0, sizeof(bytes));
    start(&c, do_write);
    assert_int_equal(leat_reader_read_full(e.r, back, 460000, NULL, SOON), 0);
    wait_for(&c);
    leat_writer_close(e.w);
    assert_int_equal(leat_reader_read_full(e.r, back + 460000, 40000, NULL, SOON), 0);
    is_pattern(back, 0, sizeof(back));
    assert_true(!w.bad && w.seen == sizeof(bytes));
    leat_reader_close(e.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_descriptors_are_the_pipe_s_own),
        cmocka_unit_test(buffered_bytes_keep_the_descriptor),
        cmocka_unit_test(bytes_without_a_copy_keep_the_descriptor),
        cmocka_unit_test(unread_and_room_of_a_kernel_pipe),
        cmocka_unit_test(who_polls_the_descriptor_sees_what_passed_filters),
        cmocka_unit_test(a_queue_can_be_polled),
        cmocka_unit_test(no_event_of_a_queue_is_lost),
        cmocka_unit_test(a_reader_process_that_is_killed_breaks_the_pipe),
        cmocka_unit_test(a_child_writes_into_it),
        cmocka_unit_test(what_vmsplice_refuses_is_written),
        cmocka_unit_test(short_counts_and_eagain_lose_nothing),
        cmocka_unit_test(no_chunk_is_reused_before_it_was_read),
        cmocka_unit_test(filtered_chunks_go_without_a_copy_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
