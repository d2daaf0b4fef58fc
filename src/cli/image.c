/* SPDX-License-Identifier: MIT */
/* leat image: copies, inspects and verifies container images in registries, layouts and archives. */
#include "progress.h"
#include "servers.h"
#include "signals.h"
#include "trace.h"
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: leat image copy [options] SOURCE TARGET\n"
    "       leat image inspect [options] SOURCE\n"
    "       leat image verify [options] LAYOUT\n"
    "\n"
    "Copies images of containers. Each blob is compared with its digest while it is\n"
    "written, and appears when it is right, or not at all; what TARGET has is not\n"
    "moved again. SOURCE and TARGET are docker://HOST/NAME[:TAG|@DIGEST], a registry,\n"
    "oci:DIRECTORY[:TAG], a layout in a folder, oci-archive:FILE[:TAG], one in a tar\n"
    "file, or docker-archive:FILE[:NAME[:TAG]], as docker saves it. `inspect` says\n"
    "what an image consists of, `verify` compares every blob of a layout, or of an\n"
    "archive, with its digest.\n"
    "\n"
    "  --all                  an index with all its images, not only one\n"
    "  --platform OS/ARCH     and perhaps /VARIANT (default: that of this machine)\n"
    "  --jobs N               blobs that move at the same time (default 4)\n"
    "  --retries N            of a request without progress (default 8)\n"
    "  --insecure             other hosts may be reached without TLS, too\n" SERVER_CERTIFICATES_HELP
    "  --progress[=auto|bar|json|never]\n"
    "                         how far it is, on stderr (default auto: a bar on a\n"
    "                         terminal)\n" TRACE_HELP "  --json                 print what was done as JSON\n"
    "  -h, --help             this text\n"
    "\n"
    "  leat image copy docker://localhost:5000/app:1 oci:layout:1\n"
    "  leat image inspect docker://localhost:5000/app:1\n"
    "  leat image copy docker://localhost:5000/app:1 docker-archive:app.tar:app:1\n"
    "  leat image verify oci:layout\n";

enum {
    OPTION_ALL = 256,
    OPTION_PLATFORM,
    OPTION_JOBS,
    OPTION_RETRIES,
    OPTION_INSECURE,
    OPTION_PROGRESS,
    OPTION_JSON,
};

static const struct option longs[] = {
    {"all", no_argument, NULL, OPTION_ALL},
    {"platform", required_argument, NULL, OPTION_PLATFORM},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"retries", required_argument, NULL, OPTION_RETRIES},
    {"insecure", no_argument, NULL, OPTION_INSECURE},
    {"progress", optional_argument, NULL, OPTION_PROGRESS},
    SERVER_CERTIFICATES,
    TRACE_OPTION,
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct image_typed {
    struct leat_image_options options;
    struct leat_endpoint_options endpoint; /* `options.endpoint` points here */
    enum progress_mode progress;
    enum trace_mode trace;
    bool json, help;
};

/* State of the callback that the library calls while it waits. */
struct watching {
    struct progress progress;
    struct leat_progress now;
    double told; /* when progress was last printed, in seconds */
    int wish;    /* readable after SIGUSR1; -1: there is no pipe */
    bool mismatch;
};

static int set(void *user, int option, const char *value)
{
    static const char *const progress[] = {"auto", "bar", "json", "never", NULL};
    struct image_typed *t = user;
    int32_t word = 0;
    int r;
    switch (option) {
    case OPTION_ALL:
        t->options.all = 1;
        break;
    case OPTION_PLATFORM:
        t->options.platform = value;
        break;
    case OPTION_JOBS:
        return cli_number("image", "jobs", value, 1, LEAT_IMAGE_JOBS_MAX, &t->options.jobs);
    case OPTION_RETRIES:
        return cli_retries("image", value, &t->options.retries);
    case OPTION_INSECURE:
        t->options.insecure = 1;
        break;
    case OPTION_PROGRESS:
        r = cli_choose("image", "progress", value ? value : "bar", progress, &word);
        t->progress = (enum progress_mode)word;
        return r;
    case OPTION_TRACE:
        return trace_choose("image", value, &t->trace);
    case OPTION_JSON:
        t->json = true;
        break;
    case 'h':
        t->help = true;
        break;
    default:
        return servers_set(&t->endpoint, "image", option, value);
    }
    return 0;
}

