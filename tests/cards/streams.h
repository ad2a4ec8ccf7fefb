/* Streams that do nothing before somebody waits: work is queued, and runs when the host asks
   for its result or a stream that is waited for needs it. Work that is not ordered by events
   runs too late to be of use. */

enum { MOST_STREAMS = 64, MOST_VALUES = 512 };

typedef void (*launcher)(void **arguments, unsigned blocks, unsigned threads);

typedef struct function {
    launcher run;
    int count; /* of arguments, all of 8 bytes */
    int meets; /* whether its blocks wait for each other */
} function;

typedef struct stream stream;
typedef struct work {
    struct work *next;
    enum { LAUNCH, COPY, WAIT } kind;
    function *kernel;
    unsigned blocks, threads;
    void *to;
    const void *from;
    size_t bytes;
    stream *other;
    uint64_t number;
    uint64_t values[]; /* arguments of a launch, or what an upload read */
} work;

struct stream {
    work *first, *last;
    uint64_t given, done;
};

typedef struct event {
    stream *where;
    uint64_t number;
} event;

static stream streams[MOST_STREAMS]; /* the first is the default one */
static int stream_count = 2;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

/* A handle of NULL or 1 is the default stream, 2 that of the thread. */
static stream *stream_of(void *handle) {
    uintptr_t number = (uintptr_t)handle;
    return number < 2 ? &streams[0] : number == 2 ? &streams[1] : handle;
}

void *emulated_stream(void) { return &streams[stream_count++]; }

static void run_until(stream *one, uint64_t number);

static void run_one(work *now) {
    void *table[MOST_VALUES];
    if (now->kind == WAIT) run_until(now->other, now->number);
    if (now->kind == COPY) memcpy(now->to, now->from ? now->from : now->values, now->bytes);
    if (now->kind != LAUNCH) return;
    for (int i = 0; i < now->kernel->count; ++i) table[i] = &now->values[i];
    now->kernel->run(table, now->blocks, now->threads);
}

static void run_until(stream *one, uint64_t number) {
    while (one->done < number) {
        work *now = one->first;
        one->first = now->next;
        if (!now->next) one->last = NULL;
        ++one->done;
        run_one(now);
        free(now);
    }
}

static void run_all(void) {
    for (int i = 0; i < stream_count; ++i) run_until(&streams[i], streams[i].given);
}

static work *queue(stream *one, int kind, size_t room) {
    work *made = calloc(1, sizeof *made + room);
    made->kind = kind;
    if (one->last) one->last->next = made;
    else one->first = made;
    one->last = made;
    ++one->given;
    return made;
}

static void queue_launch(void *handle, function *kernel, unsigned blocks, unsigned threads,
                         void **arguments) {
    work *made = queue(stream_of(handle), LAUNCH, 8 * (size_t)kernel->count);
    made->kernel = kernel;
    made->blocks = blocks;
    made->threads = threads;
    for (int i = 0; i < kernel->count; ++i) memcpy(&made->values[i], arguments[i], 8);
}

/* Queue a copy. What is not `pinned` was read already, when this returns. */
static void queue_copy(void *handle, void *to, const void *from, size_t bytes, int pinned) {
    work *made = queue(stream_of(handle), COPY, pinned ? 0 : bytes);
    made->to = to;
    made->bytes = bytes;
    if (pinned) made->from = from;
    else memcpy(made->values, from, bytes);
}
