/* SPDX-License-Identifier: MIT */
/* leat copy: one pass from a source to one or more sinks. */
#include "folder.h"
#include "places.h"
#include "transfer.h"
#include <errno.h>
#include <string.h>

static const char usage[] = "usage: leat copy [options] SOURCE SINK...\n"
                            "       leat copy -r|-a [options] FOLDER... TARGET\n"
                            "\n"
                            "Moves the bytes of SOURCE to every SINK in one pass, by the cheapest way the\n"
                            "kernel allows.\n"
                            "\n"
                            "SOURCE and SINK are paths, - (standard input, output), fd:N, null:, zero:,\n"
                            "file:PATH, tcp:HOST:PORT, tcp-listen:[HOST:]PORT, unix:PATH, unix-listen:PATH,\n"
                            "channel:N, exec:COMMAND, http://HOST/PATH, https://HOST/PATH, s3://BUCKET/KEY\n"
                            "or oci://HOST/NAME@DIGEST. A file or an object appears whole when everything\n"
                            "was right, or not at all. In a SINK that is a folder the file gets the name\n"
                            "of SOURCE.\n"
                            "Digests are printed as sha256sum prints them.\n"
                            "\n"
                            "  leat copy --digest sha256 image.iso /srv/image.iso\n"
                            "  leat copy --expect sha256:9f86... image.iso a.iso b.iso\n"
                            "  producer | leat copy --rate 10M --progress - backup.img\n"
                            "  leat copy --explain image.iso /srv/image.iso\n"
                            "\n";

/* Opens the source (i is 0) or a sink. A sink that is a folder means the file in it that has the name of the source.
 * That it is one is learned from the failure, so that nothing is looked up twice. */
static int open_endpoint(leat_endpoint **ret, struct copy_options *o, int i, char **spec)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    enum leat_direction direction = i == 0 ? LEAT_READ : LEAT_WRITE;
    int r = leat_endpoint_open(ret, spec[i], direction, &o->sink, &error);
    if (r == -EISDIR && i > 0 && folder_is_path(spec[i])) {
        int code = folder_enter("copy", spec[0], &spec[i]);
        if (code == 0)
            code = places_check_specs(o, "copy", 2, (char *[]){spec[0], spec[i]});
        if (code != 0)
            return code;
        r = leat_endpoint_open(ret, spec[i], direction, &o->sink, &error);
    }
    return r < 0 ? transfer_refuse(o, &error, false) : 0;
}

static int add_endpoints(leat_pipeline *pipeline, struct copy_options *o, int count, char **spec)
{
    for (int i = 0; i < count; i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        leat_endpoint *endpoint;
        int r = open_endpoint(&endpoint, o, i, spec);
        if (r != 0)
            return r;
        r = i == 0 ? leat_pipeline_source(pipeline, endpoint)
                   : leat_pipeline_sink(pipeline, endpoint, &o->branch, &error);
        if (r < 0) {
            if (r == -E2BIG)
                cli_warn("%s: there may be %d sinks, not more", cli_name(spec[i]), LEAT_SINKS_MAX);
            else
                cli_warn("%s: %s", cli_name(spec[i]), error.code ? error.text : strerror(-r));
            return EXIT_FAILED;
        }
    }
    return 0;
}

static int build(leat_pipeline **ret, struct copy_options *o, int count, char **spec)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    if (leat_pipeline_new(ret, &o->pipeline, &error) < 0) {
        cli_warn("%s", error.text);
        return EXIT_FAILED;
    }
    int r = transfer_add_digest(*ret, o, "copy");
    return r == 0 ? add_endpoints(*ret, o, count, spec) : r;
}

int cli_copy(int argc, char **argv)
{
    struct copy_options o;
    int r = options_parse(&o, "copy", argc, argv);
    if (r == OPTIONS_TREE)
        return cli_tree(argc, argv);
    if (r == OPTIONS_HELP) {
        fputs(usage, stdout);
        cli_flush(0); /* stdio loses the errno of a failure when it writes its buffer by itself */
        fputs(options_help, stdout);
        printf("\nTrees: with -r or -a these options, and no others\n%s", tree_options_help);
        return EXIT_DONE;
    }
    if (r > 0)
        return r;
    if (argc - optind < 2)
        return cli_usage("copy", "a SOURCE and at least one SINK are wanted");
    r = places_check_specs(&o, "copy", (size_t)(argc - optind), argv + optind);
    if (r != 0)
        return r;
    options_several(&o, (size_t)(argc - optind) - 1);
    leat_pipeline *pipeline = NULL;
    r = build(&pipeline, &o, argc - optind, argv + optind);
    if (r == 0)
        return transfer_run(pipeline, &o, "copy", o.digest != NULL);
    leat_pipeline_free(pipeline);
    return r;
}
