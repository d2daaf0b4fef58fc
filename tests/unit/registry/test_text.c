/* SPDX-License-Identifier: MIT */
/* Texts of pipelines: what they make, and of those that make none the sentence and the column. */
#include "flow/pipeline.h"
#include "node/filter.h"
#include "unit/unit.h"
#include <leat/leat.h>

static leat_pipeline *parsed(const char *text, const struct leat_pipeline_options *options)
{
    leat_pipeline *p;
    struct leat_error error = LEAT_INIT(struct leat_error);
    if (leat_pipeline_parse(&p, text, options, &error) < 0)
        fail_msg("%s: %s at %llu", text, error.text, (unsigned long long)error.offset);
    return p;
}

/* Names joined by " | ", sinks by " & ". */
static void gives(const char *text, const char *expected)
{
    leat_pipeline *p = parsed(text, NULL);
    char got[512];
    const char *name;
    size_t n = (size_t)snprintf(got, sizeof(got), "%s", leat_pipeline_name(p, LEAT_SIDE_SOURCE, 0));
    for (size_t i = 0; (name = leat_pipeline_name(p, LEAT_SIDE_FILTER, i)); i++)
        n += (size_t)snprintf(got + n, sizeof(got) - n, " | %s", name);
    for (size_t i = 0; (name = leat_pipeline_name(p, LEAT_SIDE_SINK, i)); i++)
        n += (size_t)snprintf(got + n, sizeof(got) - n, " %c %s", i ? '&' : '|', name);
    leat_pipeline_free(p);
    assert_string_equal(got, expected);
}

static int setup(void **state)
{
    int r = unit_folder(state);
    unit_write("a", "hello", 5);
    unit_write("a b|c", "hello", 5);
    return r;
}

static void elements(void **state UNUSED)
{
    gives("a | b", "a | b");
    gives("file:a|file:b", "file:a | file:b");
    gives("\n  a\n| meter\n| rate:10M\n| null:\n", "a | meter | rate | null:");
    gives("'a b|c' | digest:crc32c,'xxh3-128' | \"b\\\"\"", "a b|c | digest | b\"");
    gives("zero: | b & c & null: & -", "zero: | b & c & null: & -");
    gives("tcp:[::1]:9 | R&D", "tcp:[::1]:9 | R&D");
    gives("- | ./meter & file:rate", "- | ./meter & file:rate");
    gives("exec:'seq 3' | exec:\"sort -n\" | skip:0 | head:1K | exec:cat",
          "exec:seq 3 | exec | skip | head | exec:cat");
}

/* The names of hosts are not looked up, and nothing is made. */
/* Nothing is made or connected. What is held meanwhile has no effect, and is given back. */
static void nothing_is_opened(void **state UNUSED)
{
    int before = unit_descriptors();
    unsigned entries = unit_entries();
    leat_pipeline *p = parsed("tcp:there.invalid:9 | new & unix-listen:socket & a", NULL);
    assert_int_equal(unit_entries(), entries);
    leat_pipeline_free(p);
    assert_int_equal(unit_descriptors(), before);
    assert_int_equal(unit_entries(), entries);
    unit_holds("a", "hello");
}

/* ---- what is wrong ---- */

static void is_refused(const char *text, size_t column, const char *words)
{
    leat_pipeline *p = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = leat_pipeline_parse(&p, text, NULL, &error);
    if (r >= 0 || error.code != r || p || error.offset != column || !strstr(error.text, words) ||
        strcmp(error.operation, "parse") != 0 || error.node[0])
        fail_msg("%s: %d (%d), column %llu, %s: %s\n  wanted column %zu: %s", text, r, error.code,
                 (unsigned long long)error.offset, error.operation, error.text, column, words);
    assert_int_equal(leat_pipeline_parse(&p, text, NULL, NULL), r);
}

static void elements_that_are_missing(void **state UNUSED)
{
    is_refused("", 0, "nothing in it");
    is_refused(" \n ", 0, "nothing in it");
    is_refused("a", 1, "A sink is missing");
    is_refused("a meter", 2, "no option of a source");
    is_refused("|", 0, "The source is missing");
    is_refused("| a", 0, "The source is missing");
    is_refused("a |", 3, "A sink is missing");
    is_refused("a | ", 4, "A sink is missing");
    is_refused("a || b", 3, "A filter is missing");
    is_refused("a | | b", 4, "A filter is missing");
    is_refused("a | meter | | b", 12, "A filter is missing");
    is_refused("a | b &", 7, "A sink is missing");
    is_refused("a | & b", 4, "A sink is missing");
    is_refused("a | b & & c", 8, "A sink is missing");
}

