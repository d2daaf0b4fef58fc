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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sparse_source_shrinks),          cmocka_unit_test(residues_in_the_least_memory),     cmocka_unit_test(only_who_lags_behind_drops),
        cmocka_unit_test(who_is_ready_again_drops_nothing), cmocka_unit_test(who_may_drop_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
