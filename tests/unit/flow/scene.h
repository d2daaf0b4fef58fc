/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the flow room. A scene is a source and sinks of chosen kinds. Each word of the content is its
 * own offset, so that a byte in the wrong place shows. Threads fill and drain the pipes. */
#ifndef TESTS_UNIT_FLOW_SCENE_H
#define TESTS_UNIT_FLOW_SCENE_H

#include "base/op.h"
#include "route/hop.h"
#include "unit/engine/wanted.h"
#include "unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <leat/leat.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function" /* not every test uses all of it */

#define OLD_TEXT "the old file"

/* ---- content ---- */

static uint8_t *make_content(size_t n)
{
    uint8_t *bytes = malloc(n + 8);
    for (size_t i = 0; i < n; i += 8)
        memcpy(bytes + i, &(uint64_t){i ^ UINT64_C(0x5bd1e99500000000)}, 8);
    return bytes;
}

static void put_file(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    for (size_t at = 0; at < n;) {
        ssize_t w = write(fd, (const char *)bytes + at, n - at);
        assert_true(w > 0);
        at += (size_t)w;
    }
    close(fd);
}

static uint8_t *get_file(const char *path, size_t *ret_n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return NULL;
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    *ret_n = 0;
    for (ssize_t r; (r = read(fd, bytes + *ret_n, (size_t)st.st_size - *ret_n)) > 0;)
        *ret_n += (size_t)r;
    close(fd);
    return bytes;
}

/* ---- peers of pipes and sockets ---- */

struct peer {
    pthread_t thread;
    int fd; /* the peer's end; -1: `listener` accepts it */
    int listener;
    int ours;
    char spec[64]; /* the address of the listener, as a spec */
    struct sockaddr_storage address;
    socklen_t address_length;
    uint8_t *bytes; /* the bytes to write, or those that were read */
    size_t n, capacity;
    int code; /* the result of reading: 0 or an errno */
    bool reads;
};

static void *peer_run(void *user)
{
    struct peer *peer = user;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (peer->fd < 0)
        peer->fd = accept(peer->listener, NULL, NULL);
    if (peer->reads)
        for (;;) {
            if (peer->n == peer->capacity)
                peer->bytes = realloc(peer->bytes, peer->capacity = peer->capacity * 2 + 65536);
            ssize_t r = read(peer->fd, peer->bytes + peer->n, peer->capacity - peer->n);
            peer->code = r < 0 ? errno : 0;
            if (r <= 0)
                break;
            peer->n += (size_t)r;
        }
    else
        for (size_t at = 0; at < peer->n;) {
            ssize_t w = write(peer->fd, peer->bytes + at, peer->n - at);
            if (w <= 0)
                break;
            at += (size_t)w;
        }
    close(peer->fd);
    return NULL;
}

static int peer_listen_tcp(char spec[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &(socklen_t){sizeof(address)}), 0);
    snprintf(spec, 64, "tcp:127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return fd;
}

static int peer_listen_unix(char spec[64])
{
    static unsigned serial;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "socket%u", serial++ % 8);
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    snprintf(spec, 64, "unix:%.50s", address.sun_path);
    return fd;
}

enum wire {
    WIRE_PIPE,
    WIRE_SMALL_PIPE,
    WIRE_SOCKET, /* a socket pair, of which the pipeline gets one end */
    WIRE_TCP,
    WIRE_UNIX
};

