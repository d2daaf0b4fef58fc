/* SPDX-License-Identifier: MIT */
/* leat bench: measures routes and engines side by side. */
#include "bench/bench.h"
#include "bench/peer.h"
#include "bench/system.h"
#include "places.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Pins the calling thread. The processor of peers is only tried first, so that a wrong number is reported; the thread
 * then goes to its own processor, because threads that the library makes inherit it. */
static int pin(const struct bench_options *o)
{
    for (int i = 1; i >= 0; i--) {
        int r = o->cpu[i] < 0 ? 0 : system_pin(o->cpu[i]);
        if (r < 0) {
            cli_warn("bench: processor %d can't be had: %s", o->cpu[i], strerror(-r));
            return EXIT_FAILED;
        }
    }
    peer_pin(o->cpu[1]);
    return 0;
}

/* The picture must not be written over what is measured. Returns 0, or an exit code after a message. */
static int open_plot(const char *file, int operands, char **spec)
{
    for (int i = 0; i < operands; i++)
        if (places_is_file(file, spec[i], i == 0 ? LEAT_READ : LEAT_WRITE))
            return cli_usage("bench", "--plot: %s is %s, and would be lost", cli_name(file),
                             i == 0 ? "the source" : "the sink");
    return plot_open(file);
}

static int all_own(const struct bench_options *o)
{
    int code = bench_own(o);
    if (code == 0 && !stop_asked())
        code = bench_pipes(o);
    if (code == 0 && !stop_asked())
        code = bench_latency(o);
    if (code == 0 && !stop_asked() && !row_any())
        code = cli_usage("bench", "--only: there is no row '%s'; without it all of them are named", o->only);
    return code;
}

int cli_bench(int argc, char **argv)
{
    struct bench_options o;
    int r = bench_options_parse(&o, argc, argv);
    if (r < 0) {
        fputs(bench_help, stdout);
        return EXIT_DONE;
    }
    if (r > 0)
        return r;
    stop_catch();
    r = pin(&o);
    if (r == 0 && o.plot)
        r = open_plot(o.plot, argc - optind, argv + optind);
    if (r == 0)
        r = argc > optind ? bench_given(&o, argv[optind], argv[optind + 1]) : all_own(&o);
    r = plot_close(r);
    stop_raise();
    return r;
}
