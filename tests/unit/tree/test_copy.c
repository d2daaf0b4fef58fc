/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * leat_tree_copy: what it tells, what it refuses, and trees with more folders than there are descriptors. */
#include "unit/unit.h"
#include <fcntl.h>
#include <leat/leat.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_file(const char *path, const char *text)
{
    unit_write(path, text, strlen(text));
}

static void make_tree(void)
{
    assert_int_equal(mkdir("s", 0700), 0);
    assert_int_equal(mkdir("s/in", 0750), 0);
    make_file("s/one", "1");
    make_file("s/in/two", "22");
    assert_int_equal(symlink("one", "s/link"), 0);
    assert_int_equal(link("s/one", "s/in/again"), 0);
    unit_fifo("s/fifo");
}

struct told {
    char names[4][32], hexes[4][16];
    int listed, problems;
    struct leat_error problem;
    int calls, stop_at;
};

static void on_listed(void *user, const char *name, const char *hex)
{
    struct told *t = user;
    assert_true(t->listed < 4);
    snprintf(t->names[t->listed], sizeof(t->names[0]), "%s", name);
    snprintf(t->hexes[t->listed++], sizeof(t->hexes[0]), "%s", hex);
}

static void on_problem(void *user, const struct leat_error *error)
{
    struct told *t = user;
    t->problem = *error;
    t->problems++;
}

static int on_progress(void *user, const struct leat_tree_result *now)
{
    struct told *t = user;
    assert_int_equal(now->size, sizeof(*now));
    return ++t->calls >= t->stop_at;
}

static bool is_listed(const struct told *t, const char *name, const char *hex)
{
    for (int i = 0; i < t->listed; i++)
        if (strcmp(t->names[i], name) == 0)
            return strcmp(t->hexes[i], hex) == 0;
    return false;
}

static void all_is_told(void **state UNUSED)
{
    struct told told = {.listed = 0};
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    struct leat_error error = LEAT_INIT(struct leat_error);
    make_tree();
    options.digest = "crc32";
    options.listed = on_listed;
    options.problem = on_problem;
    options.user = &told;
    assert_int_equal(leat_tree_copy("s", "t", &options, &result, &error), -EOPNOTSUPP);
    assert_true(told.problems == 1 && result.problems == 1);
    assert_string_equal(told.problem.node, "fifo");
    assert_string_equal(error.node, "fifo");
    assert_int_equal(told.problem.side, LEAT_SIDE_SOURCE);
    assert_true(told.listed == 3 && result.files == 3 && result.bytes == 4 && result.hard_links == 0);
    assert_true(result.directories == 2 && result.symlinks == 1 && result.specials == 0 && result.dropped == 0);
    assert_true(is_listed(&told, "one", "83dcefb7"));
    assert_true(is_listed(&told, "in/again", "83dcefb7"));
    assert_true(is_listed(&told, "in/two", "647e170e"));
    unit_holds("t/one", "1");
    unit_holds("t/in/two", "22");
    unit_holds("t/in/again", "1");
    unit_holds("t/link", "1");
    assert_int_equal(unlink("s/fifo"), 0);
    assert_int_equal(leat_tree_copy("s", "t", NULL, NULL, NULL), 0);
    options = LEAT_INIT(struct leat_tree_options);
    options.keep = LEAT_TREE_ALL;
    options.drop_attributes = 1; /* POSIX alone can't copy attributes */
    options.sizes = 1;
    assert_int_equal(leat_tree_copy("s", "all", &options, &result, &error), 0);
    assert_true(result.found == 4 && result.has_found_all == 1 && result.jobs >= 2);
    assert_true(result.found_bytes == 2); /* half a byte for each of two names is none */
    assert_true(result.files == 2 && result.bytes == 3 && result.hard_links == 1 && result.problems == 0);
}

static int refused(const struct leat_tree_options *options)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = leat_tree_copy("s", "none", options, NULL, &error);
    assert_true(r < 0 && error.code == r && error.text[0]);
    assert_true(access("none", F_OK) < 0);
    return r;
}

