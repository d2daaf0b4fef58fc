/* SPDX-License-Identifier: MIT */
/* leat shard status: how far the processes are that share a copy of a tree. */
#include "cli.h"
#include "trees/claims.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] = "usage: leat shard status [--json] JOURNAL...\n"
                            "       leat shard status [--json] DIR\n"
                            "\n"
                            "Says how far the processes are that share a copy of a tree: by the journals\n"
                            "of shards, which are beside TARGET, or by the folder of claims.\n"
                            "\n"
                            "  --json                 print one object on one line\n"
                            "  -h, --help             this text\n"
                            "\n"
                            "  leat shard status /backup/.data.leat-journal.*\n"
                            "  leat shard status /shared/claims\n"
                            "\n"
                            "Exit codes: 0 all is copied, 1 not all is, 2 usage.\n";

struct one {
    const char *path; /* NULL: there is no journal */
    struct leat_tree_journal journal;
};

struct status {
    struct one *one; /* by the shard */
    int32_t shards;  /* 0: nothing was read yet */
    char *source, *target;
    bool is_other; /* the journal is that of another copy */
};

static int on_head(void *user, const char *source, const char *target)
{
    struct status *s = user;
    if (s->source) {
        s->is_other = strcmp(s->source, source) != 0 || strcmp(s->target, target) != 0;
        return 0;
    }
    s->source = strdup(source);
    s->target = strdup(target);
    return s->source && s->target ? 0 : -ENOMEM;
}

static int begin(struct status *s, int32_t shards)
{
    s->one = calloc((size_t)shards, sizeof(*s->one));
    s->shards = s->one ? shards : 0;
    return s->one ? 0 : -ENOMEM;
}

/* Returns 0, or an exit code after a message. */
static int read_one(struct status *s, const char *path)
{
    struct leat_tree_journal journal = LEAT_INIT(struct leat_tree_journal);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        return 0; /* the process has begun, and written nothing yet */
    int r = leat_tree_journal_read(path, on_head, NULL, s, &journal, &error);
    bool is_odd = r == 0 && (journal.shards < 1 || journal.shards > LEAT_TREE_SHARDS_MAX || journal.shard < 0 ||
                             journal.shard >= journal.shards);
    if (r == 0 && !is_odd && !s->one)
        r = begin(s, journal.shards);
    if (r < 0)
        cli_warn("%s: %s", cli_name(path), error.text[0] ? error.text : strerror(-r));
    else if (is_odd || s->is_other || journal.shards != s->shards)
        cli_warn("%s: it is the journal of another copy", cli_name(path));
    else if (s->one[journal.shard].path)
        cli_warn("%s: it is of the same shard as %s", cli_name(path), cli_name(s->one[journal.shard].path));
    else {
        s->one[journal.shard] = (struct one){path, journal};
        return 0;
    }
    return EXIT_FAILED;
}

static const char *state_of(const struct one *one)
{
    return !one->path ? "no journal" : one->journal.is_done ? "done" : "not done";
}

static int32_t count_done(const struct status *s)
{
    int32_t done = 0;
    for (int32_t i = 0; i < s->shards; i++)
        done += s->one[i].path && s->one[i].journal.is_done;
    return done;
}

static void print_text(const struct status *s)
{
    printf("%s to %s\n", cli_name(s->source), cli_name(s->target));
    for (int32_t i = 0; i < s->shards; i++) {
        const struct one *one = &s->one[i];
        printf("shard %d of %d: %s", (int)i, (int)s->shards, state_of(one));
        if (one->path)
            printf(", %" PRIu64 " names", one->journal.names);
        printf("\n");
    }
    printf("%d of %d shards are done\n", (int)count_done(s), (int)s->shards);
}

static int print_json(const struct status *s)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < s->shards; i++) {
        const struct one *one = &s->one[i];
        json_array_append_new(list, json_pack("{s:i, s:s, s:I, s:s?}", "shard", (int)i, "state", state_of(one), "names",
                                              (json_int_t)one->journal.names, "journal", one->path));
    }
    return cli_print_json(json_pack("{s:s, s:s+, s:s+, s:i, s:i, s:o}", "type", "shards", "source", s->source, "",
                                    "target", s->target, "", "shards", (int)s->shards, "done", (int)count_done(s),
                                    "list", list));
}

static int journals_status(int count, char **path, bool json)
{
    struct status s = {.shards = 0};
    int r = 0;
    for (int i = 0; i < count && r == 0; i++)
        r = read_one(&s, path[i]);
    if (r == 0 && !s.shards) {
        cli_warn("the journals are empty: nothing was recorded yet");
        r = EXIT_FAILED;
    }
    if (r == 0) {
        int code = 0;
        if (json)
            code = print_json(&s);
        else
            print_text(&s);
        r = cli_said("shard", cli_flush(code));
        r = r ? r : count_done(&s) == s.shards ? EXIT_DONE : EXIT_FAILED;
    }
    free(s.one);
    free(s.source);
    free(s.target);
    return r;
}

int cli_shard(int argc, char **argv)
{
    struct stat st;
    bool json;
    int r = cli_json_option("shard", usage, argc, argv, &json);
    if (r >= 0)
        return r;
    const char *word = optind < argc ? argv[optind] : "";
    int count = argc - optind - 1;
    char **path = argv + optind + 1;
    if (strcmp(word, "status") != 0)
        return cli_usage("shard", word[0] ? "there is no '%s': the word is status" : "the word status is missing%s",
                         word);
    if (count < 1)
        return cli_usage("shard", "a JOURNAL or a DIR is wanted");
    if (strncmp(path[0], "s3:", 3) == 0)
        return cli_usage("shard", "claims in a store are objects: `leat ls %s` lists them", cli_name(path[0]));
    if (stat(path[0], &st) == 0 && S_ISDIR(st.st_mode))
        return count == 1 ? tree_claims_status(path[0], json) : cli_usage("shard", "one DIR is wanted");
    return journals_status(count, path, json);
}
