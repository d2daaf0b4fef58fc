/* SPDX-License-Identifier: MIT */
/* leat ls, leat stat and leat rm: list, examine and remove objects in stores. */
#include "servers.h"
#include "trace.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char ls_usage[] =
    "usage: leat ls [options] PLACE...\n"
    "\n"
    "Lists what a store has: size, time (UTC), name. PLACE is s3://BUCKET[/PREFIX],\n"
    "the keys that begin so, up to the next slash; oci://HOST/NAME, the tags of a\n"
    "repository; oci://HOST, the repositories of a registry; or file:DIRECTORY, the\n"
    "files in it. What a terminal can't show is quoted as a shell reads it.\n"
    "\n"
    "  --recursive            all keys, whatever slashes they have\n"
    "  --retries N            of a request without progress (default 8)\n"
    "  --insecure             other registries may be reached without TLS, too\n" SERVER_OPTIONS_HELP TRACE_HELP
    "  --json                 one object a line\n"
    "  -h, --help             this text\n"
    "\n"
    "  leat ls s3://bucket/backups/\n"
    "  leat ls --recursive --json s3://bucket\n"
    "  leat ls oci://localhost:5000/app\n";

static const char stat_usage[] =
    "usage: leat stat [options] OBJECT...\n"
    "\n"
    "Says what a store knows of an object, without reading it: size, time, ETag,\n"
    "type, version, digest and metadata. OBJECT is s3://BUCKET/KEY, http://...,\n"
    "oci://HOST/NAME@DIGEST, oci://HOST/NAME:TAG or file:PATH.\n"
    "\n"
    "  --retries N            of a request without progress (default 8)\n"
    "  --insecure             other registries may be reached without TLS, too\n" SERVER_OPTIONS_HELP TRACE_HELP
    "  --json                 one object a line\n"
    "  -h, --help             this text\n"
    "\n"
    "  leat stat s3://bucket/backup.img\n";

static const char rm_usage[] =
    "usage: leat rm [options] OBJECT...\n"
    "\n"
    "Removes objects from a store. OBJECT is s3://BUCKET/KEY, http://...,\n"
    "oci://HOST/NAME@DIGEST or file:PATH. S3 does not say whether an object was\n"
    "there. A failure is named, and does not stop the others.\n"
    "\n"
    "  --recursive            s3://BUCKET/PREFIX/: all that is in it, without asking\n"
    "  --retries N            of a request without progress (default 8)\n"
    "  --insecure             other registries may be reached without TLS, too\n" SERVER_OPTIONS_HELP TRACE_HELP
    "  --json                 print each name, and the sum, as JSON\n"
    "  -h, --help             this text\n"
    "\n"
    "  leat rm s3://bucket/old.img s3://bucket/older.img\n"
    "  leat rm --recursive s3://bucket/old/\n";

enum {
    OPTION_RECURSIVE = 256,
    OPTION_RETRIES,
    OPTION_INSECURE,
    OPTION_JSON,
};

