/* SPDX-License-Identifier: MIT */
#include "route/hop.h"
#include "base/fd.h"
#include "base/platform.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- questions ---- */

static bool any_filter(const struct hop *hop, unsigned cap)
{
    for (size_t i = 0; i < hop->filters; i++)
        if (hop->filter[i]->ops->caps & cap)
            return true;
    return false;
}

bool hop_needs_bytes(const struct hop *hop)
{
    return any_filter(hop, FILTER_OBSERVES);
}

bool hop_is_paced(const struct hop *hop)
{
    return any_filter(hop, FILTER_PACES);
}

bool hop_all_fresh(const struct hop *hop)
{
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed && !hop->branch[i].node->fresh)
            return false;
    return hop->branches > 0;
}

bool hop_must_punch(const struct hop *hop)
{
    bool holes = hop->in->sparse && hop->sparse != LEAT_SPARSE_NEVER;
    for (size_t i = 0; i < hop->branches && holes; i++)
        if (hop->branch[i].node->punches)
            return true;
    return false;
}

size_t hop_count_live(const struct hop *hop)
{
    size_t live = 0;
    for (size_t i = 0; i < hop->branches; i++)
        live += !hop->branch[i].failed;
    return live;
}

bool hop_is_refusal(ssize_t result)
{
    switch (-result) {
    case EINVAL:
    case ENOSYS:
    case EPERM:
    case EACCES:
    case EXDEV:
    case EBADF:
    case ESPIPE:
    case ENOTTY:
    case ETXTBSY:
    case EOPNOTSUPP:
#if ENOTSUP != EOPNOTSUPP
    case ENOTSUP:
#endif
        return true;
    default:
        return false;
    }
}

bool hop_is_sink_error(ssize_t result)
{
    return result == -EPIPE || result == -ENOSPC || result == -EDQUOT || result == -EFBIG || result == -EROFS;
}