static void elements_in_the_wrong_place(void **state UNUSED)
{
    is_refused("meter | b", 0, "'meter' is a filter");
    is_refused("a | rate:3", 4, "'rate:3' is a filter, and here stands a sink");
    is_refused("a | meter | meter", 12, "(if it is a path, write ./meter)");
    is_refused("a | file:b | c", 4, "'file:b' is an endpoint");
    is_refused("a | tcp:h:1 | c", 4, "is an endpoint");
    is_refused("a & b | c", 2, "'&' stands between sinks");
    is_refused("a | meter & meter | c", 10, "'&' stands between sinks");
    is_refused("& | c", 0, "The source is missing");
    is_refused("a | b | c", 4, "There is no filter 'b': known are digest, meter");
    is_refused("a | gopher:x | c", 4, "There is no filter 'gopher'");
    is_refused("a | '' | c", 4, "There is no filter ''");
}

static void specs(void **state UNUSED)
{
    is_refused("foo:a | b", 0, "'foo:a': There is no scheme 'foo': known");
    is_refused("a | fd:x", 4, "'x' is no descriptor number");
    is_refused("a | b & null:x", 8, "Nothing belongs behind the colon");
    is_refused("a | ''", 4, "An empty path");
    is_refused("tcp:h | b", 0, "tcp:");
    is_refused("exec:' ' | b", 0, "names no command");
}

static void filters(void **state UNUSED)
{
    is_refused("a | digest | b", 4, "write digest:ALG[,ALG]");
    is_refused("a | digest: | b", 4, "write digest:ALG[,ALG]");
    is_refused("a | digest:crc32c, | b", 18, "no digest algorithm ''");
    is_refused("a | meter:1 | b", 10, "write meter");
    is_refused("a | meter: | b", 4, "write meter");
    is_refused("a | rate:5x | b", 9, "'5x' is no size");
    is_refused("a | rate:99999999T | b", 9, "too large");
    is_refused("a | rate:0 | b", 9, "more than 0");
    is_refused("a | meter x | b", 10, "A filter is one word");
    is_refused("a | skip | b", 4, "write skip:SIZE");
    is_refused("a | head:1x | b", 9, "'1x' is no size");
    is_refused("a | unzstd:level=3 | b", 11, "only windowlog");
    is_refused("a | exec | b", 4, "write exec:COMMAND");
    is_refused("a | exec:' ' | b", 10, "names no command");
    is_refused("a | exec:gzip -9 | b", 14, "in quotes");
}

/* Only libcrypto knows which names are none. */
static void algorithms(void **state UNUSED)
{
    leat_filter *filter;
    unit_needs(leat_filter_digest(&filter, "sha256", NULL, NULL) == 0, "libcrypto");
    leat_filter_free(filter);
    is_refused("a | digest:sha256,nope,md5 | b", 18, "no digest algorithm 'nope'");
    is_refused("a | digest:\"sha256\",'nope' | b", 21, "'nope'");
}

static void codecs(void **state UNUSED)
{
    leat_filter *filter;
    unit_needs(leat_filter_codec(&filter, "zstd", NULL) == 0, "zstd");
    leat_filter_free(filter);
    is_refused("a | zstd: | b", 4, "write zstd[:level=N,workers=N]");
    is_refused("a | zstd:levle=3 | b", 9, "no option 'levle'");
    is_refused("a | zstd:level=3,x=1 | b", 17, "no option 'x'");
    is_refused("a | zstd:'level=99' | b", 16, "out of range");
    is_refused("a | zstd:level=3 x | b", 17, "A filter is one word");
    is_refused("a | zstd:level=3,workers=65 | b", 25, "out of range: it goes from 0 to 64");
    is_refused("a | unzstd:workers=2 | b", 11, "only windowlog=N");
    gives("a | zstd:workers=4,level=1 | gzip:workers=2 | b", "a | zstd | gzip | b");
    gives("a | zstd | unzstd | zstd:level=19 | b", "a | zstd | unzstd | zstd | b");
}

