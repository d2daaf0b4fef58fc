/* The transfer thread owns the multi handle, all easy handles and the list `first`. Other threads leave orders in a
 * transfer, under the lock, and wake the thread: begin, resume, stop. The thread takes the orders without holding the
 * lock while it obeys them, so a callback may take locks of its own. A stopped transfer is given back by `stopped`. */
#include "store/transfer.h"
#include "base/origin.h"
#include "base/thread.h"
#include "store/answer.h"
#include "store/curl.h"
#include "store/failure.h"
#include "store/http_settings.h"
#include "store/session.h"
#include "store/tls.h"
#include <errno.h>
#include <limits.h>

#define BUFFER_BYTES                                                                                                   \
    524288L                    /* of libcurl: 1.35 times the speed of its usual 16 KiB (measured from nginx, loopback) \
                                */
#define HELD_PIECE      16384u /* as libcurl gives */
#define CONNECT_MS      30000L /* as for tcp: */
#define LONGEST_REST_NS (INT64_C(3600) * 1000000000) /* whatever else happens wakes the thread */

struct transfer {
    const struct transfer_ops *ops;
    void *user;
    struct http_request request;
    unsigned origin;       /* the process that started it: a forked child has no thread for it */
    struct transfer *next; /* in the list; or, under the lock, in `added` */

    /* Of the thread. */
    CURL *easy;
    struct curl_slist *headers;
    bool active;    /* the multi handle has it */
    int64_t due_ns; /* it begins then; 0: it is not to begin */
    struct answer answer;
    bool answered, whole; /* all headers of the answer are there */
    bool enough;          /* `body` wants no more */
    bool touched;         /* `body` was called since `drained` was */
    bool paused;
    int64_t heard_ns;        /* when the last byte came, or the request began */
    struct course course;    /* of `request` */
    enum leat_advice advice; /* after a failure */
    uint64_t sent;           /* of the body */
    bool watched;            /* of its connection it is known whether the peer has ended it */
    bool ended;              /* and it has */
    const void *connection;
    char error[CURL_ERROR_SIZE];

    /* Under the lock. */
    bool resume, release, stop, stopped;
};

static struct {
    pthread_mutex_t users_lock; /* users, thread and multi; taken before `lock` */
    unsigned users;
    unsigned origin; /* the process that has the thread: a forked child has none */
    pthread_t thread;
    CURLM *multi;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a transfer was stopped */
    struct transfer *added;
    bool quits;

    struct transfer *first; /* of the thread */
} transfers = {
    .users_lock = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- what comes from libcurl ---- */

static void peer_ended(const void *connection)
{
    for (struct transfer *t = transfers.first; t; t = t->next)
        t->ended |= t->connection == connection;
}

static size_t header_came(char *line, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    if (t->watched && !t->connection)
        t->connection = tls_connection(t->easy);
    t->heard_ns = clock_ns();
    answer_read_line(&t->answer, line, size * n);
    if (t->ops->header)
        t->ops->header(t->user, line, size * n);
    t->whole = line[0] == '\r' || line[0] == '\n'; /* the empty line; another one begins another answer, or is cut */
    return size * n;
}

/* The first piece of the body, or the end, says that the headers of the final answer are there. */
static void tell_answer(struct transfer *t)
{
    if (!t->answered) { /* a status that can't be read is 0, and so a failure */
        t->answered = true;
        t->ops->answered(t->user, &t->answer);
    }
}

static size_t body_came(char *bytes, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    t->heard_ns = clock_ns();
    if (course_holds(&t->course, &t->request, &t->answer))
        return course_keep(&t->course, bytes, size * n) ? size * n : 0;
    if (!t->answered)
        course_succeeded(&t->request);
    tell_answer(t);
    t->touched = true;
    t->paused = false;
    switch (t->ops->body(t->user, bytes, size * n)) {
    case TRANSFER_MORE:
        return size * n;
    case TRANSFER_PAUSE:
        t->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    default:
        t->enough = true;
        return 0; /* libcurl then fails the transfer */
    }
}

/* ---- what goes to libcurl ---- */

static bool is_released(struct transfer *t)
{
    pthread_mutex_lock(&transfers.lock);
    bool released = t->release;
    pthread_mutex_unlock(&transfers.lock);
    return released;
}

static size_t body_wanted(char *to, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    const struct http_body *body = &t->course.request.body;
    uint64_t left = body->length - t->sent;
    if (body->is_held && left == 1 && !is_released(t)) {
        if (t->ops->held)
            t->ops->held(t->user);
        return CURL_READFUNC_PAUSE;
    }
    uint64_t most = left - (body->is_held && left > 1);
    ssize_t r = body_read(body, t->sent, to, (size_t)MIN((uint64_t)size * n, most));
    if (r < 0)
        return CURL_READFUNC_ABORT;
    t->sent += (uint64_t)r;
    return (size_t)r;
}

static int body_sought(void *user, curl_off_t offset, int origin)
{
    struct transfer *t = user;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->course.request.body.length)
        return CURL_SEEKFUNC_FAIL;
    t->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static bool set_body(struct transfer *t)
{
    CURL *easy = t->easy;
    return curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->course.request.body.length) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_READFUNCTION, body_wanted) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_READDATA, (void *)t) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_SEEKFUNCTION, body_sought) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_SEEKDATA, (void *)t) == CURLE_OK;
}

