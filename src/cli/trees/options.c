/* SPDX-License-Identifier: MIT */
#include "trees/options.h"
#include "servers.h"
#include "trees/report.h"
#include "trees/shard.h"
#include <stdio.h>

static const char usage[] = "usage: leat copy -r|-a [options] FOLDER... TARGET\n"
                            "\n"
                            "Copies folders with all that is in them. If TARGET is a folder that exists, or\n"
                            "if there are several FOLDERs, each goes into it under its own name; otherwise\n"
                            "TARGET becomes the copy. What TARGET has besides stays. Each file appears\n"
                            "whole or not at all. What can't be copied is named, the rest is copied, and\n"
                            "the exit code is 1. FOLDER and TARGET may be s3://BUCKET[/PREFIX], the objects\n"
                            "whose keys begin with PREFIX and a slash. One of them may be a tar archive,\n"
                            "tar:NAME, or an image of containers, oci:DIRECTORY:TAG.\n"
                            "\n";

static const char usage_end[] = "  --help                 this\n"
                                "\n"
                                "  leat copy -a /srv/data /backup/data\n"
                                "  leat copy -r photos s3://bucket/photos\n"
                                "  leat copy -a /srv/data tar:data.tar.zst\n"
                                "  leat copy -r --digest sha256 photos /media/disk > SHA256SUMS\n"
                                "\n"
                                "Exit codes: 0 all was copied, 1 not all was, 2 usage.\n";

const char tree_options_help[] = "  -r, --recursive        contents, modes, symbolic links, holes and times\n"
                                 "  -a, --archive          also owners, hard links, extended attributes, access\n"
                                 "                         control lists, flags, FIFOs, sockets and devices\n"
                                 "  --also TARGET          a further TARGET, a folder; FOLDER is read once for all\n"
                                 "                         of them, and one that fails does not stop the others\n"
                                 "  --claim DIR|s3://...   share FOLDER with all who give the same DIR, a new\n"
                                 "                         folder that they see, or prefix in a bucket: each\n"
                                 "                         takes what no other one has; TARGET becomes the copy\n"
                                 "  --delete               delete what TARGET has and FOLDER has not, except what\n"
                                 "                         --exclude names; with -v each name is printed\n"
                                 "  --digest ALG           print the digest of each file as sha256sum does, with\n"
                                 "                         names relative to TARGET, sorted\n"
                                 "  --digest-file FILE     write that list to FILE, which appears when it is\n"
                                 "                         complete\n"
                                 "  --drop-attributes      what TARGET can't have of owners and attributes is left\n"
                                 "                         out, and is no failure\n"
                                 "  -n, --dry-run          print what would be done, and change nothing\n"
                                 "  --exclude PATTERN      leave out what matches; patterns are as in rsync, of\n"
                                 "                         names relative to FOLDER; the first that matches counts\n"
                                 "  --include PATTERN      copy what matches, whatever comes behind\n"
                                 "  --exclude-from FILE    patterns of --exclude, one a line; - is standard input\n"
                                 "  --include-from FILE    patterns of --include\n"
                                 "  --files-from FILE      copy the names in FILE alone, one a line, relative to\n"
                                 "                         FOLDER; NAME/ is a folder with all that is in it, NAME\n"
                                 "                         the folder alone; - is standard input\n"
                                 "  --from0                what these files have ends with NUL\n"
                                 "  --jobs N               files that are copied at the same time (default: one\n"
                                 "                         for each processor, at least 2; with s3: 32)\n"
                                 "  --journal FILE         where the journal is that says what is copied (default:\n"
                                 "                         .NAME.leat-journal beside TARGET, if it can be made\n"
                                 "                         there); it is removed when all is copied\n"
                                 "  --lease TIME           with --claim: who gives no sign of life for so long is\n"
                                 "                         dead, and others do its work (default 60s)\n"
                                 "  --max-depth N          levels that are copied; a folder on the last one stays\n"
                                 "                         empty\n"
                                 "  --no-journal           make no journal\n"
                                 "  --one-file-system      folders on other file systems stay empty\n"
                                 "  --progress[=auto|bar|json|never]\n"
                                 "                         how far it is, on stderr (default auto: a bar on a\n"
                                 "                         terminal)\n"
                                 "  --publish-tree         TARGET appears as a whole, by one rename, and replaces\n"
                                 "                         a folder of that name with all that is in it\n"
                                 "  --resume               go on after a copy that ended early: do not copy again\n"
                                 "                         what its journal proves to be copied\n"
                                 "  --shard K/N|auto       copy share K, from 0 to N-1, of FOLDER to TARGET, which\n"
                                 "                         becomes the copy; auto: as the launcher (MPI, Slurm,\n"
                                 "                         Kubernetes) says, see leat-copy(1)\n"
                                 "  --sync                 on the disk before the command ends\n"
                                 "  -u, --update           leave alone what TARGET has with the same size and\n"
                                 "                         time, and files that are newer there\n"
                                 "  --report[=text|json[:FILE]]\n"
                                 "                         text: as -v; json: what was copied, what was not and\n"
                                 "                         why, by numbers, to stderr or FILE\n"
                                 "  --header, --cacert, --cert, --key, --retries\n"
                                 "                         s3: as without -r\n"
                                 "  -v                     say at the end what was copied, on stderr\n";