/* Returns 0, or an exit code after a message. */
static int parse(struct image_typed *t, int argc, char **argv)
{
    *t = (struct image_typed){.options = LEAT_INIT(struct leat_image_options),
                              .endpoint = LEAT_INIT(struct leat_endpoint_options)};
    t->options.endpoint = &t->endpoint;
    int r = cli_read_options("image", longs, argc, argv, set, t);
    if (t->trace != TRACE_NO && t->progress == PROGRESS_AUTO)
        t->progress = PROGRESS_NEVER; /* a bar would be drawn between the lines of the trace */
    return r ? r : trace_begin(t->trace);
}

/* ---- progress and signals ---- */

static int on_progress(void *user, const struct leat_progress *now)
{
    struct watching *w = user;
    char bytes[64];
    w->now = *now;
    if (w->wish >= 0 && read(w->wish, bytes, sizeof(bytes)) > 0)
        progress_line(&w->progress, now);
    else if (progress_interval(&w->progress) >= 0 && now->seconds - w->told >= 0.19) {
        w->told = now->seconds;
        progress_update(&w->progress, now);
    }
    return signals_noted() != 0;
}

static void begin(struct image_typed *t, struct watching *w)
{
    *w = (struct watching){.now = LEAT_INIT(struct leat_progress), .wish = signals_wish()};
    progress_init(&w->progress, t->progress, false);
    signals_catch(NULL);
    t->options.progress = on_progress;
    t->options.user = w;
}

/* Ends the progress. After a success `bytes` is both the number of bytes moved and the total. */
static void end(struct watching *w, int r, uint64_t bytes)
{
    if (r == 0) {
        w->now.bytes = w->now.total = bytes;
        w->now.has_total = 1;
    }
    progress_end(&w->progress, &w->now);
}

/* ---- results ---- */

static int failure(const struct leat_error *error)
{
    if (signals_noted())
        return EXIT_FAILED;
    if (error->node[0])
        cli_warn("image: %s: %s", cli_name(error->node), error->text);
    else
        cli_warn("image: %s", error->text);
    if (error->code == -EBADMSG && strcmp(error->operation, "verify") == 0)
        return EXIT_MISMATCH;
    return EXIT_FAILED;
}

static int print_result(const struct leat_image_result *result)
{
    return cli_print_json(
        json_pack("{ss ss? sI sI sI sI sI sI sI sI}", "type", "image-result", "digest",
                  result->digest[0] ? result->digest : NULL, "manifests", (json_int_t)result->manifests, "blobs",
                  (json_int_t)result->blobs, "bytes", (json_int_t)result->bytes, "present", (json_int_t)result->present,
                  "present_bytes", (json_int_t)result->present_bytes, "mounted", (json_int_t)result->mounted,
                  "mounted_bytes", (json_int_t)result->mounted_bytes, "problems", (json_int_t)result->problems));
}

static int copy(struct image_typed *t, char **names)
{
    struct watching w;
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_image_result result = LEAT_INIT(struct leat_image_result);
    begin(t, &w);
    int r = leat_image_copy(names[0], names[1], &t->options, &result, &error);
    end(&w, r, result.bytes);
    if (r < 0)
        return failure(&error);
    if (t->json)
        return cli_said("image copy", print_result(&result));
    printf("%s  %" PRIu64 " blobs, %" PRIu64 " bytes", result.digest, result.blobs, result.bytes);
    if (result.present)
        printf("; %" PRIu64 " blobs were there", result.present);
    if (result.mounted)
        printf("; %" PRIu64 " were mounted", result.mounted);
    putchar('\n');
    return cli_said("image copy", 0);
}

/* ---- inspect ---- */

