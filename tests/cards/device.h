// What compilers for cards know by themselves, for a processor. The threads of a block take
// turns; those of a kernel that lets them meet each have a stack, and go on from there.
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#define __global__
#define __device__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__
#define __shared__ thread_local
#define alignas(bytes) __attribute__((aligned(bytes)))  // also behind __shared__
#define __align__(bytes) alignas(bytes)
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef _Float16 half;

#define CUDART_INF_F __builtin_inff()
#define CUDART_NAN_F __builtin_nanf("")
#define CUDART_INF __builtin_inf()
#define CUDART_NAN __builtin_nan("")

struct alignas(16) uint4 {
    uint x, y, z, w;
};
struct lxc_coordinates {
    uint x, y, z;
};
static thread_local lxc_coordinates threadIdx, blockIdx;

template <typename T>
static inline T max(T a, T b) {
    return a > b ? a : b;
}
template <typename T>
static inline T min(T a, T b) {
    return a < b ? a : b;
}

template <typename To, typename From>
static inline To lxc_same_bits(From value) {
    static_assert(sizeof(To) == sizeof(From), "bits are as many as before");
    To same;
    memcpy(&same, &value, sizeof same);
    return same;
}
static inline float __int_as_float(int32_t bits) { return lxc_same_bits<float>(bits); }
static inline float __uint_as_float(uint32_t bits) { return lxc_same_bits<float>(bits); }
static inline double __longlong_as_double(int64_t bits) { return lxc_same_bits<double>(bits); }

// Threads that are executed together: a warp, or a block.
struct lxc_team {
    int live, arrived;
    unsigned turn;
    const char *place;
    unsigned char told[32][64];
};

struct lxc_fiber {
    ucontext_t start;
    jmp_buf point;
    bool is_started, is_done;
};

static const int lxc_most_threads = 1024;
static const size_t lxc_stack_bytes = 128 << 10;

struct lxc_block {
    int threads, now, live, idle;
    lxc_team all, warps[32];
    lxc_fiber fibers[lxc_most_threads];
    jmp_buf leave;
    void (*body)(void *);
    void *context;
    char *stacks;
};
static thread_local lxc_block *lxc_here;

[[noreturn]] static void lxc_stop(const char *why, const char *place) {
    fprintf(stderr, "thread %u of block %u: %s at %s\n", threadIdx.x, blockIdx.x, why, place);
    abort();
}

// Go on with the next thread that is not done.
[[noreturn]] static void lxc_next() {
    lxc_block *here = lxc_here;
    if (here->live == 0) _longjmp(here->leave, 1);
    do here->now = (here->now + 1) % here->threads;
    while (here->fibers[here->now].is_done);
    threadIdx = {(uint)here->now, 0, 0};
    lxc_fiber *fiber = &here->fibers[here->now];
    if (fiber->is_started) _longjmp(fiber->point, 1);
    fiber->is_started = true;
    setcontext(&fiber->start);
    abort();
}

static void lxc_leave(lxc_team *team) {
    --team->live;
    if (team->arrived > 0 && team->arrived == team->live) team->arrived = 0, ++team->turn;
}

static void lxc_thread() {
    lxc_here->body(lxc_here->context);
    lxc_block *here = lxc_here;
    here->fibers[here->now].is_done = true;
    here->idle = 0;
    --here->live;
    lxc_leave(&here->all);
    lxc_leave(&here->warps[here->now / 32]);
    lxc_next();
}

// Wait until all threads of a team that are not done are here.
static void lxc_meet(lxc_team *team, const char *place) {
    lxc_block *here = lxc_here;
    if (team->arrived > 0 && strcmp(team->place, place) != 0)
        lxc_stop("others of the team meet elsewhere, and not", place);
    team->place = place;
    unsigned turn = team->turn;
    here->idle = 0;
    if (++team->arrived == team->live) {
        team->arrived = 0;
        ++team->turn;
        return;
    }
    while (team->turn == turn) {
        if (++here->idle > 2 * here->threads) lxc_stop("all threads wait", place);
        if (_setjmp(here->fibers[here->now].point) == 0) lxc_next();
    }
    here->idle = 0;
}

