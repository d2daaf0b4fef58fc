/* SPDX-License-Identifier: MIT */
/* leat run: runs a pipeline that is written as text. */
#include "places.h"
#include "transfer.h"
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: leat run [options] 'SOURCE | FILTER | ... | SINK [& SINK...]'\n"
                            "\n"
                            "Runs a pipeline that is written as text. SOURCE and SINK are as in leat copy. A\n"
                            "FILTER is one of\n"
                            "\n"
                            "  digest:ALG[,ALG]       sha256, blake2b-512, ... of the bytes that pass here\n"
                            "  meter                  counts\n"
                            "  rate:SIZE              lets so many bytes pass in a second\n"
                            "  skip:SIZE, head:SIZE   passes over the first bytes; lets so many pass, and\n"
                            "                         ends there\n"
                            "  zstd[:level=N,workers=N], gzip[:level=N,workers=N]\n"
                            "                         workers: so many threads compress blocks; output is\n"
                            "                         a stream of them\n"
                            "  unzstd[:windowlog=N], gunzip\n"
                            "                         windowlog: frames may have a window of 2^N bytes\n"
                            "  exec:COMMAND           a child process, by /bin/sh\n"
                            "  buffer:SIZE[,...]      reads ahead, with the options of --buffer\n"
                            "\n"
                            "Words with blanks, bars or quotes in them are quoted as in a shell. Behind an\n"
                            "endpoint may stand connect-timeout=TIME, idle-timeout=TIME, total-timeout=TIME,\n"
                            "retries=N, streams=N, cacert=FILE, cert=FILE, key=FILE, header='NAME: VALUE',\n"
                            "netrc, netrc-file=FILE, and if it is a sink append, in-place, no-clobber,\n"
                            "replace, force, drop-attributes, sync, preserve, part-size=SIZE,\n"
                            "resume=FILE, slow-sink=wait|drop|spill[:SIZE[,FOLDER]]; given as an option of\n"
                            "the command they hold for all of them.\n"
                            "\n"
                            "  leat run 'file:a | digest:sha256,blake2b-512 | zstd:level=3 | file:a.zst'\n"
                            "  leat run 'file:a | exec:\"gzip -9\" | file:a.gz'\n"
                            "  leat run 'tcp-listen:9000 idle-timeout=30s | rate:10M | \"my file\" sync & b'\n"
                            "  leat run --explain 'a | digest:sha256 | b'\n"
                            "\n";

/* The caret marks a column of the terminal, not a byte: each character that can be shown is one column wide, and each
 * byte that can't be shown is printed as one blank. */
static void print_line(const char *line, size_t n, size_t column)
{
    bool plain;
    fputs("  ", stderr);
    for (size_t i = 0, length; i < n; i += length) {
        length = cli_letter(line + i, &plain);
        fprintf(stderr, "%.*s", (int)length, plain ? line + i : " ");
    }
    fputs("\n  ", stderr);
    for (size_t i = 0; i < column; i += cli_letter(line + i, &plain))
        fputc(' ', stderr);
    fputs("^\n", stderr);
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* Replaces the value with stars where the text looks like NAME=HEADER: VALUE, with or without quotes before it. */
static void mask_header(char *line, char *equals)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    char quote = is_quote(equals[1]) ? equals[1] : '\0', *value = equals + 1 + (quote != '\0');
    value += strspn(value, letters);
    if (*value != ':')
        return;
    for (char *at = equals; !quote && at > line && strchr(letters, at[-1]); at--)
        if (at - 1 > line && is_quote(at[-2]))
            quote = at[-2];
    for (value++; *value && (quote ? *value != quote : !strchr(" \t|&", *value)); value++)
        if (*value != ' ')
            *value = '*';
}

/* Replaces the login in "://USER:PASSWORD@" and the query of a URL with stars, too. */
static void mask_secrets(char *line)
{
    for (char *at = line; (at = strchr(at, '=')); at++)
        mask_header(line, at);
    for (char *at = line; (at = strstr(at, "://"));) {
        char *login = at += 3;
        for (char *end = login + strcspn(login, "/?#|& \t"); at < end; at++)
            if (*at == '@') {
                memset(login, '*', (size_t)(at - login));
                login = at + 1;
            }
        char *query = at + strcspn(at, "?#| \t\"'");
        if (*query == '?' || *query == '#')
            memset(query + 1, '*', strcspn(query + 1, "| \t\"'"));
    }
}

/* Prints the error, the line of the text in which it is, and a caret under the place. */
static int refuse(struct copy_options *o, const char *text, const struct leat_error *error)
{
    size_t begin = (size_t)error->offset;
    bool misspelt = strcmp(error->operation, "parse") == 0;
    const char *advice = options_advice(o, error), *and = advice ? "; " : "";
    advice = advice ? advice : "";
    if (misspelt)
        cli_warn("%s%s%s", error->text, and, advice);
    else
        cli_warn("%s: %s%s%s", error->operation, error->text, and, advice);
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    char *line = strndup(text + begin, strcspn(text + begin, "\n"));
    if (line && *text) {
        mask_secrets(line);
        print_line(line, strlen(line), (size_t)error->offset - begin);
    }
    free(line);
    int r = transfer_refuse(o, error, true);
    return misspelt ? EXIT_USAGE : r;
}

static bool has_digest(const leat_pipeline *pipeline)
{
    const char *name;
    for (size_t i = 0; (name = leat_pipeline_name(pipeline, LEAT_SIDE_FILTER, i)); i++)
        if (strcmp(name, "digest") == 0)
            return true;
    return false;
}

/* getopt would take a text like "- | ..." for options. */
static bool begins_with_stdin(const char *text)
{
    return text[0] == '-' && text[1] && strchr(" \t\n|", text[1]);
}

static int build_and_run(struct copy_options *o, const char *text)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_pipeline *pipeline;
    o->pipeline.endpoints = &o->sink;
    o->pipeline.sinks = &o->branch;
    int r = places_check_text(o, "run", text);
    if (r != 0)
        return r;
    int parsed = leat_pipeline_parse(&pipeline, text, &o->pipeline, &error);
    if (parsed == 0 && leat_pipeline_name(pipeline, LEAT_SIDE_SINK, 1)) { /* again, as for several sinks */
        leat_pipeline_free(pipeline);
        options_several(o, 2);
        parsed = leat_pipeline_parse(&pipeline, text, &o->pipeline, &error);
    }
    if (parsed < 0)
        return refuse(o, text, &error);
    r = transfer_add_digest(pipeline, o, "run");
    if (r == 0)
        return transfer_run(pipeline, o, "run", has_digest(pipeline));
    leat_pipeline_free(pipeline);
    return r;
}

int cli_run(int argc, char **argv)
{
    struct copy_options o;
    int last = argc > 1 && begins_with_stdin(argv[argc - 1]);
    int r = options_parse(&o, "run", argc - last, argv);
    if (r == OPTIONS_HELP) {
        fputs(usage, stdout);
        cli_flush(0); /* stdio loses the errno of a failure when it writes its buffer by itself */
        fputs(options_help, stdout);
        return EXIT_DONE;
    }
    if (r > 0)
        return r;
    if (argc - optind != 1)
        return cli_usage("run", "one text is wanted, in quotes: 'SOURCE | FILTER | SINK'");
    return build_and_run(&o, argv[optind]);
}
