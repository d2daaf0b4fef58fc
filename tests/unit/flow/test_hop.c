/* Hops in corners: a sparse source that shrinks, an offset in a pipe, the least memory, sinks that may drop. */
#include "scene.h"

#include "pipelines.h"

/* ---- a source with holes shrinks ---- */

static bool cut_at_first_read(void *user, struct op *op, ssize_t *ret_result)
{
    bool *cut = user;
    (void)ret_result;
    if (op->kind == OP_READ && !*cut) {
        *cut = true;
        assert_int_equal(truncate("source", 2 << 16), 0);
    }
    return true;
}

/* Behind the end there is no data, which is not the same as a hole. */
static void a_sparse_source_shrinks(void **state UNUSED)
{
    static char data[1 << 16];
    bool cut = false;
    memset(data, 'x', sizeof(data));
    put_file("source", data, sizeof(data));
    int fd = open("source", O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, data, sizeof(data), 16 << 16), (ssize_t)sizeof(data));
    close(fd);
    leat_pipeline *p = pipeline_of(NULL, spec("source", LEAT_READ), spec("shrunk", LEAT_WRITE));
    op_interpose(cut_at_first_read, &cut);
    int r = run_and_free(p);
    op_interpose(NULL, NULL);
    assert_true(cut);
    assert_int_equal(r, -ESTALE);
    assert_int_equal(access("shrunk", F_OK), -1);
}

/* ---- an offset in a pipe ---- */

static void the_sums_of_a_sink_that_never_opened(void **state UNUSED)
{
    static char bytes[20000], to[sizeof(bytes)];
    struct leat_pipeline_options options = {.size = sizeof(options), .offset = 7000};
    int fd[2];
    size_t n = 0;
    struct stage s = {0};
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
    close(fd[1]);
    leat_endpoint *source;
    assert_int_equal(leat_endpoint_from_fd(&source, fd[0], LEAT_TAKE), 0);
    assert_int_equal(mkdir("gone", 0700), 0);
    leat_pipeline *p = pipeline_of(&options, source, spec("gone/file", LEAT_WRITE));
    assert_int_equal(leat_pipeline_sink(p, to_bytes(to, sizeof(to), &n), NULL), 0);
    assert_int_equal(rmdir("gone"), 0);
    assert_int_equal(leat_pipeline_run(p, &s.report), -ENOENT);
    assert_int_equal(n, sizeof(bytes) - 7000);
    check_balance(&s);
    leat_report_free(s.report);
    leat_pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sparse_source_shrinks),          cmocka_unit_test(the_sums_of_a_sink_that_never_opened),
        cmocka_unit_test(residues_in_the_least_memory),     cmocka_unit_test(only_who_lags_behind_drops),
        cmocka_unit_test(who_is_ready_again_drops_nothing), cmocka_unit_test(who_may_drop_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
