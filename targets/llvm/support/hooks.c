/* The services that compiled code reaches through weak pointers. Its parallel hook has no
   argument for the pool, so the call that is under way keeps pool and threads in this
   thread, and so does the entry with the work of the kernel that it calls next, and the
   kernel with the tasks of the loop that comes next. Within a region the pool is absent:
   nested regions run where they are. */

typedef struct lxc_team {
    const lxc_pool *pool;
    int64_t work;  /* nanoseconds that one thread needs, by estimate; 0 if unknown */
    int32_t tasks; /* of the next region */
    int32_t threads;
} lxc_team;

static _Thread_local lxc_team lxc_current;

static int32_t lxc_less(int64_t a, int32_t b) { return a < b ? (int32_t)a : b; }

int32_t lxc_tasks(int64_t turns);
int32_t lxc_threads(void);

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

/* How many tasks the loop that comes next is divided into, one at least: each has something
   to do and takes long enough, and where there are enough of them, all threads have as many.
   The loop computes which turns are whose, for which it knows that there are not too many. */
int32_t lxc_tasks(int64_t turns) {
    int32_t threads = lxc_threads(), tasks = 1;
    if (threads > 1) {
        tasks = lxc_less((int64_t)threads * LXC_TASKS_PER_THREAD, LXC_MOST_TASKS);
        if (lxc_current.work > 0) tasks = lxc_less(lxc_current.work / LXC_WORTH_A_TASK, tasks);
        if (tasks > threads) tasks -= tasks % threads;
        tasks = lxc_less(turns, tasks);
    }
    lxc_current.tasks = tasks > 1 ? tasks : 1;
    return lxc_current.tasks;
}

/* A region gets no more threads than tasks. The compiled code leaves their number to us. */
static int lxc_parallel_launch(lxc_task task, void *data, int unknown) {
    const lxc_pool *pool = lxc_current.pool;
    int32_t tasks = lxc_current.tasks, threads = lxc_less(tasks, lxc_threads());
    (void)unknown;
    if (tasks == 1) return lxc_serial(task, data, tasks);
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
