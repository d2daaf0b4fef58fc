/* SPDX-License-Identifier: MIT */
/* leat digest: digests of files, printed and checked as sha256sum does. */
#include "digest_check.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char usage[] = "usage: leat digest [-a ALG[,ALG]] [-bz] [--tag] [-j N] [FILE...]\n"
                            "       leat digest -c [-a ALG] [-w] [--quiet|--status] [--strict]\n"
                            "                   [--ignore-missing] [-j N] [FILE...]\n"
                            "\n"
                            "Prints the digest of each FILE as sha256sum, b2sum, md5sum and their kin do, or\n"
                            "checks the files that such a list names. Without FILE, or where it is -,\n"
                            "standard input is read. Several files are read at the same time; the lines come\n"
                            "in the order of the arguments all the same.\n"
                            "\n"
                            "  -a, --algorithm ALG[,ALG]   sha256 (the default), md5, sha1, sha224, sha384,\n"
                            "                              sha512, sha512-256, sha3-256, sm3, blake2b,\n"
                            "                              blake2s, ripemd160 and whatever else libcrypto\n"
                            "                              offers; crc32c, crc32, crc64nvme, xxh3 and\n"
                            "                              xxh3-128 against accidents\n"
                            "                              only. Several: one pass, and lines as by --tag\n"
                            "  -l, --length BITS           of blake2b, where libcrypto offers that length\n"
                            "  -j, --jobs N                so many files at the same time (default: a file\n"
                            "                              for each processor, at most 16)\n"
                            "\n"
                            "How lines are printed\n"
                            "      --tag                   as BSD does: SHA256 (FILE) = HEX; the algorithm\n"
                            "                              is named, so -c needs no -a\n"
                            "  -b, --binary                with * before the name; -t, --text with a blank,\n"
                            "                              the default. Means nothing else\n"
                            "  -z, --zero                  ended by NUL, and names as they are; without it,\n"
                            "                              a line whose name has a newline, carriage return\n"
                            "                              or backslash begins with \\ and has them as \\n, \\r\n"
                            "                              and \\\\\n"
                            "\n"
                            "How lists are checked\n"
                            "  -c, --check                 each FILE is a list, in any of the forms above or\n"
                            "                              that of `openssl dgst`\n"
                            "      --ignore-missing        files that are not there are passed over in\n"
                            "                              silence\n"
                            "      --quiet                 no line for a file that is right\n"
                            "      --status                no line at all, the exit code tells\n"
                            "      --strict                a line that is improperly formatted is a failure\n"
                            "  -w, --warn                  tell of each such line\n"
                            "\n"
                            "Lines that don't name their algorithm are of ALG, if -a is given. If not, their\n"
                            "length tells: 32 hex digits are md5, 40 sha1, 56 sha224, 64 sha256, 96 sha384,\n"
                            "128 sha512. With -a, lines of other algorithms are improper.\n"
                            "\n"
                            "  leat digest *.iso > SHA256SUMS          leat digest -c SHA256SUMS\n"
                            "  leat digest -a sha256,blake2b image.iso\n"
                            "  leat digest -c --ignore-missing --quiet SHA256SUMS && echo good\n"
                            "  curl -s https://example.org/a.tar | leat digest -a sha512\n"
                            "\n"
                            "Exit codes: 0 done, or everything is right; 1 a file could not be read, a\n"
                            "digest differs, a list has no line; 2 usage, where sha256sum has 1.\n";

enum {
    OPTION_TAG = 1000,
    OPTION_QUIET,
    OPTION_STATUS,
    OPTION_STRICT,
    OPTION_IGNORE_MISSING,
};

static const struct option longs[] = {
    {"algorithm", required_argument, NULL, 'a'},
    {"length", required_argument, NULL, 'l'},
    {"jobs", required_argument, NULL, 'j'},
    {"tag", no_argument, NULL, OPTION_TAG},
    {"binary", no_argument, NULL, 'b'},
    {"text", no_argument, NULL, 't'},
    {"zero", no_argument, NULL, 'z'},
    {"check", no_argument, NULL, 'c'},
    {"ignore-missing", no_argument, NULL, OPTION_IGNORE_MISSING},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"status", no_argument, NULL, OPTION_STATUS},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"warn", no_argument, NULL, 'w'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* ---- options ---- */

/* The options as the user typed them. Options for printing and options for checking are kept apart, so that a message
 * can name the option that does not fit. */
struct digest_typed {
    bool binary, text, tag, zero;
    bool ignore_missing, strict;
    const char *talk; /* the last option of its kind */
    const char *length;
    bool help;
};

static int set_jobs(struct digest_options *o, const char *text)
{
    char *rest;
    unsigned long n = strtoul(text, &rest, 10);
    if (strspn(text, "0123456789") == 0 || *rest || n == 0 || n > 256)
        return cli_usage("digest", "--jobs: '%s' is no number from 1 to 256", text);
    o->jobs = (unsigned)n;
    return 0;
}

static void set_talk(struct digest_options *o, struct digest_typed *t, enum digest_talk talk, const char *option)
{
    o->talk = talk;
    t->talk = option;
}

