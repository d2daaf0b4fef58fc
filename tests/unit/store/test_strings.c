/* SPDX-License-Identifier: MIT */
/* What a program hands to an endpoint of a store: how many headers, and that strings are borrowed until it is open. */
#include "unit/unit.h"
#include <arpa/inet.h>
#include <leat/leat.h>
#include <netinet/in.h>
#include <pthread.h>

static int open_with(const char *spec, size_t headers)
{
    const char *header[16] = {NULL};
    char text[16][48];
    leat_endpoint *e = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_endpoint_options options = LEAT_INIT(struct leat_endpoint_options);
    for (size_t i = 0; i < headers; i++) {
        snprintf(text[i], sizeof(text[i]), "x-amz-meta-%zu: value", i);
        header[i] = text[i];
    }
    options.headers = header;
    int r = leat_endpoint_open(&e, spec, LEAT_WRITE, &options, &error);
    assert_int_equal(error.code, r);
    if (r == 0)
        leat_endpoint_close(e);
    else
        assert_non_null(strstr(error.text, "12 headers"));
    return r;
}

static void test_twelve_headers(void **state UNUSED)
{
    assert_int_equal(open_with("s3://bucket/key", 12), 0);
    assert_int_equal(open_with("s3://bucket/key", 13), -E2BIG);
    assert_int_equal(open_with("http://127.0.0.1/key", 13), 0);
}

/* ---- strings ---- */

struct server {
    int fd;
    char asked[2048]; /* what came of the first request, with a NUL */
};

static void *serve(void *user)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    struct server *s = user;
    int fd = accept(s->fd, NULL, NULL);
    for (size_t n = 0; fd >= 0 && !strstr(s->asked, "\r\n\r\n") && n < sizeof(s->asked) - 1;) {
        ssize_t more = read(fd, s->asked + n, sizeof(s->asked) - 1 - n);
        if (more <= 0)
            break;
        n += (size_t)more;
    }
    if (fd < 0 || write(fd, answer, sizeof(answer) - 1) < 0)
        perror("server");
    close(fd);
    return NULL;
}

static unsigned listen_at(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &n), 0);
    return ntohs(address.sin_port);
}

/* Copies of texts, which `forget` overwrites and frees. */
static char *kept[8];
static size_t keeps;

static char *keep(const char *text)
{
    return kept[keeps++] = strdup(text);
}

static void forget(void)
{
    for (; keeps; keeps--) {
        memset(kept[keeps - 1], 'X', strlen(kept[keeps - 1]));
        free(kept[keeps - 1]);
    }
}

static leat_endpoint *open_and_forget(unsigned port)
{
    leat_endpoint *e = NULL;
    char url[64];
    const char **headers = calloc(2, sizeof(*headers));
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_endpoint_options options = LEAT_INIT(struct leat_endpoint_options);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/a", port);
    headers[0] = keep("X-Token: sesame");
    options.headers = headers;
    options.cacert = keep("pem");
    options.cert = keep("pem");
    options.key = keep("pem");
    options.netrc_file = keep("netrc");
    options.checksum = keep("crc32");
    options.resume = keep("journal");
    options.retries = -1;
    int r = leat_endpoint_open(&e, keep(url), LEAT_READ, &options, &error);
    forget();
    memset(&options, 'X', sizeof(options));
    headers[0] = NULL;
    free(headers);
    if (r < 0)
        fail_msg("%s", error.text);
    return e;
}

static void run(leat_endpoint *source)
{
    leat_endpoint *sink;
    leat_pipeline *p;
    leat_report *report = NULL;
    char to[3] = "";
    assert_int_equal(leat_endpoint_to_memory(&sink, to, sizeof(to), NULL), 0);
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, source), 0);
    assert_int_equal(leat_pipeline_sink(p, sink, NULL, NULL), 0);
    int r = leat_pipeline_run(p, &report);
    if (r < 0)
        print_message("%s\n", leat_report_error(report)->text);
    leat_report_free(report);
    leat_pipeline_free(p);
    unit_needs(r != -ELIBACC, "libcurl");
    assert_int_equal(r, 0);
    assert_memory_equal(to, "abc", 3);
}

static void test_strings_are_borrowed_until_it_is_open(void **state UNUSED)
{
    struct server server = {0};
    pthread_t thread;
    unsetenv("http_proxy");
    unit_write("pem", "", 0);
    unit_write("netrc", "machine 127.0.0.1 login user password pass\n", 43);
    leat_endpoint *source = open_and_forget(listen_at(&server));
    assert_int_equal(pthread_create(&thread, NULL, serve, &server), 0);
    run(source);
    pthread_join(thread, NULL);
    close(server.fd);
    assert_non_null(strstr(server.asked, "GET /a HTTP/1.1\r\n"));
    assert_non_null(strstr(server.asked, "\r\nX-Token: sesame\r\n"));
    assert_non_null(strstr(server.asked, "\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twelve_headers),
        cmocka_unit_test(test_strings_are_borrowed_until_it_is_open),
    };
    return cmocka_run_group_tests_name("strings", tests, unit_folder, unit_folder_gone);
}
