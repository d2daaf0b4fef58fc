/* SPDX-License-Identifier: MIT */
/* The clone route: the file system shares the blocks of the source with the sink (FICLONE), by one call for each
 * branch, whatever the size. All branches get the bytes of one moment: the first branch is cloned from the source, and
 * each further branch from the clone before it, which no other process can write to. A digest is read from a clone
 * before that is published. The route counts nothing before all clones are made, so stepping down undoes none. */
#include "route/hop.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct clone_route {
    struct op op;
    size_t at;     /* the branch to clone to */
    int from;      /* borrowed: the descriptor to clone from, first the source's, then that of the last clone */
    uint64_t size; /* of each clone, in bytes */
};

/* Is it a file system that shares no blocks? With any other the route tries the call. */
static bool never_clones(const char *file_system)
{
    static const char *const never[] = {"ext4", "tmpfs", "f2fs", "proc", "sysfs", "hostfs", "fuse"};
    for (size_t i = 0; file_system && i < COUNT(never); i++)
        if (strcmp(file_system, never[i]) == 0)
            return true;
    return false;
}

static const char *unfit(const struct hop *hop, char reason[REASON_MAX])
{
    if (hop->in->kind != NODE_FILE)
        return "the source is not a regular file";
    if (!hop_all_fresh(hop))
        return "only a new file can share the source's blocks";
    if (hop->end != UINT64_MAX || hop->in->position > 0 || hop->begins > 0)
        return "only a part of the source is wanted";
    if (!hop->in->has_size)
        return "the source has no size";
    if (hop->sparse != LEAT_SPARSE_AUTO)
        return "a clone keeps the source's holes as they are";
    if (hop_is_paced(hop))
        return "a clone can't be paced";
    if (never_clones(hop->in->file_system)) {
        snprintf(reason, REASON_MAX, "%s shares no blocks between files", hop->in->file_system);
        return reason;
    }
    for (size_t i = 0; i < hop->branches; i++) {
        const char *to = hop->branch[i].node->file_system;
        if (to && hop->in->file_system && strcmp(to, hop->in->file_system) != 0) {
            snprintf(reason, REASON_MAX, "%s and %s can't share blocks", hop->in->file_system, to);
            return reason;
        }
    }
    return NULL;
}

static uint64_t minimum(const struct hop *hop UNUSED)
{
    return 0;
}

static int start(struct hop *hop)
{
    struct clone_route *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->from = hop->in->fd;
    hop->state = s;
    return 0;
}

static void count(struct hop *hop, uint64_t size)
{
    hop_record_taken(hop, size);
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed)
            hop_record_delivered(hop, &hop->branch[i], size);
}

static enum verdict next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait UNUSED)
{
    struct clone_route *s = hop->state;
    if (hop->rung[hop->current].reason[0])
        return VERDICT_STEP_DOWN;
    while (s->at < hop->branches && hop->branch[s->at].failed)
        s->at++;
    if (s->at == hop->branches || hop->error.code) {
        if (!hop->error.code)
            count(hop, s->size);
        hop->whole = hop->source_ended = true;
        return VERDICT_END;
    }
    s->op = (struct op){.kind = OP_CLONE, .fd = {s->from, hop->branch[s->at].node->fd}, .offset = {-1, -1}};
    *ret_op = &s->op;
    return VERDICT_OP;
}

/* Empties the clones that were made, because the next route writes these files from their start. A part that it skips
 * as a hole must be a hole in them. */
static void empty_clones(struct hop *hop)
{
    struct clone_route *s = hop->state;
    for (size_t i = 0; i < s->at; i++) {
        struct branch *branch = &hop->branch[i];
        struct op op = {.kind = OP_TRUNCATE, .fd = {-1, branch->node->fd}};
        ssize_t r = branch->failed ? 0 : op_execute(&op);
        if (r < 0)
            hop_fail_branch(hop, branch, op_name(op.kind), (int)r);
    }
}

static void done(struct hop *hop, struct op *op, ssize_t result)
{
    struct clone_route *s = hop->state;
    struct branch *branch = &hop->branch[s->at];
    struct stat st;
    if (hop_is_sink_error(result)) {
        hop_fail_branch(hop, branch, op_name(op->kind), (int)result);
        return;
    }
    if (result < 0 || fstat(branch->node->fd, &st) < 0) {
        hop_set_reason(hop, "FICLONE says %s", leat_errno_name(result < 0 ? (int)result : -errno));
        empty_clones(hop);
        return;
    }
    s->size = (uint64_t)st.st_size;
    if (s->size < hop->in->size)
        hop_note_early_end(hop);
    else if (s->size > hop->in->size)
        hop_note_growth(hop);
    s->from = branch->node->fd;
    s->at++;
}

const struct route route_clone = {
    .name = "clone",
    .id = ROUTE_CLONE,
    .unfit = unfit,
    .minimum = minimum,
    .start = start,
    .next = next,
    .done = done,
};