static void options_of_endpoints(void **state UNUSED)
{
    is_refused("a append | b", 2, "append is for sinks");
    is_refused("a apend | b", 2,
               "'apend' is no option of a source (a name with blanks wants quotes): connect-timeout=, idle-timeout=, "
               "total-timeout=, retries=, streams=");
    is_refused("a | b apend", 6, "is no option of a sink; did you mean append?");
    is_refused(
        "a | b qqqq", 6,
        "append, in-place, sync, preserve, no-clobber, replace, force, drop-attributes, slow-sink=, connect-timeout=");
    is_refused("a | my file", 7, "wants quotes");
    is_refused("a | b append in-place", 13, "exclude each other");
    is_refused("a | b sync=1", 6, "sync takes no value");
    is_refused("a | b slow-sink", 6, "write slow-sink=wait|drop|spill[:SIZE[,FOLDER]]");
    is_refused("a | b slow-sink=", 6, "write slow-sink=wait|drop|spill[:SIZE[,FOLDER]]");
    is_refused("a | b slow-sink=slow", 16, "known are wait, drop, spill");
    is_refused("a | b slow-sink=drop:1M", 16, "Nothing belongs behind drop");
    is_refused("a | b slow-sink=spill:", 16, "'' is no size of a file");
    is_refused("a | b slow-sink=spill:0", 16, "'0' is no size of a file");
    is_refused("a | b slow-sink=spill:16E", 16, "'16E' is no size of a file");
    is_refused("a | b slow-sink=spill:1M,", 16, "A folder is missing");
    is_refused("a idle-timeout=1y | b", 15, "'1y' is no time");
    is_refused("a idle-timeout=0 | b", 15, "is no time");
    is_refused("a | b =", 6, "'=' is no option");
    is_refused("a resume=j | b", 2, "resume is for sinks");
    is_refused("a part-size=1M | b", 2, "part-size is for sinks");
    is_refused("a | b part-size=x", 16, "'x' is no size");
    is_refused("a netrc=x | b", 2, "netrc takes no value");
    is_refused("a header= | b", 2, "write header='NAME: VALUE'");
    is_refused("a cacert | b", 2, "write cacert=FILE");
    is_refused("a 'haeder=A: sesame' | b", 2, "'haeder=' is no option of a source; did you mean header?");
}

static void options_of_stores(void **state UNUSED)
{
    leat_endpoint *endpoint = NULL;
    int r = leat_endpoint_open(&endpoint, "http://127.0.0.1/", LEAT_READ, NULL, NULL);
    leat_endpoint_close(endpoint);
    unit_needs(r != -ENOSYS, "stores");
    is_refused("http://127.0.0.1/ 'header=a b' | b", 0, "Header 1 is none");
    is_refused("http://127.0.0.1/ header='A: b' 'header=Host: b' | b", 0, "The header Host is not to be set");
    is_refused("http://127.0.0.1/ key=/dev/null | b", 0, "without its certificate");
}

static void quotes_that_are_open(void **state UNUSED)
{
    is_refused("a | 'b", 4, "never closed");
    is_refused("a | exec:\"b", 9, "never closed");
    is_refused("a | b\\", 5, "backslash");
}

/* A long name is cut in the sentence, and the column is still right. */
static void long_texts(void **state UNUSED)
{
    char word[10000], text[10100];
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    snprintf(text, sizeof(text), "a | %s | b", word);
    is_refused(text, 4, "There is no filter 'xxx");
    snprintf(text, sizeof(text), "a |b %s", word);
    is_refused(text, 5, "is no option of a sink (a name with blanks wants quotes): append");
}

static void more_than_there_may_be(void **state UNUSED)
{
    char text[1024] = "a ";
    for (size_t i = 0; i < FILTERS_MAX; i++)
        strcat(text, "|meter");
    strcat(text, "|meter | b");
    is_refused(text, 3 + 6 * FILTERS_MAX, "more than 64 filters");
    strcpy(text, "a |null: ");
    for (size_t i = 0; i < BRANCHES_MAX; i++)
        strcat(text, "& null: ");
    is_refused(text, 3 + 8 * BRANCHES_MAX, "more than 64 sinks");
}

