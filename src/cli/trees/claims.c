/* SPDX-License-Identifier: MIT */
/* The records of a folder of claims: "copy" says which copy it is; "walk-PROCESS" how many batches the tree has, and
 * "own-PROCESS" that the process runs; "bUNIT.N" which process took a batch, and "bUNIT.done" which one copied it. */
#include "trees/claims.h"
#include "cli.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_SIZE = 128,
    RECORD_SIZE = 8192
};

struct process {
    char name[NAME_SIZE];
    long long taken, done;
    bool runs;
};

struct claims {
    int fd;
    struct process *process;
    size_t count;
    long long units, done; /* units -1: the tree has not been walked to its end yet */
    char copy[RECORD_SIZE];
    const char *source, *target; /* in `copy` */
};

/* Reads a record as a text. Returns 0 or a negative errno. */
static int read_record(const struct claims *c, const char *name, char *ret, size_t size)
{
    int fd = openat(c->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);
    int code = n < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = '\0';
    return code;
}

static struct process *find_process(struct claims *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->process[i].name, name) == 0)
            return &c->process[i];
    struct process *more = realloc(c->process, (c->count + 1) * sizeof(*more));
    if (!more)
        return NULL;
    c->process = more;
    more[c->count] = (struct process){.taken = 0};
    snprintf(more[c->count].name, NAME_SIZE, "%s", name);
    return &more[c->count++];
}

/* The process is the first word of the record. */
static int count_unit(struct claims *c, const char *name, bool is_done)
{
    char text[NAME_SIZE];
    if (read_record(c, name, text, sizeof(text)) < 0)
        return 0;
    text[strcspn(text, " \n")] = '\0';
    struct process *process = find_process(c, text);
    if (!process)
        return -ENOMEM;
    process->taken += !is_done;
    process->done += is_done;
    c->done += is_done;
    return 0;
}

static int take_name(struct claims *c, const char *name)
{
    char text[32];
    const char *dot = strchr(name, '.');
    if (strncmp(name, "own-", 4) == 0) {
        struct process *process = find_process(c, name + 4);
        if (process)
            process->runs = true;
        return process ? 0 : -ENOMEM;
    }
    if (strncmp(name, "walk-", 5) == 0 && read_record(c, name, text, sizeof(text)) == 0) {
        long long units = atoll(text);
        c->units = units > c->units ? units : c->units;
        return 0;
    }
    return name[0] == 'b' && dot ? count_unit(c, name, strcmp(dot, ".done") == 0) : 0;
}

/* "leat claims 1", a line of options, the source and the target. */
static bool read_copy(struct claims *c)
{
    if (read_record(c, "copy", c->copy, sizeof(c->copy)) < 0 || strncmp(c->copy, "leat claims 1\n", 14) != 0)
        return false;
    char *line = strchr(c->copy + 14, '\n');
    char *end = line ? strchr(line + 1, '\n') : NULL;
    if (!end)
        return false;
    *end = '\0';
    c->source = line + 1;
    c->target = end + 1;
    end = strchr(c->target, '\n');
    if (end)
        *end = '\0';
    return true;
}

static int read_all(struct claims *c)
{
    int copy = dup(c->fd), r = 0;
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream)
        return -errno;
    for (const struct dirent *entry; r == 0 && (entry = readdir(stream));)
        r = take_name(c, entry->d_name);
    closedir(stream);
    return r;
}

static json_t *describe_process(const struct process *p)
{
    return json_pack("{s:s, s:I, s:I, s:b}", "process", p->name, "done", (json_int_t)p->done, "taken",
                     (json_int_t)p->taken, "runs", p->runs);
}

static int print_json(const struct claims *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(list, describe_process(&c->process[i]));
    json_t *units = c->units < 0 ? json_null() : json_integer((json_int_t)c->units);
    return cli_print_json(json_pack("{s:s, s:o*, s:I, s:s+, s:s+, s:o}", "type", "claims", "units", units, "done",
                                    (json_int_t)c->done, "source", c->source, "", "target", c->target, "", "processes",
                                    list));
}

static void print_text(const struct claims *c)
{
    printf("%s to %s\n", cli_name(c->source), cli_name(c->target));
    for (size_t i = 0; i < c->count; i++) {
        const struct process *p = &c->process[i];
        long long open = p->taken - p->done;
        printf("%s: %lld batches done, %lld begun, %s\n", p->name, p->done, open > 0 ? open : 0,
               p->runs ? "runs" : "has ended");
    }
    if (c->units < 0)
        printf("%lld batches are done; no process has walked the whole tree yet\n", c->done);
    else
        printf("%lld of %lld batches are done\n", c->done, c->units);
}

int tree_claims_status(const char *folder, bool json)
{
    struct claims c = {.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .units = -1};
    int r = c.fd < 0 ? -errno : 0;
    if (r == 0 && !read_copy(&c)) {
        cli_warn("%s: it is no folder of claims", cli_name(folder));
        close(c.fd);
        return EXIT_FAILED;
    }
    if (r == 0)
        r = read_all(&c);
    if (r == 0 && json)
        r = print_json(&c);
    else if (r == 0)
        print_text(&c);
    bool is_done = c.units >= 0 && c.done >= c.units;
    free(c.process);
    if (c.fd >= 0)
        close(c.fd);
    if (r < 0) {
        cli_warn("%s: %s", cli_name(folder), strerror(-r));
        return EXIT_FAILED;
    }
    r = cli_said("shard", cli_flush(0));
    return r ? r : is_done ? EXIT_DONE : EXIT_FAILED;
}
