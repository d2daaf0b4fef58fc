/* SPDX-License-Identifier: MIT */
/* Connections of stores between the pipelines of an engine. The store is a thread that answers each request of a
 * connection and counts the connections. */
#include "unit/unit.h"
#include <arpa/inet.h>
#include <leat/leat.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#define CONNECTIONS_MAX 8

struct server {
    int listener, stop[2];
    unsigned port;
    atomic_uint connections, ends;
    atomic_bool hangs_up; /* after the next answer */
    pthread_t thread;
};

/* Reads a request, which has no body, and answers it. False: the peer has closed the connection. */
static bool answer(int fd)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"1\"\r\n\r\nbytes";
    char request[4096];
    size_t n = 0;
    while (n < 4 || memcmp(request + n - 4, "\r\n\r\n", 4) != 0) {
        ssize_t r = n < sizeof(request) ? read(fd, request + n, 1) : 0;
        if (r <= 0)
            return false;
        n++;
    }
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    return true;
}

static void *serve(void *user)
{
    struct server *s = user;
    struct pollfd fd[2 + CONNECTIONS_MAX] = {{.fd = s->stop[0], .events = POLLIN},
                                             {.fd = s->listener, .events = POLLIN}};
    size_t n = 2;
    while (poll(fd, n, -1) > 0 && !fd[0].revents) {
        if (fd[1].revents && n < COUNT(fd)) {
            fd[n++] = (struct pollfd){.fd = accept(s->listener, NULL, NULL), .events = POLLIN};
            atomic_fetch_add(&s->connections, 1);
        }
        for (size_t i = 2; i < n; i++)
            if (fd[i].revents && (!answer(fd[i].fd) || atomic_exchange(&s->hangs_up, false))) {
                close(fd[i].fd);
                fd[i].fd = -1;
                atomic_fetch_add(&s->ends, 1);
            }
    }
    for (size_t i = 2; i < n; i++)
        if (fd[i].fd >= 0)
            close(fd[i].fd);
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    *s = (struct server){.listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(pipe(s->stop), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
    close(s->stop[1]);
    pthread_join(s->thread, NULL);
    close(s->stop[0]);
    close(s->listener);
}

/* Waits until the server has seen so many connections end. */
static void await_ends(struct server *s, unsigned wanted)
{
    for (int i = 0; i < 10000 && atomic_load(&s->ends) < wanted; i++)
        poll(NULL, 0, 1);
    assert_int_equal(atomic_load(&s->ends), wanted);
}

static void fetch(const struct server *s, leat_engine *engine)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *source, *sink;
    leat_pipeline *pipeline;
    char url[64];
    options.shared_engine = engine;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/object", s->port);
    assert_int_equal(leat_pipeline_new(&pipeline, &options, NULL), 0);
    assert_int_equal(leat_endpoint_open(&source, url, LEAT_READ, NULL, &error), 0);
    assert_int_equal(leat_pipeline_source(pipeline, source), 0);
    assert_int_equal(leat_endpoint_open(&sink, "null:", LEAT_WRITE, NULL, &error), 0);
    assert_int_equal(leat_pipeline_sink(pipeline, sink, NULL, NULL), 0);
    int r = leat_pipeline_run(pipeline, NULL);
    leat_pipeline_free(pipeline);
    unit_needs(r != -ELIBACC, "libcurl");
    assert_int_equal(r, 0);
}

static void test_pipelines_of_an_engine_use_one_connection(void **state UNUSED)
{
    struct server server;
    leat_engine *engine;
    start(&server);
    assert_int_equal(leat_engine_new(&engine, NULL, NULL), 0);
    for (int i = 0; i < 3; i++)
        fetch(&server, engine);
    assert_int_equal(atomic_load(&server.connections), 1);
    assert_int_equal(atomic_load(&server.ends), 0);
    leat_engine_free(engine);
    await_ends(&server, 1);
    stop(&server);
}

/* Two engines keep the same connections; the second one still has them when the first one is freed. */
static void test_two_engines(void **state UNUSED)
{
    struct server server;
    leat_engine *engine[2];
    start(&server);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(leat_engine_new(&engine[i], NULL, NULL), 0);
        fetch(&server, engine[i]);
    }
    leat_engine_free(engine[0]);
    fetch(&server, engine[1]);
    assert_int_equal(atomic_load(&server.connections), 1);
    leat_engine_free(engine[1]);
    await_ends(&server, 1);
    stop(&server);
}

static void test_without_an_engine_each_pipeline_closes_its_own(void **state UNUSED)
{
    struct server server;
    start(&server);
    for (unsigned i = 1; i <= 2; i++) {
        fetch(&server, NULL);
        await_ends(&server, i);
    }
    assert_int_equal(atomic_load(&server.connections), 2);
    stop(&server);
}

/* The server closes what idles; the next pipeline connects again. */
static void test_a_connection_that_the_server_closed(void **state UNUSED)
{
    struct server server;
    leat_engine *engine;
    start(&server);
    assert_int_equal(leat_engine_new(&engine, NULL, NULL), 0);
    fetch(&server, engine);
    atomic_store(&server.hangs_up, true);
    fetch(&server, engine);
    await_ends(&server, 1);
    fetch(&server, engine);
    assert_int_equal(atomic_load(&server.connections), 2);
    leat_engine_free(engine);
    stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipelines_of_an_engine_use_one_connection),
        cmocka_unit_test(test_two_engines),
        cmocka_unit_test(test_without_an_engine_each_pipeline_closes_its_own),
        cmocka_unit_test(test_a_connection_that_the_server_closed),
    };
    signal(SIGPIPE, SIG_IGN);
    setenv("no_proxy", "*", 1);
    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
