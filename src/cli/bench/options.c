/* SPDX-License-Identifier: MIT */
#include "bench/bench.h"
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char bench_help[] = "usage: leat bench [options] [SOURCE SINK]\n"
                          "\n"
                          "Measures every route, engine and memory limit side by side, and says which of\n"
                          "them `auto` takes and which was the best. With a SOURCE and a SINK it measures\n"
                          "on those. A SINK that is a file is not touched: what is written goes into a\n"
                          "hidden folder beside it, which is removed. Without them it makes files, pipes\n"
                          "and sockets of its own, and compares kernel pipes with pipes in user memory.\n"
                          "\n"
                          "Options\n"
                          "  --rounds N             how often each one runs (default 5), in another order\n"
                          "                         every time\n"
                          "  --seconds N            begin no further round of a row after so many seconds\n"
                          "                         (default 20)\n"
                          "  --size SIZE            move at most so many bytes in a run (default 256M)\n"
                          "  --memory-limit SIZE[,SIZE]\n"
                          "                         try these beside the usual one (default 256K,1M)\n"
                          "  --quick                small sizes, 2 rounds: to see that it works, in some\n"
                          "                         seconds\n"
                          "  --pin CPU[,CPU]        on this processor, and the threads at the other ends\n"
                          "                         on the second\n"
                          "  --only ROW[,ROW]       these rows alone, as `pipes`, or `file-to-pipe/1M`;\n"
                          "                         without SOURCE and SINK\n"
                          "  --directory DIR        where own files are made (default $TMPDIR, or the\n"
                          "                         current one)\n"
                          "  --overwrite            write into SINK itself: a device, a pipe, a file in\n"
                          "                         place. What was in it is lost\n"
                          "  --plot FILE            and a picture of all rows, in SVG\n"
                          "  --json                 one object a line, for programs\n"
                          "  --help                 this\n"
                          "\n"
                          "Reading the table\n"
                          "  Below the name of a row is the answer: what `auto` takes. Then come the\n"
                          "  contenders, the fastest first, each with a bar.\n"
                          "  GB/s       the median of the rounds; the middle half of them was between low\n"
                          "             and high\n"
                          "  CPU s/GB   processor time of this process for 10^9 bytes; of pipelines\n"
                          "             without that of the threads at their ends\n"
                          "  of best    its median by that of the best one. The best of many is also the\n"
                          "             luckiest: what is less than the noise below 1 is no loss\n"
                          "  memory     the limit for pipes and chunks together; where there is no\n"
                          "             pipeline, block: bytes of one call\n"
                          "In every round the first line's contender runs twice. If it differs from itself\n"
                          "by more than a tenth, the machine is too busy for differences to mean anything,\n"
                          "and the table says so: try --pin, more --rounds, a larger --size.\n"
                          "\n"
                          "Examples\n"
                          "  leat bench image.iso /srv/image.iso      which way is the best between them?\n"
                          "  leat bench zero: null:                   what the machinery itself costs\n"
                          "  leat bench --only pipes --pin 0,1        pipes and user memory\n"
                          "  leat bench --json | jq -r 'select(.auto) | [.row, .route, .of_best] | @tsv'\n"
                          "\n"
                          "Exit codes: 0 measured, 1 it could not be, 2 usage.\n";

enum {
    OPTION_ROUNDS = 1000,
    OPTION_PLOT,
    OPTION_SECONDS,
    OPTION_SIZE,
    OPTION_MEMORY,
    OPTION_QUICK,
    OPTION_PIN,
    OPTION_ONLY,
    OPTION_DIRECTORY,
    OPTION_OVERWRITE,
    OPTION_JSON,
    OPTION_HELP = 'h',
};

static const struct option longs[] = {
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"memory-limit", required_argument, NULL, OPTION_MEMORY},
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"pin", required_argument, NULL, OPTION_PIN},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"directory", required_argument, NULL, OPTION_DIRECTORY},
    {"overwrite", no_argument, NULL, OPTION_OVERWRITE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"plot", required_argument, NULL, OPTION_PLOT},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* Reads a whole number and stores where it ends. -1: there is no number, or it is beyond `most`. */
static long number(const char *text, char **end, long most)
{
    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    long value = strtol(text, end, 10);
    return errno || value > most ? -1 : value;
}

