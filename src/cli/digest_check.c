/* SPDX-License-Identifier: MIT */
/* leat digest -c: reads lists of digests and compares them with the files. */
#include "digest_check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* More bytes than a line with the longest name and all its escapes has. A longer line counts as improperly formatted,
 * and its rest is not kept. */
#define LINE_BYTES 32768
#define TAG_BYTES  64

/* The counters are reset for each list. Until the hasher is drained, the emitting thread alone uses `unreadable`,
 * `different` and `any_right`. */
struct list_check {
    const struct digest_options *options;
    struct hasher *hasher;
    leat_filter *asked; /* has the algorithms of -a; NULL: -a was not given */
    const char *list;   /* its name, for messages */
    enum checksum_gap gap;
    bool failed;      /* at least one of the lists failed */
    uint64_t proper;  /* lines that are properly formatted */
    uint64_t strange; /* lines that are improperly formatted */

    uint64_t unreadable, different;
    bool any_right;
};

/* ---- results ---- */

static void say(const char *name, const char *verdict)
{
    checksum_print_name(stdout, "", name, "", "\n");
    printf(": %s\n", verdict);
    cli_flush(0);
}

static void say_strange(const struct list_check *c, uint64_t number)
{
    char *list = checksum_quote(c->list);
    const char *algorithm = c->options->algorithms;
    char tag[TAG_BYTES];
    fprintf(stderr, "leat: %s: %llu: improperly formatted ", list ? list : c->list, (unsigned long long)number);
    if (algorithm && !strchr(algorithm, ',')) {
        checksum_tag(algorithm, tag, sizeof(tag));
        fprintf(stderr, "%s ", tag);
    }
    fputs("checksum line\n", stderr);
    free(list);
}

static void compare(void *user, const struct hash_job *job)
{
    struct list_check *c = user;
    enum digest_talk talk = c->options->talk;
    const char *algorithm, *hex;
    if (job->number) {
        say_strange(c, job->number);
        return;
    }
    if (job->code == -ENOENT && c->options->ignore_missing)
        return;
    if (job->code < 0) {
        checksum_warn(job->name, strerror(-job->code));
        c->unreadable++;
        if (talk != TALK_STATUS)
            say(job->name, "FAILED open or read");
        return;
    }
    bool right = leat_report_digest_at(job->report, 0, &algorithm, &hex) == 0 && strcasecmp(hex, job->expected) == 0;
    c->any_right |= right;
    c->different += !right;
    if (!right && talk != TALK_STATUS)
        say(job->name, "FAILED");
    else if (right && talk != TALK_STATUS && talk != TALK_QUIET)
        say(job->name, "OK");
}

/* ---- the algorithm of a line ---- */

/* Returns how many hex digits a digest of this algorithm has; 0: the filter does not have the algorithm. */
static size_t digits_of(leat_filter *filter, const char *algorithm)
{
    unsigned char bytes[LEAT_DIGEST_HEX_MAX / 2];
    size_t n;
    return leat_filter_digest_bytes(filter, algorithm, bytes, sizeof(bytes), &n) == 0 ? 2 * n : 0;
}

/* With -a only its algorithms are accepted, without it every algorithm. */
static size_t digits_of_tag(const struct list_check *c, const char *tag)
{
    leat_filter *filter;
    if (c->asked)
        return digits_of(c->asked, tag);
    if (strlen(tag) >= TAG_BYTES || leat_filter_digest(&filter, tag, NULL, NULL) < 0)
        return 0;
    size_t digits = digits_of(filter, tag);
    leat_filter_free(filter);
    return digits;
}

static bool usual_algorithm(size_t digits, char ret[TAG_BYTES])
{
    static const struct {
        size_t digits;
        const char *name;
    } usual[] = {{32, "md5"}, {40, "sha1"}, {56, "sha224"}, {64, "sha256"}, {96, "sha384"}, {128, "sha512"}};
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (usual[i].digits == digits) {
            snprintf(ret, TAG_BYTES, "%s", usual[i].name);
            return true;
        }
    return false;
}

/* Finds the algorithm of -a whose digest has this length. False if there is none, or if two have it. */
static bool asked_algorithm(const struct list_check *c, size_t digits, char ret[TAG_BYTES])
{
    size_t found = 0;
    for (const char *at = c->options->algorithms; *at;) {
        char name[TAG_BYTES];
        size_t n = strcspn(at, ",");
        snprintf(name, sizeof(name), "%.*s", (int)n, at);
        if (digits_of(c->asked, name) == digits) {
            memcpy(ret, name, sizeof(name));
            found++;
        }
        at += n + (at[n] == ',');
    }
    return found == 1;
}

