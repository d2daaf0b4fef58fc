/* SPDX-License-Identifier: MIT */
#include "route/table.h"

#define FILES   (1u << NODE_FILE)
#define PIPES   (1u << NODE_PIPE)
#define DISKS   (1u << NODE_BLOCK)
#define NOWHERE (1u << NODE_NULL)
#define SOCKETS (1u << NODE_SOCKET)
#define ZEROS   (1u << NODE_ZERO)
#define ANY     (~0u)

/* Each reason names the rows of bench/ that show it. bench/smoke.test checks that these rows exist. */
static const struct table_row table[] = {
    {ANY,
     ANY,
     TABLE_OBSERVED,
     {ROUTE_CLONE, ROUTE_SPLICE, ROUTE_CHUNK},
     "what looks at the bytes reads them once, and they are written from there (bench: copy-sha256, digest)"},
    {FILES,
     FILES,
     TABLE_NETWORK,
     {ROUTE_CLONE, ROUTE_OFFLOAD, ROUTE_CHUNK},
     "a file server copies by itself, so no byte crosses the network (bench: file-to-file/network)"},
    {FILES,
     FILES,
     TABLE_ANY,
     {ROUTE_CLONE, ROUTE_SPLICE, ROUTE_OFFLOAD, ROUTE_CHUNK},
     "after a clone, one copy from page to page is the fastest (bench: file-to-file, small-file)"},
    {FILES | DISKS,
     PIPES,
     TABLE_ANY,
     {ROUTE_SPLICE, ROUTE_CHUNK},
     "a pipe takes the pages themselves (bench: file-to-pipe)"},
    {PIPES, PIPES, TABLE_ANY, {ROUTE_SPLICE, ROUTE_CHUNK}, "pages move without a copy (bench: pipe-to-pipe)"},
    {FILES | PIPES | DISKS | SOCKETS,
     NOWHERE,
     TABLE_ANY,
     {ROUTE_SPLICE, ROUTE_OFFLOAD, ROUTE_CHUNK},
     "nothing is copied for nobody (bench: file-to-null, pipe-to-null, device-to-null, socket-to-null)"},
    {DISKS,
     FILES | DISKS,
     TABLE_ANY,
     {ROUTE_SPLICE, ROUTE_CHUNK},
     "one copy from page to page is the fastest (bench: device-to-file)"},
    {PIPES,
     FILES | DISKS,
     TABLE_SHARED,
     {ROUTE_SPLICE, ROUTE_CHUNK},
     "among many streams it is processor time that counts, and one copy takes less (bench: streams)"},
    {PIPES,
     FILES | DISKS,
     TABLE_ANY,
     {ROUTE_CHUNK, ROUTE_SPLICE},
     "reading empties the pipe at once, so its writer goes on while the file is written (bench: pipe-to-file)"},
    {FILES,
     SOCKETS,
     TABLE_TCP,
     {ROUTE_OFFLOAD, ROUTE_SPLICE, ROUTE_CHUNK},
     "a connection takes the pages themselves, a few at a time at best (bench: file-to-socket/tcp)"},
    {FILES | DISKS,
     SOCKETS,
     TABLE_ANY,
     {ROUTE_SPLICE, ROUTE_OFFLOAD, ROUTE_CHUNK},
     "a socket takes the pages themselves, for less than half of the processor time (bench: file-to-socket/unix)"},
    {PIPES, SOCKETS, TABLE_ANY, {ROUTE_SPLICE, ROUTE_CHUNK}, "pages move without a copy (bench: pipe-to-socket)"},
    {SOCKETS,
     PIPES | SOCKETS,
     TABLE_ANY,
     {ROUTE_SPLICE, ROUTE_CHUNK},
     "pages move without a copy (bench: socket-to-socket, socket-to-pipe)"},
    {SOCKETS,
     FILES | DISKS,
     TABLE_ANY,
     {ROUTE_SPLICE, ROUTE_CHUNK},
     "one copy, made by the kernel (bench: socket-to-file)"},
    {FILES | PIPES,
     FILES | PIPES | DISKS | NOWHERE,
     TABLE_ANY,
     {ROUTE_SPLICE, ROUTE_CHUNK},
     "several sinks share the pages by tee (bench: fan-out)"},
    {ZEROS,
     ANY,
     TABLE_ANY,
     {ROUTE_CHUNK, ROUTE_SPLICE},
     "zeros are made in place, which is as fast as any way to move them (bench: zeros-to-file)"},
    {ANY,
     ANY,
     TABLE_ANY,
     {ROUTE_CHUNK, ROUTE_SPLICE, ROUTE_OFFLOAD},
     "the chunk route serves every pair (bench: random-to-null)"},
};

static bool matches(const struct table_row *row, const struct hop *hop)
{
    if (!(row->from & (1u << hop->in->kind)) || (row->when == TABLE_NETWORK && !hop->in->network) ||
        (row->when == TABLE_OBSERVED && !hop_needs_bytes(hop)) || (row->when == TABLE_SHARED && !hop->shared))
        return false;
    for (size_t i = 0; i < hop->branches; i++) {
        const struct node *out = hop->branch[i].node;
        if (!(row->to & (1u << out->kind)) || (row->when == TABLE_TCP && !out->network))
            return false;
    }
    return true;
}

const struct table_row *table_find(const struct hop *hop)
{
    const struct table_row *row = table;
    while (!matches(row, hop))
        row++;
    return row;
}
