/* The services that compiled code reaches through weak pointers. Its parallel hook has no
   argument for the pool, so the call that is under way keeps pool and threads in this
   thread. Within a region the pool is absent: nested regions run where they are. */

static _Thread_local struct {
    const lxc_pool *pool;
    int32_t threads;
} lxc_current;

static int lxc_parallel_launch(lxc_task task, void *data, int tasks) {
    const lxc_pool *pool = lxc_current.pool;
    if (pool == NULL || lxc_current.threads == 1) return lxc_serial(task, data, tasks);
    lxc_current.pool = NULL;
    int result = pool->launch(pool, task, data, tasks, lxc_current.threads);
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
