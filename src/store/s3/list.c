#include "store/s3/list.h"
#include "store/ask.h"
#include "store/s3/sign.h"
#include "store/status.h"
#include <errno.h>

#define PAGE_MOST (16u * 1024 * 1024) /* 1,000 keys, each at its longest, have less */

struct page {
    const struct s3_list *list;
    char *query;
};

/* 0: the answer is in *x. */
static int ask_store(struct exchange *x, const char *operation, int32_t retries,
                     int (*make)(void *user, struct http_request *ret), void *user, struct leat_error *error)
{
    char sentence[STATUS_MAX];
    int r = ask(x, make, user, retries);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "", operation, "%s",
                        r == -ELIBACC ? "libcrypto can't be loaded" : "the request can't be made");
    if (x->code < 0)
        return error_at(error, x->code, LEAT_SIDE_NONE, "", operation, "%s", x->why);
    if (exchange_has_succeeded(x))
        return 0;
    status_explain(&s3_store, x->answer.status, x->body, x->body_length, sentence);
    return error_at(error, status_code(x->answer.status), LEAT_SIDE_NONE, "", operation, "%s", sentence);
}

static bool is_again(const struct exchange *x)
{
    return x->answer.status / 100 != 2 && s3_store.is_passing(x->body, x->body_length);
}

int s3_ask(const char *operation, int32_t retries, int (*make)(void *user, struct http_request *ret), void *user,
           struct leat_error *error)
{
    struct exchange *x = calloc(1, sizeof(*x));
    if (!x)
        return error_set(error, -ENOMEM, "out of memory");
    x->again = is_again;
    int r = ask_store(x, operation, retries, make, user, error);
    free(x);
    return r;
}

static int make_page(void *user, struct http_request *ret)
{
    const struct page *page = user;
    const struct s3_place *place = page->list->place;
    return s3_place_request(place, "GET", place->folder, page->query, SIGN_EMPTY, ret);
}

static int read_page(struct page *page, struct exchange *x, struct leat_error *error)
{
    const struct s3_list *list = page->list;
    int r = ask_store(x, list->operation, list->retries, make_page, page, error);
    if (r < 0)
        return r;
    r = xml_read(x->page ? x->page : "", x->page_length, &list->xml, list->user);
    return r < 0 ? error_at(error, r, LEAT_SIDE_NONE, "", list->operation, "the server's list can't be read") : 0;
}

static int one_page(const struct s3_list *list, struct leat_error *error)
{
    struct page page = {list, list->query(list->user)};
    struct exchange *x = calloc(1, sizeof(*x));
    int r = page.query && x ? 0 : error_set(error, -ENOMEM, "out of memory");
    if (r == 0) {
        x->page_most = PAGE_MOST;
        x->again = is_again;
        r = read_page(&page, x, error);
    }
    if (r == 0)
        r = list->page(list->user, error);
    if (x)
        free(x->page);
    free(x);
    free(page.query);
    return r;
}

int s3_list(const struct s3_list *list, struct leat_error *error)
{
    int r;
    do
        r = one_page(list, error);
    while (r > 0);
    return r;
}
