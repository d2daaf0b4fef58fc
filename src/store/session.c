#include "store/session.h"
#include "store/http_settings.h"
#include <errno.h>
#include <stdio.h>

#define STEPS_MAX 12 /* requests for one answer: redirects, tokens and what follows them */

struct session *session_ref(struct session *session)
{
    if (session)
        atomic_fetch_add(&session->refs, 1);
    return session;
}

void session_unref(struct session *session)
{
    if (session && atomic_fetch_sub(&session->refs, 1) == 1)
        session->ops->free(session);
}

/* The target of a redirect gets what the owner asked for, and nothing of the session's. */
static int follow(const struct course *course, const struct http_request *wanted, struct http_request *ret)
{
    int r = request_copy(ret, wanted);
    char *url = r == 0 ? strdup(course->location) : NULL;
    if (!url)
        return -ENOMEM;
    free(ret->url);
    ret->url = url;
    return 0;
}

int course_prepare(struct course *course, const struct http_request *wanted)
{
    struct session *session = wanted->session;
    request_clear(&course->request);
    free(course->body);
    course->body = NULL;
    course->length = 0;
    course->errand = false;
    course->own = !course->location;
    course->steps++;
    if (!session)
        return request_copy(&course->request, wanted);
    if (course->location)
        return follow(course, wanted, &course->request);
    int r = session->ops->prepare(session, course, wanted, &course->request);
    course->errand = r == 1;
    course->own = !course->errand;
    if (r == 1)
        course->request.settings = http_settings_ref(wanted->settings);
    return r < 0 ? r : 0;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool course_holds(const struct course *course, const struct http_request *wanted, const struct answer *answer)
{
    return wanted->session && (course->errand || answer->status >= 400 || is_redirect(answer->status));
}

bool course_keep(struct course *course, const void *bytes, size_t n)
{
    n = MIN(n, COURSE_BODY_MAX - course->length);
    char *grown = n ? realloc(course->body, course->length + n) : course->body;
    if (n && !grown)
        return false;
    if (n)
        memcpy(grown + course->length, bytes, n);
    course->body = grown;
    course->length += n;
    return true;
}

/* "http://host:80" of a URL; the length. */
static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

/* Where an answer sends the request: a whole URL, or a path on the same server. NULL: it can't be followed. */
static char *resolve(const char *base, const char *location)
{
    size_t origin = origin_length(base);
    if (strncmp(location, "http://", 7) == 0 || strncmp(location, "https://", 8) == 0)
        return strncmp(base, "https:", 6) == 0 && location[4] == ':' ? NULL : strdup(location);
    if (location[0] != '/' || location[1] == '/' || !origin)
        return NULL;
    char *url = malloc(origin + strlen(location) + 1);
    if (url)
        sprintf(url, "%.*s%s", (int)origin, base, location);
    return url;
}

int course_next(struct course *course, const struct http_request *wanted, const struct answer *answer,
                const char **ret_why)
{
    struct session *session = wanted->session;
    if (course->steps >= STEPS_MAX) {
        *ret_why = "the server asks for one more request again and again";
        return -ELOOP;
    }
    if (is_redirect(answer->status) && !course->errand) {
        char *location = resolve(course->request.url, answer->location);
        free(course->location);
        course->location = location;
        *ret_why = "the server redirects to a place that can't be used";
        return location ? 1 : -EPROTO;
    }
    if (course->location)
        return 0;
    return session->ops->refused(session, course, answer, course->body, course->length, ret_why);
}

void course_succeeded(const struct http_request *wanted)
{
    if (wanted->session)
        wanted->session->ops->succeeded(wanted->session);
}

void course_clear(struct course *course)
{
    request_clear(&course->request);
    free(course->location);
    free(course->body);
    *course = (struct course){0};
}
