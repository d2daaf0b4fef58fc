/* SPDX-License-Identifier: MIT */
/* A server that sends each line back: line_server PORT (0: any free port, which the server prints). `quit` ends the
 * connection. The server never copies the bytes: it sends the views that it has received. A line that is too long ends
 * the connection, too. */
#include "server.h"

#define MEMORY (64u << 20)

static int answer(leat_stream *in, leat_stream *out)
{
    struct leat_view line;
    int r = -EAGAIN;
    while (!leat_stream_paused(out)) {
        r = leat_stream_take_line(in, LEAT_STREAM_KEEP, &line);
        if (r < 0)
            return r;
        int is_end = !line.data && !line.length;
        if (is_end || leat_view_compare_bytes(&line, "quit\n", 5) == 0) {
            leat_view_release(&line);
            return 0;
        }
        r = leat_stream_append_view(out, &line);
        leat_view_release(&line);
        if (r < 0)
            return -ECANCELED;
    }
    return -EAGAIN;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: line_server PORT\n");
        return 2;
    }
    return server_run(argv[1], MEMORY, answer);
}
