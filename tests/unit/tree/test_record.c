/* SPDX-License-Identifier: MIT */
/* The records of a journal of a tree: what was written is read again, and no damage is ever read as a record. */
#include "tree/journal/record.h"
#include "unit/unit.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LONG_NAME 20000

static struct record_head head = {
    .rank = 3, .ranks = 5, .keep = 1, .dropping = 1, .digest = "sha256", .source = "/a\n\xFF", .target = "/b"};

struct seen {
    int heads, runs, entries, syncs, stop_at;
    uint64_t offset[4];
    char name[4][LONG_NAME + 1];
    struct record_entry entry[4]; /* the texts are not valid */
};

static int on_head(void *user, const struct record_head *has)
{
    struct seen *s = user;
    s->heads++;
    assert_true(has->rank == head.rank && has->ranks == head.ranks && has->keep == 1 && has->dropping == 1);
    assert_string_equal(has->digest, head.digest);
    assert_string_equal(has->source, head.source);
    assert_string_equal(has->target, head.target);
    return 0;
}

static int on_run(void *user, const struct record_run *run, uint64_t offset UNUSED)
{
    struct seen *s = user;
    s->runs++;
    assert_true(strcmp(run->boot, "boot") == 0 || run->boot[0] == '\0');
    return 0;
}

static int on_entry(void *user, const struct record_entry *entry, uint64_t offset)
{
    struct seen *s = user;
    assert_true(s->entries < 4);
    snprintf(s->name[s->entries], sizeof(s->name[0]), "%s", entry->name);
    s->offset[s->entries] = offset;
    s->entry[s->entries] = *entry;
    return ++s->entries == s->stop_at ? -ECANCELED : 0;
}

static int on_synced(void *user, uint64_t offset UNUSED)
{
    ((struct seen *)user)->syncs++;
    return 0;
}

static const struct record_hooks hooks_of = {.head = on_head, .run = on_run, .entry = on_entry, .synced = on_synced};

static struct record_entry entry_of(enum record_what kind, const char *name, const char *digest)
{
    struct record_entry entry = {.kind = kind, .name = name, .digest = digest};
    entry.source = (struct record_mark){
        .inode = UINT64_MAX, .size = 1, .mtime_s = -5, .mtime_ns = 999999999, .ctime_s = INT64_MAX, .ctime_ns = 7};
    entry.target =
        (struct record_mark){.inode = 1, .size = 1, .mtime_s = 2, .mtime_ns = 3, .ctime_s = 4, .ctime_ns = 5};
    return entry;
}

static void make(struct record_buffer *b, char *long_name)
{
    memset(long_name, 'n', LONG_NAME);
    long_name[LONG_NAME] = '\0';
    const struct record_entry one = entry_of(RECORD_FILE, "a/\n\xFE", "00ff");
    const struct record_entry two = entry_of(RECORD_SYMLINK, long_name, "");
    assert_int_equal(record_add_head(b, &head), 0);
    assert_int_equal(record_add_run(b, &(struct record_run){.begun_s = -3, .root = 9, .boot = "boot"}), 0);
    assert_int_equal(record_add_entry(b, &one), 0);
    assert_int_equal(record_add_synced(b), 0);
    assert_int_equal(record_add_run(b, &(struct record_run){.boot = ""}), 0);
    assert_int_equal(record_add_entry(b, &two), 0);
}

