/* SPDX-License-Identifier: MIT */
#include "store/oci/ask.h"
#include "store/ask.h"
#include "store/oci/repository.h"
#include "store/status.h"
#include <errno.h>
#include <stdio.h>

/* A location is a whole URL, or a path on the registry. */
static int add_url(const struct question *q, struct http_request *ret)
{
    size_t n = strlen(q->path) + (q->query ? strlen(q->query) : 0) + 2;
    char *url = malloc(n);
    if (!url)
        return -ENOMEM;
    snprintf(url, n, "%s%s%s", q->path, q->query ? (strchr(q->path, '?') ? "&" : "?") : "", q->query ? q->query : "");
    if (q->is_location) {
        ret->method = q->method;
        ret->url = url;
        ret->session = session_ref(q->repository);
        return 0;
    }
    int r = repository_request(q->repository, ret, q->method, "%s", url);
    free(url);
    return r;
}

int question_request(const struct question *q, struct http_request *ret)
{
    int r = add_url(q, ret);
    bool takes_body =
        strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0 && strcmp(q->method, "DELETE") != 0;
    ret->deadline_ns = q->deadline_ns;
    if (r == 0 && takes_body) {
        ret->has_body = true;
        ret->body = (struct http_body){.bytes = q->body ? q->body : "", .fd = -1, .length = q->length};
    }
    if (r == 0 && q->type)
        r = request_header(ret, "Content-Type: %s", q->type);
    if (r == 0 && q->body && q->first != UINT64_MAX)
        r = request_header(ret, "Content-Range: %llu-%llu", (unsigned long long)q->first,
                           (unsigned long long)(q->first + q->length - 1));
    return r;
}

int registry_refusal(const struct exchange *x, char *ret, size_t capacity)
{
    char why[128];
    if (x->code < 0) {
        snprintf(ret, capacity, "%s", x->why);
        return x->code;
    }
    repository_explain(x->body, x->body_length, why, sizeof(why));
    snprintf(ret, capacity, "the server answers %d%s%s", x->answer.status, why[0] ? ": " : "", why);
    return x->answer.status / 100 == 2 ? -EPROTO : status_code(x->answer.status);
}

static int make(void *user, struct http_request *ret)
{
    return question_request(user, ret);
}

int registry_ask(const struct question *question, int32_t retries, struct answer *ret_answer, struct leat_error *error)
{
    struct exchange *x = calloc(1, sizeof(*x));
    struct question own = *question;
    char sentence[STATUS_MAX];
    if (!x)
        return error_set(error, -ENOMEM, "out of memory");
    x->settings = question->settings;
    x->is_wanted = question->is_wanted;
    x->of = question->of;
    int r = ask(x, make, &own, retries);
    if (r < 0)
        error_set(error, r, "the request can't be made");
    else
        r = x->code < 0 ? x->code : x->answer.status;
    if (r >= 400 || (r < 0 && error->code == 0))
        registry_refusal(x, sentence, sizeof(sentence));
    if (r < 0 && error->code == 0)
        error_at(error, r, LEAT_SIDE_SINK, "", question->method, "%s", sentence);
    if (r >= 400) /* the caller may have expected that; otherwise the sentence is set */
        snprintf(error->text, sizeof(error->text), "%s", sentence);
    if (ret_answer)
        *ret_answer = x->answer;
    free(x);
    return r;
}