static int count(const char *option, const char *text, long most, long *ret)
{
    char *end;
    *ret = number(text, &end, most);
    if (*ret < 1 || *end)
        return cli_usage("bench", "--%s: '%s' is no number from 1 to %ld", option, text, most);
    return 0;
}

static int size(const char *option, const char *text, uint64_t *ret)
{
    if (leat_size_parse(text, ret) < 0 || *ret == 0 || *ret > INT64_MAX)
        return cli_usage("bench", "--%s: '%s' is no size: write 4096, 64K, 1.5G or 10MB", option, text);
    return 0;
}

static int limits(struct bench_options *o, char *text)
{
    char *rest = NULL;
    o->limits = 0;
    for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        if (o->limits == BENCH_LIMITS)
            return cli_usage("bench", "--memory-limit: no more than %d at a time", BENCH_LIMITS);
        int r = size("memory-limit", one, &o->limit[o->limits]);
        if (r)
            return r;
        o->limits++;
    }
    return 0;
}

static int pin(struct bench_options *o, const char *text)
{
    char *end;
    long first = number(text, &end, INT_MAX), second = first;
    if (first >= 0 && *end == ',')
        second = number(end + 1, &end, INT_MAX);
    if (first < 0 || second < 0 || *end)
        return cli_usage("bench", "--pin: '%s' is not one processor, nor two as in 0,1", text);
    o->cpu[0] = (int)first;
    o->cpu[1] = (int)second;
    return 0;
}

static int set(struct bench_options *o, int option, char *value)
{
    long n = 0;
    int r = 0;
    switch (option) {
    case OPTION_ROUNDS:
        r = count("rounds", value, 1000, &n);
        o->rounds = (unsigned)n;
        return r;
    case OPTION_SECONDS:
        r = count("seconds", value, 1000000, &n);
        o->seconds = (uint64_t)n;
        return r;
    case OPTION_SIZE:
        return size("size", value, &o->size);
    case OPTION_MEMORY:
        return limits(o, value);
    case OPTION_QUICK:
        o->quick = true;
        return 0;
    case OPTION_PIN:
        return pin(o, value);
    case OPTION_ONLY:
        o->only = value;
        return 0;
    case OPTION_DIRECTORY:
        o->directory = value;
        return 0;
    case OPTION_PLOT:
        o->plot = value;
        return 0;
    case OPTION_OVERWRITE:
        o->overwrite = true;
        return 0;
    case OPTION_JSON:
        o->json = true;
        return 0;
    default:
        return -1;
    }
}

/* Sets the options that were not given. */
static void set_defaults(struct bench_options *o)
{
    const char *temporary = getenv("TMPDIR");
    if (o->rounds == 0)
        o->rounds = o->quick ? 2 : 5;
    if (o->seconds == 0)
        o->seconds = 20;
    if (o->size == 0)
        o->size = o->quick ? 8u << 20 : 256u << 20;
    if (!o->directory)
        o->directory = temporary && temporary[0] ? temporary : ".";
    if (o->limits == SIZE_MAX) {
        o->limits = o->quick ? 1 : 2;
        o->limit[0] = o->quick ? 1u << 20 : 256u << 10;
        o->limit[1] = 1u << 20;
    }
}

static int check_operands(const struct bench_options *o, bool own_directory, int operands)
{
    if (operands == 0 && o->overwrite)
        return cli_usage("bench", "--overwrite is about a SINK, and there is none");
    if (operands == 0)
        return 0;
    if (operands != 2)
        return cli_usage("bench", "a SOURCE and a SINK are wanted, or neither");
    if (o->only || own_directory)
        return cli_usage("bench", "--%s is for what the benchmark makes itself, without SOURCE and SINK",
                         o->only ? "only" : "directory");
    return 0;
}

int bench_options_parse(struct bench_options *o, int argc, char **argv)
{
    *o = (struct bench_options){.limits = SIZE_MAX, .cpu = {-1, -1}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (option == '?')
            return cli_unknown_option("bench", longs, argv[optind - 1]);
        if (option == ':')
            return cli_usage("bench", "'%s' wants a value", argv[optind - 1]);
        int r = set(o, option, optarg);
        if (r != 0)
            return r;
    }
    bool own_directory = o->directory != NULL;
    set_defaults(o);
    return check_operands(o, own_directory, argc - optind);
}