/* Chooses the algorithm of a line. False: no algorithm fits the line. */
static bool choose_algorithm(const struct list_check *c, const struct checksum_line *line, char ret[TAG_BYTES])
{
    size_t digits = strlen(line->hex);
    if (!line->tag)
        return c->asked ? asked_algorithm(c, digits, ret) : usual_algorithm(digits, ret);
    if (digits_of_tag(c, line->tag) != digits)
        return false;
    snprintf(ret, TAG_BYTES, "%s", line->tag);
    return true;
}

/* ---- lists ---- */

/* A warning goes through the hasher, so that it is printed in the order of the lines. */
static int strange_line(struct list_check *c, uint64_t number)
{
    c->strange++;
    if (c->options->talk != TALK_WARN)
        return 0;
    struct hash_job *job = hasher_job("", "");
    if (!job)
        return -ENOMEM;
    job->number = number;
    job->done = true;
    hasher_put(c->hasher, job);
    return 0;
}

static int take_line(struct list_check *c, char *text, uint64_t number)
{
    struct checksum_line line;
    char algorithm[TAG_BYTES];
    if (text[0] == '\0' || text[0] == '#')
        return 0;
    if (checksum_parse(text, &c->gap, &line) < 0 || !choose_algorithm(c, &line, algorithm))
        return strange_line(c, number);
    c->proper++;
    struct hash_job *job = hasher_job(line.name, algorithm);
    if (!job)
        return -ENOMEM;
    snprintf(job->expected, sizeof(job->expected), "%s", line.hex);
    hasher_put(c->hasher, job);
    return 0;
}

/* Reads a line without its end, which is \n or \r\n. False: there are no more lines. *ret_fits is false if the line has
 * a NUL or is too long. */
static bool read_line(FILE *from, char text[LINE_BYTES], bool *ret_fits)
{
    size_t n = 0;
    int c;
    bool any = false;
    *ret_fits = true;
    while ((c = getc(from)) != EOF && c != '\n') {
        any = true;
        *ret_fits &= c != '\0' && n < LINE_BYTES - 1;
        if (*ret_fits)
            text[n++] = (char)c;
    }
    if (n > 0 && text[n - 1] == '\r')
        n--;
    text[n] = '\0';
    return any || c == '\n';
}

static int read_list(struct list_check *c, FILE *from)
{
    char text[LINE_BYTES];
    bool fits;
    int r = 0;
    for (uint64_t number = 1; r == 0 && read_line(from, text, &fits); number++)
        r = fits ? take_line(c, text, number) : strange_line(c, number);
    hasher_drain(c->hasher);
    return r;
}

static void sum_up(uint64_t n, const char *one, const char *more)
{
    if (n > 0)
        cli_warn("WARNING: %llu %s", (unsigned long long)n, n == 1 ? one : more);
}

/* Prints the summary of a list. Returns whether the list passed. */
static bool conclude(const struct list_check *c)
{
    bool unverified = c->options->ignore_missing && !c->any_right;
    if (c->proper == 0) {
        checksum_warn(c->list, "no properly formatted checksum lines found");
        return false;
    }
    if (c->options->talk != TALK_STATUS) {
        sum_up(c->strange, "line is improperly formatted", "lines are improperly formatted");
        sum_up(c->unreadable, "listed file could not be read", "listed files could not be read");
        sum_up(c->different, "computed checksum did NOT match", "computed checksums did NOT match");
        if (unverified)
            checksum_warn(c->list, "no file was verified");
    }
    return c->different == 0 && c->unreadable == 0 && !unverified && (c->strange == 0 || !c->options->strict);
}

static bool check_list(struct list_check *c, const char *name)
{
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *from = is_stdin ? stdin : fopen(name, "re");
    if (!from) {
        checksum_warn(name, strerror(errno));
        return false;
    }
    c->list = is_stdin ? "standard input" : name;
    c->gap = CHECKSUM_GAP_UNKNOWN;
    c->proper = c->strange = c->unreadable = c->different = 0;
    c->any_right = false;
    int r = read_list(c, from);
    bool failed = ferror(from);
    if (!is_stdin)
        fclose(from);
    if (r < 0 || failed) {
        checksum_warn(c->list, r < 0 ? strerror(-r) : "read error");
        return false;
    }
    return conclude(c);
}

int digest_check(const struct digest_options *options, int count, char **lists)
{
    struct list_check c = {.options = options};
    int r = options->algorithms ? leat_filter_digest(&c.asked, options->algorithms, NULL, NULL) : 0;
    if (r == 0)
        r = hasher_new(&c.hasher, options->jobs, compare, &c);
    for (int i = 0; i < count && r == 0; i++)
        c.failed |= !check_list(&c, lists[i]);
    if (r < 0)
        cli_warn("%s", strerror(-r));
    hasher_free(c.hasher);
    leat_filter_free(c.asked);
    return r < 0 || c.failed ? EXIT_FAILED : EXIT_DONE;
}