static void what_makes_no_sense_is_refused(void **state UNUSED)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    make_tree();
    options.jobs = -1;
    assert_int_equal(refused(&options), -EINVAL);
    options.jobs = LEAT_TREE_JOBS_MAX + 1;
    assert_int_equal(refused(&options), -EINVAL);
    options.jobs = 0;
    options.progress_ms = -1;
    assert_int_equal(refused(&options), -EINVAL);
    options.progress_ms = 0;
    static const int32_t shards[][2] = {{0, -1}, {0, LEAT_TREE_SHARDS_MAX + 1}, {-1, 2}, {2, 2}, {1, 0}, {1, 1}};
    for (size_t i = 0; i < COUNT(shards); i++) {
        options.shard = shards[i][0];
        options.shards = shards[i][1];
        assert_int_equal(refused(&options), -EINVAL);
    }
    options.shard = options.shards = 0;
    options.max_depth = -1;
    assert_int_equal(refused(&options), -EINVAL);
    options.max_depth = 0;
    static const char *const rules[][2] = {{"*.o", NULL}, {"- ", NULL}, {"-*.o", NULL}, {"", NULL}};
    for (size_t i = 0; i < COUNT(rules); i++) {
        options.rules = rules[i];
        assert_int_equal(refused(&options), -EINVAL);
    }
    options.rules = NULL;
    options.shard = 0;
    options.shards = 2;
    options.claims = "claims";
    assert_int_equal(refused(&options), -EINVAL);
    options.shards = 0;
    options.lease_ms = -1;
    assert_int_equal(refused(&options), -EINVAL);
    options.lease_ms = 1000;
    options.claims = NULL;
    assert_int_equal(refused(&options), -EINVAL);
    options.lease_ms = 0;
    /* Without libcrypto nobody knows which algorithms it has. */
    options.digest = "sha256,md5";
    int r = refused(&options);
    assert_true(r == -ENOENT || r == -ELIBACC);
    options.digest = "nothing";
    r = refused(&options);
    assert_true(r == -ENOENT || r == -ELIBACC);
    assert_int_equal(leat_tree_copy("s", "s/.", NULL, NULL, &error), -EINVAL);
    assert_non_null(strstr(error.text, "same folder"));
    assert_int_equal(unlink("s/fifo"), 0);
    assert_int_equal(leat_tree_copy("s", "s/in", NULL, NULL, &error), -EINVAL);
    assert_int_equal(leat_tree_copy("s", "no/where", NULL, NULL, &error), -ENOENT);
    assert_string_equal(error.node, "no/where");
    assert_int_equal(leat_tree_copy("s/one", "none", NULL, NULL, &error), -ENOTDIR);
    assert_int_equal(leat_tree_copy("s", "s/one", NULL, NULL, &error), -ENOTDIR);
}

struct changes {
    char text[256];
};

static void on_change(void *user, int32_t change, const char *name)
{
    struct changes *c = user;
    size_t n = strlen(c->text);
    snprintf(c->text + n, sizeof(c->text) - n, "%d%s ", (int)change, name);
}

/* Has one of them each word of the other? Several threads tell them, so their order differs. */
static bool is_told_alike(const struct changes *a, const struct changes *b)
{
    char words[sizeof(a->text)], *rest = words;
    snprintf(words, sizeof(words), "%s", a->text);
    for (char *word; (word = strtok_r(rest, " ", &rest));)
        if (!strstr(b->text, word))
            return false;
    return strlen(a->text) == strlen(b->text);
}

static void changes_are_told(void **state UNUSED)
{
    struct changes changes = {""}, planned = {""};
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    make_tree();
    options.keep = LEAT_TREE_ALL;
    options.jobs = 1;
    options.changed = on_change;
    options.user = &planned;
    options.dry_run = options.delete_extra = 1;
    assert_int_equal(leat_tree_copy("s", "t", &options, &result, NULL), 0);
    assert_int_equal(access("t", F_OK), -1);
    options.dry_run = 0;
    options.user = &changes;
    assert_int_equal(leat_tree_copy("s", "t", &options, &result, NULL), 0);
    assert_true(is_told_alike(&planned, &changes));
    assert_true(result.deleted == 0 && strncmp(changes.text, "1. ", 3) == 0 && strstr(changes.text, "1in "));
    assert_true(strstr(changes.text, "2link ") && strstr(changes.text, "2fifo ") && strstr(changes.text, "2in/two "));
    assert_true(strstr(changes.text, "3one ") || strstr(changes.text, "3in/again "));
    assert_int_equal(rename("s/in/two", "s/in/three"), 0);
    options.update = 1;
    changes.text[0] = '\0';
    assert_int_equal(leat_tree_copy("s", "t", &options, &result, NULL), 0);
    assert_string_equal(changes.text, "2in/three 4in/two ");
    assert_true(result.deleted == 1 && result.unchanged == 4 && result.files == 1);
}

static void progress_ends_the_copy(void **state UNUSED)
{
    struct told told = {.stop_at = 2};
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    struct leat_error error = LEAT_INIT(struct leat_error);
    int fd;
    assert_int_equal(mkdir("s", 0700), 0);
    /* More than can be copied in a few milliseconds. */
    assert_true((fd = open("s/large", O_WRONLY | O_CREAT, 0600)) >= 0);
    for (int i = 0; i < 200; i++) {
        char bytes[4096];
        memset(bytes, i + 1, sizeof(bytes));
        assert_int_equal(pwrite(fd, bytes, sizeof(bytes), (off_t)i << 20), sizeof(bytes));
    }
    for (int i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "s/%d", i);
        make_file(name, "x");
    }
    close(fd);
    options.progress = on_progress;
    options.progress_ms = 1;
    options.user = &told;
    int r = leat_tree_copy("s", "t", &options, &result, &error);
    assert_true(r == -ECANCELED || (r == 0 && told.calls < 2));
    assert_true(r == 0 || (error.code == -ECANCELED && error.text[0] && result.files < 2001));
    assert_int_equal(result.problems, 0);
}

