/* SPDX-License-Identifier: MIT */
/* The sorter of the command, which is not part of the library: many runs, records longer than a buffer, no room. */
/* emscripten: there is no folder for temporary files */
#include "cli/trees/sort.c" /* NOLINT(bugprone-suspicious-include) */
#include "unit/unit.h"
#include <sys/resource.h>
#include <sys/stat.h>

static uint32_t dice = 1;

static uint32_t throw(uint32_t sides)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % sides;
}

/* Names of any bytes but NUL and the slash, which say their number at the end. */
static void make_name(char *ret, size_t longest, unsigned number)
{
    size_t n = throw((uint32_t)longest) + 1;
    for (size_t i = 0; i < n; i++)
        do
            ret[i] = (char)(throw(255) + 1);
        while (ret[i] == '/');
    snprintf(ret + n, 16, "/%u", number);
}

/* Sorts so many records in so much memory, and expects each once, in order. */
static void sorts(unsigned count, size_t memory, size_t longest, size_t least_runs)
{
    struct sorter *s = NULL;
    const char *name, *value;
    char *made = malloc(longest + 64), *before = calloc(1, longest + 64);
    char *is_seen = calloc(count + 1, 1);
    unsigned seen = 0;
    assert_int_equal(sorter_new(&s, memory), 0);
    for (unsigned i = 0; i < count; i++) {
        char number[16];
        make_name(made, longest, i);
        snprintf(number, sizeof(number), "%u", i);
        assert_int_equal(sorter_add(s, i % 2 ? "" : "pre/", made, number), 0);
    }
    int r;
    while ((r = sorter_next(s, &name, &value)) == 1) {
        assert_true(strcmp(before, name) < 0);
        snprintf(before, longest + 64, "%s", name);
        unsigned number = (unsigned)strtoul(value, NULL, 10);
        assert_true(number < count && !is_seen[number]);
        assert_string_equal(strrchr(name, '/') + 1, value);
        is_seen[number] = 1;
        seen++;
    }
    assert_int_equal(r, 0);
    assert_int_equal(sorter_next(s, &name, &value), 0);
    assert_int_equal(sorter_add(s, "", "late", ""), -EINVAL);
    assert_int_equal(seen, count);
    assert_true(s->runs >= least_runs && (least_runs > 0 || s->runs == 0));
    sorter_free(s);
    free(made);
    free(before);
    free(is_seen);
}

static void any_number_is_sorted(void **state UNUSED)
{
    for (unsigned count = 0; count < 4; count++)
        sorts(count, 4096, 20, 0);
    sorts(1000, 1 << 20, 50, 0);
    sorts(20000, 4096, 20, 100);
    sorts(5000, 65536, 200, 8);
}

static void long_records_are_sorted(void **state UNUSED)
{
    sorts(60, 40000, 9000, 5); /* longer than a run's buffer */
}

static void equal_names_come_by_value(void **state UNUSED)
{
    struct sorter *s = NULL;
    const char *name, *value;
    assert_int_equal(sorter_new(&s, 0), 0);
    assert_int_equal(sorter_add(s, "a", "b", "2"), 0);
    assert_int_equal(sorter_add(s, "", "ab", "1"), 0);
    for (const char *want = "12"; *want; want++) {
        assert_int_equal(sorter_next(s, &name, &value), 1);
        assert_string_equal(name, "ab");
        assert_int_equal(value[0], *want);
    }
    assert_int_equal(sorter_next(s, &name, &value), 0);
    sorter_free(s);
    sorter_free(NULL);
}

/* Adds until that fails. Returns the code. */
static int fill(struct sorter *s)
{
    int r = 0;
    for (int i = 0; r == 0 && i < 100000; i++)
        r = sorter_add(s, "", "a name that takes a little room", "and a value");
    return r;
}

static void a_full_folder_is_a_failure(void **state UNUSED)
{
    const char *name, *value;
    struct rlimit limit, old;
    struct sorter *s = NULL;
    assert_int_equal(setenv("TMPDIR", "no/where", 1), 0);
    assert_string_equal(sorter_folder(), "no/where");
    assert_int_equal(sorter_new(&s, 65536), 0);
    assert_int_equal(fill(s), -ENOENT);
    assert_int_equal(sorter_next(s, &name, &value), -ENOENT);
    sorter_free(s);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_string_equal(sorter_folder(), "/var/tmp");
    /* A limit on the length of files stands for a full disk. */
    assert_int_equal(setenv("TMPDIR", ".", 1), 0);
    signal(SIGXFSZ, SIG_IGN);
    if (getrlimit(RLIMIT_FSIZE, &old) < 0)
        skip();
    limit = old;
    limit.rlim_cur = 200000;
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        skip();
    assert_int_equal(sorter_new(&s, 65536), 0);
    int r = fill(s);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(r, -EFBIG);
    assert_int_equal(sorter_add(s, "", "more", ""), -EFBIG);
    assert_int_equal(sorter_next(s, &name, &value), -EFBIG);
    sorter_free(s);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_is_sorted),
        cmocka_unit_test(long_records_are_sorted),
        cmocka_unit_test(equal_names_come_by_value),
        cmocka_unit_test_setup_teardown(a_full_folder_is_a_failure, unit_folder, unit_folder_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
