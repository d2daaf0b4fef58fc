/* SPDX-License-Identifier: MIT */
#include "store/s3/list.h"
#include "store/s3/call.h"
#include "store/s3/sign.h"
#include <errno.h>

#define PAGE_MOST (16u * 1024 * 1024) /* 1000 keys, each at its longest, need less */

struct page {
    const struct s3_list *list;
    char *query;
    bool has_root;
};

static int make_page(void *user, struct http_request *ret)
{
    const struct page *page = user;
    const struct s3_place *place = page->list->place;
    return s3_place_request(place, "GET", place->folder, page->query, SIGN_EMPTY, ret);
}

static void element(void *user, const char *path, const char *text)
{
    struct page *page = user;
    size_t n = strlen(page->list->root);
    if (strncmp(path, page->list->root, n) != 0)
        return;
    if (path[n] == '/')
        page->list->xml.element(page->list->user, path + n + 1, text);
    else
        page->has_root |= path[n] == '\0';
}

/* The server may not be a store, or may have understood another request. Then its answer has no names, which is not the
 * same as an empty list. */
static int read_page(struct page *page, struct s3_call *call, struct leat_error *error)
{
    const struct s3_list *list = page->list;
    const struct exchange *x = &call->exchange;
    const char *why;
    int r = xml_need(&why);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "", list->operation, "%s", why);
    r = s3_call(call, error);
    if (r < 0)
        return r;
    r = xml_read(x->page ? x->page : "", x->page_length, &(struct xml_ops){element}, page);
    free(x->page);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "", list->operation, "the server's list can't be read");
    return page->has_root ? 0
                          : error_at(error, -EBADMSG, LEAT_SIDE_NONE, "", list->operation,
                                     "the server's answer is no list: it has no %s", list->root);
}

static int one_page(const struct s3_list *list, struct leat_error *error)
{
    struct page page = {.list = list, .query = list->query(list->user)};
    struct s3_call *call = calloc(1, sizeof(*call));
    int r = -ENOMEM;
    if (page.query && call) {
        call->exchange.page_most = PAGE_MOST;
        call->exchange.is_wanted = list->is_wanted;
        call->exchange.of = list->of;
        call->place = list->place;
        call->operation = list->operation;
        call->retries = list->retries;
        call->make = make_page;
        call->user = &page;
        r = read_page(&page, call, error);
    } else
        error_set(error, r, "out of memory");
    if (r == 0)
        r = list->page(list->user, error);
    free(call);
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
