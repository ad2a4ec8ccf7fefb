#ifndef LXC_ABI_1
#define LXC_ABI_1

/* What run and prepare return. The text of the last failure on this thread is in
   NAME_last_error(). After any of these the model is as usable as before. */
enum {
    LXC_OK = 0,
    LXC_EARGUMENT = 1,  /* the struct has another size, unknown flags or a negative number */
    LXC_ENULL = 2,      /* a table or a pointer is missing */
    LXC_EALIGNMENT = 3, /* a pointer is not aligned to its element, or to 64 bytes */
    LXC_EDIMENSION = 4, /* a dimension is out of its range */
    LXC_EOVERLAP = 5,   /* memory that is written overlaps memory that is read or written */
    LXC_EPOOL = 6,      /* the pool is of another version, or lacks a function */
    LXC_EKERNEL = 7,    /* the compiled code reported a failure; results are undefined */
    LXC_EDEVICE = 8,    /* there is no driver, no card that fits, or the driver refused */
    LXC_EMEMORY = 9,    /* there is not enough memory, on the card or off it */
    LXC_EFILE = 10,     /* a file cannot be read, or holds the values of another model */
    LXC_EPROCESSOR = 11, /* the processor lacks what the compiled code needs */
    LXC_ECHECK = 12     /* a result is further off than it may be */
};

/* One parallel region: task(index, parallel, data) is called once for every index from 0 to
   parallel->tasks - 1, on any thread. */
typedef struct lxc_parallel {
    int32_t *reserved;
    int32_t tasks;
} lxc_parallel;
typedef int (*lxc_task)(int index, lxc_parallel *parallel, void *data);

/* A pool of threads. launch runs a region and returns when all of it is done; tasks = 0 lets
   the pool choose a number, threads = 0 lets it use all it has; the result is the bitwise or
   of what the tasks returned. launch may be called by several threads at once and from within
   a task; a pool that is busy runs the region in the caller. */
#define LXC_POOL_VERSION 1
typedef struct lxc_pool lxc_pool;
struct lxc_pool {
    uint32_t size; /* sizeof(lxc_pool) */
    uint32_t version;
    int (*launch)(const lxc_pool *pool, lxc_task task, void *data, int32_t tasks,
                  int32_t threads);
    int32_t (*threads)(const lxc_pool *pool);
    void *context;
};

/* Tables hold one pointer per leaf, in the order of the lists below. The elements of a leaf
   lie next to each other in C order, the last axis innermost; bool takes a byte, 0 or 1, and
   float16 and bfloat16 are their 16 bits. The caller owns all memory; nothing is kept after
   the call returns. */
typedef struct lxc_prepare_call {
    uint32_t size;  /* sizeof(lxc_prepare_call) */
    uint32_t flags; /* 0 */
    const void *const *params;
    const void *const *state; /* only the frozen leaves are read; others may be NULL */
    void *prepared;           /* written */
    const int64_t *dims;      /* NULL if there are no dimensions */
    const lxc_pool *pool;     /* NULL for the library's own */
    int32_t threads;          /* 0 for as many as the pool has */
    int32_t reserved;         /* 0 */
} lxc_prepare_call;

typedef struct lxc_call {
    uint32_t size;  /* sizeof(lxc_call) */
    uint32_t flags; /* 0 */
    const void *const *inputs;
    const void *const *params; /* NULL for those that prepare alone reads */
    const void *const *state_in;
    void *const *state_out; /* an entry may equal that of state_in, and be NULL if frozen */
    void *const *outputs;
    const void *prepared; /* filled by prepare from the same params and frozen state */
    void *arena;          /* scratch; one call at a time may use it */
    const int64_t *dims;  /* NULL if there are no dimensions */
    const lxc_pool *pool; /* NULL for the library's own */
    int32_t threads;      /* 0 for as many as the pool has */
    int32_t reserved;     /* 0 */
} lxc_call;

#endif