/* ---- one request ---- */

static bool set_headers(struct transfer *t)
{
    const struct http_request *request = &t->course.request;
    for (size_t i = 0; i < request->headers; i++) {
        struct curl_slist *more = curl.slist_append(t->headers, request->header[i]);
        if (!more)
            return false;
        t->headers = more;
    }
    return true;
}

static bool set_limits(struct transfer *t)
{
    int64_t left_ms = t->request.deadline_ns ? MAX((t->request.deadline_ns - clock_ns()) / 1000000 + 2, 1) : 0;
    return curl.easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)MIN(left_ms, INT32_MAX)) == CURLE_OK;
}

static bool set_options(struct transfer *t)
{
    CURL *easy = t->easy;
    const struct http_request *request = &t->course.request;
    bool head = strcmp(request->method, "HEAD") == 0;
    return set_headers(t) && (!request->has_body || set_body(t)) &&
           http_settings_apply(request->settings, easy, &t->headers, t->course.own) &&
           curl.easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK && /* "a/../b" is a key of its own */
           (head ? curl.easy_setopt(easy, CURLOPT_NOBODY, 1L)
                 : curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method)) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES) == CURLE_OK && set_limits(t) &&
           (!t->course.request.is_direct || curl.easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK) &&
           curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_PRIVATE, (char *)t) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_came) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_HEADERDATA, (void *)t) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_came) == CURLE_OK &&
           curl.easy_setopt(easy, CURLOPT_WRITEDATA, (void *)t) == CURLE_OK;
}

/* Stopping then waits for no name look-up. Versions before 7.87 don't know the option, and wait. */
static void set_quick_exit(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    curl.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)easy;
#endif
}

static void leave(struct transfer *t)
{
    if (t->active)
        curl.multi_remove_handle(transfers.multi, t->easy);
    if (t->easy)
        curl.easy_cleanup(t->easy);
    curl.slist_free_all(t->headers);
    t->easy = NULL;
    t->headers = NULL;
    t->active = false;
}

static void begin(struct transfer *t)
{
    t->due_ns = 0;
    t->answer = (struct answer){.retry_after_s = -1};
    t->answered = t->whole = t->enough = t->touched = t->paused = false;
    t->heard_ns = clock_ns();
    t->sent = 0;
    t->ended = false;
    t->connection = NULL;
    t->error[0] = '\0';
    t->advice = LEAT_ADVICE_NONE;
    int r = course_prepare(&t->course, &t->request);
    t->easy = r == 0 ? curl.easy_init() : NULL;
    t->active = t->easy && set_options(t) && curl.multi_add_handle(transfers.multi, t->easy) == CURLM_OK;
    t->watched = t->active && tls_watch(t->easy, peer_ended);
    if (t->active)
        set_quick_exit(t->easy);
    else {
        leave(t);
        course_clear(&t->course);
        t->ops->ended(t->user, r < 0 ? r : -ENOMEM,
                      r == 0 || r == -ENOMEM ? "out of memory" : "the request can't be made");
    }
}

/* An answer that the session wanted to see is final after all. */
static void tell_held(struct transfer *t)
{
    tell_answer(t);
    for (size_t at = 0; at < t->course.length; at += HELD_PIECE)
        t->ops->body(t->user, t->course.body + at, MIN(HELD_PIECE, t->course.length - at));
}

/* True: another request goes out in its place. */
static bool goes_on(struct transfer *t, int *code, const char **why)
{
    if (*code < 0 || !course_holds(&t->course, &t->request, &t->answer))
        return false;
    int r = course_next(&t->course, &t->request, &t->answer, why);
    if (r == 0)
        tell_held(t);
    *code = r < 0 ? r : *code;
    return r == 1;
}

