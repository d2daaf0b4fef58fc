/* SPDX-License-Identifier: MIT */
/* leat store: lists and aborts uploads that killed programs left in a store. */
#include "servers.h"
#include "trace.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: leat store sweep [options] s3://BUCKET[/PREFIX]\n"
    "\n"
    "Aborts unfinished uploads of several parts; the store then frees the room of\n"
    "their parts. Programs that were killed leave such uploads. An upload that still\n"
    "goes on looks the same, so leat aborts only those older than a day.\n"
    "\n"
    "  --older-than TIME      how old an upload must be (default 24h); 0: all\n"
    "  --dry-run              only say which ones would be aborted\n"
    "  --retries N            of a request without progress (default 8)\n" SERVER_OPTIONS_HELP TRACE_HELP
    "  --json                 print each upload, and the sum, as JSON\n"
    "  -h, --help             this text\n"
    "\n"
    "  leat store sweep --dry-run s3://bucket\n"
    "  leat store sweep --older-than 2h s3://bucket/backups/\n";

enum {
    OPTION_OLDER = 256,
    OPTION_DRY,
    OPTION_RETRIES,
    OPTION_JSON,
};

static const struct option longs[] = {
    {"older-than", required_argument, NULL, OPTION_OLDER},
    {"dry-run", no_argument, NULL, OPTION_DRY},
    {"retries", required_argument, NULL, OPTION_RETRIES},
    SERVER_OPTIONS,
    TRACE_OPTION,
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct store_typed {
    struct leat_store_sweep_options options;
    struct leat_endpoint_options endpoint; /* `options.endpoint` points here */
    enum trace_mode trace;
    bool json, help;
    struct leat_error first; /* the first failure that was printed */
};

static int age(const char *text, int64_t *ret)
{
    int32_t ms;
    bool all = strcmp(text, "0") == 0 || strcmp(text, "0s") == 0;
    if (!all && (leat_time_parse(text, &ms) < 0 || ms < 0))
        return cli_usage("store", "--older-than: '%s' is no time: write 2h, 30m or 0", text);
    *ret = all ? -1 : ms;
    return 0;
}

static int set(void *user, int option, const char *value)
{
    struct store_typed *t = user;
    switch (option) {
    case OPTION_OLDER:
        return age(value, &t->options.older_ms);
    case OPTION_DRY:
        t->options.dry_run = 1;
        break;
    case OPTION_RETRIES:
        return cli_retries("store", value, &t->options.retries);
    case OPTION_TRACE:
        return trace_choose("store", value, &t->trace);
    case OPTION_JSON:
        t->json = true;
        break;
    case 'h':
        t->help = true;
        break;
    default:
        return servers_set(&t->endpoint, "store", option, value);
    }
    return 0;
}

/* Returns 0, or an exit code after a message. */
static int parse(struct store_typed *t, int argc, char **argv)
{
    *t = (struct store_typed){.options = LEAT_INIT(struct leat_store_sweep_options),
                              .endpoint = LEAT_INIT(struct leat_endpoint_options)};
    t->options.endpoint = &t->endpoint;
    int r = cli_read_options("store", longs, argc, argv, set, t);
    return r ? r : trace_begin(t->trace);
}

/* ---- messages and results ---- */

static const char *const outcomes[] = {"aborted", "young", "untouched", "failed"};

/* Makes a JSON string. A key that is not UTF-8 is quoted first, since JSON needs UTF-8. */
static json_t *text_of(const char *key)
{
    json_t *text = json_string(key);
    return text ? text : json_string(cli_name(key));
}

static void print_upload(void *user, const struct leat_store_upload *upload)
{
    struct store_typed *t = user;
    const char *why = upload->error ? upload->error->text : NULL;
    if (upload->error && !t->first.code)
        t->first = *upload->error;
    if (upload->outcome == LEAT_UPLOAD_FAILED)
        cli_warn("store: %s: %s", cli_name(upload->key), why);
    if (t->json)
        cli_print_json(json_pack("{ss so ss ss so ss ss?}", "type", "store-upload", "key", text_of(upload->key), "id",
                                 upload->id, "begun", upload->begun, "age",
                                 upload->age_s < 0 ? json_null() : json_integer(upload->age_s), "outcome",
                                 outcomes[upload->outcome], "error", why));
    else
        printf("%-9s  %s  %s\n", outcomes[upload->outcome], upload->begun, cli_name(upload->key));
}

static int print_sum(const struct store_typed *t, const struct leat_store_sweep_result *result)
{
    if (t->json)
        return cli_print_json(json_pack("{ss sI sI sI sI sb}", "type", "store-sweep", "found",
                                        (json_int_t)result->found, "aborted", (json_int_t)result->aborted, "young",
                                        (json_int_t)result->young, "failed", (json_int_t)result->failed, "dry_run",
                                        t->options.dry_run != 0));
    printf("%" PRIu64 " unfinished uploads; %" PRIu64 " %s aborted", result->found, result->aborted,
           t->options.dry_run ? "would be" : "were");
    if (result->young)
        printf(", %" PRIu64 " are too young", result->young);
    if (result->failed)
        printf(", %" PRIu64 " could not be", result->failed);
    putchar('\n');
    return 0;
}

static int sweep(struct store_typed *t, const char *spec)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_store_sweep_result result = LEAT_INIT(struct leat_store_sweep_result);
    t->options.upload = print_upload;
    t->options.user = t;
    int r = leat_store_sweep(spec, &t->options, &result, &error);
    if (r < 0 && (t->first.code != error.code || strcmp(t->first.text, error.text) != 0))
        cli_warn("store: %s: %s", cli_name(spec), error.text);
    int said = r < 0 && result.found == 0 ? EXIT_FAILED : cli_said("store sweep", print_sum(t, &result));
    return said == 0 && r < 0 ? EXIT_FAILED : said;
}

int cli_store(int argc, char **argv)
{
    struct store_typed t;
    int r = parse(&t, argc, argv);
    if (r != 0)
        return r;
    if (t.help) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    if (argc - optind < 1 || strcmp(argv[optind], "sweep") != 0)
        return cli_usage("store", "say what to do: sweep");
    return argc - optind == 2 ? sweep(&t, argv[optind + 1]) : cli_usage("store", "sweep takes the name of a bucket");
}
