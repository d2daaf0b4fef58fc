/* SPDX-License-Identifier: MIT */
/* Implements --cache: files and disks leave nothing in the page cache.
 *
 * If the file system supports it (NODE_CACHE_ASK), each read and write asks for it by a flag. Pages of the source that
 * were cached before stay cached. Else (NODE_CACHE_DROP) the hop empties the cache behind its position: of the source
 * at once, of a sink one window later, when the disk has the bytes. The kernel drops only whole pages, and does not
 * know which of them were cached before, so at the end all pages of the file are dropped. */
#include "base/platform.h"
#include "route/hop.h"
#include <errno.h>
#include <fcntl.h>

#define WINDOW (8u << 20)

static void drop(const struct node *node, uint64_t from, uint64_t to)
{
    if (node->position < 0)
        from = to = 0; /* only the descriptor knows its position: drop all pages */
    else {
        from += (uint64_t)node->position;
        to += (uint64_t)node->position;
    }
    posix_fadvise(node->fd, (off_t)from, (off_t)(to - from), POSIX_FADV_DONTNEED);
}

static int write_back(const struct node *node, uint64_t from, uint64_t to, bool wait)
{
    if (node->position < 0)
        return platform.write_back(node->fd, 0, 0, wait);
    return platform.write_back(node->fd, node->position + (int64_t)from, to - from, wait);
}

static void begin_node(struct node *node)
{
    if (node->kind == NODE_FILE || node->kind == NODE_BLOCK)
        node->cache = NODE_CACHE_ASK;
}

void cache_begin(struct hop *hop)
{
    if (hop->cache == LEAT_CACHE_KEEP)
        return;
    begin_node(hop->in);
    for (size_t i = 0; i < hop->branches; i++)
        begin_node(hop->branch[i].node);
}

/* Must the hop empty the node's cache itself? Offload and splice have no flag for it, and a clone fills no cache. */
static bool drops(const struct hop *hop, struct node *node)
{
    enum route_id id = hop_route(hop)->id;
    if (node->cache == NODE_CACHE_ASK && (id == ROUTE_OFFLOAD || id == ROUTE_SPLICE))
        node->cache = NODE_CACHE_DROP;
    return node->cache == NODE_CACHE_DROP;
}

static void behind_sink(struct hop *hop, struct branch *branch)
{
    struct node *node = branch->node;
    uint64_t delivered = branch->delivered;
    if (branch->failed || !drops(hop, node) || delivered - branch->cleaned < WINDOW)
        return;
    int r = 0;
    if (branch->cleaned > branch->dropped) {
        r = write_back(node, branch->dropped, branch->cleaned, true);
        drop(node, branch->dropped, branch->cleaned);
        branch->dropped = branch->cleaned;
    }
    if (r == 0)
        r = write_back(node, branch->cleaned, delivered, false);
    branch->cleaned = delivered;
    if (r < 0)
        hop_fail_branch(hop, branch, "sync_file_range", r);
}

void cache_behind(struct hop *hop)
{
    if (drops(hop, hop->in) && hop->taken - hop->dropped >= WINDOW) {
        drop(hop->in, hop->dropped, hop->taken);
        hop->dropped = hop->taken;
    }
    for (size_t i = 0; i < hop->branches; i++)
        behind_sink(hop, &hop->branch[i]);
}

void cache_end_source(struct hop *hop)
{
    if (hop->in->cache == NODE_CACHE_DROP && hop->in->fd >= 0)
        posix_fadvise(hop->in->fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* Pages that were written with the flag are dropped as well: a page under write-back at that moment stayed cached. */
int cache_end_sink(struct hop *hop, struct branch *branch)
{
    struct node *node = branch->node;
    if (hop->cache == LEAT_CACHE_KEEP || node->cache == NODE_CACHE_KEEP)
        return 0;
    int r = platform.write_back(node->fd, 0, 0, true);
    if (r == 0)
        posix_fadvise(node->fd, 0, 0, POSIX_FADV_DONTNEED);
    return r;
}
