/* SPDX-License-Identifier: MIT */
/* leat/tree.h: a tree is copied; if something of it was not, that is a failure with a name. */
#include "../swept.h"
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

struct told {
    int problems;
    bool is_bad;
};

static void on_problem(void *user, const struct leat_error *error)
{
    struct told *told = user;
    told->problems++;
    told->is_bad |= error->code >= 0 || !error->text[0];
}

/* The file "one" has the byte 1. */
static int next_line(void *user, struct leat_tree_entry *ret)
{
    int *calls = user;
    *ret = (struct leat_tree_entry){.name = "one", .algorithm = "crc32", .hex = "83dcefb7"};
    return (*calls)++ == 0;
}

static int on_name(void *user, const char *name, int32_t is_file)
{
    (void)user;
    (void)is_file;
    return name[0] ? 0 : -EINVAL;
}

int main(void)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    struct leat_tree_result result = LEAT_INIT(struct leat_tree_result);
    struct leat_tree_journal journal = LEAT_INIT(struct leat_tree_journal);
    struct told told = {.problems = 0};
    struct stat st;
    int r = 0;
    EXPECT(symlink("one", "tree/link") == 0 && link("tree/one", "tree/folder/again") == 0);
    options.keep = LEAT_TREE_ALL;
    options.jobs = 1;
    options.digest = "crc32c";
    options.journal = "journal";
    options.resume = 1;
    options.publish = 1;
    options.problem = on_problem;
    options.user = &told;
    r = leat_tree_copy("tree", "copied", &options, &result, NULL);
    EXPECT(result.problems == (uint64_t)told.problems && !told.is_bad);
    EXPECT(r < 0 || (told.problems == 0 && result.files == 2 && result.hard_links == 1 && result.symlinks == 1));
    EXPECT(r < 0 || (stat("copied/folder/file", &st) == 0 && st.st_size == 5));
    EXPECT(r < 0 || !result.journal);
    EXPECT(access("journal", F_OK) == (result.journal ? 0 : -1));
    TRY(r);
    options.digest = NULL;
    options.journal = NULL;
    options.resume = options.publish = 0;
    told.problems = 0;
    r = leat_tree_verify("tree", "copied", &options, &result, NULL);
    EXPECT(result.problems == (uint64_t)told.problems && !told.is_bad && r != -EBADMSG);
    EXPECT(r < 0 || (result.files == 2 && result.differences == 0));
    TRY(r);
    told.problems = 0;
    options.keep = LEAT_TREE_BASIC;
    r = leat_tree_verify_list("copied", next_line, &(int){0}, &options, &result, NULL);
    EXPECT(result.problems == (uint64_t)told.problems && !told.is_bad && r != -EBADMSG);
    EXPECT(r < 0 || result.files == 1);
    TRY(r);
    r = leat_tree_walk("copied", on_name, NULL, &options, &result, NULL);
    EXPECT(!told.is_bad && (r < 0 || result.found == 4));
    TRY(r);
    options.keep = LEAT_TREE_ALL;
    /* Another pass over the copy, that selects and deletes. */
    static const char *const rules[] = {"- folder/again", NULL};
    static const char *const names[] = {"folder/file", "one", NULL};
    EXPECT(r < 0 || (mkdir("copied/gone", 0700) == 0 && symlink("one", "copied/gone/link") == 0));
    options.rules = rules;
    options.update = options.delete_extra = 1;
    told.problems = 0;
    r = leat_tree_copy("tree", "copied", &options, &result, NULL);
    EXPECT(result.problems == (uint64_t)told.problems && !told.is_bad);
    EXPECT(r < 0 || (result.deleted == 2 && result.excluded == 1 && lstat("copied/gone", &st) < 0));
    EXPECT(stat("copied/folder/again", &st) == 0);
    TRY(r);
    options.names = names;
    options.delete_extra = 0;
    told.problems = 0;
    r = leat_tree_copy("tree", "named", &options, &result, NULL);
    EXPECT(result.problems == (uint64_t)told.problems && !told.is_bad);
    EXPECT(r < 0 || (result.files == 2 && stat("named/folder/file", &st) == 0 && lstat("named/link", &st) < 0));
    TRY(r);
    options.names = NULL;
    options.rules = NULL;
    options.update = 0;
    static const char *const more[] = {"several", NULL};
    options.more_targets = more;
    told.problems = 0;
    r = leat_tree_copy("tree", "first", &options, &result, NULL);
    EXPECT(result.problems == (uint64_t)told.problems && !told.is_bad);
    EXPECT(r < 0 || (result.files == 2 && stat("several/folder/file", &st) == 0 && lstat("first/link", &st) == 0));
    TRY(r);
    options.more_targets = NULL;
    r = leat_tree_journal_read("tree/one", NULL, NULL, NULL, &journal, NULL);
    EXPECT(r < 0);
    TRY(r == -EBADMSG ? 0 : r); /* it is none */
done:
    return swept_result;
}
