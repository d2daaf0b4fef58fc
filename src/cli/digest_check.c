/* SPDX-License-Identifier: MIT */
/* leat digest -c: reads lists of digests and compares them with the files. */
#include "digest_check.h"
#include "checksum_list.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The counters are reset for each list. Until the hasher is drained, the emitting thread alone uses `unreadable`,
 * `different` and `any_right`. */
struct list_check {
    const struct digest_options *options;
    struct hasher *hasher;
    struct checksum_list lines;
    const char *list; /* its name, for messages */
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
    char tag[CHECKSUM_TAG_MAX];
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

static int take_line(struct list_check *c, const struct checksum_entry *entry)
{
    c->proper++;
    struct hash_job *job = hasher_job(entry->name, entry->algorithm);
    if (!job)
        return -ENOMEM;
    snprintf(job->expected, sizeof(job->expected), "%s", entry->hex);
    hasher_put(c->hasher, job);
    return 0;
}

static int read_list(struct list_check *c, FILE *from)
{
    struct checksum_entry entry;
    int r;
    checksum_list_begin(&c->lines, from);
    while ((r = checksum_list_next(&c->lines, &entry)) > 0) {
        r = entry.name ? take_line(c, &entry) : strange_line(c, c->lines.number);
        if (r < 0)
            break;
    }
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
    int r = checksum_list_new(&c.lines, options->algorithms);
    if (r == 0)
        r = hasher_new(&c.hasher, options->jobs, compare, &c);
    for (int i = 0; i < count && r == 0; i++)
        c.failed |= !check_list(&c, lists[i]);
    if (r < 0)
        cli_warn("%s", strerror(-r));
    hasher_free(c.hasher);
    checksum_list_free(&c.lines);
    return r < 0 || c.failed ? EXIT_FAILED : EXIT_DONE;
}
