/* SPDX-License-Identifier: MIT */
/* Which endpoints are the same as another one: memory, callbacks, children and connections never are. */
#include "unit/unit.h"
#include <leat/leat.h>

static char bytes[4];

static int nothing(void *user UNUSED, void *to UNUSED, size_t n UNUSED, size_t *ret_n)
{
    *ret_n = 0;
    return 0;
}

static int from_memory(leat_endpoint **ret, const char *spec UNUSED)
{
    return leat_endpoint_from_memory(ret, bytes, sizeof(bytes));
}

static int to_memory(leat_endpoint **ret, const char *spec UNUSED)
{
    return leat_endpoint_to_memory(ret, bytes, sizeof(bytes), NULL);
}

static int from_callbacks(leat_endpoint **ret, const char *spec UNUSED)
{
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .read = nothing};
    return leat_endpoint_from_callbacks(ret, &callbacks, bytes, NULL);
}

static int source(leat_endpoint **ret, const char *spec)
{
    return leat_endpoint_open(ret, spec, LEAT_READ, NULL, NULL);
}

static int sink(leat_endpoint **ret, const char *spec)
{
    return leat_endpoint_open(ret, spec, LEAT_WRITE, NULL, NULL);
}

static const struct kind {
    int (*make)(leat_endpoint **ret, const char *spec);
    const char *spec;
} kinds[] = {
    {from_memory, NULL},
    {to_memory, NULL},
    {from_callbacks, NULL},
    {source, "exec:cat"},
    {sink, "exec:cat"},
    {source, "tcp:127.0.0.1:9"},
    {sink, "tcp:127.0.0.1:9"},
    {source, "tcp-listen:9"},
    {source, "unix:socket"},
    {source, "unix-listen:socket"},
    {source, "http://127.0.0.1/a"},
    {sink, "http://127.0.0.1/a"},
};

static leat_endpoint *make(size_t i)
{
    leat_endpoint *e;
    int r = kinds[i].make(&e, kinds[i].spec);
    unit_needs(r != -ENOSYS, "stores");
    assert_int_equal(r, 0);
    return e;
}

static void what_is_no_file_is_like_nothing(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        leat_endpoint *a = make(i);
        assert_int_equal(leat_endpoint_is_same(a, a), 1);
        for (size_t k = 0; k < COUNT(kinds); k++) {
            leat_endpoint *b = make(k);
            assert_int_equal(leat_endpoint_is_same(a, b), 0);
            assert_int_equal(leat_endpoint_is_same(b, a), 0);
            leat_endpoint_close(b);
        }
        leat_endpoint_close(a);
    }
}

/* By descriptors of its own each. */
static void assert_descriptors_are_same(int fd, int other, int wanted)
{
    leat_endpoint *a, *b;
    assert_int_equal(leat_endpoint_from_fd(&a, fd, LEAT_BORROW), 0);
    assert_int_equal(leat_endpoint_from_fd(&b, other, LEAT_BORROW), 0);
    assert_int_equal(leat_endpoint_is_same(a, b), wanted);
    leat_endpoint_close(a);
    leat_endpoint_close(b);
}

static void descriptors_of_one_thing_are_the_same(void **state UNUSED)
{
    int pair[2], other[2];
    unit_socketpair(pair);
    assert_int_equal(pipe(other), 0);
    for (int i = 0; i < 2; i++) {
        int copy = dup(i ? other[0] : pair[0]);
        assert_descriptors_are_same(i ? other[0] : pair[0], copy, 1);
        close(copy);
    }
    assert_descriptors_are_same(pair[0], pair[1], 0);
    assert_descriptors_are_same(pair[0], other[0], 0);
    assert_descriptors_are_same(other[0], other[1], 1); /* one pipe has two ends */
    for (int i = 0; i < 2; i++) {
        close(pair[i]);
        close(other[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_file_is_like_nothing),
        cmocka_unit_test(descriptors_of_one_thing_are_the_same),
    };
    return cmocka_run_group_tests_name("same", tests, unit_folder, unit_folder_gone);
}