/* What is found when an endpoint is looked up is no fault of the text. */
static void what_is_not_there(void **state UNUSED)
{
    leat_pipeline *p;
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_pipeline_parse(&p, " nope | b", NULL, &error), -ENOENT);
    assert_string_equal(error.operation, "stat");
    assert_int_equal(error.side, LEAT_SIDE_SOURCE);
    assert_int_equal(error.offset, 1);
    assert_non_null(strstr(error.text, "'nope': No such file"));

    error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_pipeline_parse(&p, "a | b & no/b", NULL, &error), -ENOENT);
    assert_int_equal(error.side, LEAT_SIDE_SINK);
    assert_int_equal(error.index, 1);
    assert_int_equal(error.offset, 8);
}

static void no_text(void **state UNUSED)
{
    leat_pipeline *p;
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_pipeline_parse(&p, NULL, NULL, &error), -EINVAL);
    assert_string_equal(error.text, "There is no text");
    assert_string_equal(error.node, "");
}

/* ---- what is right ---- */

/* What the text says of a sink replaces all that holds for sinks elsewhere. */
static void a_sink_may_spill(void **state UNUSED)
{
    struct leat_sink_options sinks = {
        .size = sizeof(sinks), .slow = LEAT_SLOW_SPILL, .spill = 5, .spill_folder = "elsewhere"};
    struct leat_pipeline_options options = {.size = sizeof(options), .sinks = &sinks};
    leat_pipeline *p = parsed("- | a & b slow-sink=wait & c slow-sink=spill & d slow-sink=spill:3M & "
                              "e 'slow-sink=spill:1K,my folder, too'",
                              &options);
    const struct slow *slow = p->parts.slow;
    assert_int_equal(slow[0].spill, 5);
    assert_string_equal(slow[0].folder, "elsewhere");
    assert_int_equal(slow[1].policy, LEAT_SLOW_WAIT);
    assert_null(slow[1].folder);
    assert_int_equal(slow[2].policy, LEAT_SLOW_SPILL);
    assert_int_equal(slow[2].spill, LEAT_SPILL_SIZE);
    assert_null(slow[2].folder);
    assert_int_equal(slow[3].spill, 3 << 20);
    assert_int_equal(slow[4].spill, 1024);
    assert_string_equal(slow[4].folder, "my folder, too");
    leat_pipeline_free(p);
}

static void options_reach_their_endpoint(void **state UNUSED)
{
    struct leat_endpoint_options endpoints = {
        .size = sizeof(endpoints), .write_mode = LEAT_WRITE_APPEND, .idle_timeout_ms = 7};
    struct leat_sink_options sinks = {.size = sizeof(sinks), .slow = LEAT_SLOW_DROP};
    struct leat_pipeline_options options = {
        .size = sizeof(options), .rate = 5, .endpoints = &endpoints, .sinks = &sinks};
    leat_pipeline *p =
        parsed("- idle-timeout=2m | b in-place slow-sink=wait & c idle-timeout=none & d sync append", &options);
    assert_int_equal(p->parts.source->node.idle_ns, INT64_C(120000000000));
    assert_false(p->parts.sink[0]->node.append);
    assert_false(p->parts.sink[0]->node.fresh);
    assert_int_equal(p->parts.slow[0].policy, LEAT_SLOW_WAIT);
    assert_int_equal(p->parts.sink[0]->node.idle_ns, 7000000);
    assert_true(p->parts.sink[1]->node.append);
    assert_int_equal(p->parts.slow[1].policy, LEAT_SLOW_DROP);
    assert_int_equal(p->parts.sink[1]->node.idle_ns, 0);
    assert_true(p->parts.sink[2]->node.append);
    assert_string_equal(leat_pipeline_name(p, LEAT_SIDE_FILTER, 0), "rate");
    leat_pipeline_free(p);
}

/* Wrong options are told where those of leat_pipeline_new are. */
static void bad_options_wait_for_the_check(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .route = "none"};
    leat_pipeline *p = parsed("a | b", &options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(leat_pipeline_check(p, &error), -EINVAL);
    assert_non_null(strstr(error.text, "no route 'none'"));
    leat_pipeline_free(p);
}