enum {
    OPTION_ALSO = 1000,
    OPTION_CLAIM,
    OPTION_DELETE,
    OPTION_DIGEST,
    OPTION_DIGEST_FILE,
    OPTION_REPORT,
    OPTION_DROP,
    OPTION_EXCLUDE,
    OPTION_EXCLUDE_FROM,
    OPTION_FILES_FROM,
    OPTION_FROM0,
    OPTION_INCLUDE,
    OPTION_INCLUDE_FROM,
    OPTION_JOBS,
    OPTION_LEASE,
    OPTION_MAX_DEPTH,
    OPTION_JOURNAL,
    OPTION_NO_JOURNAL,
    OPTION_PUBLISH,
    OPTION_RESUME,
    OPTION_SYNC,
    OPTION_ONE,
    OPTION_PROGRESS,
    OPTION_RETRIES,
    OPTION_SHARD,
};

static const struct option longs[] = {
    {"recursive", no_argument, NULL, 'r'},
    {"archive", no_argument, NULL, 'a'},
    {"also", required_argument, NULL, OPTION_ALSO},
    {"claim", required_argument, NULL, OPTION_CLAIM},
    {"lease", required_argument, NULL, OPTION_LEASE},
    {"delete", no_argument, NULL, OPTION_DELETE},
    {"digest", required_argument, NULL, OPTION_DIGEST},
    {"digest-file", required_argument, NULL, OPTION_DIGEST_FILE},
    {"report", optional_argument, NULL, OPTION_REPORT},
    {"drop-attributes", no_argument, NULL, OPTION_DROP},
    {"dry-run", no_argument, NULL, 'n'},
    {"exclude", required_argument, NULL, OPTION_EXCLUDE},
    {"exclude-from", required_argument, NULL, OPTION_EXCLUDE_FROM},
    {"files-from", required_argument, NULL, OPTION_FILES_FROM},
    {"from0", no_argument, NULL, OPTION_FROM0},
    {"include", required_argument, NULL, OPTION_INCLUDE},
    {"include-from", required_argument, NULL, OPTION_INCLUDE_FROM},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"max-depth", required_argument, NULL, OPTION_MAX_DEPTH},
    {"journal", required_argument, NULL, OPTION_JOURNAL},
    {"no-journal", no_argument, NULL, OPTION_NO_JOURNAL},
    {"publish-tree", no_argument, NULL, OPTION_PUBLISH},
    {"resume", no_argument, NULL, OPTION_RESUME},
    {"sync", no_argument, NULL, OPTION_SYNC},
    {"one-file-system", no_argument, NULL, OPTION_ONE},
    {"progress", optional_argument, NULL, OPTION_PROGRESS},
    SERVER_CERTIFICATES,
    {"header", required_argument, NULL, OPTION_HEADER},
    {"retries", required_argument, NULL, OPTION_RETRIES},
    {"shard", required_argument, NULL, OPTION_SHARD},
    {"update", no_argument, NULL, 'u'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int parse_lease(const char *value, int32_t *ret_ms)
{
    if (leat_time_parse(value, ret_ms) < 0 || *ret_ms <= 0)
        return cli_usage("copy", "--lease: '%s' is no time: write 5s, 500ms or 2m", value);
    return 0;
}

static int set(struct tree_request *q, int option, const char *value)
{
    static const char *const modes[] = {"auto", "bar", "json", "never", NULL};
    int32_t word = 0;
    int r = 0;
    switch (option) {
    case 'r':
        break;
    case 'a':
        q->options.keep = LEAT_TREE_ALL;
        break;
    case 'v':
        q->verbose = true;
        break;
    case OPTION_ALSO:
        return tree_also_add(&q->also, value);
    case OPTION_DELETE:
        q->options.delete_extra = 1;
        break;
    case 'n':
        q->options.dry_run = 1;
        break;
    case OPTION_DIGEST:
        q->options.digest = value;
        break;
    case OPTION_REPORT:
        return tree_report_parse(value, &q->verbose, &q->report_file);
    case OPTION_DIGEST_FILE:
        q->digest_file = value;
        break;
    case OPTION_DROP:
        q->options.drop_attributes = 1;
        break;
    case OPTION_EXCLUDE:
    case OPTION_EXCLUDE_FROM:
        return tree_selection_add(&q->selection, '-', value, option == OPTION_EXCLUDE_FROM);
    case OPTION_INCLUDE:
    case OPTION_INCLUDE_FROM:
        return tree_selection_add(&q->selection, '+', value, option == OPTION_INCLUDE_FROM);
    case OPTION_FILES_FROM:
        q->selection.files_from = value;
        break;
    case OPTION_FROM0:
        q->selection.ends_with_nul = true;
        break;
    case OPTION_MAX_DEPTH:
        return cli_number("copy", "max-depth", value, 1, INT32_MAX, &q->options.max_depth);
    case 'u':
        q->options.update = 1;
        break;
    case OPTION_JOBS:
        return cli_number("copy", "jobs", value, 1, LEAT_TREE_JOBS_MAX, &q->options.jobs);
    case OPTION_JOURNAL:
        q->journal = value;
        break;
    case OPTION_NO_JOURNAL:
        q->no_journal = true;
        break;
    case OPTION_PUBLISH:
        q->options.publish = 1;
        break;
    case OPTION_SYNC:
        q->options.sync = 1;
        break;
    case OPTION_RESUME:
        q->resume = true;
        break;
    case OPTION_ONE:
        q->options.one_file_system = 1;
        break;
    case OPTION_PROGRESS:
        r = cli_choose("copy", "progress", value ? value : "bar", modes, &word);
        q->mode = (enum progress_mode)word;
        break;
    case OPTION_CLAIM:
        q->options.claims = value;
        break;
    case OPTION_LEASE:
        return parse_lease(value, &q->options.lease_ms);
    case OPTION_SHARD:
        return tree_shard_parse(value, &q->options.shard, &q->options.shards);
    case OPTION_RETRIES:
        return cli_retries("copy", value, &q->endpoint.retries);
    case 'h':
        return OPTIONS_HELP;
    default:
        return servers_set(&q->endpoint, "copy", option, value);
    }
    return r;
}

static int read_selection(struct tree_request *q)
{
    int r = tree_selection_read(&q->selection);
    q->options.names = (const char *const *)q->selection.names.text;
    q->options.rules = (const char *const *)q->selection.rules.text;
    return r;
}

int tree_options_parse(struct tree_request *q, int argc, char **argv)
{
    int option;
    q->endpoint = (struct leat_endpoint_options)LEAT_INIT(struct leat_endpoint_options);
    q->options.endpoint = &q->endpoint;
    optind = 0; /* from the beginning, also if another parser stopped within a word such as -av */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":hvraun", longs, NULL)) != -1) {
        if (option == '?')
            return cli_unknown_option("copy -r", longs, argv[optind - 1]);
        if (option == ':')
            return cli_usage("copy", "'%s' wants a value", argv[optind - 1]);
        int r = set(q, option, optarg);
        if (r != 0)
            return r;
    }
    if (q->digest_file && !q->options.digest)
        return cli_usage("copy", "--digest-file is for the list that --digest ALG makes");
    if (q->options.shards && q->options.claims)
        return cli_usage("copy", "--shard and --claim exclude each other");
    if (q->options.lease_ms && !q->options.claims)
        return cli_usage("copy", "--lease is for --claim");
    if (q->no_journal && (q->journal || q->resume))
        return cli_usage("copy", "--no-journal goes with neither --journal nor --resume");
    if (q->options.claims && (q->journal || q->resume))
        return cli_usage("copy", "--claim goes on by itself, without --journal and --resume");
    if (q->journal && argc - optind != 2)
        return cli_usage("copy", "with --journal one FOLDER and a TARGET are wanted");
    q->options.journal_stays = q->options.shards > 1 || argc - optind > 2;
    if (tree_options_are_shared(q) && argc - optind != 2)
        return cli_usage("copy", "with --%s one FOLDER and a TARGET are wanted", q->options.shards ? "shard" : "claim");
    if (argc - optind < 2)
        return cli_usage("copy", "with -r and -a at least one FOLDER and a TARGET are wanted");
    if (q->selection.files_from && argc - optind != 2)
        return cli_usage("copy", "with --files-from one FOLDER and a TARGET are wanted");
    if (q->selection.files_from && q->options.delete_extra)
        return cli_usage("copy", "--delete compares whole folders, and --files-from names some files of them");
    if (q->options.dry_run && q->options.digest)
        return cli_usage("copy", "--dry-run reads no files, so there is no --digest with it");
    int r = tree_also_check(q, argc - optind - 1);
    return r != 0 ? r : read_selection(q);
}

void tree_options_help_print(void)
{
    printf("%s%s%s", usage, tree_options_help, usage_end);
}
