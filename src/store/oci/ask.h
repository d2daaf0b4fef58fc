/* Questions to a registry whose answers are short. */
#ifndef STORE_OCI_ASK_H
#define STORE_OCI_ASK_H

#include "base/error.h"
#include "store/exchange.h"
#include "store/session.h"

struct question {
    struct session *repository;
    struct http_settings *settings; /* borrowed until the end; NULL: the usual ones */
    const char *method;             /* static */
    const char *path; /* behind "/v2/NAME/"; or a whole URL or path, as a Location has it, where `is_location` */
    bool is_location;
    const void *body; /* borrowed until the end; NULL: none */
    size_t length;
    const char *type;            /* of the body; NULL: none */
    uint64_t first;              /* of a piece: where it begins, told by Content-Range; UINT64_MAX: it is the whole */
    const char *query;           /* is added to the path: "digest=..."; or NULL */
    bool (*is_wanted)(void *of); /* as in struct exchange; NULL */
    void *of;
    int64_t deadline_ns; /* of clock_ns: it fails with -ETIMEDOUT then; 0: no limit */
};

/* The request of a question; for exchange.make. */
int question_request(const struct question *question, struct http_request *ret);

/* Asks, and blocks until there is an answer: its status, or a negative errno with a sentence. The caller is a user of
 * the transfer thread. *ret_answer may be NULL. */
int registry_ask(const struct question *question, int32_t retries, struct answer *ret_answer, struct leat_error *error);

/* The sentence of an answer that is a failure, and its code. */
int registry_refusal(const struct exchange *x, char *ret, size_t capacity);

#endif
