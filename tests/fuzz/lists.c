/* SPDX-License-Identifier: MIT */
/* Any bytes as pages of lists of keys, of uploads and of a registry's names, and as answers to DeleteObjects: what is
 * told was asked for, and each name has one outcome. '|' separates the answers; when there are no more of them,
 * requests fail. An answer that begins with '+' stands within the root element that its request wants. One for a
 * registry may begin with a header line and '^'. */
// instrumented: store/oci/names store/oci/link store/headers store/redirect store/s3/names store/s3/sweep
// store/s3/delete store/s3/remove store/s3/list store/xml store/circle store/date
#include "store/ask.h"
#include "store/s3/call.h"
#include "store/s3/names.h"
#include "store/transfer.h"
#include <errno.h>
#include <stdio.h>

#define PREFIX "p/"

static const char *answers; /* the rest of the input */

static void need(bool right)
{
    if (!right)
        abort();
}

static const char *root_of(const char *operation)
{
    return strcmp(operation, "ListObjectsV2") == 0   ? "ListBucketResult"
           : strcmp(operation, "DeleteObjects") == 0 ? "DeleteResult"
                                                     : "ListMultipartUploadsResult";
}

/* Takes the next answer. Returns it from malloc. */
static char *next_answer(const char *operation)
{
    size_t n = strcspn(answers, "|"), size = n + 64 + sizeof("<></>");
    const char *root = root_of(operation);
    char *page = malloc(size);
    need(page != NULL);
    if (answers[0] == '+')
        snprintf(page, size, "<%s>%.*s</%s>", root, (int)n - 1, answers + 1, root);
    else
        snprintf(page, size, "%.*s", (int)n, answers);
    answers = answers[n] ? answers + n + 1 : NULL;
    return page;
}

/* Stands for the one in src/store/s3/call.c. */
int s3_call(struct s3_call *call, struct leat_error *error)
{
    struct http_request request = {0};
    struct exchange *x = &call->exchange;
    need(call->make(call->user, &request) == 0 && request.url);
    request_clear(&request);
    if (!x->page_most) /* the answer has no body that is read */
        return 0;
    if (!answers)
        return error_at(error, -EIO, LEAT_SIDE_NONE, "", call->operation, "there is no answer");
    x->page = next_answer(call->operation);
    x->page_length = strlen(x->page);
    x->answer.status = 200;
    return 0;
}

/* Stands for the one in src/store/ask.c. */
int ask(struct exchange *x, int (*make)(void *user, struct http_request *ret), void *user, int32_t retries UNUSED)
{
    struct http_request request = {0};
    need(make(user, &request) == 0 && request.url[0] == '/'); /* on the same server */
    request_clear(&request);
    x->code = answers ? 0 : -EIO;
    x->answer.status = 200;
    snprintf(x->why, sizeof(x->why), "there is no answer");
    if (!answers)
        return 0;
    char *answer = next_answer(""), *mark = strchr(answer, '^');
    const char *body = mark ? mark + 1 : answer;
    if (mark)
        x->header(x->header_user, answer, (size_t)(mark - answer));
    x->page = strdup(body);
    need(x->page != NULL);
    x->page_length = strlen(body);
    free(answer);
    return 0;
}

struct told {
    size_t removed, failed;
};

static int entry(void *user, const struct leat_store_entry *entry)
{
    struct told *t = user;
    need(entry->name && entry->name[0] && strncmp(entry->spec, "s3://bucket/", 12) == 0);
    need(strncmp(entry->spec + 12, entry->name, strlen(entry->name)) == 0);
    t->removed++;
    return 0;
}

static void problem(void *user, const char *spec, const struct leat_error *error)
{
    struct told *t = user;
    need(strncmp(spec, "s3://bucket/", 12) == 0 && error->code < 0 && error->text[0]);
    t->failed++;
}

static int listed(void *user, const struct leat_store_entry *one)
{
    need(strncmp(one->name, PREFIX, strlen(PREFIX)) == 0);
    return entry(user, one);
}

static void check_failure(int r, const struct leat_error *error)
{
    need(r == 0 || (r < 0 && error->code == r && error->text[0]));
}

