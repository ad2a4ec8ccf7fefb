/* The services that compiled code reaches through weak pointers. Its parallel hook has no
   argument for the pool, so the call that is under way keeps pool and threads in this
   thread, and so does the entry with the work of the kernel that it calls next, and the
   kernel with the turns of the loop that comes next. Within a region the pool is absent:
   nested regions run where they are. */

typedef struct lxc_team {
    const lxc_pool *pool;
    int64_t work;  /* nanoseconds that one thread needs, by estimate; 0 if unknown */
    int64_t turns; /* of the loop that becomes the next region; 0 if unknown */
    int32_t threads;
} lxc_team;

static _Thread_local lxc_team lxc_current;

static int32_t lxc_less(int64_t a, int32_t b) { return a < b ? (int32_t)a : b; }

int32_t lxc_share_turns(int64_t turns);
int32_t lxc_threads(void);

int32_t lxc_share_turns(int64_t turns) {
    lxc_current.turns = turns;
    return 0;
}

/* How many threads share a loop of the kernel that is under way: no more than have enough to
   do. */
int32_t lxc_threads(void) {
    const lxc_pool *pool = lxc_current.pool;
    int32_t threads = lxc_current.threads;
    if (pool == NULL || threads == 1) return 1;
    if (threads == 0) threads = pool->threads(pool);
    return lxc_current.work > 0 ? lxc_less(lxc_current.work / LXC_WORTH_A_THREAD, threads)
                                : threads;
}

/* Each task runs as many turns of a loop as any other, but for the last ones, rounded up: of
   more tasks than this some had nothing to do. */
static int32_t lxc_tasks_with_turns(int64_t turns, int32_t tasks) {
    int64_t each = (turns + tasks - 1) / tasks;
    return (int32_t)((turns + each - 1) / each);
}

/* Sizes are known at last: a region gets no more threads than have enough to do, and tasks
   that are long enough. Results do not depend on either. */
static int lxc_parallel_launch(lxc_task task, void *data, int tasks) {
    const lxc_pool *pool = lxc_current.pool;
    int64_t work = lxc_current.work, turns = lxc_current.turns;
    int32_t threads = lxc_threads();
    lxc_current.turns = 0;
    if (threads < 2) return lxc_serial(task, data, tasks);
    if (tasks == 0) {
        tasks = threads * LXC_TASKS_PER_THREAD;
        if (work > 0) tasks = lxc_less(work / LXC_WORTH_A_TASK, tasks);
        if (turns > 0) tasks = lxc_tasks_with_turns(turns, tasks);
    }
    lxc_current.pool = NULL;
    int result = pool->launch(pool, task, data, tasks, threads);
    lxc_current.pool = pool;
    return result;
}

static _Thread_local int lxc_has_raised;

static void lxc_error_raised(const char *kind, const char *message) {
    lxc_has_raised = 1;
    lxc_fail(LXC_EKERNEL, "%s: %s", kind, message);
}

int (*__TVMBackendParallelLaunch)(lxc_task, void *, int) = lxc_parallel_launch;
void (*__TVMFFIErrorSetRaisedFromCStr)(const char *, const char *) = lxc_error_raised;
