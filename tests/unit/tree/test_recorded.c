/* SPDX-License-Identifier: MIT */
/* What a journal had: the last entry of a name is found, and what a start of the machine makes uncertain is known. */
#include "tree/journal/recorded.h"
#include "unit/unit.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct record_head head = {.ranks = 1, .digest = "", .source = "/a", .target = "/b"};

static void add_entry(struct record_buffer *b, const char *name, enum record_what kind, uint64_t inode, int64_t time_s)
{
    struct record_entry entry = {.kind = kind, .name = name, .digest = ""};
    entry.target.inode = inode;
    entry.target.ctime_s = time_s;
    assert_int_equal(record_add_entry(b, &entry), 0);
}

static void add_run(struct record_buffer *b, const char *boot, int64_t begun_s, uint64_t root)
{
    assert_int_equal(record_add_run(b, &(struct record_run){.begun_s = begun_s, .root = root, .boot = boot}), 0);
}

static int read_as(const struct record_buffer *b, const char *boot, struct recorded *ret)
{
    unit_write("journal", b->bytes, b->used);
    int fd = open("journal", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(recorded_read(ret, fd, boot), 0);
    return fd;
}

static uint64_t find(const struct recorded *recorded, int fd, const char *name, uint64_t inode)
{
    struct record_entry entry;
    uint8_t *bytes;
    uint64_t offset = recorded_find(recorded, fd, name, &entry, &bytes);
    assert_true((offset == 0) == (inode == 0));
    if (!offset)
        return 0;
    assert_string_equal(entry.name, name);
    assert_true(entry.target.inode == inode);
    free(bytes);
    return offset;
}

static void the_last_entry_counts(void **state UNUSED)
{
    struct record_buffer b = {.bytes = NULL};
    struct recorded recorded;
    char name[32];
    record_add_head(&b, &head);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 1000; i += round + 1) {
            snprintf(name, sizeof(name), "folder/%u", i);
            add_entry(&b, name, RECORD_FILE, 1 + i + 10000 * round, 0);
        }
    int fd = read_as(&b, "boot", &recorded);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "folder/%u", i);
        assert_true(find(&recorded, fd, name, 1 + i + (i % 2 ? 0 : 10000)) > 0);
    }
    assert_true(find(&recorded, fd, "folder/1000", 0) == 0);
    assert_true(find(&recorded, fd, "folder/", 0) == 0);
    recorded_clear(&recorded);
    close(fd);
    record_buffer_clear(&b);
}

static void starts_of_the_machine(void **state UNUSED)
{
    struct record_buffer b = {.bytes = NULL};
    struct recorded recorded;
    record_add_head(&b, &head);
    add_run(&b, "first", 50, 7);
    add_entry(&b, "synced", RECORD_FILE, 1, 0);
    record_add_synced(&b);
    add_entry(&b, "not synced", RECORD_FILE, 2, 0);
    add_run(&b, "second", 70, 8);
    add_entry(&b, "later", RECORD_FILE, 3, 0);
    add_run(&b, "second", 60, 9);
    add_entry(&b, "last", RECORD_FILE, 4, 0);
    const struct {
        const char *boot;
        bool later;
    } cases[] = {{"second", true}, {"first", false}, {"third", false}, {"", false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = read_as(&b, cases[i].boot, &recorded);
        assert_true(recorded.begun_s == 50 && recorded.root == 9);
        assert_true(recorded_is_lasting(&recorded, find(&recorded, fd, "synced", 1)));
        assert_false(recorded_is_lasting(&recorded, find(&recorded, fd, "not synced", 2)));
        assert_true(recorded_is_lasting(&recorded, find(&recorded, fd, "later", 3)) == cases[i].later);
        assert_true(recorded_is_lasting(&recorded, find(&recorded, fd, "last", 4)) == cases[i].later);
        recorded_clear(&recorded);
        close(fd);
    }
    record_buffer_clear(&b);
}

/* A boot that is unknown is never the same as another one that is. */
static void unknown_starts(void **state UNUSED)
{
    struct record_buffer b = {.bytes = NULL};
    struct recorded recorded;
    record_add_head(&b, &head);
    add_run(&b, "", 0, 0);
    add_entry(&b, "name", RECORD_FILE, 1, 0);
    int fd = read_as(&b, "", &recorded);
    assert_false(recorded_is_lasting(&recorded, find(&recorded, fd, "name", 1)));
    recorded_clear(&recorded);
    close(fd);
    record_buffer_clear(&b);
}

static void links_change_the_status(void **state UNUSED)
{
    struct record_buffer b = {.bytes = NULL};
    struct recorded recorded;
    record_add_head(&b, &head);
    add_entry(&b, "first", RECORD_FILE, 5, 100);
    for (unsigned i = 0; i < 200; i++)
        add_entry(&b, "other", RECORD_LINK, 6 + i % 3, 100);
    add_entry(&b, "second", RECORD_LINK, 5, 300);
    add_entry(&b, "third", RECORD_LINK, 5, 200);
    int fd = read_as(&b, "boot", &recorded);
    struct record_entry entry = {.target = {.inode = 5, .ctime_s = 100}};
    recorded_add_links(&recorded, &entry);
    assert_true(entry.target.ctime_s == 300);
    entry.target.ctime_s = 400;
    recorded_add_links(&recorded, &entry);
    assert_true(entry.target.ctime_s == 400);
    entry.target = (struct record_mark){.inode = 9, .ctime_s = 1};
    recorded_add_links(&recorded, &entry);
    assert_true(entry.target.ctime_s == 1);
    recorded_clear(&recorded);
    close(fd);
    record_buffer_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_entry_counts, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(starts_of_the_machine, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(unknown_starts, unit_folder, unit_folder_gone),
        cmocka_unit_test_setup_teardown(links_change_the_status, unit_folder, unit_folder_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