/* libcurl takes headers without an end for an answer, and any end of a connection for the end of a body. NULL: the
 * answer is whole. */
static const char *find_cut(struct transfer *t)
{
    curl_off_t length = 0;
    if (!t->whole)
        return "the connection broke within the headers of the answer";
    if (!t->connection || t->ended || t->answer.is_chunked || t->answer.status == 204 || t->answer.status == 304 ||
        strcmp(t->course.request.method, "HEAD") == 0)
        return NULL;
    curl.easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length < 0 ? "the connection was cut: TLS did not say that it ends" : NULL;
}

static void end(struct transfer *t, CURLcode result)
{
    struct failure failure;
    const char *cut = result == CURLE_OK ? find_cut(t) : NULL;
    const char *why = cut ? cut : failure.sentence;
    failure_read(&failure, t->easy, result, t->error, t->course.request.url);
    int code = t->enough ? 0 : cut ? -ECONNRESET : failure.code;
    t->advice = failure.advice;
    leave(t);
    if (goes_on(t, &code, &why)) {
        begin(t);
        return;
    }
    if (code == 0) {
        if (!t->answered)
            course_succeeded(&t->request);
        tell_answer(t);
    }
    course_clear(&t->course);
    t->ops->ended(t->user, code, why);
}

/* ---- the thread ---- */

static void take_added(void)
{
    pthread_mutex_lock(&transfers.lock);
    while (transfers.added) {
        struct transfer *t = transfers.added;
        transfers.added = t->next;
        t->next = transfers.first;
        transfers.first = t;
    }
    pthread_mutex_unlock(&transfers.lock);
}

static void give_back(struct transfer *t)
{
    leave(t);
    pthread_mutex_lock(&transfers.lock);
    t->stopped = true;
    pthread_cond_broadcast(&transfers.changed);
    pthread_mutex_unlock(&transfers.lock);
}

/* When it is silent for too long; INT64_MAX: never. libcurl's own limit of speed looks back 5 seconds. */
static int64_t stall_ns(const struct transfer *t)
{
    return t->active && !t->paused && t->request.stall_ns ? t->heard_ns + t->request.stall_ns : INT64_MAX;
}

static void stop_silent(struct transfer *t, int64_t now)
{
    if (stall_ns(t) > now)
        return;
    snprintf(t->error, sizeof(t->error), "the server has stopped sending");
    end(t, CURLE_OPERATION_TIMEDOUT);
}

/* Obeys the orders of all transfers, and begins those that are due. */
static void obey(void)
{
    int64_t now = clock_ns();
    take_added();
    for (struct transfer **link = &transfers.first; *link;) {
        struct transfer *t = *link;
        pthread_mutex_lock(&transfers.lock);
        bool stop = t->stop, resume = t->resume;
        t->resume = false;
        pthread_mutex_unlock(&transfers.lock);
        if (stop) {
            *link = t->next;
            give_back(t);
            continue;
        }
        CURLcode resumed = resume && t->active ? curl.easy_pause(t->easy, CURLPAUSE_CONT) : CURLE_OK;
        if (resumed != CURLE_OK) /* what libcurl had kept meanwhile is lost */
            end(t, resumed);
        stop_silent(t, now);
        if (t->due_ns && t->due_ns <= now)
            begin(t);
        link = &t->next;
    }
}

/* For how long no transfer is due, in milliseconds, rounded up. */
static int rest_ms(void)
{
    int64_t now = clock_ns(), due = now + LONGEST_REST_NS;
    for (const struct transfer *t = transfers.first; t; t = t->next)
        due = MIN(due, MIN(t->due_ns ? t->due_ns : INT64_MAX, stall_ns(t)));
    return (int)(MAX(due - now + 999999, 0) / 1000000);
}

static void report_ends(void)
{
    int left;
    for (CURLMsg *message; (message = curl.multi_info_read(transfers.multi, &left));) {
        char *user = NULL;
        CURLcode result = message->data.result; /* `message` is gone once the handle is removed */
        curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
        if (user)
            end((struct transfer *)(void *)user, result);
    }
}

static void tell_drained(void)
{
    for (struct transfer *t = transfers.first; t; t = t->next) {
        if (t->touched && t->ops->drained)
            t->ops->drained(t->user);
        t->touched = false;
    }
}