static int set(struct digest_options *o, struct digest_typed *t, int option, const char *value)
{
    switch (option) {
    case 'a':
        o->algorithms = value;
        return 0;
    case 'l':
        t->length = value;
        return 0;
    case 'j':
        return set_jobs(o, value);
    case 'b':
        t->binary = true;
        t->text = false;
        return 0;
    case 't':
        t->text = true;
        t->binary = false;
        return 0;
    case 'z':
        t->zero = true;
        return 0;
    case 'c':
        o->check = true;
        return 0;
    case 'w':
        set_talk(o, t, TALK_WARN, "warn");
        return 0;
    case 'h':
        t->help = true;
        return 0;
    case OPTION_TAG:
        t->tag = true;
        t->text = false;
        return 0;
    case OPTION_QUIET:
        set_talk(o, t, TALK_QUIET, "quiet");
        return 0;
    case OPTION_STATUS:
        set_talk(o, t, TALK_STATUS, "status");
        return 0;
    case OPTION_STRICT:
        t->strict = true;
        return 0;
    default:
        t->ignore_missing = true;
        return 0;
    }
}

/* The messages are those of sha256sum. */
static int check_combination(const struct digest_options *o, const struct digest_typed *t)
{
    const char *only_check = t->ignore_missing ? "ignore-missing" : t->strict ? "strict" : t->talk;
    if (t->tag && t->text)
        return cli_usage("digest", "--tag does not support --text mode");
    if (o->check && t->zero)
        return cli_usage("digest", "the --zero option is not supported when verifying checksums");
    if (o->check && t->tag)
        return cli_usage("digest", "the --tag option is meaningless when verifying checksums");
    if (o->check && (t->binary || t->text))
        return cli_usage("digest", "the --binary and --text options are meaningless when verifying checksums");
    if (!o->check && only_check)
        return cli_usage("digest", "the --%s option is meaningful only when verifying checksums", only_check);
    return 0;
}

/* --length makes blake2b another algorithm, such as blake2b-256. */
static int apply_length(struct digest_options *o, const char *text)
{
    char *rest;
    if (!text)
        return 0;
    unsigned long bits = strtoul(text, &rest, 10);
    if (strspn(text, "0123456789") == 0 || *rest || bits > 512 || bits % 8)
        return cli_usage("digest", "--length: '%s' is no multiple of 8 up to 512", text);
    if (!o->algorithms || (strcasecmp(o->algorithms, "blake2b") != 0 && strcasecmp(o->algorithms, "blake2b-512") != 0))
        return cli_usage("digest", "--length is for -a blake2b alone");
    snprintf(o->name, sizeof(o->name), "blake2b-%lu", bits ? bits : 512);
    o->algorithms = o->name;
    return 0;
}

/* Checks the algorithms once, so that a wrong one is not reported for each file. */
static int try_algorithms(const struct digest_options *o)
{
    leat_filter *filter;
    int r = leat_filter_digest(&filter, o->algorithms ? o->algorithms : "sha256", NULL, NULL);
    if (r == 0) {
        leat_filter_free(filter);
        return 0;
    }
    if (r == -ENOENT && o->algorithms == o->name) {
        cli_warn("digest: %s can't be computed: this libcrypto has no BLAKE2b of that length", o->algorithms);
        return EXIT_FAILED;
    }
    return cli_no_digest("digest", "algorithm", o->algorithms ? o->algorithms : "sha256", r);
}

/* Returns 0, an exit code after a message, or -1 if --help was given. */
static int parse(struct digest_options *o, int argc, char **argv)
{
    struct digest_typed t = {0};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":a:l:j:btzcwh", longs, NULL)) != -1;) {
        if (option == '?')
            return cli_unknown_option("digest", longs, argv[optind - 1]);
        if (option == ':')
            return cli_usage("digest", "'%s' wants a value", argv[optind - 1]);
        int r = set(o, &t, option, optarg);
        if (r != 0)
            return r;
    }
    if (t.help)
        return -1;
    o->style = (struct checksum_style){.tag = t.tag, .binary = t.binary, .zero = t.zero};
    o->ignore_missing = t.ignore_missing;
    o->strict = t.strict;
    int r = check_combination(o, &t);
    if (r == 0)
        r = apply_length(o, t.length);
    return r ? r : try_algorithms(o);
}

/* ---- printing ---- */

struct printing {
    const struct digest_options *options;
    bool failed;
};

static void print_digests(void *user, const struct hash_job *job)
{
    struct printing *printing = user;
    struct checksum_style style = printing->options->style;
    const char *algorithm, *hex;
    if (job->code < 0) {
        checksum_warn(job->name, strerror(-job->code));
        printing->failed = true;
        return;
    }
    style.tag |= leat_report_digest_at(job->report, 1, &algorithm, &hex) == 0;
    for (size_t i = 0; leat_report_digest_at(job->report, i, &algorithm, &hex) == 0; i++)
        checksum_print(stdout, algorithm, hex, job->name, &style);
    cli_flush(0);
}

static int print_all(const struct digest_options *options, int count, char **names)
{
    struct printing printing = {.options = options};
    const char *algorithms = options->algorithms ? options->algorithms : "sha256";
    struct hasher *hasher = NULL;
    int r = hasher_new(&hasher, options->jobs, print_digests, &printing);
    for (int i = 0; i < count && r == 0; i++) {
        struct hash_job *job = hasher_job(names[i], algorithms);
        if (job)
            hasher_put(hasher, job);
        else
            r = -ENOMEM;
    }
    if (r < 0)
        cli_warn("%s", strerror(-r));
    hasher_free(hasher);
    return r < 0 || printing.failed ? EXIT_FAILED : EXIT_DONE;
}

int cli_digest(int argc, char **argv)
{
    static char standard_input[] = "-";
    static char *no_names[] = {standard_input};
    struct digest_options o = {0};
    int r = parse(&o, argc, argv);
    if (r < 0) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    if (r > 0)
        return r;
    int count = argc - optind;
    char **names = argv + optind;
    if (count == 0) {
        count = 1;
        names = no_names;
    }
    return o.check ? digest_check(&o, count, names) : print_all(&o, count, names);
}
