/* SPDX-License-Identifier: MIT */
/* Memory: what it yields, what it takes, and what happens when it is full. */
#include "unit/endpoint/endpoints.h"

static ssize_t call(leat_endpoint *e, void *bytes, size_t n)
{
    return e->node.call(e->node.call_user, bytes, n);
}

static void a_source_yields_its_bytes_and_ends(void **state UNUSED)
{
    char bytes[8] = "";
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_memory(&e, "0123456", 7), 0);
    assert_true(e->node.kind == NODE_CALL && e->node.has_size && e->node.size == 7);
    assert_int_equal(node_open(e, NULL, NULL), 0);
    assert_int_equal(call(e, bytes, 3), 3);
    assert_memory_equal(bytes, "012", 3);
    assert_int_equal(call(e, bytes, 8), 4);
    assert_memory_equal(bytes, "3456", 4);
    assert_int_equal(call(e, bytes, 8), 0);
    assert_int_equal(call(e, bytes, 8), 0);
    node_end(e);
}

static void an_empty_source_is_at_its_end(void **state UNUSED)
{
    char byte;
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_memory(&e, NULL, 0), 0);
    assert_int_equal(call(e, &byte, 1), 0);
    node_end(e);
}

static void a_sink_takes_what_fits(void **state UNUSED)
{
    char to[5] = "";
    size_t size = 77;
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_to_memory(&e, to, 4, &size), 0);
    char from[] = "abcdef";
    assert_int_equal(call(e, from, 3), 3);
    assert_int_equal(call(e, from + 3, 3), 1);
    assert_int_equal(call(e, from, 0), 0);
    assert_int_equal(call(e, from + 4, 2), -ENOSPC);
    assert_int_equal(call(e, from + 4, 2), -ENOSPC);
    assert_string_equal(to, "abcd");
    assert_int_equal(size, 77);
    assert_int_equal(node_finish(e, 4, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    assert_int_equal(size, 4);
    node_end(e);
}

static void a_failure_leaves_the_size_alone(void **state UNUSED)
{
    char to[4], from[] = "ab";
    size_t size = 77;
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_to_memory(&e, to, 4, &size), 0);
    assert_int_equal(call(e, from, 2), 2);
    node_abort(e, 2);
    node_end(e);
    assert_int_equal(size, 77);
}

static void nobody_need_ask_for_the_size(void **state UNUSED)
{
    char to[1], from[] = "a";
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_to_memory(&e, to, 1, NULL), 0);
    assert_int_equal(call(e, from, 1), 1);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    assert_int_equal(leat_endpoint_to_memory(&e, NULL, 0, NULL), 0);
    assert_int_equal(call(e, from, 1), -ENOSPC);
    node_end(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_yields_its_bytes_and_ends),
        cmocka_unit_test(an_empty_source_is_at_its_end),
        cmocka_unit_test(a_sink_takes_what_fits),
        cmocka_unit_test(a_failure_leaves_the_size_alone),
        cmocka_unit_test(nobody_need_ask_for_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
