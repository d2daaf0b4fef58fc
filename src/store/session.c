/* SPDX-License-Identifier: MIT */
#include "store/session.h"
#include "store/http_settings.h"
#include "store/redirect.h"
#include <errno.h>
#include <stdio.h>

#define STEPS_MAX     20 /* the most requests for one answer: redirects, tokens and the requests after them */
#define REDIRECTS_MAX 10

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

/* ---- requests ---- */

/* Makes the request to the target of a redirect. The session sees it only if the target is on its own server. */
static int follow(struct course *course, const struct http_request *wanted, struct http_request *ret)
{
    struct http_request there;
    int r = request_copy(&there, wanted);
    if (r < 0)
        return r;
    free(there.url);
    there.url = strdup(course->location);
    course->own = course->origin && redirect_is_same_server(course->origin, course->location);
    if (!there.url)
        r = -ENOMEM;
    else if (course->own && wanted->session)
        r = wanted->session->ops->prepare(wanted->session, course, &there, ret);
    else {
        *ret = there;
        return 0;
    }
    request_clear(&there);
    return r;
}

static int note_origin(struct course *course, const char *url)
{
    if (course->origin || url[0] == '/')
        return 0;
    course->origin = strdup(url);
    return course->origin ? 0 : -ENOMEM;
}

/* The URL to which a redirect led last time is asked first. */
static int begin(struct course *course, const struct http_request *wanted)
{
    if (course->steps++ > 0)
        return 0;
    course->is_old = wanted->place != NULL;
    course->location = wanted->place ? strdup(wanted->place) : NULL;
    return course->is_old && !course->location ? -ENOMEM : note_origin(course, wanted->url);
}

static int prepare(struct course *course, const struct http_request *wanted)
{
    course->own = true;
    if (course->location)
        return follow(course, wanted, &course->request);
    if (!wanted->session)
        return request_copy(&course->request, wanted);
    int r = wanted->session->ops->prepare(wanted->session, course, wanted, &course->request);
    return r == 0 ? note_origin(course, course->request.url) : r;
}

int course_prepare(struct course *course, const struct http_request *wanted)
{
    request_clear(&course->request);
    free(course->body);
    course->body = NULL;
    course->length = 0;
    int r = begin(course, wanted);
    if (r == 0)
        r = prepare(course, wanted);
    course->errand = r == 1;
    if (course->errand) {
        course->own = false;
        course->request.settings = http_settings_ref(wanted->settings);
    }
    return r < 0 ? r : 0;
}

/* ---- answers ---- */

/* An expired signed URL is answered with one of these statuses. */
static bool has_gone(const struct course *course, int status)
{
    return course->is_old && (status == 400 || status == 401 || status == 403 || status == 404 || status == 410);
}

bool course_holds(const struct course *course, const struct http_request *wanted, const struct answer *answer)
{
    bool refused = wanted->session && (course->errand || answer->status >= 400);
    bool redirected = (wanted->session || wanted->follows) && redirect_is_status(answer->status);
    return refused || redirected || has_gone(course, answer->status);
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

static int take_redirect(struct course *course, const struct answer *answer, const char **ret_why)
{
    char *location;
    if (++course->redirects > REDIRECTS_MAX) {
        *ret_why = "the server redirects again and again";
        return -ELOOP;
    }
    if (!redirect_keeps_method(answer->status, course->request.method)) {
        *ret_why = "the server redirects by 301, 302 or 303, which is for downloads alone";
        return -EPROTO;
    }
    int r = redirect_resolve(&location, course->request.url, answer->location, ret_why);
    if (r < 0)
        return r;
    free(course->location);
    course->location = location;
    course->is_old = false;
    return 1;
}

/* The URL of an earlier redirect does not work any more. */
static int start_over(struct course *course)
{
    free(course->location);
    course->location = NULL;
    course->is_old = false;
    return 1;
}

int course_next(struct course *course, const struct http_request *wanted, const struct answer *answer,
                const char **ret_why)
{
    struct session *session = wanted->session;
    if (course->steps >= STEPS_MAX) {
        *ret_why = "the server asks for one more request again and again";
        return -ELOOP;
    }
    if (redirect_is_status(answer->status) && !course->errand)
        return take_redirect(course, answer, ret_why);
    if (has_gone(course, answer->status) && !course->errand)
        return start_over(course);
    if (!session || (!course->own && !course->errand))
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
    free(course->origin);
    free(course->body);
    *course = (struct course){0};
}