/* The folders are a long path and a wide one, each with a file, and the copy has room for few descriptors. */
static void few_descriptors(void **state UNUSED)
{
    char path[4096] = "s", copy[4200];
    struct rlimit before, few;
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(mkdir("s", 0700), 0);
    for (int i = 0; i < 300; i++) {
        size_t n = strlen(path);
        snprintf(path + n, sizeof(path) - n, "/%d", i % 10);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(copy, sizeof(copy), "%s/file", path);
        make_file(copy, "deep");
        snprintf(copy, sizeof(copy), "s/wide%d", i);
        assert_int_equal(mkdir(copy, 0700), 0);
        snprintf(copy, sizeof(copy), "s/wide%d/file", i);
        make_file(copy, "wide");
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 400;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    static const int32_t jobs[] = {1, 2, 7, 32};
    for (size_t i = 0; i < COUNT(jobs); i++) {
        snprintf(copy, sizeof(copy), "t%d", (int)i);
        options.jobs = jobs[i];
        int r = leat_tree_copy("s", copy, &options, &result, &error);
        if (r < 0)
            print_message("%s: %s: %s\n", error.node, error.operation, error.text);
        assert_int_equal(r, 0);
        assert_true(result.files == 600 && result.bytes == 2400 && result.directories == 601);
        memcpy(path, copy, 1);
        snprintf(copy, sizeof(copy), "t%d%s/file", (int)i, path + 1);
        unit_holds(copy, "deep");
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void several_targets(void **state UNUSED)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct told told = {.problems = 0};
    static const char *const more[] = {"b", "c", NULL}, *const none[] = {NULL}, *const missing[] = {"none/b", NULL},
                             *const same[] = {"b", "a", NULL}, *const inside[] = {"b", "s/in/b", NULL},
                             *const elsewhere[] = {"tar:b.tar", NULL};
    const char *many[LEAT_TREE_TARGETS_MAX + 1] = {NULL};
    char names[LEAT_TREE_TARGETS_MAX][16];
    make_tree();
    unlink("s/fifo");
    options.keep = LEAT_TREE_ALL;
    options.digest = "crc32c";
    options.listed = on_listed;
    options.problem = on_problem;
    options.user = &told;
    const char *const *const refusals[] = {same, inside, elsewhere, many};
    for (int i = 0; i < LEAT_TREE_TARGETS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "m%d", i);
        many[i] = names[i];
    }
    for (size_t i = 0; i < COUNT(refusals); i++) {
        options.more_targets = refusals[i];
        assert_int_equal(leat_tree_copy("s", "a", &options, NULL, &error), -EINVAL);
        assert_true(error.text[0] && access("a", F_OK) < 0 && access("b", F_OK) < 0 && access("m0", F_OK) < 0);
    }
    options.more_targets = more;
    options.journal = "journal";
    assert_int_equal(leat_tree_copy("s", "a", &options, NULL, NULL), -EINVAL);
    options.journal_optional = 1;
    assert_int_equal(leat_tree_copy("s", "a", &options, &result, &error), 0);
    assert_true(result.files == 2 && result.bytes == 3 && result.hard_links == 1 && result.symlinks == 1);
    assert_true(told.listed == 2 && told.problems == 0 && access("journal", F_OK) < 0);
    static const char *const targets[] = {"a", "b", "c"};
    for (size_t i = 0; i < COUNT(targets); i++) {
        char path[16];
        snprintf(path, sizeof(path), "%s/in/two", targets[i]);
        unit_holds(path, "22");
        snprintf(path, sizeof(path), "%s/in/again", targets[i]);
        unit_holds(path, "1");
    }
    options.digest = NULL;
    options.more_targets = missing;
    assert_int_equal(leat_tree_copy("s", "d", &options, &result, &error), -ENOENT);
    assert_true(result.files == 2 && result.problems == 1 && told.problems == 1);
    assert_string_equal(told.problem.node, "none/b");
    assert_string_equal(error.node, "none/b");
    options.more_targets = none;
    assert_int_equal(leat_tree_copy("s", "e", &options, &result, &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_told, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(changes_are_told, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(progress_ends_the_copy, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(few_descriptors, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(several_targets, unit_folder, unit_folder_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
