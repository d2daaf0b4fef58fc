/* SPDX-License-Identifier: MIT */
/* leat version: the version, the libraries of this build, and how many features of the kernel work here. */
#include "cli.h"
#include <string.h>

enum {
    FORMATS_VERSION = 1 /* of docs/formats.md and docs/formats.schema.json */
};

static const char help_text[] = "usage: leat version [--json]\n"
                                "\n"
                                "Prints the version of leat, the libraries that this build uses, with their\n"
                                "versions, and how many features of the kernel work here. A library that leat\n"
                                "loads when it is needed may be of another version. Paste this into a report\n"
                                "of a fault.\n"
                                "\n"
                                "  --json        one object, for programs\n"
                                "  --help        this\n"
                                "\n"
                                "'leat -V' and 'leat -v' print the first line alone.\n"
                                "'leat probe' lists the features of the kernel.\n"
                                "\n"
                                "Exit codes: 0 done, 1 failed, 2 usage.\n";

static bool is_library(const struct leat_feature *feature)
{
    return strcmp(feature->group, "library") == 0;
}

/* The group "process" has facts. */
static bool is_of_kernel(const struct leat_feature *feature)
{
    return !is_library(feature) && strcmp(feature->group, "process") != 0;
}

static void count_features(const struct leat_features *features, int *ret_tried, int *ret_available)
{
    *ret_tried = *ret_available = 0;
    for (uint32_t i = 0; i < features->count; i++)
        if (is_of_kernel(&features->feature[i])) {
            ++*ret_tried;
            *ret_available += features->feature[i].code == 0;
        }
}

static void print_text(const struct leat_features *features)
{
    int tried, available;
    printf("leat %s\n", leat_version());
    for (uint32_t i = 0; i < features->count; i++)
        if (is_library(&features->feature[i]))
            printf("  %-11s %s\n", features->feature[i].name, features->feature[i].text);
    count_features(features, &tried, &available);
    printf("  %-11s %d of %d features work here; 'leat probe' lists them.\n", "kernel", available, tried);
}

static int print_json(const struct leat_features *features)
{
    int tried, available;
    json_t *libraries = json_array();
    for (uint32_t i = 0; i < features->count; i++) {
        const struct leat_feature *f = &features->feature[i];
        if (is_library(f) && json_array_append_new(libraries, json_pack("{s:s, s:b, s:s}", "name", f->name, "available",
                                                                        f->code == 0, "text", f->text)) < 0) {
            json_decref(libraries);
            return -ENOMEM;
        }
    }
    count_features(features, &tried, &available);
    return cli_print_json(json_pack("{s:s, s:s, s:i, s:o, s:i, s:i}", "type", "version", "version", leat_version(),
                                    "formats", FORMATS_VERSION, "libraries", libraries, "features_tried", tried,
                                    "features_available", available));
}

int cli_version(int argc, char **argv)
{
    bool json;
    struct leat_features features = LEAT_INIT(struct leat_features);
    int code = cli_json_option("version", help_text, argc, argv, &json);
    if (code >= 0)
        return code;
    if (argc > optind)
        return cli_usage("version", "there is nothing to name, not %s", cli_name(argv[optind]));
    code = leat_features_probe(&features);
    if (code == 0 && json)
        code = print_json(&features);
    else if (code == 0)
        print_text(&features);
    return cli_said("version", code);
}
