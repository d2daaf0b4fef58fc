/* SPDX-License-Identifier: MIT */
#include "store/attempt.h"
#include "base/trace.h"
#include "store/answer.h"
#include "store/failure.h"
#include "store/http_settings.h"
#include "store/tls.h"
#include <errno.h>

#define BUFFER_BYTES                                                                                                   \
    524288L               /* of libcurl: 1.35 times the speed of its usual 16 KiB (measured from nginx, loopback)      \
                           */
#define HELD_PIECE 16384u /* as libcurl gives */
#define CONNECT_MS 30000L /* as for tcp: */

/* ---- callbacks of libcurl ---- */

static size_t header_came(char *line, size_t size, size_t n, void *user)
{
    struct attempt *a = user;
    if (a->watched && !a->connection)
        a->connection = tls_connection(a->easy);
    a->heard_ns = clock_ns();
    answer_read_line(&a->answer, line, size * n);
    if (a->ops->header)
        a->ops->header(a->user, line, size * n);
    a->whole =
        line[0] == '\r' || line[0] == '\n'; /* the empty line. Any other line starts another answer, or is incomplete */
    return size * n;
}

/* The first piece of the body, or else the end, shows that the headers of the final answer are complete. */
static void tell_answer(struct attempt *a)
{
    if (!a->answered) { /* an unreadable status is 0, which counts as a failure */
        a->answered = true;
        a->ops->answered(a->user, &a->answer);
    }
}

static size_t body_came(char *bytes, size_t size, size_t n, void *user)
{
    struct attempt *a = user;
    a->heard_ns = clock_ns();
    if (course_holds(&a->course, &a->request, &a->answer))
        return course_keep(&a->course, bytes, size * n) ? size * n : 0;
    if (!a->answered)
        course_succeeded(&a->request);
    tell_answer(a);
    a->touched = true;
    a->paused = false;
    switch (a->ops->body(a->user, bytes, size * n)) {
    case TRANSFER_MORE:
        return size * n;
    case TRANSFER_PAUSE:
        a->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    default:
        a->enough = true;
        return 0; /* makes libcurl fail the transfer */
    }
}

/* ---- requests to libcurl ---- */

/* The user's file may have changed since the digest was computed. */
static ssize_t read_body(struct attempt *a, const struct http_body *body, void *to, size_t n)
{
    ssize_t r = body_read(body, a->sent, to, n);
    if (!body->sha256 || r == 0)
        return r;
    int code = r > 0 ? check_take(&a->check, body, a->sent, to, (size_t)r) : r == -EIO ? -ESTALE : (int)r;
    return code < 0 ? code : r;
}

static size_t body_wanted(char *to, size_t size, size_t n, void *user)
{
    struct attempt *a = user;
    const struct http_body *body = &a->course.request.body;
    uint64_t left = body->length - a->sent;
    if (body->is_held && left == 1 && !atomic_load(&a->release)) {
        if (a->ops->held)
            a->ops->held(a->user);
        return CURL_READFUNC_PAUSE;
    }
    uint64_t most = left - (body->is_held && left > 1);
    ssize_t r = read_body(a, body, to, (size_t)MIN((uint64_t)size * n, most));
    if (r < 0) {
        a->unread = (int)r;
        return CURL_READFUNC_ABORT;
    }
    a->sent += (uint64_t)r;
    return (size_t)r;
}

static int body_sought(void *user, curl_off_t offset, int origin)
{
    struct attempt *a = user;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > a->course.request.body.length)
        return CURL_SEEKFUNC_FAIL;
    a->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static bool set_body(struct attempt *a)
{
    CURL *easy = a->easy;
    return curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)a->course.request.body.length) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_READFUNCTION, body_wanted) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_READDATA, (void *)a) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_SEEKFUNCTION, body_sought) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_SEEKDATA, (void *)a) == CURLE_OK;
}

/* ---- one request ---- */

static bool set_headers(struct attempt *a)
{
    const struct http_request *request = &a->course.request;
    for (size_t i = 0; i < request->headers; i++) {
        struct curl_slist *more = curl.slist_append(a->headers, request->header[i]);
        if (!more)
            return false;
        a->headers = more;
    }
    return true;
}

static bool set_limits(struct attempt *a)
{
    int64_t left_ms = a->request.deadline_ns ? MAX((a->request.deadline_ns - clock_ns()) / 1000000 + 2, 1) : 0;
    return curl.easy_setopt(a->easy, CURLOPT_TIMEOUT_MS, (long)MIN(left_ms, INT32_MAX)) == CURLE_OK;
}

static bool set_options(struct attempt *a)
{
    CURL *easy = a->easy;
    const struct http_request *request = &a->course.request;
    bool head = strcmp(request->method, "HEAD") == 0;
    return set_headers(a) && (!request->has_body || set_body(a)) &&
           http_settings_apply(request->settings, easy, &a->headers, a->course.own) &&
           curl.easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK && /* "a/../b" is a key in its own right */
           (head ? curl.easy_setopt(easy, CURLOPT_NOBODY, 1L)
                 : curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method)) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_HTTPHEADER, a->headers) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES) == CURLE_OK && set_limits(a) &&
           (!a->course.request.is_direct || curl.easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK) &&
           curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && curl_own_sockets(easy) &&
           curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_PRIVATE, (char *)a) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, a->error) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_came) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_HEADERDATA, (void *)a) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_came) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_WRITEDATA, (void *)a) == CURLE_OK;
}

