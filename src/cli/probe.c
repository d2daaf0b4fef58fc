/* SPDX-License-Identifier: MIT */
/* leat probe: prints which features of the kernel work here, and why others do not. */
#include "cli.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] = "usage: leat probe [--json] [DIRECTORY]\n"
                                "\n"
                                "Tries every kernel feature that leat can make use of and prints, for each,\n"
                                "whether it works here; if it does not, the error number and what leat does\n"
                                "instead. Files are tried in DIRECTORY (the current one), since file systems\n"
                                "differ. Nothing is left behind, nothing is changed. A \"no\" is not a fault: the\n"
                                "result of a copy is the same without it, only the way is another.\n"
                                "\n"
                                "  --json        one object a line, for programs\n"
                                "  --help        this\n"
                                "\n"
                                "Reading the errors:\n"
                                "  ENOSYS        the kernel does not have it\n"
                                "  EPERM         it is forbidden: by seccomp (see the row 'seccomp'), a sysctl,\n"
                                "                or a missing capability\n"
                                "  EOPNOTSUPP    this file system or descriptor does not offer it\n"
                                "\n"
                                "Examples:\n"
                                "  leat probe /srv                                      does /srv have reflinks?\n"
                                "  leat probe --json | jq -r 'select(.available == false) | .name'\n"
                                "  docker run -v $PWD:/w IMAGE /w/leat probe      what a container lacks\n"
                                "\n"
                                "Exit codes: 0 everything was tried, 1 it could not be (no such directory), 2\n"
                                "usage.\n";

/* The layout of the table. */
struct look {
    bool colour;
    int name_width, answer_width;
    int text_width; /* of the last column; 0: lines are not broken */
};

/* Writes "yes", or "no" and the name of the error, such as "no ENOSYS". */
static const char *answer(const struct leat_feature *f, char *buffer, size_t size)
{
    if (f->code == 0)
        return "yes";
    snprintf(buffer, size, "no %s", leat_errno_name(f->code));
    return buffer;
}

static int wider(int width, const char *text)
{
    int length = (int)strlen(text);
    return length > width ? length : width;
}

static struct look choose_look(const struct leat_features *features)
{
    char buffer[32];
    struct look look = {0};
    for (uint32_t i = 0; i < features->count; i++) {
        look.name_width = wider(look.name_width, features->feature[i].name);
        look.answer_width = wider(look.answer_width, answer(&features->feature[i], buffer, sizeof(buffer)));
    }
    if (!isatty(STDOUT_FILENO))
        return look;
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    look.colour = !(no_color && no_color[0]) && terminal && strcmp(terminal, "dumb") != 0;
    int text_width = cli_terminal_width(STDOUT_FILENO) - look.name_width - look.answer_width - 6;
    look.text_width = text_width >= 20 ? text_width : 0; /* if less room is left, the terminal wraps the lines */
    return look;
}

/* Breaks the text of the last column between words, so that it stays in its column. */
static void print_text(const char *text, const struct look *look)
{
    while (look->text_width > 0 && strlen(text) > (size_t)look->text_width) {
        int cut = look->text_width;
        while (cut > 0 && text[cut] != ' ')
            cut--;
        if (cut == 0)
            break;
        printf("%.*s\n%*s", cut, text, look->name_width + look->answer_width + 6, "");
        text += cut + 1;
    }
    puts(text);
}

static void print_table(const struct leat_features *features)
{
    const struct look look = choose_look(features);
    const char *group = NULL;
    char buffer[32];
    for (uint32_t i = 0; i < features->count; i++) {
        const struct leat_feature *f = &features->feature[i];
        if (!group || strcmp(group, f->group) != 0)
            printf("%s%s\n", group ? "\n" : "", f->group);
        group = f->group;
        const char *colour = !look.colour ? "" : f->code == 0 ? "\033[32m" : "\033[33m";
        printf("  %-*s  %s%-*s%s  ", look.name_width, f->name, colour, look.answer_width,
               answer(f, buffer, sizeof(buffer)), look.colour ? "\033[0m" : "");
        print_text(f->text, &look);
    }
}

static int print_json(const struct leat_features *features)
{
    for (uint32_t i = 0; i < features->count; i++) {
        const struct leat_feature *f = &features->feature[i];
        json_t *object =
            json_pack("{s:s, s:s, s:b, s:s?, s:s}", "type", "feature", "name", f->name, "available", f->code == 0,
                      "errno", f->code == 0 ? NULL : leat_errno_name(f->code), "text", f->text);
        int code = cli_print_json(object);
        if (code < 0)
            return code;
    }
    return 0;
}

static int probe_and_print(const char *directory, bool json)
{
    struct leat_features features = LEAT_INIT(struct leat_features);
    features.directory = directory;
    int code = leat_features_probe(&features);
    if (code < 0) {
        cli_warn("probe: %s: %s", cli_name(directory ? directory : "."), strerror(-code));
        return EXIT_FAILED;
    }
    if (json)
        code = print_json(&features);
    else
        print_table(&features);
    return cli_said("probe", code);
}

int cli_probe(int argc, char **argv)
{
    bool json;
    int code = cli_json_option("probe", help_text, argc, argv, &json);
    if (code >= 0)
        return code;
    if (argc - optind > 1)
        return cli_usage("probe", "one directory at a time, not '%s' as well", argv[optind + 1]);
    return probe_and_print(argv[optind], json);
}
