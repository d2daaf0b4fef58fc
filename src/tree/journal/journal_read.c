/* SPDX-License-Identifier: MIT */
/* leat_tree_journal_read: what a journal says, for programs. */
#include "base/base.h"
#include "base/error.h"
#include "base/fd.h"
#include "tree/journal/record.h"
#include <fcntl.h>
#include <leat/tree.h>

struct journal_reading {
    int (*head)(void *user, const char *source, const char *target);
    int (*entry)(void *user, const char *name, const char *digest);
    void *user;
    struct leat_tree_journal journal;
};

static int on_head(void *user, const struct record_head *head)
{
    struct journal_reading *r = user;
    r->journal.shard = (int32_t)head->rank;
    r->journal.shards = (int32_t)head->ranks;
    return r->head ? r->head(r->user, head->source, head->target) : 0;
}

/* A process that goes on with a copy has something to do. */
static int on_run(void *user, const struct record_run *run UNUSED, uint64_t offset UNUSED)
{
    ((struct journal_reading *)user)->journal.is_done = 0;
    return 0;
}

static int on_entry(void *user, const struct record_entry *entry, uint64_t offset UNUSED)
{
    struct journal_reading *r = user;
    r->journal.names++;
    return r->entry ? r->entry(r->user, entry->name, entry->digest) : 0;
}

static int on_done(void *user)
{
    ((struct journal_reading *)user)->journal.is_done = 1;
    return 0;
}

int leat_tree_journal_read(const char *path, int (*head)(void *user, const char *source, const char *target),
                           int (*entry)(void *user, const char *name, const char *digest), void *user,
                           struct leat_tree_journal *ret_journal, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct journal_reading reading = {
        .head = head, .entry = entry, .user = user, .journal.size = sizeof(reading.journal)};
    const struct record_hooks hooks = {
        .head = on_head, .run = on_run, .entry = on_entry, .done = on_done, .user = &reading};
    char text[128];
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    if (ret_journal && options_size(ret_journal) < sizeof(size_t)) {
        r = error_set(&error, -EINVAL, "The result has no size");
        return error_return(ret_error, &error, r);
    }
    int fd = fd_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    r = fd < 0 ? fd : record_read_all(fd, &hooks, NULL);
    fd_close(fd);
    if (r < 0)
        error_at(&error, r, LEAT_SIDE_NONE, path, fd < 0 ? "open" : "read", "%s",
                 r == -EBADMSG ? "The file is no journal of a copy" : error_text(r, text, sizeof(text)));
    if (r == 0 && ret_journal)
        return_sized(ret_journal, &reading.journal, sizeof(reading.journal));
    return error_return(ret_error, &error, r);
}