static void list_and_remove_all(const char *text)
{
    static const struct leat_endpoint_options endpoint = {.size = sizeof(endpoint)};
    for (int way = 0; way < 3; way++) {
        struct told told = {0};
        struct leat_error error = {.size = sizeof(error)};
        struct removal removal = {.first.size = sizeof(removal.first)};
        struct leat_store_options options = {.size = sizeof(options),
                                             .recursive = way > 0,
                                             .entry = listed,
                                             .problem = problem,
                                             .user = &told,
                                             .endpoint = &endpoint};
        const struct names_call call = {.spec = "s3://bucket/" PREFIX,
                                        .rest = "//bucket/" PREFIX,
                                        .node = "s3://bucket/" PREFIX,
                                        .options = &options};
        answers = text;
        int r = way < 2 ? s3_names.list(&call, &error) : s3_names.remove(&call, 1, &removal, &error);
        check_failure(r, &error);
        need(way < 2 || (removal.result.removed == told.removed && removal.result.failed == told.failed));
        need((removal.first.code < 0) == (removal.result.failed > 0));
    }
}

/* Two keys go into one request; a control character can't, and has a request of its own. */
static void remove_names(const char *text)
{
    static const char *const keys[] = {"p/a", "p/b&c", "p/d\001"};
    static const struct leat_endpoint_options endpoint = {.size = sizeof(endpoint)};
    struct told told = {0};
    struct leat_error error = {.size = sizeof(error)};
    struct removal removal = {.first.size = sizeof(removal.first)};
    const struct leat_store_options options = {
        .size = sizeof(options), .entry = entry, .problem = problem, .user = &told, .endpoint = &endpoint};
    struct names_call calls[COUNT(keys)];
    char specs[COUNT(keys)][32];
    for (size_t i = 0; i < COUNT(keys); i++) {
        snprintf(specs[i], sizeof(specs[i]), "s3://bucket/%s", keys[i]);
        calls[i] = (struct names_call){.spec = specs[i], .rest = specs[i] + 3, .node = specs[i], .options = &options};
    }
    answers = text;
    need(s3_names.remove(calls, COUNT(keys), &removal, &error) == 0);
    need(told.removed + told.failed == COUNT(keys));
    need(removal.result.removed == told.removed && removal.result.failed == told.failed);
}

static int named(void *user, const struct leat_store_entry *one)
{
    const char *spec = user;
    need(strncmp(one->spec, spec, strlen(spec)) == 0);
    need(strcmp(one->spec + strlen(one->spec) - strlen(one->name), one->name) == 0);
    return 0;
}

static void list_registry(const char *text)
{
    static char specs[][24] = {"oci://127.0.0.1:1/", "oci://127.0.0.1:1/name"};
    static const struct leat_endpoint_options endpoint = {.size = sizeof(endpoint)};
    for (size_t i = 0; i < COUNT(specs); i++) {
        struct leat_error error = {.size = sizeof(error)};
        const struct leat_store_options options = {
            .size = sizeof(options), .entry = named, .user = specs[i], .endpoint = &endpoint};
        const struct names_call call = {
            .spec = specs[i], .rest = specs[i] + 4, .node = specs[i] + 6, .options = &options};
        answers = text;
        check_failure(oci_names.list(&call, &error), &error);
    }
}

static void found(void *user, const struct leat_store_upload *upload)
{
    struct told *t = user;
    need(strncmp(upload->key, PREFIX, strlen(PREFIX)) == 0 && upload->id[0] && upload->begun && upload->age_s >= -1);
    t->removed++;
}

static void sweep(const char *text)
{
    for (int all = 0; all < 2; all++) {
        struct told told = {0};
        struct leat_error error = {.size = sizeof(error)};
        struct leat_store_sweep_result result = {.size = sizeof(result)};
        const struct leat_store_sweep_options options = {
            .size = sizeof(options), .older_ms = all ? -1 : 0, .upload = found, .user = &told};
        answers = text;
        check_failure(leat_store_sweep("s3://bucket/" PREFIX, &options, &result, &error), &error);
        need(result.found == told.removed && result.found == result.aborted + result.young + result.failed);
        need(!all || result.young == 0);
    }
}

/* The harness is a user of the transfer thread, so the thread is not started for each list. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
    const char *why;
    setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1);
    setenv("AWS_ACCESS_KEY_ID", "key", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    need(transfers_get(&why) == 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = malloc(n + 1);
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    list_and_remove_all(text);
    remove_names(text);
    list_registry(text);
    sweep(text);
    free(text);
    return 0;
}