static bool is_connection_error(ssize_t result)
{
    switch (-result) {
    case ECONNRESET:
    case ECONNABORTED:
    case ENETRESET:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOTCONN:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

/* A file on a network file system may have such errors, too. Then the sink is not blamed but tried again by the next
 * route, which loses nothing. */
enum leat_side hop_find_broken_side(const struct hop *hop, const struct branch *branch, ssize_t result)
{
    if (result == -ETIMEDOUT && hop->in->expired)
        return LEAT_SIDE_SOURCE;
    if (result == -ETIMEDOUT && branch && branch->node->expired)
        return LEAT_SIDE_SINK;
    if (!is_connection_error(result))
        return LEAT_SIDE_NONE;
    if (hop->in->kind == NODE_SOCKET)
        return LEAT_SIDE_SOURCE;
    return branch && branch->node->kind == NODE_SOCKET && !hop->in->network ? LEAT_SIDE_SINK : LEAT_SIDE_NONE;
}

/* ---- counts and positions ---- */

void hop_record_taken(struct hop *hop, uint64_t n)
{
    atomic_fetch_add_explicit(&hop->taken, n, memory_order_relaxed);
    for (size_t i = 0; i < hop->filters; i++)
        if (!(hop->filter[i]->ops->caps & FILTER_OBSERVES))
            filter_count(hop->filter[i], n);
    for (size_t i = 0; i < hop->branches; i++)
        if (hop->branch[i].failed)
            hop->branch[i].discarded += n;
}

void hop_record_delivered(struct hop *hop, struct branch *branch, uint64_t n)
{
    atomic_fetch_add_explicit(&branch->delivered, n, memory_order_relaxed);
    branch->by_route[hop_route(hop)->id] += n;
}

int64_t hop_in_offset(const struct hop *hop)
{
    return hop->in->position < 0 ? -1 : hop->in->position + (int64_t)hop->taken;
}

int64_t hop_out_offset(const struct branch *branch)
{
    return branch->node->position < 0 ? -1 : branch->node->position + (int64_t)branch->delivered;
}

uint64_t hop_until_size(const struct hop *hop)
{
    if (!hop->size_binds)
        return UINT64_MAX;
    uint64_t at = (uint64_t)hop->in->position + hop->taken;
    return at < hop->in->size ? hop->in->size - at : 0;
}

size_t hop_allowance(struct hop *hop, uint64_t want, struct wait_set *ret_wait)
{
    want = MIN(want, hop->end - hop->taken);
    want = MIN(want, hop_until_size(hop));
    for (size_t i = 0; i < hop->filters && want; i++)
        if (hop->filter[i]->ops->caps & FILTER_PACES) {
            int64_t deadline = 0;
            want = MIN(want, hop->filter[i]->ops->allowance(hop->filter[i], want, &deadline));
            if (want == 0)
                ret_wait->deadline_ns = deadline;
        }
    return (size_t)want;
}

bool hop_is_cut(const struct hop *hop)
{
    for (size_t i = 0; i < hop->filters; i++) {
        int64_t deadline = 0;
        if ((hop->filter[i]->ops->caps & FILTER_PACES) &&
            hop->filter[i]->ops->allowance(hop->filter[i], 1, &deadline) == 0 && deadline == 0)
            return true;
    }
    return false;
}

/* ---- a source that changes during the run ---- */

static bool size_now(const struct hop *hop, uint64_t *ret)
{
    struct stat st;
    if (hop->in->fd < 0 || fstat(hop->in->fd, &st) < 0)
        return false;
    *ret = (uint64_t)st.st_size;
    return true;
}

static void fail_changed(struct hop *hop, const char *verb, uint64_t now)
{
    error_advise(&hop->error, LEAT_ADVICE_LENGTH);
    error_place(&hop->error, 0, hop->taken);
    error_at(&hop->error, -ESTALE, LEAT_SIDE_SOURCE, hop->in->name, "fstat",
             "The source %s from %llu to %llu bytes while it was read", verb, (unsigned long long)hop->in->size,
             (unsigned long long)now);
    hop->source_ended = true;
}

void hop_note_growth(struct hop *hop)
{
    uint64_t now;
    if (size_now(hop, &now) && now > hop->in->size)
        fail_changed(hop, "grew", now);
    else
        hop->size_binds = false; /* the file system reports a smaller size than the file has */
}

void hop_note_early_end(struct hop *hop)
{
    uint64_t now;
    if (hop->size_binds && hop_until_size(hop) > 0 && size_now(hop, &now) && now < hop->in->size)
        fail_changed(hop, "shrank", now);
}

/* ---- holes ---- */

static bool holes_matter(const struct hop *hop)
{
    return hop->in->sparse && hop->in->seek_fd >= 0 && hop->sparse != LEAT_SPARSE_NEVER && hop->size_binds;
}

int hop_extent(struct hop *hop, uint64_t *ret_n)
{
    return hop_extent_ahead(hop, 0, ret_n);
}

int hop_extent_ahead(struct hop *hop, uint64_t ahead, uint64_t *ret_n)
{
    *ret_n = UINT64_MAX;
    if (!holes_matter(hop))
        return 0;
    uint64_t at = (uint64_t)hop_in_offset(hop) + ahead;
    if (!hop->extents_known || at >= hop->data_to) {
        uint64_t now;
        int r = platform.find_data(hop->in->seek_fd, at, &hop->data_from, &hop->data_to);
        if (r == -ENXIO && size_now(hop, &now) && now >= hop->in->size) /* nothing but a hole until the end */
            hop->data_from = hop->data_to = UINT64_MAX;
        else if (r < 0) { /* not known, or the file shrank: treat all as data, and the next read shows it */
            hop->data_from = at;
            hop->data_to = UINT64_MAX;
        }
        hop->extents_known = true;
    }
    bool hole = at < hop->data_from;
    *ret_n = (hole ? hop->data_from : hop->data_to) - at;
    if (hole)
        *ret_n = MIN(*ret_n, MIN(hop_until_size(hop), hop->end - hop->taken) - ahead);
    return hole;
}

bool hop_skip_holes(struct hop *hop)
{
    uint64_t n;
    if (!hop_all_fresh(hop) || hop_extent(hop, &n) == 0)
        return false;
    struct wait_set unused = {.n = 0};
    n = hop_allowance(hop, n, &unused);
    if (n == 0)
        return false; /* the caller asks for bytes next, and gets the same answer with its deadline */
    hop_record_taken(hop, n);
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed) {
            hop_record_delivered(hop, &hop->branch[i], n);
            hop->branch[i].node->holes = true;
        }
    return true;
}

/* ---- failures ---- */

static const char hint_idle[] = "; it was not ready in the time that is allowed";

void hop_fail_source(struct hop *hop, const char *operation, int code)
{
    char buffer[128];
    const char *hint = hop->in->expired ? hint_idle : code == -ECONNRESET ? "; its sender broke off" : "";
    if (hop->in->expired)
        error_advise(&hop->error, LEAT_ADVICE_IDLE_TIMEOUT);
    error_place(&hop->error, 0, hop->taken);
    error_at(&hop->error, code, LEAT_SIDE_SOURCE, hop->in->name, operation, "%s%s",
             error_text(code, buffer, sizeof(buffer)), hint);
    hop->source_ended = true;
}

void hop_observe(struct hop *hop, struct chunk *chunk)
{
    for (size_t i = 0; i < hop->filters; i++) {
        leat_filter *filter = hop->filter[i];
        struct leat_error error = {.size = sizeof(error)};
        if (!(filter->ops->caps & FILTER_OBSERVES) || filter->ops->observe(filter, chunk, &error) == 0)
            continue;
        error.side = LEAT_SIDE_FILTER;
        error.index = (uint32_t)i;
        if (!hop->error.code)
            hop->error = error;
        hop->source_ended = true;
    }
}

void hop_fail_offset(struct hop *hop)
{
    error_place(&hop->error, 0, hop->taken);
    error_at(&hop->error, -EINVAL, LEAT_SIDE_SOURCE, hop->in->name, "seek",
             "The source ends before the offset %llu, where the transfer was to begin",
             (unsigned long long)hop->begins);
    hop->source_ended = true;
}

static const char *sink_hint(int code)
{
    switch (-code) {
    case ENOSPC:
    case EDQUOT:
        return "; make room and run it again";
    case EPIPE:
    case ECONNRESET:
        return "; the reader has gone";
    default:
        return "";
    }
}

void hop_fail_branch(struct hop *hop, struct branch *branch, const char *operation, int code)
{
    char buffer[128];
    branch->failed = true;
    if (!hop->first_failed)
        hop->first_failed = (size_t)(branch - hop->branch) + 1;
    if (branch->node->expired)
        error_advise(&branch->error, LEAT_ADVICE_IDLE_TIMEOUT);
    error_place(&branch->error, (size_t)(branch - hop->branch), branch->delivered);
    error_at(&branch->error, code, LEAT_SIDE_SINK, branch->node->name, operation, "%s%s",
             error_text(code, buffer, sizeof(buffer)), branch->node->expired ? hint_idle : sink_hint(code));
}

enum verdict hop_set_reason(struct hop *hop, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(hop->rung[hop->current].reason, REASON_MAX, format, arguments);
    va_end(arguments);
    return VERDICT_STEP_DOWN;
}

/* ---- calls on a node ---- */

unsigned node_op_flags(const struct node *node)
{
    unsigned wait = node->wait == NODE_WAIT_ASK ? OP_NOWAIT : node->wait == NODE_WAIT_OWN ? OP_NONBLOCK : 0;
    return wait | (node->kind == NODE_SOCKET ? OP_SOCKET : 0u) | (node->cache == NODE_CACHE_ASK ? OP_DONTCACHE : 0u);
}

/* If poll(2) says that a descriptor is ready, a write of at most PIPE_BUF bytes does not sleep. A longer one may. */
size_t node_write_limit(const struct node *node, size_t n)
{
    return node->wait == NODE_WAIT_POLL ? MIN(n, (size_t)PIPE_BUF) : n;
}

bool node_must_retry_cached(struct node *node, ssize_t result)
{
    if (result != -EOPNOTSUPP || node->cache != NODE_CACHE_ASK)
        return false;
    node->cache = NODE_CACHE_DROP;
    return true;
}

bool node_must_retry(struct node *node, ssize_t result)
{
    if (node_must_retry_cached(node, result))
        return true;
    if (result == -EOPNOTSUPP && node->wait == NODE_WAIT_ASK)
        node->wait = NODE_WAIT_POLL;
    else if (result != -EAGAIN && result != -EWOULDBLOCK) {
        node->port.blocked = node->wait == NODE_WAIT_POLL;
        return false;
    }
    node->port.blocked |= node->port.fd >= 0; /* no descriptor: memory never waits, and a joint blocks its own port */
    return true;
}

/* ---- residues ---- */

struct residue residue_none(void)
{
    return (struct residue){.fd = {-1, -1}};
}

void residue_drop(struct hop *hop, struct residue *residue)
{
    fd_close(residue->fd[0]);
    fd_close(residue->fd[1]);
    if (residue->paid)
        budget_give(hop->budget, residue->paid);
    *residue = residue_none();
}