static void peer_start(struct peer *peer, bool reads, uint8_t *bytes, size_t n, enum wire wire)
{
    int fd[2] = {-1, -1};
    *peer = (struct peer){.reads = reads, .listener = -1};
    if (wire == WIRE_TCP || wire == WIRE_UNIX)
        peer->listener = wire == WIRE_TCP ? peer_listen_tcp(peer->spec) : peer_listen_unix(peer->spec);
    else if (wire == WIRE_SOCKET)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    else
        assert_int_equal(pipe(fd), 0);
    if (peer->listener >= 0) {
        peer->address_length = sizeof(peer->address);
        getsockname(peer->listener, (struct sockaddr *)&peer->address, &peer->address_length);
    }
    if (wire == WIRE_SMALL_PIPE)
        fcntl(fd[0], F_SETPIPE_SZ, 4096);
    peer->fd = fd[reads ? 0 : 1];
    peer->ours = fd[reads ? 1 : 0];
    if (!reads) {
        peer->bytes = bytes;
        peer->n = n;
    }
    pthread_create(&peer->thread, NULL, peer_run, peer);
}

/* Connects to the listener and closes, in case nothing has connected. Uses bare system calls, which no interposer
 * counts. */
static void peer_knock(const struct peer *peer)
{
    int fd = socket(peer->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(connect(fd, (const struct sockaddr *)&peer->address, peer->address_length) == 0 || errno != EBADF);
    close(fd);
}

/* Waits for the peer, which ends when the test has closed its own end. The listener stays open until then, so that no
 * other process gets its port before peer_knock connects. */
static void peer_join(struct peer *peer)
{
    if (peer->spec[0])
        peer_knock(peer);
    pthread_join(peer->thread, NULL);
    if (peer->listener >= 0)
        close(peer->listener);
}

/* ---- the scene ---- */

enum kind {
    KIND_NONE,
    KIND_FILE,
    KIND_OLD_FILE,
    KIND_IN_PLACE,
    KIND_APPEND,
    KIND_PIPE,
    KIND_SMALL_PIPE,
    KIND_SOCKET,
    KIND_TCP,
    KIND_UNIX,
    KIND_NULL,
    KIND_MEMORY
};

static bool has_peer(enum kind kind)
{
    return kind >= KIND_PIPE && kind <= KIND_UNIX;
}

#define SCENE_SINKS 3

struct scene {
    const char *name;
    enum kind from;
    enum kind to[SCENE_SINKS];
    const char *digest;
};

struct stage {
    const struct scene *scene;
    const char *digest; /* the scene's, or an algorithm that this system has */
    size_t n;
    uint8_t *content;
    struct peer source, sink[SCENE_SINKS];
    uint8_t *memory[SCENE_SINKS];
    size_t memory_n[SCENE_SINKS];
    char path[SCENE_SINKS][32];
    leat_pipeline *pipeline;
    leat_report *report;
    int result;
};

static size_t sinks_of(const struct scene *scene)
{
    size_t n = 0;
    while (n < SCENE_SINKS && scene->to[n] != KIND_NONE)
        n++;
    return n;
}

/* Does this build have the route? "prefer:" of a missing route is always valid. */
static bool has_route(const char *name)
{
    const char *bare = strncmp(name, "prefer:", 7) == 0 ? name + 7 : name;
    for (size_t i = 0; registry_routes[i]; i++)
        if (strcmp(registry_routes[i]->name, bare) == 0)
            return true;
    return strcmp(bare, "auto") == 0;
}

static leat_endpoint *open_peer(struct peer *peer, enum kind kind, bool reads, struct stage *s)
{
    leat_endpoint *endpoint = NULL;
    peer_start(peer, reads, reads ? NULL : s->content, reads ? 0 : s->n, (enum wire)(kind - KIND_PIPE));
    if (peer->spec[0])
        assert_int_equal(leat_endpoint_open(&endpoint, peer->spec, reads ? LEAT_WRITE : LEAT_READ, NULL, NULL), 0);
    else
        assert_int_equal(leat_endpoint_from_fd(&endpoint, peer->ours, LEAT_TAKE), 0);
    return endpoint;
}

static leat_endpoint *open_source(struct stage *s)
{
    leat_endpoint *endpoint = NULL;
    int r = 0;
    switch (s->scene->from) {
    case KIND_PIPE:
    case KIND_SMALL_PIPE:
    case KIND_SOCKET:
    case KIND_TCP:
    case KIND_UNIX:
        endpoint = open_peer(&s->source, s->scene->from, false, s);
        break;
    case KIND_MEMORY:
        r = leat_endpoint_from_memory(&endpoint, s->content, s->n);
        break;
    default:
        put_file("source", s->content, s->n);
        r = leat_endpoint_open(&endpoint, "source", LEAT_READ, NULL, NULL);
    }
    assert_int_equal(r, 0);
    return endpoint;
}

static leat_endpoint *open_sink(struct stage *s, size_t i)
{
    leat_endpoint *endpoint = NULL;
    struct leat_endpoint_options options = {.size = sizeof(options)};
    int r = 0;
    snprintf(s->path[i], sizeof(s->path[i]), "sink%zu", i);
    unlink(s->path[i]);
    switch (s->scene->to[i]) {
    case KIND_PIPE:
    case KIND_SMALL_PIPE:
    case KIND_SOCKET:
    case KIND_TCP:
    case KIND_UNIX:
        endpoint = open_peer(&s->sink[i], s->scene->to[i], true, s);
        break;
    case KIND_MEMORY:
        s->memory[i] = malloc(s->n + 1);
        r = leat_endpoint_to_memory(&endpoint, s->memory[i], s->n, &s->memory_n[i]);
        break;
    case KIND_NULL:
        r = leat_endpoint_open(&endpoint, "null:", LEAT_WRITE, NULL, NULL);
        break;
    default:
        if (s->scene->to[i] != KIND_FILE)
            put_file(s->path[i], OLD_TEXT, strlen(OLD_TEXT));
        options.write_mode = s->scene->to[i] == KIND_IN_PLACE ? LEAT_WRITE_IN_PLACE
                             : s->scene->to[i] == KIND_APPEND ? LEAT_WRITE_APPEND
                                                              : LEAT_WRITE_PUBLISH;
        options.sync = 1;
        r = leat_endpoint_open(&endpoint, s->path[i], LEAT_WRITE, &options, NULL);
    }
    assert_int_equal(r, 0);
    return endpoint;
}

static bool can_play(const struct scene *scene)
{
    bool peers = has_peer(scene->from);
    for (size_t i = 0; i < sinks_of(scene); i++)
        peers = peers || has_peer(scene->to[i]);
    return !peers || unit_pipes_end();
}

static const char *digest_here(const char *algorithms)
{
    leat_filter *filter;
    int r = algorithms ? leat_filter_digest(&filter, algorithms, NULL, NULL) : -EINVAL;
    if (r == 0)
        leat_filter_free(filter);
    return r == -ELIBACC ? "xxh3" : algorithms;
}

/* Builds the stage. The caller may then set an interposer, and calls stage_run. */
static void stage_open(struct stage *s, const struct scene *scene, size_t n,
                       const struct leat_pipeline_options *options)
{
    *s = (struct stage){.scene = scene, .digest = digest_here(scene->digest), .n = n, .content = make_content(n)};
    struct leat_pipeline_options own = on_engine_wanted(options);
    assert_int_equal(leat_pipeline_new(&s->pipeline, &own, NULL), 0);
    assert_int_equal(leat_pipeline_source(s->pipeline, open_source(s)), 0);
    for (size_t i = 0; i < sinks_of(scene); i++)
        assert_int_equal(leat_pipeline_sink(s->pipeline, open_sink(s, i), NULL, NULL), 0);
    if (s->digest) {
        leat_filter *filter;
        assert_int_equal(leat_filter_digest(&filter, s->digest, NULL, NULL), 0);
        assert_int_equal(leat_pipeline_filter(s->pipeline, filter), 0);
    }
}

/* After the run, closes the test's ends, so that the peers see the end. */
static void stage_end(struct stage *s)
{
    assert_non_null(s->report);
    leat_pipeline_free(s->pipeline);
    s->pipeline = NULL;
    for (size_t i = 0; i < sinks_of(s->scene); i++)
        if (has_peer(s->scene->to[i]))
            peer_join(&s->sink[i]);
    if (has_peer(s->scene->from))
        peer_join(&s->source);
}

static void stage_run(struct stage *s)
{
    s->result = leat_pipeline_run(s->pipeline, &s->report);
    stage_end(s);
}

static void stage_close(struct stage *s)
{
    leat_report_free(s->report);
    for (size_t i = 0; i < SCENE_SINKS; i++) {
        free(s->memory[i]);
        free(s->sink[i].bytes);
    }
    free(s->content);
}

/* ---- invariants ---- */

static json_t *report_json(const leat_report *report)
{
    char *text;
    assert_int_equal(leat_report_json(report, &text), 0);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    free(text);
    return json;
}

static uint64_t number(json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* Checks that taken = delivered + held + discarded for every hop, that the routes add up to what was delivered, and
 * that the engine is the expected one. */
static void check_balance(const struct stage *s)
{
    json_t *report = report_json(s->report), *hop, *route;
    size_t i, k;
    assert_string_equal(json_string_value(json_object_get(report, "engine")), engine_wanted()->name);
    json_array_foreach(json_object_get(report, "hops"), i, hop)
    {
        uint64_t routes = 0;
        if (number(hop, "taken") != number(hop, "delivered") + number(hop, "held") + number(hop, "discarded"))
            json_dumpf(report, stdout, JSON_INDENT(1));
        assert_int_equal(number(hop, "taken"),
                         number(hop, "delivered") + number(hop, "held") + number(hop, "discarded"));
        json_array_foreach(json_object_get(hop, "routes"), k, route) routes += number(route, "bytes");
        assert_int_equal(routes, number(hop, "delivered"));
    }
    json_decref(report);
}

static uint64_t delivered_to(const struct stage *s, size_t i)
{
    json_t *report = report_json(s->report);
    json_t *hops = json_object_get(report, "hops"); /* the hops to sinks are the last ones */
    uint64_t n = number(json_array_get(hops, json_array_size(hops) - sinks_of(s->scene) + i), "delivered");
    json_decref(report);
    return n;
}

/* Checks that the sink has all of the content. */
static void check_sink_whole(const struct stage *s, size_t i)
{
    size_t n = 0, before = s->scene->to[i] == KIND_APPEND ? strlen(OLD_TEXT) : 0;
    uint8_t *bytes;
    switch (s->scene->to[i]) {
    case KIND_NULL:
        return;
    case KIND_PIPE:
    case KIND_SMALL_PIPE:
    case KIND_SOCKET:
    case KIND_TCP:
    case KIND_UNIX:
        assert_int_equal(s->sink[i].code, 0);
        assert_int_equal(s->sink[i].n, s->n);
        assert_false(s->n && memcmp(s->sink[i].bytes, s->content, s->n) != 0);
        return;
    case KIND_MEMORY:
        assert_int_equal(s->memory_n[i], s->n);
        assert_int_equal(memcmp(s->memory[i], s->content, s->n), 0);
        return;
    default:
        bytes = get_file(s->path[i], &n);
        assert_non_null(bytes);
        assert_int_equal(n, s->n + before);
        assert_int_equal(memcmp(bytes + before, s->content, s->n), 0);
        free(bytes);
    }
}

/* Checks a sink that failed: a published file is as it was; anything else that was delivered is a prefix of the source
 * and was counted. */
static void check_sink_untouched(const struct stage *s, size_t i)
{
    size_t n = 0;
    uint8_t *bytes;
    switch (s->scene->to[i]) {
    case KIND_FILE:
        assert_int_equal(access(s->path[i], F_OK), -1);
        return;
    case KIND_OLD_FILE:
        bytes = get_file(s->path[i], &n);
        assert_non_null(bytes);
        assert_int_equal(n, strlen(OLD_TEXT));
        assert_memory_equal(bytes, OLD_TEXT, n);
        free(bytes);
        return;
    case KIND_TCP: /* the peer sees a reset, which may overtake the last bytes, and never an end */
        if (delivered_to(s, i))
            assert_int_equal(s->sink[i].code, ECONNRESET);
        assert_true(s->sink[i].n <= delivered_to(s, i));
        assert_false(s->sink[i].n && memcmp(s->sink[i].bytes, s->content, s->sink[i].n) != 0);
        return;
    case KIND_PIPE:
    case KIND_SMALL_PIPE:
    case KIND_SOCKET:
    case KIND_UNIX:
        assert_int_equal(s->sink[i].n, delivered_to(s, i));
        assert_true(s->sink[i].n <= s->n);
        assert_false(s->sink[i].n && memcmp(s->sink[i].bytes, s->content, s->sink[i].n) != 0);
        return;
    default:
        return;
    }
}

/* Checks each sink by itself: one may have failed and the others not. */
static void check_sinks(const struct stage *s)
{
    const struct leat_error *error = leat_report_error(s->report);
    for (size_t i = 0; i < sinks_of(s->scene); i++) {
        bool failed = leat_report_sink_error(s->report, i) != NULL;
        const struct leat_error *own = leat_report_sink_error(s->report, i);
        /* Syncing the directory may fail after the file has its name: then the file is there, whole. */
        if (failed && strcmp(own->operation, "fsync") == 0)
            continue;
        if (failed || (error && error->side != LEAT_SIDE_SINK))
            check_sink_untouched(s, i);
        else
            check_sink_whole(s, i);
    }
}

static const char *hex_of_content(const uint8_t *bytes, size_t n, const char *algorithm)
{
    static char hex[LEAT_DIGEST_HEX_MAX];
    leat_endpoint *endpoint;
    leat_filter *filter;
    leat_pipeline *pipeline;
    assert_int_equal(leat_endpoint_from_memory(&endpoint, bytes, n), 0);
    assert_int_equal(leat_filter_digest(&filter, algorithm, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_new(&pipeline, NULL, NULL), 0);
    leat_pipeline_source(pipeline, endpoint);
    leat_pipeline_filter(pipeline, leat_filter_ref(filter));
    assert_int_equal(leat_pipeline_run(pipeline, NULL), 0);
    assert_int_equal(leat_filter_digest_hex(filter, algorithm, hex, sizeof(hex)), 0);
    leat_pipeline_free(pipeline);
    leat_filter_free(filter);
    return hex;
}

/* Checks that no hidden file of the library is left in the directory. */
static void check_no_leftovers(void)
{
    DIR *directory = opendir(".");
    assert_non_null(directory);
    for (struct dirent *e; (e = readdir(directory));)
        assert_null(strstr(e->d_name, "leat-"));
    closedir(directory);
}

/* With LEAT_TEST_QUICK only every `stride`-th run is made. `stride` is a prime, so that each value of each loop is
 * used. */
static bool passed_over(size_t number, size_t stride)
{
    return getenv("LEAT_TEST_QUICK") && number % stride != 0;
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 4096; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int enter_directory(void **state)
{
    static char path[64];
    snprintf(path, sizeof(path), "scene-XXXXXX");
    if (!mkdtemp(path) || chdir(path) < 0)
        return -1;
    if (!unit_pipes_end())
        print_message("this system does not have pipes with an end: no scene with a pipe or a socket is played\n");
    *state = path;
    return 0;
}

static int leave_directory(void **state)
{
    DIR *directory = opendir(".");
    if (!directory)
        return -1;
    for (struct dirent *e; (e = readdir(directory));)
        unlink(e->d_name); /* there are no folders */
    closedir(directory);
    return chdir("..") == 0 ? rmdir(*state) : -1;
}

#endif
