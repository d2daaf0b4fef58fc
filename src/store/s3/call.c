/* SPDX-License-Identifier: MIT */
#include "store/s3/call.h"
#include "store/ask.h"
#include "store/status.h"
#include <errno.h>

static bool is_again(const struct exchange *x)
{
    const struct s3_call *call = (const struct s3_call *)x;
    return x->answer.status / 100 != 2 &&
           s3_place_is_passing(call->place, x->answer.status, x->answer.date_s, x->body, x->body_length);
}

static int fail_by_status(const struct s3_call *call, struct leat_error *error)
{
    const struct exchange *x = &call->exchange;
    char why[STATUS_MAX], sentence[STATUS_MAX];
    s3_place_explain(call->place, x->body, x->body_length, why, sizeof(why));
    status_sentence(x->answer.status, why, sentence);
    return error_at(error, status_code(x->answer.status), LEAT_SIDE_NONE, "", call->operation, "%s", sentence);
}

int s3_call(struct s3_call *call, struct leat_error *error)
{
    struct exchange *x = &call->exchange;
    x->again = is_again;
    x->settings = call->place->settings;
    x->deadline_ns = call->place->deadline_ns;
    int r = ask(x, call->make, call->user, call->retries);
    if (r < 0)
        error_at(error, r, LEAT_SIDE_NONE, "", call->operation, "%s",
                 r == -ELIBACC ? "libcrypto can't be loaded" : "the request can't be made");
    else if (x->code < 0)
        r = error_at(error, x->code, LEAT_SIDE_NONE, "", call->operation, "%s", x->why);
    else if (!exchange_has_succeeded(x))
        r = fail_by_status(call, error);
    if (r < 0) {
        free(x->page);
        x->page = NULL;
    }
    return r;
}