static void print_part(const char *what, json_t *part)
{
    json_t *platform = json_object_get(part, "platform");
    const char *os = json_string_value(json_object_get(platform, "os"));
    const char *architecture = json_string_value(json_object_get(platform, "architecture"));
    const char *variant = json_string_value(json_object_get(platform, "variant"));
    printf("%-9s %s %12" JSON_INTEGER_FORMAT "  %s", what, json_string_value(json_object_get(part, "digest")),
           json_integer_value(json_object_get(part, "size")), json_string_value(json_object_get(part, "media_type")));
    if (os && architecture) {
        char name[256], quoted[1024];
        snprintf(name, sizeof(name), "%.80s/%.80s%s%.80s", os, architecture, variant ? "/" : "",
                 variant ? variant : "");
        leat_text_quote(quoted, sizeof(quoted), name);
        printf("  %s", quoted);
    }
    putchar('\n');
}

static void print_image(json_t *image)
{
    json_t *part;
    size_t i;
    print_part(json_object_get(image, "manifests") ? "index" : "manifest", image);
    json_array_foreach(json_object_get(image, "manifests"), i, part) print_part("manifest", part);
    if ((part = json_object_get(image, "config")))
        print_part("config", part);
    json_array_foreach(json_object_get(image, "layers"), i, part) print_part("layer", part);
}

static int inspect(struct image_typed *t, char **names)
{
    struct watching w;
    struct leat_error error = LEAT_INIT(struct leat_error);
    json_error_t problem;
    char *text;
    t->progress = PROGRESS_NEVER;
    begin(t, &w);
    if (leat_image_inspect(names[0], &t->options, &text, &error) < 0)
        return failure(&error);
    json_t *image = t->json ? NULL : json_loads(text, 0, &problem);
    int r = t->json || image ? 0 : -ENOMEM;
    if (t->json)
        fputs(text, stdout);
    else if (image)
        print_image(image);
    json_decref(image);
    leat_free(text);
    return cli_said("image inspect", r);
}

/* ---- verify ---- */

static void print_problem(void *user, const struct leat_error *error)
{
    struct watching *w = user;
    w->mismatch |= error->code == -EBADMSG;
    cli_warn("image: %s: %s", error->code == -ENOENT ? "missing" : "wrong", error->text);
}

static int verify(struct image_typed *t, char **names)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_image_result result = LEAT_INIT(struct leat_image_result);
    struct watching w;
    begin(t, &w);
    t->options.problem = print_problem;
    int r = leat_image_verify(names[0], &t->options, &result, &error);
    end(&w, r, result.bytes);
    if (r < 0 && (result.problems == 0 || error.code == -ECANCELED || signals_noted()))
        return failure(&error);
    if (t->json)
        r = print_result(&result);
    else {
        printf("%" PRIu64 " blobs are right, %" PRIu64 " bytes", result.blobs, result.bytes);
        printf(result.problems ? "; %" PRIu64 " are not\n" : "\n", result.problems);
        r = 0;
    }
    int said = cli_said("image verify", r);
    return said ? said : w.mismatch ? EXIT_MISMATCH : result.problems ? EXIT_FAILED : EXIT_DONE;
}

static int act(struct image_typed *t, int count, char **words)
{
    const char *word = count > 0 ? words[0] : "";
    char **names = words + 1;
    if (strcmp(word, "copy") == 0)
        return count == 3 ? copy(t, names) : cli_usage("image", "copy takes a SOURCE and a TARGET");
    if (strcmp(word, "inspect") == 0)
        return count == 2 ? inspect(t, names) : cli_usage("image", "inspect takes the name of an image");
    if (strcmp(word, "verify") == 0)
        return count == 2 ? verify(t, names) : cli_usage("image", "verify takes a layout");
    return cli_usage("image", "say what to do: copy, inspect or verify");
}

int cli_image(int argc, char **argv)
{
    struct image_typed t;
    int r = parse(&t, argc, argv);
    if (r != 0)
        return r;
    if (t.help) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    r = act(&t, argc - optind, argv + optind);
    if (signals_noted()) {
        cli_flush(0);
        signals_raise(signals_noted());
    }
    return r;
}
