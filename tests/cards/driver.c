/* A driver without a card: memory of the card is memory of the process, an image is a shared
   library with a function LAUNCH_name(arguments, blocks, threads) for every kernel. What is
   done can be counted, and calls can be made to fail. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "streams.h"

enum { MOST_CARDS = 4, MOST_KERNELS = 4096 };
enum { INVALID = 1, NO_MEMORY = 2, NOT_READY = 600, NOT_INITIALIZED = 3, NO_CONTEXT = 201 };
enum { MOST_CONTEXTS = MOST_CARDS + 4, IS_DESTROYED = 709, TOO_MANY_AT_ONCE = 720 };

typedef struct params {
    function *kernel;
    unsigned grid[3], block[3], shared_bytes;
    void **arguments, **extra;
    void *kern, *context;
} params;

typedef struct node {
    params with;
    int is_cooperative;
    uint64_t values[MOST_VALUES];
    void *table[MOST_VALUES];
    struct node *next;
} node;

typedef struct graph {
    node *first, *last;
} graph;

typedef struct context {
    int device;
    int users; /* who retained or created it */
} context;

typedef struct module {
    void *library;
    context *where;
    function functions[MOST_KERNELS];
    int count;
} module;

typedef struct block {
    struct block *next;
    int64_t bytes, is_on_host;
    char pad[232];
} block; /* of 256 bytes, in front of its memory */

int emulated_cards = 1;
int emulated_capabilities[MOST_CARDS] = {90, 90, 90, 90};
int emulated_version = 13000;
int emulated_multiprocessors = 132, emulated_blocks_of_each = 1; /* of kernels that meet */
int64_t emulated_memory = (int64_t)1 << 40; /* bytes that may be allocated on the card */
int emulated_node_updates, emulated_instantiations, emulated_graph_launches;
int emulated_graphs, emulated_executables; /* that nobody destroyed */
int emulated_meetings; /* launches whose blocks begin at once */
int emulated_cooperates = 1; /* whether blocks can */
int emulated_captures; /* all streams but the default one, if it is not 0 */
int emulated_modules, emulated_events, emulated_waits, emulated_uploads, emulated_downloads;
int64_t emulated_bytes_in_use;
static char failing[64];
static int failing_with;
static pid_t process;
static block *blocks;
static context contexts[MOST_CONTEXTS] = {{0}, {1}, {2}, {3}}; /* first the primary ones */
static int context_count = MOST_CARDS;
static _Thread_local context *stack[8];
static _Thread_local int depth;

/* Let the next call of a function fail. */
void emulated_fail(const char *name, int error) {
    snprintf(failing, sizeof failing, "%s", name);
    failing_with = error;
}

static int trips(const char *name) {
    if (strcmp(name, failing) != 0) return 0;
    failing[0] = 0;
    return failing_with;
}

#define BEGIN(needs_context)                                  \
    int wrong = trips(__func__);                              \
    if (wrong) return wrong;                                  \
    if (process != getpid()) return NOT_INITIALIZED;          \
    if ((needs_context) && depth == 0) return NO_CONTEXT;     \
    if ((needs_context) && !stack[depth - 1]->users) return IS_DESTROYED

int cuInit(unsigned flags) {
    int wrong = trips(__func__);
    if (wrong || flags) return wrong ? wrong : INVALID;
    if (process == 0) process = getpid();
    return process == getpid() ? 0 : NOT_INITIALIZED;
}
int cuDriverGetVersion(int *version) { return *version = emulated_version, 0; }
int cuGetErrorName(int error, const char **name) {
    *name = error == NO_MEMORY         ? "CUDA_ERROR_OUT_OF_MEMORY"
            : error == NOT_INITIALIZED ? "CUDA_ERROR_NOT_INITIALIZED"
            : error == 700             ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                                       : "CUDA_ERROR_INVALID_VALUE";
    return 0;
}
int cuDeviceGetCount(int *count) {
    BEGIN(0);
    return *count = emulated_cards, 0;
}
int cuDeviceGet(int *device, int number) {
    BEGIN(0);
    return *device = number, number < 0 || number >= emulated_cards ? 101 : 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    BEGIN(0);
    if (attribute == 75) *value = emulated_capabilities[device] / 10;
    else if (attribute == 76) *value = emulated_capabilities[device] % 10;
    else if (attribute == 16) *value = emulated_multiprocessors;
    else if (attribute == 95) *value = emulated_cooperates;
    else return INVALID;
    return 0;
}
int cuDevicePrimaryCtxRetain(void **primary, int device) {
    BEGIN(0);
    ++contexts[device].users;
    return *primary = &contexts[device], 0;
}
int cuDevicePrimaryCtxRelease_v2(int device) {
    BEGIN(0);
    return contexts[device].users ? --contexts[device].users, 0 : NO_CONTEXT;
}
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *is_active) {
    BEGIN(0);
    return *flags = 0, *is_active = contexts[device].users > 0, 0;
}
int cuCtxCreate_v2(void **made, unsigned flags, int device) {
    BEGIN(0);
    if (context_count == MOST_CONTEXTS) return NO_MEMORY;
    contexts[context_count] = (context){device, 1};
    *made = stack[depth++] = &contexts[context_count++];
    return flags ? INVALID : 0;
}
int cuCtxDestroy_v2(void *old) {
    BEGIN(0);
    depth -= depth && stack[depth - 1] == old;
    return ((context *)old)->users ? ((context *)old)->users = 0, 0 : IS_DESTROYED;
}
int cuCtxGetCurrent(void **current) {
    return *current = depth ? stack[depth - 1] : NULL, process ? 0 : NOT_INITIALIZED;
}
int cuCtxPushCurrent_v2(void *next) {
    return ((context *)next)->users ? stack[depth++] = next, 0 : IS_DESTROYED;
}
int cuCtxPopCurrent_v2(void **last) {
    return depth ? (*last = stack[--depth], 0) : NO_CONTEXT;
}
int cuCtxGetDevice(int *device) {
    BEGIN(1);
    return *device = stack[depth - 1]->device, 0;
}
int emulated_depth(void) { return depth; }
int emulated_users(int device) { return contexts[device].users; }