static bool quits(void)
{
    pthread_mutex_lock(&transfers.lock);
    bool quits = transfers.quits;
    pthread_mutex_unlock(&transfers.lock);
    return quits;
}

static void *run(void *unused UNUSED)
{
    while (!quits()) {
        int running;
        obey();
        curl.multi_perform(transfers.multi, &running);
        report_ends();
        tell_drained();
        if (curl.multi_poll(transfers.multi, NULL, 0, rest_ms(), NULL) != CURLM_OK)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); /* out of memory: poll can't wait */
    }
    return NULL;
}

/* ---- the other threads ---- */

static int start_thread(const char **ret_why)
{
    int r = curl_need(ret_why);
    if (r < 0)
        return r;
    *ret_why = "out of memory";
    transfers.multi = curl.multi_init();
    if (!transfers.multi)
        return -ENOMEM;
    transfers.quits = false;
    transfers.first = transfers.added = NULL;
    transfers.origin = origin_here();
    *ret_why = "there can be no more threads";
    r = thread_create(&transfers.thread, run, NULL);
    if (r < 0)
        curl.multi_cleanup(transfers.multi);
    return r;
}

static bool has_thread(void)
{
    return origin_is_here(transfers.origin);
}

int transfers_get(const char **ret_why)
{
    pthread_mutex_lock(&transfers.users_lock);
    if (transfers.users && !has_thread()) { /* a forked child begins anew: the locks may be held for good */
        transfers.users = 0;
        pthread_mutex_init(&transfers.lock, NULL);
        pthread_cond_init(&transfers.changed, NULL);
    }
    int r = transfers.users ? 0 : start_thread(ret_why);
    if (r == 0)
        transfers.users++;
    pthread_mutex_unlock(&transfers.users_lock);
    return r;
}

static void wake(void)
{
    curl.multi_wakeup(transfers.multi);
}

void transfers_put(void)
{
    pthread_mutex_lock(&transfers.users_lock);
    if (--transfers.users == 0 && has_thread()) {
        pthread_mutex_lock(&transfers.lock);
        transfers.quits = true;
        pthread_mutex_unlock(&transfers.lock);
        wake();
        pthread_join(transfers.thread, NULL);
        curl.multi_cleanup(transfers.multi);
    }
    pthread_mutex_unlock(&transfers.users_lock);
}

int transfer_start(struct transfer **ret, const struct http_request *request, const struct transfer_ops *ops,
                   void *user)
{
    struct transfer *t = calloc(1, sizeof(*t));
    int r = t ? request_copy(&t->request, request) : -ENOMEM;
    if (r < 0) {
        free(t);
        return r;
    }
    t->ops = ops;
    t->user = user;
    t->origin = origin_here();
    t->due_ns = 1; /* at once */
    *ret = t;
    pthread_mutex_lock(&transfers.lock);
    t->next = transfers.added;
    transfers.added = t;
    pthread_mutex_unlock(&transfers.lock);
    wake();
    return 0;
}

int transfer_again(struct transfer *t, const struct http_request *request, int64_t delay_ms)
{
    struct http_request copy = {0};
    int r = request_copy(&copy, request);
    if (r < 0)
        return r;
    request_clear(&t->request);
    t->request = copy;
    t->due_ns = MAX(clock_ns() + delay_ms * 1000000, 1);
    return 0;
}

void transfer_stalls_after(struct transfer *t, int64_t stall_ns)
{
    t->request.stall_ns = stall_ns;
}

void transfer_resume(struct transfer *t)
{
    pthread_mutex_lock(&transfers.lock);
    t->resume = true;
    pthread_mutex_unlock(&transfers.lock);
    wake();
}

void transfer_release(struct transfer *t)
{
    pthread_mutex_lock(&transfers.lock);
    t->release = t->resume = true;
    pthread_mutex_unlock(&transfers.lock);
    wake();
}

const char *transfer_place(const struct transfer *t)
{
    return t->course.location;
}

enum leat_advice transfer_advice(const struct transfer *t)
{
    return t->advice;
}

uint64_t transfer_sent(const struct transfer *t)
{
    return t->sent;
}

void transfer_free(struct transfer *t)
{
    if (!t)
        return;
    if (origin_is_here(t->origin)) {
        pthread_mutex_lock(&transfers.lock);
        t->stop = true;
        wake();
        while (!t->stopped)
            pthread_cond_wait(&transfers.changed, &transfers.lock);
        pthread_mutex_unlock(&transfers.lock);
    }
    course_clear(&t->course);
    request_clear(&t->request);
    free(t);
}
