/* The library's own pool. Threads are started when first needed and never end. A region is
   open while `inside` is not negative; the caller takes part, and in the end waits only for
   threads that are inside. Every thread has a share of the tasks, the same in all regions, for
   what one kernel wrote is still in the caches of the processor that wrote it when the next
   kernel reads it. Who has done its own takes tasks from the ends of other shares. The fields
   of a region are written only while it is closed, so a thread that comes late joins whatever
   region is open then, or none. Who waits looks a short time, then sleeps: a thread that has
   the processor of another one that it waits for would wait long. */

#if defined(__x86_64__) || defined(__i386__)
#define LXC_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define LXC_PAUSE() __asm__ volatile("yield")
#else
#define LXC_PAUSE() ((void)0)
#endif

enum {
    LXC_TASKS_PER_THREAD = 8,
    LXC_LOOK_NANOSECONDS = 50000, /* about what it costs to wake a thread */
    LXC_CLOSED = -1
};

static struct {
    _Alignas(64) atomic_uint generation; /* counts regions: the signal to wake up */
    atomic_int sleeping;
    atomic_int patience; /* nanoseconds to look before sleeping */
    _Alignas(64) atomic_int inside;
    atomic_int waiting; /* the caller sleeps until nobody is inside */
    atomic_int result;
    _Alignas(64) lxc_task task;
    void *data;
    int32_t tasks;
    int32_t helpers; /* so many threads may be inside */
    _Alignas(64) atomic_int busy;
    int32_t started; /* read and written by the holder of busy only */
    int watching_forks;
    atomic_int processors;
} lxc_workers = {.inside = LXC_CLOSED};

/* The tasks of a thread that nobody has taken: the first one, and above it where they end. The
   caller has number 0. */
static struct {
    _Alignas(64) atomic_ullong left;
} lxc_shares[LXC_MOST_THREADS];

enum { LXC_END = 32, LXC_NOTHING = -1 };

static int lxc_serial(lxc_task task, void *data, int32_t tasks) {
    lxc_parallel parallel = {NULL, tasks > 0 ? tasks : 1};
    int result = 0;
    for (int32_t index = 0; index < parallel.tasks; ++index)
        result |= task(index, &parallel, data);
    return result;
}

static void lxc_divide_tasks(int32_t tasks, int32_t shares) {
    for (int64_t number = 0; number < shares; ++number) {
        unsigned long long first = (unsigned long long)(tasks * number / shares);
        unsigned long long end = (unsigned long long)(tasks * (number + 1) / shares);
        atomic_store_explicit(&lxc_shares[number].left, end << LXC_END | first,
                              memory_order_relaxed);
    }
}

/* Take the first task of a share that is the thread's own, or the last of another one's. */
static int lxc_take_task(int32_t share, int is_own) {
    unsigned long long left =
        atomic_load_explicit(&lxc_shares[share].left, memory_order_relaxed);
    for (;;) {
        unsigned first = (unsigned)left, end = (unsigned)(left >> LXC_END);
        if (first >= end) return LXC_NOTHING;
        unsigned long long rest = is_own ? left + 1 : left - (1ULL << LXC_END);
        if (atomic_compare_exchange_weak_explicit(&lxc_shares[share].left, &left, rest,
                                                  memory_order_relaxed, memory_order_relaxed))
            return (int)(is_own ? first : end - 1);
    }
}

static void lxc_work_on_tasks(int32_t number) {
    lxc_parallel parallel = {NULL, lxc_workers.tasks};
    lxc_task task = lxc_workers.task;
    void *data = lxc_workers.data;
    int32_t shares = lxc_workers.helpers + 1;
    int result = 0;
    for (int32_t turn = 0; turn < shares; ++turn) {
        int32_t share = (number + turn) % shares;
        for (;;) {
            int index = lxc_take_task(share, share == number);
            if (index == LXC_NOTHING) break;
            result |= task(index, &parallel, data);
        }
    }
    if (result != 0)
        atomic_fetch_or_explicit(&lxc_workers.result, result, memory_order_relaxed);
}

static void lxc_join_region(int32_t number) {
    int inside = atomic_load_explicit(&lxc_workers.inside, memory_order_relaxed);
    while (inside != LXC_CLOSED) {
        if (!atomic_compare_exchange_weak_explicit(&lxc_workers.inside, &inside, inside + 1,
                                                   memory_order_acquire,
                                                   memory_order_relaxed))
            continue;
        if (inside < lxc_workers.helpers) lxc_work_on_tasks(number);
        if (atomic_fetch_sub(&lxc_workers.inside, 1) == 1 && atomic_load(&lxc_workers.waiting))
            lxc_wake_sleepers(&lxc_workers.inside, 1);
        return;
    }
}

