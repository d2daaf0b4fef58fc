/* SPDX-License-Identifier: MIT */
#include "sort.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUN_BUFFER_MIN = 4096, /* of each run while runs are merged */
    RUN_BUFFER_MAX = 256 * 1024,
    MEMORY_MIN = 4096,
};

/* A run is a part of the file. Each record there is its length, the name with its NUL, and the value with its NUL. */
struct sort_run {
    off_t at, end; /* what is not read yet */
    char *buffer;
    size_t room, start, have; /* the current record begins at `start` */
};

struct sorter {
    size_t memory;
    char *block;     /* records from its beginning, pointers to them from its end downwards */
    size_t used;     /* bytes of records */
    size_t count;    /* of pointers */
    FILE *file;      /* NULL: everything is in the block */
    off_t written;   /* bytes in the file */
    int code;        /* the first failure */
    bool is_reading; /* nothing can be added any more */
    size_t next;     /* of the block, if there is no file: the pointer to the next record */
    struct sort_run *run;
    size_t runs, room;
    size_t *heap; /* of runs, the one with the least record first */
    size_t heaped;
};

static int fail(struct sorter *s, int code)
{
    if (s->code == 0)
        s->code = code;
    return code;
}

int sorter_new(struct sorter **ret, size_t memory)
{
    struct sorter *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->memory = memory < MEMORY_MIN ? MEMORY_MIN : memory / sizeof(char *) * sizeof(char *);
    s->block = malloc(s->memory); /* what is not used of it takes no memory */
    if (!s->block) {
        free(s);
        return -ENOMEM;
    }
    *ret = s;
    return 0;
}

void sorter_free(struct sorter *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->runs; i++)
        free(s->run[i].buffer);
    if (s->file)
        fclose(s->file);
    free(s->run);
    free(s->heap);
    free(s->block);
    free(s);
}

/* ---- the temporary file ---- */

const char *sorter_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && folder[0] ? folder : "/var/tmp";
}

static int open_file(struct sorter *s)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/leat-XXXXXX", sorter_folder()) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int fd = mkstemp(path);
    if (fd < 0)
        return -errno;
    unlink(path);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    s->file = fdopen(fd, "w");
    if (s->file)
        return 0;
    close(fd);
    return -ENOMEM;
}

/* ---- records ---- */

static char **first_pointer(const struct sorter *s)
{
    return (char **)(void *)(s->block + s->memory) - s->count;
}

static int compare_records(const char *a, const char *b)
{
    int r = strcmp(a, b);
    return r ? r : strcmp(a + strlen(a) + 1, b + strlen(b) + 1);
}

static int compare_pointers(const void *a, const void *b)
{
    return compare_records(*(char *const *)a, *(char *const *)b);
}

static void sort_block(struct sorter *s)
{
    if (s->count > 0)
        qsort(first_pointer(s), s->count, sizeof(char *), compare_pointers);
}

static uint32_t length_of(const char *record)
{
    size_t name = strlen(record) + 1;
    return (uint32_t)(name + strlen(record + name) + 1);
}

static int add_run(struct sorter *s, off_t end)
{
    if (s->runs == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct sort_run *run = realloc(s->run, room * sizeof(*run));
        if (!run)
            return -ENOMEM;
        s->run = run;
        s->room = room;
    }
    s->run[s->runs++] = (struct sort_run){.at = s->written, .end = end};
    s->written = end;
    return 0;
}

/* Writes the records of the block as a run. */
static int spill(struct sorter *s)
{
    int r = s->file ? 0 : open_file(s);
    off_t end = s->written;
    sort_block(s);
    char **pointer = first_pointer(s);
    for (size_t i = 0; r == 0 && i < s->count; i++) {
        uint32_t length = length_of(pointer[i]);
        if (fwrite(&length, sizeof(length), 1, s->file) != 1 || fwrite(pointer[i], length, 1, s->file) != 1)
            r = -errno;
        end += (off_t)(sizeof(length) + length);
    }
    if (r == 0 && fflush(s->file) != 0)
        r = -errno;
    if (r == 0)
        r = add_run(s, end);
    s->used = s->count = 0;
    return r;
}

int sorter_add(struct sorter *s, const char *prefix, const char *name, const char *value)
{
    size_t before = strlen(prefix), middle = strlen(name), length = before + middle + strlen(value) + 2;
    if (s->code < 0 || s->is_reading)
        return s->code < 0 ? s->code : -EINVAL;
    if (length > UINT32_MAX || length + sizeof(char *) > s->memory)
        return fail(s, -ENOMEM);
    if (s->used + length + (s->count + 1) * sizeof(char *) > s->memory) {
        int r = spill(s);
        if (r < 0)
            return fail(s, r);
    }
    char *record = s->block + s->used;
    memcpy(record, prefix, before + 1);
    memcpy(record + before, name, middle + 1);
    strcpy(record + before + middle + 1, value);
    s->used += length;
    s->count++;
    *first_pointer(s) = record;
    return 0;
}

