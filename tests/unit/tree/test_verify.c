/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * leat_tree_verify: what it tells, and what it refuses. */
#include "unit/unit.h"
#include <fcntl.h>
#include <leat/leat.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_file(const char *path, const char *text)
{
    unit_write(path, text, strlen(text));
}

struct told {
    struct leat_tree_difference one[16];
    char name[16][32];
    int count, problems, calls, stop_at;
};

static void on_difference(void *user, const struct leat_tree_difference *difference)
{
    struct told *t = user;
    assert_true(t->count < 16);
    assert_true(difference->text[0]);
    snprintf(t->name[t->count], sizeof(t->name[0]), "%s", difference->name);
    t->one[t->count++] = *difference;
}

static void on_problem(void *user, const struct leat_error *error UNUSED)
{
    ((struct told *)user)->problems++;
}

static int on_progress(void *user, const struct leat_tree_result *now)
{
    struct told *t = user;
    assert_int_equal(now->size, sizeof(*now));
    return ++t->calls >= t->stop_at;
}

static struct leat_tree_options options_of(struct told *told)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    options.difference = on_difference;
    options.problem = on_problem;
    options.user = told;
    return options;
}

static bool is_told(const struct told *t, const char *name, int32_t kind)
{
    for (int i = 0; i < t->count; i++)
        if (strcmp(t->name[i], name) == 0 && t->one[i].kind == kind)
            return true;
    return false;
}

static void kinds_are_told(void **state UNUSED)
{
    struct told told = {.count = 0};
    struct leat_tree_options options = options_of(&told);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_true(mkdir("s", 0700) == 0 && mkdir("t", 0700) == 0 && mkdir("s/kind", 0700) == 0);
    make_file("t/kind", "");
    make_file("s/source", "");
    make_file("t/target", "");
    make_file("s/bytes", "1");
    make_file("t/bytes", "2");
    assert_true(symlink("a", "s/link") == 0 && symlink("b", "t/link") == 0);
    assert_int_equal(leat_tree_verify("s", "t", &options, &result, &error), -EBADMSG);
    assert_true(told.count == 5 && result.differences == 5 && told.problems == 0 && result.problems == 0);
    assert_true(is_told(&told, "kind", LEAT_TREE_KIND) && result.differing[LEAT_TREE_KIND] == 1);
    assert_true(is_told(&told, "source", LEAT_TREE_ONLY_SOURCE) && result.differing[LEAT_TREE_ONLY_SOURCE] == 1);
    assert_true(is_told(&told, "target", LEAT_TREE_ONLY_TARGET) && result.differing[LEAT_TREE_ONLY_TARGET] == 1);
    assert_true(is_told(&told, "bytes", LEAT_TREE_CONTENTS) && result.differing[LEAT_TREE_CONTENTS] == 1);
    assert_true(is_told(&told, "link", LEAT_TREE_LINK) && result.differing[LEAT_TREE_LINK] == 1);
    assert_string_equal(error.node, told.name[0]);
    assert_string_equal(error.operation, "verify");
    assert_int_equal(leat_tree_verify("s", "s", &options, &result, &error), 0);
    assert_true(result.files == 2 && result.symlinks == 1 && result.directories == 2 && result.bytes == 1);
    assert_int_equal(leat_tree_verify("s", "t", NULL, NULL, NULL), -EBADMSG);
    /* What the rules leave out is not compared, whichever tree has it. */
    options.rules = (const char *const[]){"- kind", "- ?arget", "- [sbl]*", NULL};
    assert_int_equal(leat_tree_verify("s", "t", &options, &result, &error), 0);
    options.update = 1;
    assert_int_equal(leat_tree_verify("s", "t", &options, &result, &error), -EINVAL);
}

static void offsets_are_told(void **state UNUSED)
{
    struct told told = {.count = 0};
    struct leat_tree_options options = options_of(&told);
    static char bytes[300000];
    assert_true(mkdir("s", 0700) == 0 && mkdir("t", 0700) == 0);
    unit_write("s/f", bytes, sizeof(bytes));
    bytes[200000] = 1;
    bytes[250000] = 1;
    unit_write("t/f", bytes, sizeof(bytes));
    assert_int_equal(leat_tree_verify("s", "t", &options, NULL, NULL), -EBADMSG);
    assert_true(told.count == 1 && told.one[0].offset == 200000);
    unit_write("t/f", "", 0);
    assert_int_equal(leat_tree_verify("s", "t", &options, NULL, NULL), -EBADMSG);
    assert_true(told.count == 2 && told.one[1].offset == 0 && told.one[1].kind == LEAT_TREE_CONTENTS);
}

static void progress_ends_it(void **state UNUSED)
{
    struct told told = {.stop_at = 1};
    struct leat_tree_options options = options_of(&told);
    assert_int_equal(mkdir("s", 0700), 0);
    /* 64 GiB of zeros, twice: more than can be read in a millisecond. */
    int fd = open("s/large", O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    if (ftruncate(fd, (off_t)1 << (sizeof(off_t) > 4 ? 36 : 30)) < 0)
        skip();
    close(fd);
    options.progress = on_progress;
    options.progress_ms = 1;
    assert_int_equal(leat_tree_verify("s", "s", &options, NULL, NULL), -ECANCELED);
    assert_int_equal(told.calls, 1);
}

static void what_makes_no_sense_is_refused(void **state UNUSED)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(mkdir("s", 0700), 0);
    options.digest = "sha256";
    assert_int_equal(leat_tree_verify("s", "s", &options, NULL, &error), -EINVAL);
    options.digest = NULL;
    options.drop_attributes = 1;
    assert_int_equal(leat_tree_verify("s", "s", &options, NULL, &error), -EINVAL);
    assert_true(error.text[0]);
    options.drop_attributes = 0;
    options.shards = 2;
    assert_int_equal(leat_tree_verify("s", "s", &options, NULL, &error), -EINVAL);
    assert_int_equal(leat_tree_verify("s", "none", NULL, NULL, &error), -ENOENT);
    assert_string_equal(error.node, "none");
    assert_int_equal(error.side, LEAT_SIDE_SINK);
    assert_true(access("none", F_OK) < 0);
}