static int64_t lxc_clock(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Return 1 as soon as `happened` does, or 0 after a short time. */
static int lxc_look(int (*happened)(unsigned), unsigned seen) {
    int patience = atomic_load_explicit(&lxc_workers.patience, memory_order_relaxed);
    int64_t start = patience > 0 ? lxc_clock() : 0;
    do {
        for (int spin = 0; spin < 32; ++spin) {
            if (happened(seen)) return 1;
            LXC_PAUSE();
        }
    } while (patience > 0 && lxc_clock() - start < patience);
    return 0;
}

static int lxc_has_opened(unsigned seen) {
    return atomic_load_explicit(&lxc_workers.generation, memory_order_acquire) != seen;
}

static void lxc_await_region(unsigned seen) {
    if (lxc_look(lxc_has_opened, seen)) return;
    atomic_fetch_add(&lxc_workers.sleeping, 1);
    while (atomic_load(&lxc_workers.generation) == seen)
        lxc_sleep_while(&lxc_workers.generation, seen);
    atomic_fetch_sub(&lxc_workers.sleeping, 1);
}

static void *lxc_worker(void *number) {
    for (;;) {
        unsigned seen = atomic_load_explicit(&lxc_workers.generation, memory_order_acquire);
        lxc_join_region((int32_t)(intptr_t)number);
        lxc_await_region(seen);
    }
    return NULL;
}

/* A child has none of the threads, perhaps other processors, and a region may have been open:
   start again. */
static void lxc_forget_workers(void) {
    atomic_store(&lxc_workers.generation, 0);
    atomic_store(&lxc_workers.sleeping, 0);
    atomic_store(&lxc_workers.inside, LXC_CLOSED);
    atomic_store(&lxc_workers.waiting, 0);
    atomic_store(&lxc_workers.busy, 0);
    atomic_store(&lxc_workers.processors, 0);
    lxc_workers.started = 0;
}

/* Bring the number of threads up to `wanted`, or as far as the system allows. Signals are for
   the threads of the program, so these block them all. Threads that share a processor with
   the caller would take its time by looking for regions. */
static void lxc_start_workers(int32_t wanted, int32_t processors) {
    if (lxc_workers.started >= wanted) return;
    if (!lxc_workers.watching_forks) {
        if (pthread_atfork(NULL, NULL, lxc_forget_workers) != 0) return;
        lxc_workers.watching_forks = 1;
    }
    sigset_t all, before;
    pthread_attr_t detached;
    if (pthread_attr_init(&detached) != 0) return;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (lxc_workers.started < wanted) {
        pthread_t thread;
        void *number = (void *)(intptr_t)(lxc_workers.started + 1);
        if (pthread_create(&thread, &detached, lxc_worker, number) != 0) break;
        lxc_workers.started += 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    atomic_store_explicit(&lxc_workers.patience,
                          lxc_workers.started < processors ? LXC_LOOK_NANOSECONDS : 0,
                          memory_order_relaxed);
}

static void lxc_open_region(lxc_task task, void *data, int32_t tasks, int32_t helpers) {
    lxc_workers.task = task;
    lxc_workers.data = data;
    lxc_workers.tasks = tasks > 0 ? tasks : (helpers + 1) * LXC_TASKS_PER_THREAD;
    lxc_workers.helpers = helpers;
    lxc_divide_tasks(lxc_workers.tasks, helpers + 1);
    atomic_store_explicit(&lxc_workers.result, 0, memory_order_relaxed);
    atomic_store_explicit(&lxc_workers.inside, 0, memory_order_release);
    atomic_fetch_add(&lxc_workers.generation, 1);
    int32_t sleeping = atomic_load(&lxc_workers.sleeping);
    int32_t missing = helpers - (lxc_workers.started - sleeping);
    if (missing > 0) lxc_wake_sleepers(&lxc_workers.generation, missing);
}

static int lxc_has_closed(unsigned nobody) {
    int inside = (int)nobody;
    return atomic_load_explicit(&lxc_workers.inside, memory_order_relaxed) == inside &&
           atomic_compare_exchange_strong(&lxc_workers.inside, &inside, LXC_CLOSED);
}

static void lxc_close_region(void) {
    if (lxc_look(lxc_has_closed, 0)) return;
    atomic_store(&lxc_workers.waiting, 1);
    while (!lxc_has_closed(0)) {
        int inside = atomic_load(&lxc_workers.inside);
        if (inside != 0) lxc_sleep_while(&lxc_workers.inside, (unsigned)inside);
    }
    atomic_store(&lxc_workers.waiting, 0);
}

static int32_t lxc_pool_threads(const lxc_pool *pool) {
    (void)pool;
    int count = atomic_load_explicit(&lxc_workers.processors, memory_order_relaxed);
    if (count == 0) {
        count = lxc_processors();
        atomic_store_explicit(&lxc_workers.processors, count, memory_order_relaxed);
    }
    return count;
}

static int lxc_pool_launch(const lxc_pool *pool, lxc_task task, void *data, int32_t tasks,
                           int32_t threads) {
    if (threads <= 0) threads = lxc_pool_threads(pool);
    if (threads > LXC_MOST_THREADS) threads = LXC_MOST_THREADS;
    if (threads == 1 || tasks == 1) return lxc_serial(task, data, tasks);
    if (atomic_exchange_explicit(&lxc_workers.busy, 1, memory_order_acquire) != 0)
        return lxc_serial(task, data, tasks);
    int32_t helpers = threads - 1, result;
    lxc_start_workers(helpers, lxc_pool_threads(pool));
    if (helpers > lxc_workers.started) helpers = lxc_workers.started;
    if (helpers > 0) {
        lxc_open_region(task, data, tasks, helpers);
        lxc_work_on_tasks(0);
        lxc_close_region();
        result = atomic_load_explicit(&lxc_workers.result, memory_order_relaxed);
    } else {
        result = lxc_serial(task, data, tasks);
    }
    atomic_store_explicit(&lxc_workers.busy, 0, memory_order_release);
    return result;
}

static const lxc_pool lxc_own_pool = {
    .size = sizeof(lxc_pool),
    .version = LXC_POOL_VERSION,
    .launch = lxc_pool_launch,
    .threads = lxc_pool_threads,
};