/* ---- merging ---- */

/* Reads until the buffer has n bytes from `start` on. Returns 0 or a negative errno. */
static int need(struct sorter *s, struct sort_run *run, size_t n)
{
    if (run->have - run->start >= n)
        return 0;
    memmove(run->buffer, run->buffer + run->start, run->have - run->start);
    run->have -= run->start;
    run->start = 0;
    if (n > run->room) {
        char *buffer = realloc(run->buffer, n);
        if (!buffer)
            return -ENOMEM;
        run->buffer = buffer;
        run->room = n;
    }
    while (run->have < n) {
        size_t most = run->room - run->have;
        if ((uint64_t)(run->end - run->at) < most)
            most = (size_t)(run->end - run->at);
        ssize_t r = most ? pread(fileno(s->file), run->buffer + run->have, most, run->at) : 0;
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -EIO;
        run->have += (size_t)r;
        run->at += r;
    }
    return 0;
}

static uint32_t record_length(const struct sort_run *run)
{
    uint32_t length;
    memcpy(&length, run->buffer + run->start, sizeof(length));
    return length;
}

static const char *record_of(const struct sort_run *run)
{
    return run->buffer + run->start + sizeof(uint32_t);
}

/* Loads the record at `start`. Returns 1; 0: the run has ended; or a negative errno. */
static int load(struct sorter *s, struct sort_run *run)
{
    if (run->start == run->have && run->at == run->end)
        return 0;
    int r = need(s, run, sizeof(uint32_t));
    if (r == 0)
        r = need(s, run, sizeof(uint32_t) + record_length(run));
    return r < 0 ? r : 1;
}

static bool is_less(const struct sorter *s, size_t a, size_t b)
{
    return compare_records(record_of(&s->run[s->heap[a]]), record_of(&s->run[s->heap[b]])) < 0;
}

static void sift_down(struct sorter *s, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < s->heaped && is_less(s, left, least))
            least = left;
        if (right < s->heaped && is_less(s, right, least))
            least = right;
        if (least == at)
            return;
        size_t run = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = run;
        at = least;
    }
}

static int begin_run(struct sorter *s, struct sort_run *run)
{
    size_t share = s->memory / s->runs;
    run->room = share < RUN_BUFFER_MIN ? RUN_BUFFER_MIN : share > RUN_BUFFER_MAX ? RUN_BUFFER_MAX : share;
    run->buffer = malloc(run->room);
    return run->buffer ? load(s, run) : -ENOMEM;
}

static int begin_merge(struct sorter *s)
{
    int r = spill(s);
    if (r < 0)
        return r;
    free(s->block);
    s->block = NULL;
    s->heap = malloc(s->runs * sizeof(*s->heap));
    if (!s->heap)
        return -ENOMEM;
    for (size_t i = 0; i < s->runs; i++) {
        r = begin_run(s, &s->run[i]);
        if (r < 0)
            return r;
        if (r > 0)
            s->heap[s->heaped++] = i;
    }
    for (size_t i = s->heaped; i-- > 0;)
        sift_down(s, i);
    return 0;
}

/* Goes behind the record that was given last. */
static int step(struct sorter *s)
{
    struct sort_run *run = &s->run[s->heap[0]];
    run->start += sizeof(uint32_t) + record_length(run);
    int r = load(s, run);
    if (r < 0)
        return r;
    if (r == 0)
        s->heap[0] = s->heap[--s->heaped];
    sift_down(s, 0);
    return 0;
}

static int begin_reading(struct sorter *s)
{
    s->is_reading = true;
    if (s->file)
        return begin_merge(s);
    sort_block(s);
    return 0;
}

/* The next record; NULL: there are no more, or s->code says why. */
static const char *next_record(struct sorter *s)
{
    bool is_first = !s->is_reading;
    int r = is_first ? begin_reading(s) : 0;
    if (r == 0 && !s->file)
        return s->next < s->count ? first_pointer(s)[s->next++] : NULL;
    if (r == 0 && !is_first && s->heaped > 0)
        r = step(s);
    if (r < 0)
        fail(s, r);
    return r < 0 || s->heaped == 0 ? NULL : record_of(&s->run[s->heap[0]]);
}

int sorter_next(struct sorter *s, const char **ret_name, const char **ret_value)
{
    const char *record = s->code < 0 ? NULL : next_record(s);
    if (!record)
        return s->code;
    *ret_name = record;
    *ret_value = record + strlen(record) + 1;
    return 1;
}