/* Then stopping a request does not wait for a name lookup. Versions before 7.87 do not know the option, and wait. */
static void set_quick_exit(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    curl.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)easy;
#endif
}

static void tell_sent(const struct attempt *a)
{
    const struct http_request *request = &a->course.request;
    const struct leat_trace_field field[] = {trace_text("method", request->method), trace_text("url", request->url),
                                             trace_number("bytes", request->has_body ? request->body.length : 0)};
    trace_tell(LEAT_TRACE_STORE, field, COUNT(field), "%s request", request->method);
}

static void tell_answered(const struct attempt *a, int code, const char *why)
{
    const struct http_request *request = &a->course.request;
    const struct leat_trace_field field[] = {trace_text("method", request->method), trace_text("url", request->url),
                                             trace_number("status", code < 0 ? 0 : (uint64_t)a->answer.status),
                                             trace_text("error", code < 0 ? leat_errno_name(code) : ""),
                                             trace_number("sent", a->sent)};
    if (code < 0)
        trace_tell(LEAT_TRACE_STORE, field, COUNT(field), "%s request failed: %s", request->method, why);
    else
        trace_tell(LEAT_TRACE_STORE, field, COUNT(field), "%s answer: status %d", request->method, a->answer.status);
}

void attempt_leave(struct attempt *a)
{
    if (a->active)
        curl.multi_remove_handle(a->multi, a->easy);
    if (a->easy)
        curl.easy_cleanup(a->easy);
    curl.slist_free_all(a->headers);
    check_clear(&a->check);
    a->easy = NULL;
    a->headers = NULL;
    a->active = false;
}

void attempt_begin(struct attempt *a)
{
    a->answer = (struct answer){.retry_after_s = -1};
    a->all_sent = a->answered = a->whole = a->enough = a->touched = a->paused = false;
    a->heard_ns = clock_ns();
    a->sent = 0;
    a->unread = 0;
    a->ended = false;
    a->connection = NULL;
    a->error[0] = '\0';
    a->advice = LEAT_ADVICE_NONE;
    int r = course_prepare(&a->course, &a->request);
    a->easy = r == 0 ? curl.easy_init() : NULL;
    a->active = a->easy && set_options(a) && curl.multi_add_handle(a->multi, a->easy) == CURLM_OK;
    a->watched = a->active && tls_watch(a->easy, a->peer_ended);
    if (a->active) {
        set_quick_exit(a->easy);
        if (trace_is_on())
            tell_sent(a);
    } else {
        attempt_leave(a);
        course_clear(&a->course);
        a->ops->ended(a->user, r < 0 ? r : -ENOMEM,
                      r == 0 || r == -ENOMEM ? "out of memory" : "the request can't be made");
    }
}

/* The session took this answer, but it is final after all: pass it to the owner of the transfer. */
static void tell_held(struct attempt *a)
{
    tell_answer(a);
    for (size_t at = 0; at < a->course.length; at += HELD_PIECE)
        a->ops->body(a->user, a->course.body + at, MIN(HELD_PIECE, a->course.length - at));
}

/* True: another request is sent in its place. */
static bool goes_on(struct attempt *a, int *code, const char **why)
{
    if (*code < 0 || !course_holds(&a->course, &a->request, &a->answer))
        return false;
    int r = course_next(&a->course, &a->request, &a->answer, why);
    if (r == 0)
        tell_held(a);
    *code = r < 0 ? r : *code;
    return r == 1;
}

/* libcurl accepts headers without an end as an answer, and any end of the connection as the end of a body. Returns NULL
 * if the answer is complete, or a sentence. */
static const char *find_cut(struct attempt *a)
{
    curl_off_t length = 0;
    if (!a->whole)
        return "the connection broke within the headers of the answer";
    if (!a->connection || a->ended || a->answer.is_chunked || a->answer.status == 204 || a->answer.status == 304 ||
        strcmp(a->course.request.method, "HEAD") == 0)
        return NULL;
    curl.easy_getinfo(a->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length < 0 ? "the connection was cut: TLS did not say that it ends" : NULL;
}

static bool has_sent_all(const struct attempt *a)
{
    long bytes = 0;
    curl.easy_getinfo(a->easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes > 0 && a->sent == a->request.body.length;
}

void attempt_end(struct attempt *a, CURLcode result)
{
    struct failure failure;
    const char *cut = result == CURLE_OK ? find_cut(a) : NULL;
    const char *why = cut ? cut : failure.sentence;
    failure_read(&failure, a->easy, result, a->error, a->course.request.url);
    int code = a->enough ? 0 : cut ? -ECONNRESET : failure.code;
    if (result == CURLE_ABORTED_BY_CALLBACK && a->unread == -ESTALE) {
        code = a->unread;
        why = "the source has changed while it was read and sent";
    }
    a->advice = failure.advice;
    a->all_sent = has_sent_all(a);
    attempt_leave(a);
    if (trace_is_on())
        tell_answered(a, code, why);
    if (goes_on(a, &code, &why)) {
        attempt_begin(a);
        return;
    }
    if (code == 0) {
        if (!a->answered)
            course_succeeded(&a->request);
        tell_answer(a);
    }
    course_clear(&a->course);
    a->ops->ended(a->user, code, why);
}
