/* SPDX-License-Identifier: MIT */
/* leat/copy.h and leat/report.h: files a and b of the folder, with a digest and with progress. */
#include "../swept.h"

static int go_on(void *user, const struct leat_progress *now)
{
    return now->bytes < *(uint64_t *)user; /* it never goes back */
}

int main(void)
{
    struct leat_copy_options options = LEAT_INIT(struct leat_copy_options);
    struct leat_totals totals = LEAT_INIT(struct leat_totals);
    struct leat_hop hop = LEAT_INIT(struct leat_hop);
    struct leat_hop_route route = LEAT_INIT(struct leat_hop_route);
    struct leat_sink_outcome outcome = LEAT_INIT(struct leat_sink_outcome);
    struct leat_pipeline_options pipeline = LEAT_INIT(struct leat_pipeline_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_report *report = NULL;
    uint64_t least = 0;
    options.digest = "crc32c";
    TRY(leat_copy("a", "copied", &options, &report, &error));
    TRY(leat_report_totals(report, &totals));
    EXPECT(totals.bytes == 10240 && totals.digests == 1);
    TRY(leat_report_hop_at(report, 0, &hop));
    TRY(leat_report_route_at(report, 0, 0, &route));
    TRY(leat_report_sink_at(report, 0, &outcome));
    EXPECT(hop.taken == 10240 && route.bytes == 10240 && outcome.bytes == 10240 && !outcome.error);
    leat_report_free(report);
    report = NULL;
    pipeline.progress = go_on;
    pipeline.user = &least;
    options.pipeline = &pipeline;
    TRY(leat_copy("a", "copied", &options, NULL, &error));
done:
    leat_report_free(report);
    return swept_result;
}
