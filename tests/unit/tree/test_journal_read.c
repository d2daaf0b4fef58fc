/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * leat_tree_journal_read: the journal of a shard, whole and cut, and files that are none. */
#include "unit/unit.h"
#include <leat/leat.h>
#include <sys/stat.h>
#include <unistd.h>

struct told {
    int heads, names, fails_at;
    char source[4096];
};

static int on_head(void *user, const char *source, const char *target)
{
    struct told *t = user;
    t->heads++;
    snprintf(t->source, sizeof(t->source), "%s", source);
    return target[0] ? 0 : -EIO;
}

static int on_entry(void *user, const char *name, const char *digest)
{
    struct told *t = user;
    return ++t->names == t->fails_at ? -EDOM : name[0] && strlen(digest) == 8 ? 0 : -EIO;
}

static void make_journal(int32_t shard)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    assert_int_equal(mkdir("s", 0700), 0);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof(name), "s/%d", i);
        unit_write(name, "x", 1);
    }
    options.shard = shard;
    options.shards = 2;
    options.digest = "crc32c";
    options.journal = "journal";
    options.journal_stays = 1;
    assert_int_equal(leat_tree_copy("s", "t", &options, NULL, NULL), 0);
}

static void a_journal_is_read(void **state UNUSED)
{
    struct leat_tree_journal journal = LEAT_INIT(struct leat_tree_journal);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct told told = {.fails_at = 0};
    make_journal(1);
    assert_int_equal(leat_tree_journal_read("journal", on_head, on_entry, &told, &journal, &error), 0);
    assert_true(journal.shard == 1 && journal.shards == 2 && journal.is_done == 1);
    assert_true(told.heads == 1 && told.names > 5 && told.names < 35 && journal.names == (uint64_t)told.names);
    assert_true(told.source[0] == '/' && strcmp(told.source + strlen(told.source) - 2, "/s") == 0);
    assert_int_equal(leat_tree_journal_read("journal", NULL, NULL, NULL, NULL, NULL), 0);
    told.names = 0;
    told.fails_at = 3;
    assert_int_equal(leat_tree_journal_read("journal", NULL, on_entry, &told, &journal, &error), -EDOM);
    assert_int_equal(told.names, 3);
    /* What a process that was killed leaves: not done. */
    struct stat st;
    assert_int_equal(stat("journal", &st), 0);
    assert_int_equal(truncate("journal", st.st_size - 3), 0);
    assert_int_equal(leat_tree_journal_read("journal", NULL, NULL, NULL, &journal, &error), 0);
    assert_true(journal.is_done == 0 && journal.names > 5);
}

static void other_files_are_refused(void **state UNUSED)
{
    struct leat_tree_journal journal = {.size = 1};
    struct leat_error error = LEAT_INIT(struct leat_error);
    unit_write("none", "leat", 4);
    assert_int_equal(leat_tree_journal_read("none", NULL, NULL, NULL, NULL, &error), -EBADMSG);
    assert_true(strcmp(error.node, "none") == 0 && strstr(error.text, "no journal"));
    assert_int_equal(leat_tree_journal_read("missing", NULL, NULL, NULL, NULL, &error), -ENOENT);
    assert_true(leat_tree_journal_read(".", NULL, NULL, NULL, NULL, &error) < 0);
    assert_int_equal(leat_tree_journal_read("none", NULL, NULL, NULL, &journal, &error), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_journal_is_read, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(other_files_are_refused, unit_folder, unit_folder_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
