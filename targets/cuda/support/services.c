/* Memory, copies and streams of the card: the functions of `lxc_card`. */

#define LXC_PORTABLE 1      /* memory of the host, for every context */
#define LXC_WITHOUT_TIMES 2 /* events */

/* Define a function that returns what one of the driver returns, in the card's context. */
#define LXC_SERVICE(name, parameters, condition, function, arguments)                  \
    static int32_t name parameters {                                                   \
        int is_pushed;                                                                 \
        int32_t status = lxc_enter(&is_pushed);                                        \
        if (status != LXC_OK) return status;                                           \
        if (condition) status = lxc_refused(lxc_cu.function arguments, #function);     \
        lxc_leave(is_pushed);                                                          \
        return status;                                                                 \
    }

LXC_SERVICE(lxc_allocate_some, (lxc_pointer *made, int64_t bytes), 1, cuMemAlloc_v2,
            (made, (size_t)bytes))
LXC_SERVICE(lxc_free, (void *memory), memory != NULL, cuMemFree_v2, ((uintptr_t)memory))
LXC_SERVICE(lxc_allocate_host, (int64_t bytes, void **memory), 1, cuMemHostAlloc,
            (memory, (size_t)(bytes > 0 ? bytes : 1), LXC_PORTABLE))
LXC_SERVICE(lxc_release_host, (void *memory), memory != NULL, cuMemFreeHost, (memory))
LXC_SERVICE(lxc_upload, (void *memory, const void *host, int64_t bytes, void *stream),
            bytes > 0, cuMemcpyHtoDAsync_v2,
            ((uintptr_t)memory, host, (size_t)bytes, stream))
LXC_SERVICE(lxc_download, (void *host, const void *memory, int64_t bytes, void *stream),
            bytes > 0, cuMemcpyDtoHAsync_v2,
            (host, (uintptr_t)memory, (size_t)bytes, stream))
LXC_SERVICE(lxc_move, (void *to, const void *from, int64_t bytes, void *stream), bytes > 0,
            cuMemcpyDtoDAsync_v2, ((uintptr_t)to, (uintptr_t)from, (size_t)bytes, stream))
LXC_SERVICE(lxc_wait, (void *stream), 1, cuStreamSynchronize, (stream))
LXC_SERVICE(lxc_wait_for_all, (void), 1, cuCtxSynchronize, ())
LXC_SERVICE(lxc_create_event, (void **event), 1, cuEventCreate, (event, LXC_WITHOUT_TIMES))
LXC_SERVICE(lxc_record_event, (void *event, void *stream), 1, cuEventRecord, (event, stream))
LXC_SERVICE(lxc_follow, (void *stream, void *event), 1, cuStreamWaitEvent,
            (stream, event, 0))
LXC_SERVICE(lxc_forget, (void *event), event != NULL, cuEventDestroy_v2, (event))

/* The driver may free memory that work in a stream still uses. */
static int32_t lxc_release(void *memory) {
    int32_t status = lxc_wait_for_all();
    return status == LXC_OK ? lxc_free(memory) : status;
}

static int32_t lxc_use(int32_t number) {
    if (number < 0) return lxc_fail(LXC_EDEVICE, "there is no card %d", (int)number);
    return lxc_find_home(number);
}

static int32_t lxc_allocate(int64_t bytes, void **memory) {
    lxc_pointer made = 0;
    int32_t status = lxc_allocate_some(&made, bytes > 0 ? bytes : 1);
    if (status == LXC_OK) *memory = (void *)(uintptr_t)made;
    return status;
}

static int32_t lxc_mark(void *stream, void **event) {
    int32_t status = *event == NULL ? lxc_create_event(event) : LXC_OK;
    return status == LXC_OK ? lxc_record_event(*event, stream) : status;
}

static int32_t lxc_has_passed(void *event, int32_t *passed) {
    int is_pushed;
    int32_t status = lxc_enter(&is_pushed);
    if (status != LXC_OK) return status;
    lxc_result result = lxc_cu.cuEventQuery(event);
    *passed = result == 0;
    if (result != LXC_NOT_READY) status = lxc_refused(result, "cuEventQuery");
    lxc_leave(is_pushed);
    return status;
}

static int32_t lxc_close(void) {
    int is_pushed;
    if (lxc_home.context == NULL) return LXC_OK;
    int32_t status = lxc_enter(&is_pushed);
    if (status != LXC_OK) return status;
    lxc_cu.cuCtxSynchronize();
    lxc_drop_graphs();
    lxc_unload();
    lxc_leave(is_pushed);
    return LXC_OK;
}

static const lxc_card lxc_the_card = {
    .size = sizeof(lxc_card),
    .version = 1,
    .use = lxc_use,
    .allocate = lxc_allocate,
    .release = lxc_release,
    .allocate_host = lxc_allocate_host,
    .release_host = lxc_release_host,
    .upload = lxc_upload,
    .download = lxc_download,
    .copy = lxc_move,
    .wait = lxc_wait,
    .wait_for_all = lxc_wait_for_all,
    .mark = lxc_mark,
    .follow = lxc_follow,
    .has_passed = lxc_has_passed,
    .forget = lxc_forget,
    .close = lxc_close,
};

const lxc_card *lxc_card_of_library(void) { return &lxc_the_card; }