int cuModuleLoadData(void **loaded, const void *image) {
    BEGIN(1);
    const Elf64_Ehdr *head = image;
    if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return 200;
    size_t size = head->e_shoff + (size_t)head->e_shnum * head->e_shentsize;
    char path[] = "/tmp/lxc-card-XXXXXX";
    int file = mkstemp(path);
    if (file < 0 || write(file, image, size) != (ssize_t)size) return 999;
    close(file);
    module *made = calloc(1, sizeof *made);
    made->where = stack[depth - 1];
    *loaded = made;
    made->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    unlink(path);
    if (made->library) return ++emulated_modules, 0;
    fprintf(stderr, "%s\n", dlerror());
    free(made);
    return 200;
}
int cuModuleUnload(void *loaded) {
    --emulated_modules;
    dlclose(((module *)loaded)->library);
    free(loaded);
    return 0;
}
int cuModuleGetFunction(void **found, void *loaded, const char *name) {
    BEGIN(1);
    module *from = loaded;
    if (from->where != stack[depth - 1]) return INVALID;
    if (from->count == MOST_KERNELS) return NO_MEMORY;
    function *made = &from->functions[from->count++];
    char symbol[300];
    snprintf(symbol, sizeof symbol, "LAUNCH_%s", name);
    made->run = (launcher)dlsym(from->library, symbol);
    snprintf(symbol, sizeof symbol, "COUNT_%s", name);
    const int *count = dlsym(from->library, symbol);
    made->count = count ? *count : 0;
    snprintf(symbol, sizeof symbol, "MEETS_%s", name);
    const int *meets = dlsym(from->library, symbol);
    made->meets = meets && *meets == 2;
    *found = made;
    return made->run && count && *count <= MOST_VALUES ? 0 : 500;
}
int cuFuncSetAttribute(void *kernel, int attribute, int value) {
    BEGIN(1);
    return kernel && attribute == 8 && value <= 232448 ? 0 : INVALID;
}

static int is_legal(const params *one) {
    return one->grid[0] > 0 && one->grid[0] <= 2147483647u && one->grid[1] == 1 &&
           one->grid[2] == 1 && one->block[0] > 0 && one->block[0] <= 1024 &&
           one->block[1] == 1 && one->block[2] == 1 && one->shared_bytes <= 232448;
}

/* A card may wait for ever for blocks that it does not hold, or that were not said to meet. */
static int is_held(const params *one, int is_cooperative) {
    if (!is_cooperative) return one->kernel->meets ? INVALID : 0;
    if (!emulated_cooperates) return INVALID;
    int64_t most = (int64_t)emulated_multiprocessors * emulated_blocks_of_each;
    return one->grid[0] <= most ? 0 : TOO_MANY_AT_ONCE;
}

int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *kernel, int threads,
                                                size_t shared) {
    BEGIN(1);
    *blocks = emulated_blocks_of_each;
    return kernel && threads > 0 && threads <= 1024 && shared <= 232448 ? 0 : INVALID;
}

static int launch(const params *one, int is_cooperative, void *stream) {
    int wrong = is_legal(one) ? is_held(one, is_cooperative) : INVALID;
    if (wrong) return wrong;
    pthread_mutex_lock(&lock);
    emulated_meetings += is_cooperative;
    queue_launch(stream, one->kernel, one->grid[0], one->block[0], one->arguments);
    pthread_mutex_unlock(&lock);
    return 0;
}

