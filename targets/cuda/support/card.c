/* The card that the model runs on, and the functions of its kernels there. The first call
   settles both. A card's primary context is shared by all who retain it, and stays; another
   one belongs to the caller, and is forgotten by close. */

#define LXC_CAPABILITY_MAJOR 75
#define LXC_CAPABILITY_MINOR 76
#define LXC_MULTIPROCESSORS 16
#define LXC_COOPERATIVE_LAUNCH 95
#define LXC_DYNAMIC_SHARED_BYTES 8
#define LXC_ANY_CARD (-1)

static struct {
    atomic_int process; /* 0 until the driver was asked for anything */
    void *context;
    int is_callers;
    int device;
    void *module;
    lxc_function *functions;
} lxc_home;
static pthread_mutex_t lxc_home_lock = PTHREAD_MUTEX_INITIALIZER;

static int32_t lxc_is_forked(void) {
    return lxc_fail(LXC_EDEVICE,
                    "the process was forked after it had used the card, which only the "
                    "process that did so can go on with");
}

/* Stay in the context that is current. One that is active may be the primary one, which goes
   when the last who retained it releases it. */
static int32_t lxc_stay_in(void *context) {
    unsigned flags;
    int is_active;
    void *primary = NULL;
    LXC_TRY(cuCtxGetDevice, &lxc_home.device);
    LXC_TRY(cuDevicePrimaryCtxGetState, lxc_home.device, &flags, &is_active);
    if (is_active) LXC_TRY(cuDevicePrimaryCtxRetain, &primary, lxc_home.device);
    lxc_home.is_callers = primary != context;
    if (is_active && lxc_home.is_callers)
        LXC_TRY(cuDevicePrimaryCtxRelease_v2, lxc_home.device);
    lxc_home.context = context;
    return LXC_OK;
}

static int32_t lxc_go_to(int32_t number) {
    void *context;
    LXC_TRY(cuDeviceGet, &lxc_home.device, number);
    LXC_TRY(cuDevicePrimaryCtxRetain, &context, lxc_home.device);
    lxc_home.is_callers = 0;
    lxc_home.context = context;
    return LXC_OK;
}

/* Find out where the model runs. The lock is held. */
static int32_t lxc_settle(int32_t number) {
    void *context = NULL;
    lxc_result result = lxc_cu.cuInit(0);
    if (result == LXC_NOT_INITIALIZED) return lxc_is_forked();
    if (result != 0) return lxc_refused(result, "cuInit");
    if (number == LXC_ANY_CARD) LXC_TRY(cuCtxGetCurrent, &context);
    if (context != NULL) return lxc_stay_in(context);
    return lxc_go_to(number == LXC_ANY_CARD ? 0 : number);
}

static int32_t lxc_find_home(int32_t number) {
    int32_t status = LXC_OK;
    pthread_once(&lxc_driver_once, lxc_open_driver);
    if (lxc_driver_lacks != NULL)
        return lxc_fail(LXC_EDEVICE, "NVIDIA's driver is missing or too old: there is no %s",
                        lxc_driver_lacks);
    int process = (int)getpid(), first = 0;
    /* Before the lock, which another thread may have held when the process was forked. */
    if (!atomic_compare_exchange_strong(&lxc_home.process, &first, process) &&
        first != process)
        return lxc_is_forked();
    pthread_mutex_lock(&lxc_home_lock);
    if (lxc_home.context == NULL)
        status = lxc_settle(number);
    else if (number != LXC_ANY_CARD && number != lxc_home.device)
        status = lxc_fail(LXC_EDEVICE, "the model runs on card %d already", lxc_home.device);
    pthread_mutex_unlock(&lxc_home_lock);
    return status;
}

/* Make the card's context current; `leave` undoes that. */
static int32_t lxc_enter(int *is_pushed) {
    void *context;
    *is_pushed = 0;
    int32_t status = lxc_find_home(LXC_ANY_CARD);
    if (status != LXC_OK) return status;
    LXC_TRY(cuCtxGetCurrent, &context);
    if (context == lxc_home.context) return LXC_OK;
    LXC_TRY(cuCtxPushCurrent_v2, lxc_home.context);
    *is_pushed = 1;
    return LXC_OK;
}

static void lxc_leave(int is_pushed) {
    void *context;
    if (is_pushed) lxc_cu.cuCtxPopCurrent_v2(&context);
}

