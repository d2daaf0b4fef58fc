/* SPDX-License-Identifier: MIT */
#include "trees/shard.h"
#include "cli.h"
#include <stdlib.h>
#include <string.h>

/* What a launcher says: a rank, counted from 0, and how many there are. */
struct launch {
    long rank, size;
};

struct launcher {
    const char *name, *rank, *size;
};

/* The first one whose rank is set counts: mpirun may run within a job of Slurm, which may run in a pod. */
static const struct launcher launchers[] = {
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
    {"MPICH", "PMI_RANK", "PMI_SIZE"},
    {"PMIx", "PMIX_RANK", NULL},
    {"Slurm", "SLURM_PROCID", "SLURM_NTASKS"},
    {"Kubernetes", "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"},
};

enum {
    UNKNOWN = -1
};

/* Returns the number, or UNKNOWN: the variable is not set. `wrong` is set if it is no number. */
static long number(const char *variable, const char **wrong)
{
    const char *text = variable ? getenv(variable) : NULL;
    char *end;
    if (!text || !*text)
        return UNKNOWN;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (*end || errno || n < 0 || n > LEAT_TREE_SHARDS_MAX)
        *wrong = variable;
    return n;
}

/* The tasks of an array of Slurm are numbered from any number, in steps. Each may have several tasks of its own. */
static int add_array(struct launch *l, const char **wrong)
{
    long id = number("SLURM_ARRAY_TASK_ID", wrong), count = number("SLURM_ARRAY_TASK_COUNT", wrong);
    long first = number("SLURM_ARRAY_TASK_MIN", wrong), last = number("SLURM_ARRAY_TASK_MAX", wrong);
    long step = number("SLURM_ARRAY_TASK_STEP", wrong);
    if (*wrong || id == UNKNOWN || count == UNKNOWN || first == UNKNOWN)
        return 0;
    step = step > 0 ? step : 1;
    if (last != UNKNOWN && (last - first) / step + 1 != count)
        return cli_usage("copy", "--shard auto: the numbers of the array are not regular; give --shard K/N");
    l->rank = (id - first) / step * (l->size > 0 ? l->size : 1) + (l->rank > 0 ? l->rank : 0);
    l->size = count * (l->size > 0 ? l->size : 1);
    return 0;
}

static int add_all(struct launch *l, long wanted, int32_t *ret_shard, int32_t *ret_shards)
{
    if (wanted != UNKNOWN && l->size != UNKNOWN && wanted != l->size)
        return cli_usage("copy", "--shard auto/%ld: the launcher says that there are %ld", wanted, l->size);
    if (l->size == UNKNOWN)
        l->size = wanted;
    if (l->size == UNKNOWN)
        return cli_usage("copy",
                         "--shard auto: the launcher says a rank, but not how many there are; give --shard auto/N");
    if (l->rank >= l->size)
        return cli_usage("copy", "--shard auto: there is no rank %ld of %ld: the first one is 0", l->rank, l->size);
    *ret_shard = (int32_t)l->rank;
    *ret_shards = (int32_t)l->size;
    return 0;
}

static int find(long wanted, int32_t *ret_shard, int32_t *ret_shards)
{
    struct launch l = {UNKNOWN, UNKNOWN};
    const char *wrong = NULL;
    size_t i = 0;
    while (i < sizeof(launchers) / sizeof(launchers[0]) && (l.rank = number(launchers[i].rank, &wrong)) == UNKNOWN)
        i++;
    if (l.rank != UNKNOWN)
        l.size = number(launchers[i].size, &wrong);
    bool is_slurm = l.rank == UNKNOWN || strcmp(launchers[i].name, "Slurm") == 0;
    int r = is_slurm ? add_array(&l, &wrong) : 0;
    if (wrong)
        return cli_usage("copy", "--shard auto: %s is no number: %s", wrong, cli_name(getenv(wrong)));
    if (r == 0 && l.rank == UNKNOWN)
        return cli_usage("copy",
                         "--shard auto: no launcher says the rank of this process (OMPI_COMM_WORLD_RANK, PMI_RANK, "
                         "PMIX_RANK, SLURM_PROCID, SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX); give --shard K/N");
    return r ? r : add_all(&l, wanted, ret_shard, ret_shards);
}

int tree_shard_parse(const char *value, int32_t *ret_shard, int32_t *ret_shards)
{
    char first[16];
    int32_t shard = 0, shards = 0;
    const char *slash = strchr(value, '/');
    size_t n = slash ? (size_t)(slash - value) : strlen(value);
    if (n >= sizeof(first))
        return cli_usage("copy", "--shard: %s is neither K/N nor auto", cli_name(value));
    memcpy(first, value, n);
    first[n] = '\0';
    bool is_auto = strcmp(first, "auto") == 0;
    if (!slash && !is_auto)
        return cli_usage("copy", "--shard: %s is neither K/N nor auto", cli_name(value));
    int r = slash ? cli_number("copy", "shard", slash + 1, 1, LEAT_TREE_SHARDS_MAX, &shards) : 0;
    if (r == 0 && is_auto)
        return find(slash ? shards : UNKNOWN, ret_shard, ret_shards);
    if (r == 0)
        r = cli_number("copy", "shard", first, 0, shards - 1, &shard);
    if (r == 0) {
        *ret_shard = shard;
        *ret_shards = shards;
    }
    return r;
}