static void names_of_parts(void **state UNUSED)
{
    leat_pipeline *p;
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    assert_null(leat_pipeline_name(p, LEAT_SIDE_SOURCE, 0));
    assert_null(leat_pipeline_name(p, LEAT_SIDE_SINK, 0));
    leat_pipeline_free(p);
    p = parsed("a | meter | b", NULL);
    assert_string_equal(leat_pipeline_name(p, LEAT_SIDE_SOURCE, 0), "a");
    assert_null(leat_pipeline_name(p, LEAT_SIDE_SOURCE, 1));
    assert_null(leat_pipeline_name(p, LEAT_SIDE_FILTER, 1));
    assert_null(leat_pipeline_name(p, LEAT_SIDE_SINK, 1));
    assert_null(leat_pipeline_name(p, LEAT_SIDE_NONE, 0));
    leat_pipeline_free(p);
}

/* The text is not needed any more. */
static void it_runs(void **state UNUSED)
{
    char text[] = "'a' | digest:crc32c | meter | b & c";
    leat_pipeline *p = parsed(text, NULL);
    leat_report *report;
    char hex[LEAT_DIGEST_HEX_MAX];
    memset(text, 0, sizeof(text));
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    unit_holds("b", "hello");
    unit_holds("c", "hello");
    assert_int_equal(leat_report_digest(report, "crc32c", hex, sizeof(hex)), 0);
    assert_string_equal(hex, "9a71bb4c");
    assert_int_equal(leat_report_digest_side(report, 0), LEAT_SIDE_SINK);
    assert_int_equal(leat_report_digest_side(report, 1), LEAT_SIDE_NONE);
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* What stands before a filter that changes the bytes has those of the source, what stands behind it those of the sinks.
 */
static void digests_have_sides(void **state UNUSED)
{
    static const enum leat_side sides[] = {LEAT_SIDE_SOURCE, LEAT_SIDE_FILTER, LEAT_SIDE_SINK, LEAT_SIDE_SINK};
    leat_pipeline *p =
        parsed("a | digest:crc32c | skip:1 | digest:crc32c | skip:1 | digest:crc32c | digest:xxh3 | null:", NULL);
    leat_report *report;
    const char *algorithm, *hex;
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    for (size_t i = 0; i < COUNT(sides); i++)
        assert_int_equal(leat_report_digest_side(report, i), sides[i]);
    assert_int_equal(leat_report_digest_at(report, 2, &algorithm, &hex), 0);
    assert_string_equal(hex, "8c1d6a4c"); /* "llo" */
    leat_report_free(report);
    leat_pipeline_free(p);
}

/* What a list names can be had; only libcrypto may lack some of its own. */
static void usual_algorithms(void **state UNUSED)
{
    size_t had = 0;
    for (size_t i = 0; leat_digest_algorithm(i); i++) {
        leat_filter *filter;
        int r = leat_filter_digest(&filter, leat_digest_algorithm(i), NULL, NULL);
        assert_true(r == 0 || r == -ENOENT || r == -ELIBACC);
        if (r == 0)
            leat_filter_free(filter);
        had += r == 0;
    }
    assert_true(had > 0);
    assert_null(leat_digest_algorithm(SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements),
        cmocka_unit_test(nothing_is_opened),
        cmocka_unit_test(elements_that_are_missing),
        cmocka_unit_test(elements_in_the_wrong_place),
        cmocka_unit_test(specs),
        cmocka_unit_test(filters),
        cmocka_unit_test(algorithms),
        cmocka_unit_test(usual_algorithms),
        cmocka_unit_test(codecs),
        cmocka_unit_test(options_of_endpoints),
        cmocka_unit_test(options_of_stores),
        cmocka_unit_test(quotes_that_are_open),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(more_than_there_may_be),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(no_text),
        cmocka_unit_test(options_reach_their_endpoint),
        cmocka_unit_test(a_sink_may_spill),
        cmocka_unit_test(bad_options_wait_for_the_check),
        cmocka_unit_test(names_of_parts),
        cmocka_unit_test(it_runs),
        cmocka_unit_test(digests_have_sides),
    };
    return cmocka_run_group_tests(tests, setup, unit_folder_gone);
}