/* ---- lists ---- */

struct lines {
    const struct leat_tree_entry *entry;
    int code; /* at the end */
};

static int next_line(void *user, struct leat_tree_entry *ret)
{
    struct lines *lines = user;
    if (!lines->entry->name)
        return lines->code;
    *ret = *lines->entry++;
    return 1;
}

static int verify_list(struct told *told, const struct leat_tree_entry *entry, int code,
                       struct leat_tree_result *result, struct leat_error *error)
{
    struct leat_tree_options options = options_of(told);
    struct lines lines = {entry, code};
    *told = (struct told){.count = 0};
    return leat_tree_verify_list("s", next_line, &lines, &options, result, error);
}

static void lists_are_compared(void **state UNUSED)
{
    struct told told;
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_true(mkdir("s", 0700) == 0 && mkdir("s/in", 0700) == 0);
    make_file("s/one", "1");
    make_file("s/in/two", "22");
    const struct leat_tree_entry right[] = {
        {"one", "crc32", "83DCEFB7"}, {"./in//two", "CRC32", "647e170e"}, {NULL, NULL, NULL}};
    assert_int_equal(verify_list(&told, right, 0, &result, &error), 0);
    assert_true(result.files == 2 && result.bytes == 3 && told.count == 0 && told.problems == 0);
    assert_int_equal(verify_list(&told, right, -EXDEV, &result, &error), -EXDEV);
    const struct leat_tree_entry wrong[] = {{"one", "crc32", "83dcefb8"},
                                            {"two", "crc32", "647e170e"},
                                            {"in", "crc32", "647e170e"},
                                            {"in/two/x", "crc32", "647e170e"},
                                            {NULL, NULL, NULL}};
    assert_int_equal(verify_list(&told, wrong, 0, &result, &error), -EBADMSG);
    assert_true(told.count == 4 && is_told(&told, "one", LEAT_TREE_CONTENTS) && is_told(&told, "in", LEAT_TREE_KIND));
    assert_true(is_told(&told, "two", LEAT_TREE_ONLY_SOURCE) && is_told(&told, "in/two/x", LEAT_TREE_KIND));
    const struct leat_tree_entry bad[] = {{"one", "crc32", "83dcefb"},     {"one", "crc32", "83dcefb7a"},
                                          {"one", "crc32", "83dcefbx"},    {"one", "no-such-digest", "83dcefb7"},
                                          {"../one", "crc32", "83dcefb7"}, {NULL, NULL, NULL}};
    int r = verify_list(&told, bad, 0, &result, &error);
    assert_true(r == -EINVAL && told.count == 0 && told.problems == 5 && result.files == 0);
    const struct leat_tree_entry none[] = {{NULL, NULL, NULL}};
    assert_int_equal(verify_list(&told, none, 0, &result, &error), 0);
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct lines lines = {none, 0};
    options.keep = LEAT_TREE_ALL;
    assert_int_equal(leat_tree_verify_list("s", next_line, &lines, &options, NULL, NULL), -EINVAL);
    assert_int_equal(leat_tree_verify_list("none", next_line, &lines, NULL, NULL, &error), -ENOENT);
}

/* ---- names ---- */

struct seen {
    char names[8][32];
    int files, others, code;
};

static int on_name(void *user, const char *name, int32_t is_file)
{
    struct seen *seen = user;
    assert_true(seen->files + seen->others < 8);
    snprintf(seen->names[seen->files + seen->others], 32, "%s", name);
    *(is_file ? &seen->files : &seen->others) += 1;
    return seen->code;
}

static void names_are_given(void **state UNUSED)
{
    struct seen seen = {.files = 0};
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_true(mkdir("s", 0700) == 0 && mkdir("s/in", 0700) == 0 && mkdir("s/empty", 0700) == 0);
    make_file("s/in/one", "1");
    make_file("s/two", "1");
    assert_int_equal(symlink("in", "s/link"), 0);
    assert_int_equal(leat_tree_walk("s", on_name, &seen, NULL, &result, &error), 0);
    assert_true(seen.files == 2 && seen.others == 1 && result.directories == 3 && result.found == 3);
    bool is_there = false;
    for (int i = 0; i < 3; i++)
        is_there |= strcmp(seen.names[i], "in/one") == 0;
    assert_true(is_there);
    seen = (struct seen){.code = -EXDEV};
    assert_int_equal(leat_tree_walk("s", on_name, &seen, NULL, NULL, &error), -EXDEV);
    options.digest = "sha256";
    assert_int_equal(leat_tree_walk("s", on_name, &seen, &options, NULL, &error), -EINVAL);
    assert_int_equal(leat_tree_walk("none", on_name, &seen, NULL, NULL, &error), -ENOENT);
    assert_string_equal(error.node, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds_are_told, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(offsets_are_told, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(progress_ends_it, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(names_are_given, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(lists_are_compared, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, unit_folder, unit_folder_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