static int read_bytes(const uint8_t *bytes, size_t n, struct seen *seen, uint64_t *ret_end)
{
    struct record_hooks hooks = hooks_of;
    hooks.user = seen;
    unit_write("journal", bytes, n);
    int fd = open("journal", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int r = record_read_all(fd, &hooks, ret_end);
    close(fd);
    return r;
}

static void there_and_back(void **state UNUSED)
{
    static struct seen s;
    static char long_name[LONG_NAME + 1];
    struct record_buffer b = {.bytes = NULL};
    struct record_entry again;
    uint8_t *bytes;
    uint64_t end = 0;
    s = (struct seen){.heads = 0};
    make(&b, long_name);
    assert_int_equal(read_bytes(b.bytes, b.used, &s, &end), 0);
    assert_true(end == b.used && s.heads == 1 && s.runs == 2 && s.entries == 2 && s.syncs == 1);
    assert_string_equal(s.name[0], "a/\n\xFE");
    assert_string_equal(s.name[1], long_name);
    assert_true(s.entry[0].kind == RECORD_FILE && s.entry[1].kind == RECORD_SYMLINK);
    const struct record_entry one = entry_of(RECORD_FILE, "", "");
    assert_true(record_mark_is_same(&s.entry[0].source, &one.source));
    assert_true(record_mark_is_same(&s.entry[0].target, &one.target));
    assert_false(record_mark_is_same(&one.source, &one.target));
    int fd = open("journal", O_RDONLY | O_CLOEXEC);
    assert_int_equal(record_read_entry(fd, s.offset[1], &again, &bytes), 0);
    assert_string_equal(again.name, long_name);
    free(bytes);
    assert_int_equal(record_read_entry(fd, s.offset[0], &again, &bytes), 0);
    assert_string_equal(again.digest, "00ff");
    free(bytes);
    assert_int_equal(record_read_entry(fd, s.offset[0] + 1, &again, &bytes), -EBADMSG);
    assert_int_equal(record_read_entry(fd, b.used, &again, &bytes), -EBADMSG);
    close(fd);
    s = (struct seen){.stop_at = 1};
    assert_int_equal(read_bytes(b.bytes, b.used, &s, &end), -ECANCELED);
    record_buffer_clear(&b);
}

/* Each record is read whole or not at all, wherever the file ends. */
static void cut_anywhere(void **state UNUSED)
{
    static struct seen s;
    static char long_name[LONG_NAME + 1];
    struct record_buffer b = {.bytes = NULL};
    make(&b, long_name);
    size_t tail = b.used - LONG_NAME;
    for (size_t n = 0; n<b.used; n += n> tail + 200 ? 501 : 1) {
        uint64_t end = 0;
        s = (struct seen){.heads = 0};
        int r = read_bytes(b.bytes, n, &s, &end);
        assert_true(r == 0 ? s.heads == 1 && end <= n && s.entries <= 1 : r == -EBADMSG && s.heads == 0);
    }
    record_buffer_clear(&b);
}

/* No byte can be changed without that its record, and what follows, is lost. */
static void flip_anything(void **state UNUSED)
{
    static struct seen s;
    static char long_name[LONG_NAME + 1];
    struct record_buffer b = {.bytes = NULL};
    make(&b, long_name);
    for (size_t at = 0; at<b.used; at += at> 700 ? 499 : 1) {
        uint64_t end = 0;
        s = (struct seen){.heads = 0};
        b.bytes[at] ^= (uint8_t)(1u << at % 8);
        int r = read_bytes(b.bytes, b.used, &s, &end);
        assert_true(r == 0 ? end <= at && s.entries <= 1 : r == -EBADMSG && s.heads == 0);
        b.bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    record_buffer_clear(&b);
}

/* A record of a later version is skipped; one without a form ends the journal, also if its CRC is right. */
static void other_contents(void **state UNUSED)
{
    static struct seen s;
    struct record_buffer b = {.bytes = NULL};
    struct record_entry none = entry_of(RECORD_FILE, "", "");
    uint64_t end = 0;
    const struct record_entry good = entry_of(RECORD_FILE, "good", "");
    record_add_head(&b, &head);
    const size_t begins = b.used;
    record_add_entry(&b, &none);
    record_add_entry(&b, &good);
    s = (struct seen){.heads = 0};
    assert_int_equal(read_bytes(b.bytes, b.used, &s, &end), 0);
    assert_true(s.entries == 0 && end == begins);
    b.used = begins;
    record_add_run(&b, &(struct record_run){.boot = "boot"});
    none = entry_of((enum record_what)'?', "name", "");
    record_add_entry(&b, &none);
    s = (struct seen){.heads = 0};
    assert_int_equal(read_bytes(b.bytes, b.used, &s, &end), 0);
    assert_true(s.runs == 1 && s.entries == 0 && end < b.used);
    record_buffer_clear(&b);
}

static void what_is_too_long(void **state UNUSED)
{
    struct record_buffer b = {.bytes = NULL};
    char *name = calloc(1, RECORD_MAX + 1);
    assert_non_null(name);
    memset(name, 'n', RECORD_MAX);
    const struct record_entry entry = entry_of(RECORD_FILE, name, "");
    const struct record_head large = {.digest = "", .source = name, .target = ""};
    assert_int_equal(record_add_entry(&b, &entry), -ENAMETOOLONG);
    assert_int_equal(record_add_head(&b, &large), -ENAMETOOLONG);
    assert_true(b.used == 0);
    free(name);
    record_buffer_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_and_back, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(cut_anywhere, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(flip_anything, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(other_contents, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(what_is_too_long, unit_folder, unit_folder_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