static inline lxc_team *lxc_warp() { return &lxc_here->warps[lxc_here->now / 32]; }
static inline int lxc_lane() { return lxc_here->now % 32; }

static lxc_block *lxc_new_block() {
    lxc_block *made = (lxc_block *)calloc(1, sizeof *made);
    void *stacks = mmap(NULL, lxc_most_threads * lxc_stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == NULL || stacks == MAP_FAILED) abort();
    made->stacks = (char *)stacks;
    return made;
}

static void lxc_drop_block(lxc_block *old) {
    munmap(old->stacks, lxc_most_threads * lxc_stack_bytes);
    free(old);
}

// Execute a block whose threads meet.
static void lxc_run_in(lxc_block *here, void (*body)(void *), void *context, int threads) {
    lxc_here = here;
    here->threads = here->live = threads;
    here->body = body;
    here->context = context;
    here->now = threads - 1;
    here->idle = 0;
    memset(&here->all, 0, sizeof here->all);
    memset(here->warps, 0, sizeof here->warps);
    here->all.live = threads;
    for (int thread = 0; thread < threads; ++thread) {
        lxc_fiber *fiber = &here->fibers[thread];
        ++here->warps[thread / 32].live;
        fiber->is_started = fiber->is_done = false;
        getcontext(&fiber->start);
        fiber->start.uc_stack.ss_sp = here->stacks + thread * lxc_stack_bytes;
        fiber->start.uc_stack.ss_size = lxc_stack_bytes;
        fiber->start.uc_link = NULL;
        makecontext(&fiber->start, lxc_thread, 0);
    }
    if (_setjmp(here->leave) == 0) lxc_next();
}

static void lxc_run_together(void (*body)(void *), void *context, int threads) {
    static thread_local lxc_block *kept = lxc_new_block();
    lxc_run_in(kept, body, context, threads);
}

// Execute all blocks at once, each in a thread of this processor, which has its own shared
// memory.
static void lxc_run_grid(void (*body)(void *), void *context, uint blocks, int threads) {
    std::vector<std::thread> all;
    for (uint block = 0; block < blocks; ++block)
        all.emplace_back([=] {
            lxc_block *here = lxc_new_block();
            blockIdx = {block, 0, 0};
            lxc_run_in(here, body, context, threads);
            lxc_drop_block(here);
        });
    for (std::thread &one : all) one.join();
}

template <typename... A>
struct lxc_launched {
    void (*kernel)(A...);
    void **arguments;
};

template <typename... A, size_t... I>
static void lxc_call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<A *>(arguments[I])...);
}

template <typename... A>
static void lxc_body(void *context) {
    lxc_launched<A...> *all = static_cast<lxc_launched<A...> *>(context);
    lxc_call(all->kernel, all->arguments, std::index_sequence_for<A...>());
}

template <typename... A>
static void lxc_emulate(void (*kernel)(A...), void **arguments, uint blocks, uint threads,
                        int meets) {
    lxc_launched<A...> all = {kernel, arguments};
    if (meets == 2) return lxc_run_grid(lxc_body<A...>, &all, blocks, (int)threads);
    for (uint block = 0; block < blocks; ++block) {
        blockIdx = {block, 0, 0};
        if (meets) {
            lxc_run_together(lxc_body<A...>, &all, (int)threads);
            continue;
        }
        for (uint thread = 0; thread < threads; ++thread) {
            threadIdx = {thread, 0, 0};
            lxc_body<A...>(&all);
        }
    }
}

template <typename... A>
constexpr int lxc_count(void (*)(A...)) {
    return sizeof...(A);
}

// `meets` is 1 if the threads of a block wait for each other, and 2 if blocks do too.
#define LXC_LAUNCHER(name, meets)                                                        \
    extern "C" void LAUNCH_##name(void **arguments, unsigned blocks, unsigned threads) { \
        lxc_emulate(name, arguments, blocks, threads, meets);                            \
    }                                                                                    \
    extern "C" const int COUNT_##name = lxc_count(name);                                 \
    extern "C" const int MEETS_##name = meets;