int cuLaunchKernel(void *kernel, unsigned x, unsigned y, unsigned z, unsigned bx, unsigned by,
                   unsigned bz, unsigned shared, void *stream, void **arguments, void **extra) {
    BEGIN(1);
    params one = {kernel, {x, y, z}, {bx, by, bz}, shared, arguments, extra, NULL, NULL};
    return launch(&one, 0, stream);
}
int cuLaunchCooperativeKernel(void *kernel, unsigned x, unsigned y, unsigned z, unsigned bx,
                              unsigned by, unsigned bz, unsigned shared, void *stream,
                              void **arguments) {
    BEGIN(1);
    params one = {kernel, {x, y, z}, {bx, by, bz}, shared, arguments, NULL, NULL, NULL};
    return launch(&one, 1, stream);
}

static block *allocate(size_t bytes, int is_on_host) {
    block *made = aligned_alloc(256, (bytes + sizeof *made + 255) / 256 * 256);
    *made = (block){blocks, (int64_t)bytes, is_on_host, ""};
    memset(made + 1, 0xCD, bytes); /* nobody may count on zeros */
    blocks = made;
    return made;
}

static int take_out(void *memory) {
    for (block **place = &blocks; *place; place = &(*place)->next)
        if (*place + 1 == memory) {
            block *found = *place;
            *place = found->next;
            if (!found->is_on_host) emulated_bytes_in_use -= found->bytes;
            free(found);
            return 0;
        }
    return INVALID;
}

static int is_pinned(const void *memory) {
    for (block *one = blocks; one; one = one->next) {
        const char *start = (const char *)(one + 1), *place = memory;
        if (one->is_on_host && place >= start && place < start + one->bytes) return 1;
    }
    return 0;
}

int cuMemAlloc_v2(uint64_t *memory, size_t bytes) {
    BEGIN(1);
    if (!bytes) return INVALID;
    pthread_mutex_lock(&lock);
    int fits = emulated_bytes_in_use + (int64_t)bytes <= emulated_memory;
    if (fits) {
        *memory = (uint64_t)(uintptr_t)(allocate(bytes, 0) + 1);
        emulated_bytes_in_use += (int64_t)bytes;
    }
    pthread_mutex_unlock(&lock);
    return fits ? 0 : NO_MEMORY;
}
int cuMemFree_v2(uint64_t memory) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    run_all();
    wrong = take_out((void *)(uintptr_t)memory);
    pthread_mutex_unlock(&lock);
    return wrong;
}
int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    *memory = allocate(bytes, 1) + 1;
    pthread_mutex_unlock(&lock);
    return flags == 1 ? 0 : INVALID;
}
int cuMemFreeHost(void *memory) { return cuMemFree_v2((uint64_t)(uintptr_t)memory); }

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    ++emulated_uploads;
    queue_copy(stream, (void *)(uintptr_t)to, from, bytes, is_pinned(from));
    pthread_mutex_unlock(&lock);
    return 0;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    ++emulated_downloads;
    queue_copy(stream, to, (const void *)(uintptr_t)from, bytes, 1);
    if (!is_pinned(to)) run_until(stream_of(stream), stream_of(stream)->given);
    pthread_mutex_unlock(&lock);
    return 0;
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    queue_copy(stream, (void *)(uintptr_t)to, (const void *)(uintptr_t)from, bytes, 1);
    pthread_mutex_unlock(&lock);
    return 0;
}

int cuStreamIsCapturing(void *stream, int *is_captured) {
    BEGIN(1);
    return *is_captured = stream && emulated_captures, 0;
}
int cuStreamSynchronize(void *stream) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    run_until(stream_of(stream), stream_of(stream)->given);
    pthread_mutex_unlock(&lock);
    return 0;
}
int cuCtxSynchronize(void) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    run_all();
    pthread_mutex_unlock(&lock);
    return 0;
}

int cuEventCreate(void **made, unsigned flags) {
    BEGIN(1);
    ++emulated_events;
    return *made = calloc(1, sizeof(event)), flags == 2 ? 0 : INVALID;
}
int cuEventRecord(void *one, void *stream) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    *(event *)one = (event){stream_of(stream), stream_of(stream)->given};
    pthread_mutex_unlock(&lock);
    return 0;
}
int cuStreamWaitEvent(void *stream, void *one, unsigned flags) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    ++emulated_waits;
    event now = *(event *)one;
    work *made = now.where ? queue(stream_of(stream), WAIT, 0) : NULL;
    if (made) made->other = now.where, made->number = now.number;
    pthread_mutex_unlock(&lock);
    return flags ? INVALID : 0;
}
int cuEventQuery(void *one) {
    BEGIN(1);
    const event *now = one;
    return !now->where || now->where->done >= now->number ? 0 : NOT_READY;
}
int cuEventDestroy_v2(void *one) {
    BEGIN(1);
    --emulated_events;
    free(one);
    return 0;
}

#include "graphs.h"
