/* What --cache asks for: files and disks that were moved leave nothing in the page cache.
 *
 * Where the file system can be asked so (NODE_CACHE_ASK) each read and write says it itself, and what was in the cache
 * before stays there, of the source. Else (NODE_CACHE_DROP) the cache is emptied behind the moving position: of the
 * source at once, of a sink one window later, when the disk has it. That knows only whole pages and not whose they are,
 * so at the end all of the file is dropped. */
#include "base/platform.h"
#include "route/hop.h"
#include <errno.h>
#include <fcntl.h>

#define WINDOW (8u << 20)

static void drop(const struct node *node, uint64_t from, uint64_t to)
{
    if (node->position < 0)
        from = to = 0; /* only the descriptor knows where: everything */
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

/* Only reads and writes can ask for themselves, and a clone has no need to. */
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

/* Also what was written by calls that asked: a page that the disk was busy with meanwhile has stayed. */
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