static int32_t lxc_image_for(const lxc_code *code, int32_t capability,
                             const lxc_image **chosen) {
    *chosen = NULL;
    for (int32_t i = 0; i < code->image_count; ++i) {
        const lxc_image *image = &code->images[i];
        int same_family = image->capability / 10 == capability / 10;
        int fits = image->needs_exact ? image->capability == capability
                                      : image->capability <= capability &&
                                            (image->is_text || same_family);
        int better = *chosen == NULL || (*chosen)->is_text > image->is_text ||
                     ((*chosen)->is_text == image->is_text &&
                      (*chosen)->capability <= image->capability);
        if (fits && better) *chosen = image;
    }
    if (*chosen != NULL) return LXC_OK;
    return lxc_fail(LXC_EDEVICE, "there is no code for a card of compute capability %d.%d",
                    (int)capability / 10, (int)capability % 10);
}

/* Find out how many blocks of a kernel the card holds at once. */
static int32_t lxc_count_blocks(const lxc_kernel *kernel, lxc_function *function) {
    int allowed, processors, blocks;
    LXC_TRY(cuDeviceGetAttribute, &allowed, LXC_COOPERATIVE_LAUNCH, lxc_home.device);
    LXC_TRY(cuDeviceGetAttribute, &processors, LXC_MULTIPROCESSORS, lxc_home.device);
    LXC_TRY(cuOccupancyMaxActiveBlocksPerMultiprocessor, &blocks, function->handle,
            kernel->threads, (size_t)kernel->shared_bytes);
    function->most_blocks = allowed ? (int64_t)blocks * processors : 0;
    return LXC_OK;
}

static int32_t lxc_find_kernels(const lxc_code *code, void *module,
                                lxc_function *functions) {
    for (int32_t i = 0; i < code->kernel_count; ++i) {
        const lxc_kernel *kernel = &code->kernels[i];
        LXC_TRY(cuModuleGetFunction, &functions[i].handle, module, kernel->name);
        if (kernel->shared_bytes > 0)
            LXC_TRY(cuFuncSetAttribute, functions[i].handle, LXC_DYNAMIC_SHARED_BYTES,
                    kernel->shared_bytes);
        int32_t status = kernel->meets ? lxc_count_blocks(kernel, &functions[i]) : LXC_OK;
        if (status != LXC_OK) return status;
    }
    return LXC_OK;
}

/* Load the kernels. The lock is held, and the context is current. */
static int32_t lxc_load(const lxc_code *code) {
    int major, minor;
    void *module;
    const lxc_image *image;
    LXC_TRY(cuDeviceGetAttribute, &major, LXC_CAPABILITY_MAJOR, lxc_home.device);
    LXC_TRY(cuDeviceGetAttribute, &minor, LXC_CAPABILITY_MINOR, lxc_home.device);
    int32_t status = lxc_image_for(code, major * 10 + minor, &image);
    if (status != LXC_OK) return status;
    lxc_function *functions = calloc((size_t)code->kernel_count, sizeof *functions);
    if (functions == NULL) return lxc_fail(LXC_EMEMORY, "no memory for the kernels");
    status = lxc_refused(lxc_cu.cuModuleLoadData(&module, image->bytes), "cuModuleLoadData");
    if (status == LXC_OK) {
        status = lxc_find_kernels(code, module, functions);
        if (status != LXC_OK) lxc_cu.cuModuleUnload(module);
    }
    if (status == LXC_OK) {
        lxc_home.module = module;
        lxc_home.functions = functions;
    } else {
        free(functions);
    }
    return status;
}

static void lxc_unload(void) {
    pthread_mutex_lock(&lxc_home_lock);
    if (lxc_home.functions != NULL) lxc_cu.cuModuleUnload(lxc_home.module);
    free(lxc_home.functions);
    lxc_home.functions = NULL;
    if (lxc_home.is_callers) lxc_home.context = NULL;
    pthread_mutex_unlock(&lxc_home_lock);
}

/* Return the functions of the kernels; the context is current. */
static int32_t lxc_functions(const lxc_code *code, const lxc_function **functions) {
    int32_t status = LXC_OK;
    pthread_mutex_lock(&lxc_home_lock);
    if (lxc_home.functions == NULL) status = lxc_load(code);
    *functions = lxc_home.functions;
    pthread_mutex_unlock(&lxc_home_lock);
    return status;
}