static const struct option longs[] = {
    {"recursive", no_argument, NULL, OPTION_RECURSIVE}, /* must be first: `stat` skips this row */
    {"retries", required_argument, NULL, OPTION_RETRIES},
    {"insecure", no_argument, NULL, OPTION_INSECURE},
    SERVER_OPTIONS,
    TRACE_OPTION,
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct objects_typed {
    const char *command;
    const struct option *longs;
    struct leat_store_options options;
    struct leat_endpoint_options endpoint; /* `options.endpoint` points here */
    enum trace_mode trace;
    bool json, help;
    struct leat_error first; /* the first failure that was printed */
    int code;                /* EXIT_FAILED after the first failure */
};

static int set(void *user, int option, const char *value)
{
    struct objects_typed *t = user;
    switch (option) {
    case OPTION_RECURSIVE:
        t->options.recursive = 1;
        break;
    case OPTION_RETRIES:
        return cli_retries(t->command, value, &t->options.retries);
    case OPTION_INSECURE:
        t->options.insecure = 1;
        break;
    case OPTION_TRACE:
        return trace_choose(t->command, value, &t->trace);
    case OPTION_JSON:
        t->json = true;
        break;
    case 'h':
        t->help = true;
        break;
    default:
        return servers_set(&t->endpoint, t->command, option, value);
    }
    return 0;
}

/* Does the name have the scheme of a store? A path without a scheme is most likely a mistake, since files have commands
 * of their own. */
static bool is_in_store(const char *spec)
{
    static const char *const schemes[] = {"s3:", "oci:", "http:", "https:", "file:"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncmp(spec, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* Returns 0, or an exit code after a message. */
static int parse(struct objects_typed *t, const char *command, int argc, char **argv)
{
    *t = (struct objects_typed){.command = command,
                                .longs = strcmp(command, "stat") == 0 ? longs + 1 : longs,
                                .options = LEAT_INIT(struct leat_store_options),
                                .endpoint = LEAT_INIT(struct leat_endpoint_options)};
    t->options.endpoint = &t->endpoint;
    int r = cli_read_options(command, t->longs, argc, argv, set, t);
    if (r != 0)
        return r;
    if (!t->help && optind == argc)
        return cli_usage(command, "say what: s3://BUCKET/KEY, for example");
    for (int i = optind; !t->help && i < argc; i++)
        if (!is_in_store(argv[i]))
            return cli_usage(command, "%s is in no store: write s3://, oci:// or http://", cli_name(argv[i]));
    return trace_begin(t->trace);
}

/* ---- messages and results ---- */

static void tell_failure(void *user, const char *name, const struct leat_error *error)
{
    struct objects_typed *t = user;
    cli_warn("%s: %s: %s", t->command, cli_name(name), error->text);
    if (!t->first.code)
        t->first = *error;
    t->code = EXIT_FAILED;
}

/* Was the error of the call already printed? The call returns either the failure of one name, which `tell_failure` has
 * printed, or the reason why it could not go on. */
static bool was_told(const struct objects_typed *t, const struct leat_error *error)
{
    return t->first.code == error->code && strcmp(t->first.text, error->text) == 0;
}

static const char *const kinds[] = {"object", "folder", "tag", "repository"};

static const char *time_of(const struct leat_store_entry *entry, char ret[32])
{
    time_t when = (time_t)entry->modified_s;
    struct tm tm;
    if (entry->modified_s == LEAT_STORE_TIME_UNKNOWN || !gmtime_r(&when, &tm) ||
        strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return NULL;
    return ret;
}

/* Makes a JSON string. Text that is not UTF-8 is quoted first, since JSON needs UTF-8. */
static json_t *text_of(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();
    return json ? json : json_string(cli_name(text));
}

static json_t *metadata_of(const struct leat_store_entry *entry)
{
    json_t *all = json_array();
    for (size_t i = 0; all && i < entry->metadata_count; i++)
        json_array_append_new(all, json_pack("{so so}", "name", text_of(entry->metadata[i].name), "value",
                                             text_of(entry->metadata[i].value)));
    return all;
}

static int print_json(const char *type, const struct leat_store_entry *entry, bool whole)
{
    char when[32];
    json_t *line =
        json_pack("{ss ss so so so ss?}", "type", type, "kind", kinds[entry->kind & 3], "name", text_of(entry->name),
                  "spec", text_of(entry->spec), "bytes",
                  entry->bytes == LEAT_STORE_SIZE_UNKNOWN ? json_null() : json_integer((json_int_t)entry->bytes),
                  "modified", time_of(entry, when));
    if (line) {
        json_object_set_new(line, "etag", text_of(entry->etag));
        json_object_set_new(line, "storage_class", text_of(entry->storage_class));
    }
    if (line && whole) {
        json_object_set_new(line, "content_type", text_of(entry->type));
        json_object_set_new(line, "version", text_of(entry->version));
        json_object_set_new(line, "digest", text_of(entry->digest));
        json_object_set_new(line, "metadata", metadata_of(entry));
    }
    return cli_print_json(line);
}

/* Prints a name in the syntax of a shell, without quotes if it needs none. */
static void print_name(const char *name)
{
    size_t n = leat_text_quote(NULL, 0, name);
    char *text = malloc(n + 1);
    if (text)
        leat_text_quote(text, n + 1, name);
    fputs(text ? text : "?", stdout);
    free(text);
}

static int print_entry(void *user, const struct leat_store_entry *entry)
{
    const struct objects_typed *t = user;
    char when[32];
    if (t->json)
        return print_json("store-entry", entry, false);
    if (entry->kind == LEAT_STORE_OBJECT || entry->kind == LEAT_STORE_FOLDER) {
        if (entry->bytes == LEAT_STORE_SIZE_UNKNOWN)
            printf("%12s  ", "-");
        else
            printf("%12" PRIu64 "  ", entry->bytes);
        printf("%-20s  ", time_of(entry, when) ? when : "-");
    }
    print_name(entry->name);
    putchar('\n');
    return ferror(stdout) ? -EPIPE : 0;
}

static void print_field(const char *name, const char *value)
{
    if (!value)
        return;
    printf("  %-9s  ", name);
    print_name(value);
    putchar('\n');
}

static int print_stat(void *user, const struct leat_store_entry *entry)
{
    const struct objects_typed *t = user;
    char when[32], bytes[32];
    if (t->json)
        return print_json("store-stat", entry, true);
    print_name(entry->spec);
    putchar('\n');
    snprintf(bytes, sizeof(bytes), "%" PRIu64, entry->bytes);
    print_field("bytes", entry->bytes == LEAT_STORE_SIZE_UNKNOWN ? NULL : bytes);
    print_field("modified", time_of(entry, when));
    print_field("etag", entry->etag);
    print_field("type", entry->type);
    print_field("version", entry->version);
    print_field("digest", entry->digest);
    print_field("class", entry->storage_class);
    for (size_t i = 0; i < entry->metadata_count; i++) {
        fputs("  metadata   ", stdout);
        print_name(entry->metadata[i].name);
        fputs(": ", stdout);
        print_name(entry->metadata[i].value);
        putchar('\n');
    }
    return ferror(stdout) ? -EPIPE : 0;
}

static int print_removed(void *user, const struct leat_store_entry *entry)
{
    const struct objects_typed *t = user;
    return t->json ? cli_print_json(json_pack("{ss so so}", "type", "store-removed", "name", text_of(entry->name),
                                              "spec", text_of(entry->spec)))
                   : 0;
}

/* ---- the commands ---- */

static int end(const struct objects_typed *t)
{
    int said = cli_said(t->command, 0);
    return said ? said : t->code;
}

static int each(struct objects_typed *t, int count, char **names,
                int (*ask)(const char *spec, const struct leat_store_options *options, struct leat_error *error))
{
    for (int i = 0; i < count; i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        if (ask(names[i], &t->options, &error) < 0 && !ferror(stdout))
            tell_failure(t, error.node, &error);
    }
    return end(t);
}

static int show(const char *command, const char *usage, int argc, char **argv,
                int (*print)(void *user, const struct leat_store_entry *entry),
                int (*ask)(const char *spec, const struct leat_store_options *options, struct leat_error *error))
{
    struct objects_typed t;
    int r = parse(&t, command, argc, argv);
    if (r != 0 || t.help) {
        fputs(r == 0 ? usage : "", stdout);
        return r;
    }
    t.options.entry = print;
    t.options.user = &t;
    return each(&t, argc - optind, argv + optind, ask);
}

int cli_ls(int argc, char **argv)
{
    return show("ls", ls_usage, argc, argv, print_entry, leat_store_list);
}

int cli_stat(int argc, char **argv)
{
    return show("stat", stat_usage, argc, argv, print_stat, leat_store_stat);
}

int cli_rm(int argc, char **argv)
{
    struct objects_typed t;
    struct leat_store_result result = LEAT_INIT(struct leat_store_result);
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = parse(&t, "rm", argc, argv);
    if (r != 0 || t.help) {
        fputs(r == 0 ? rm_usage : "", stdout);
        return r;
    }
    t.options.entry = print_removed;
    t.options.problem = tell_failure;
    t.options.user = &t;
    r = leat_store_remove((const char *const *)(argv + optind), (size_t)(argc - optind), &t.options, &result, &error);
    if (r < 0 && !was_told(&t, &error) && !ferror(stdout))
        tell_failure(&t, error.node, &error);
    if (t.json)
        cli_print_json(json_pack("{ss sI sI}", "type", "store-rm", "removed", (json_int_t)result.removed, "failed",
                                 (json_int_t)result.failed));
    return end(&t);
}
