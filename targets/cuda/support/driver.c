/* The functions of NVIDIA's driver, looked up when a call first needs them. A program that
   never runs the model needs no driver. Results are 0 or the number of an error. */

typedef int lxc_result;
typedef uint64_t lxc_pointer; /* an address in the memory of a card */

typedef struct lxc_launch_params {
    void *function;
    unsigned grid[3], block[3], shared_bytes;
    void **arguments;
    void **extra;
    void *kernel;
    void *context;
} lxc_launch_params;

typedef union lxc_attribute {
    char room[64];
    int cooperative;
} lxc_attribute;

#define LXC_DRIVER(F)                                                                        \
    F(cuInit, (unsigned))                                                                    \
    F(cuGetErrorName, (lxc_result, const char **))                                           \
    F(cuDeviceGet, (int *, int))                                                             \
    F(cuDeviceGetAttribute, (int *, int, int))                                               \
    F(cuDevicePrimaryCtxRetain, (void **, int))                                              \
    F(cuDevicePrimaryCtxRelease_v2, (int))                                                   \
    F(cuDevicePrimaryCtxGetState, (int, unsigned *, int *))                                  \
    F(cuCtxGetCurrent, (void **))                                                            \
    F(cuCtxPushCurrent_v2, (void *))                                                         \
    F(cuCtxPopCurrent_v2, (void **))                                                         \
    F(cuCtxGetDevice, (int *))                                                               \
    F(cuCtxSynchronize, (void))                                                              \
    F(cuModuleLoadData, (void **, const void *))                                             \
    F(cuModuleUnload, (void *))                                                              \
    F(cuModuleGetFunction, (void **, void *, const char *))                                  \
    F(cuFuncSetAttribute, (void *, int, int))                                                \
    F(cuLaunchKernel, (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,   \
                       unsigned, void *, void **, void **))                                  \
    F(cuLaunchCooperativeKernel, (void *, unsigned, unsigned, unsigned, unsigned, unsigned,  \
                                  unsigned, unsigned, void *, void **))                      \
    F(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int *, void *, int, size_t))             \
    F(cuMemAlloc_v2, (lxc_pointer *, size_t))                                                \
    F(cuMemFree_v2, (lxc_pointer))                                                           \
    F(cuMemHostAlloc, (void **, size_t, unsigned))                                           \
    F(cuMemFreeHost, (void *))                                                               \
    F(cuMemcpyHtoDAsync_v2, (lxc_pointer, const void *, size_t, void *))                     \
    F(cuMemcpyDtoHAsync_v2, (void *, lxc_pointer, size_t, void *))                           \
    F(cuMemcpyDtoDAsync_v2, (lxc_pointer, lxc_pointer, size_t, void *))                      \
    F(cuStreamSynchronize, (void *))                                                         \
    F(cuStreamWaitEvent, (void *, void *, unsigned))                                         \
    F(cuStreamIsCapturing, (void *, int *))                                                  \
    F(cuEventCreate, (void **, unsigned))                                                    \
    F(cuEventRecord, (void *, void *))                                                       \
    F(cuEventQuery, (void *))                                                                \
    F(cuEventDestroy_v2, (void *))                                                           \
    F(cuGraphCreate, (void **, unsigned))                                                    \
    F(cuGraphDestroy, (void *))                                                              \
    F(cuGraphAddKernelNode_v2,                                                               \
      (void **, void *, void *const *, size_t, const lxc_launch_params *))                   \
    F(cuGraphKernelNodeSetAttribute, (void *, int, const lxc_attribute *))                   \
    F(cuGraphInstantiateWithFlags, (void **, void *, unsigned long long))                    \
    F(cuGraphExecKernelNodeSetParams_v2, (void *, void *, const lxc_launch_params *))        \
    F(cuGraphLaunch, (void *, void *))                                                       \
    F(cuGraphExecDestroy, (void *))

#define LXC_DECLARE(name, parameters) lxc_result(*name) parameters;
static struct {
    LXC_DRIVER(LXC_DECLARE)
} lxc_cu;
#undef LXC_DECLARE

static const char *lxc_driver_lacks;
static pthread_once_t lxc_driver_once = PTHREAD_ONCE_INIT;

static void lxc_look_up(void *library, const char *name, void *place) {
    void *found = dlsym(library, name);
    if (found == NULL) lxc_driver_lacks = name;
    memcpy(place, &found, sizeof found);
}

static void lxc_open_driver(void) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        lxc_driver_lacks = "libcuda.so.1";
        return;
    }
#define LXC_FIND(name, parameters) lxc_look_up(library, #name, &lxc_cu.name);
    LXC_DRIVER(LXC_FIND)
#undef LXC_FIND
}

#define LXC_OUT_OF_MEMORY 2
#define LXC_NOT_INITIALIZED 3
#define LXC_NOT_READY 600

static int32_t lxc_refused(lxc_result result, const char *what) {
    const char *name = NULL;
    if (result == 0) return LXC_OK;
    if (lxc_cu.cuGetErrorName(result, &name) != 0) name = NULL;
    int32_t code = result == LXC_OUT_OF_MEMORY ? LXC_EMEMORY : LXC_EDEVICE;
    return lxc_fail(code, "%s: %s (%d)", what, name ? name : "unknown", result);
}

#define LXC_TRY(function, ...)                                                 \
    do {                                                                       \
        int32_t tried = lxc_refused(lxc_cu.function(__VA_ARGS__), #function); \
        if (tried != LXC_OK) return tried;                                     \
    } while (0)
