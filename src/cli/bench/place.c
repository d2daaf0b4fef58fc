/* SPDX-License-Identifier: MIT */
#include "bench/place.h"
#include "bench/bench.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *joined(const char *a, const char *b, const char *c)
{
    size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(n);
    if (text)
        snprintf(text, n, "%s%s%s", a, b, c);
    return text;
}

int place_make(struct bench_place *place, const char *parent)
{
    *place = (struct bench_place){.folder = joined(parent, "/", ".leat-bench-XXXXXX")};
    if (!place->folder)
        return -ENOMEM;
    if (!mkdtemp(place->folder)) {
        int r = -errno;
        free(place->folder);
        place->folder = NULL;
        return r;
    }
    place->source_spec = joined("file:", place->folder, "/source");
    place->target_spec = joined("file:", place->folder, "/target");
    if (place->source_spec && place->target_spec) {
        place->source = place->source_spec + strlen("file:");
        place->target = place->target_spec + strlen("file:");
        return 0;
    }
    place_remove(place);
    return -ENOMEM;
}

static void scramble(uint64_t *words, size_t n, uint64_t *state)
{
    for (size_t i = 0; i < n; i++) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        words[i] = *state;
    }
}

static int fill(int fd, uint64_t bytes)
{
    uint64_t state = 88172645463325252u;
    static uint64_t buffer[(64u << 10) / sizeof(uint64_t)];
    while (bytes > 0) {
        size_t n = bytes < sizeof(buffer) ? (size_t)bytes : sizeof(buffer);
        scramble(buffer, sizeof(buffer) / sizeof(buffer[0]), &state);
        ssize_t done = write(fd, buffer, n);
        if (stop_asked())
            return -ECANCELED;
        if (done < 0 && errno != EINTR)
            return -errno;
        bytes -= done > 0 ? (uint64_t)done : 0;
    }
    /* Writing back later would disturb the measurement, and some calls wait for it. */
    return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

int place_fill(const struct bench_place *place, uint64_t bytes)
{
    int fd = open(place->source, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r = fd < 0 ? -errno : fill(fd, bytes);
    if (fd >= 0)
        close(fd);
    return r;
}

void place_remove(struct bench_place *place)
{
    if (!place->folder)
        return;
    if (place->source)
        unlink(place->source);
    if (place->target)
        unlink(place->target);
    rmdir(place->folder);
    free(place->folder);
    free(place->source_spec);
    free(place->target_spec);
    *place = (struct bench_place){0};
}
