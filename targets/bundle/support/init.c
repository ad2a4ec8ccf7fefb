/* Values of a model: in the library, or in a file that is mapped. */

/* At the start of memory that lxc_init takes: all that lxc_release gives back. */
typedef struct lxc_memory {
    void *file;
    size_t file_bytes;
    size_t bytes;
} lxc_memory;

/* Memory comes by pages, so it is aligned to more than 64 bytes, and it is zero. */
static void *lxc_take_memory(size_t bytes) {
    void *taken = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (taken != MAP_FAILED) return taken;
    lxc_fail(LXC_EMEMORY, "there is no memory of %llu bytes", (unsigned long long)bytes);
    return NULL;
}

static size_t lxc_aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

static int32_t lxc_check_values(const lxc_values *values) {
    if (values == NULL) return lxc_fail(LXC_ENULL, "there is no place for the values");
    if (values->size != sizeof *values)
        return lxc_fail(LXC_EARGUMENT, "the values have size %u, and %u is expected",
                        (unsigned)values->size, (unsigned)sizeof *values);
    if (values->flags != 0) return lxc_fail(LXC_EARGUMENT, "flags must be 0");
    if (values->memory != NULL)
        return lxc_fail(LXC_EARGUMENT, "the values are in use: release them first");
    return LXC_OK;
}

/* The file was written beside the library: it is the right one if it starts as that did.
   Opening a pipe would wait for one who writes. */
static int32_t lxc_map_file(const lxc_file *file, const char *path, void **mapped) {
    if (path == NULL) return lxc_fail(LXC_ENULL, "the path of the values is NULL");
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return lxc_fail(LXC_EFILE, "cannot open %.160s: %s", path, strerror(errno));
    struct stat status;
    int is_known = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    if (!is_known || status.st_size != file->bytes) {
        close(descriptor);
        return lxc_fail(LXC_EFILE, "%.160s is not a file of %lld bytes", path,
                        (long long)file->bytes);
    }
    *mapped = mmap(NULL, (size_t)file->bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    int problem = errno;
    close(descriptor);
    if (*mapped == MAP_FAILED)
        return lxc_fail(LXC_EMEMORY, "cannot map %.160s: %s", path, strerror(problem));
    if (memcmp(*mapped, file->head, (size_t)file->head_bytes) == 0) return LXC_OK;
    munmap(*mapped, (size_t)file->bytes);
    return lxc_fail(LXC_EFILE, "%.160s holds the values of another model", path);
}

static void lxc_point(const void **table, int32_t count, const int64_t *offsets,
                      const char *start) {
    for (int32_t i = 0; i < count; ++i)
        table[i] = offsets[i] < 0 ? NULL : start + offsets[i];
}

static int32_t lxc_init_from_file(const lxc_bundle *bundle, lxc_values *values,
                                  const char *path) {
    const lxc_model *model = bundle->model;
    int32_t params = model->params.count, stored = params - bundle->constant_count;
    void *mapped = NULL;
    int32_t code = lxc_map_file(bundle->file, path, &mapped);
    if (code != LXC_OK) return code;
    size_t tables = lxc_aligned(sizeof(lxc_memory)), entry = sizeof(void *);
    size_t prepared = tables + lxc_aligned((size_t)(params + model->state.count) * entry);
    size_t bytes = prepared + (size_t)model->prepared_bytes;
    lxc_memory *memory = lxc_take_memory(bytes);
    if (memory == NULL) {
        munmap(mapped, (size_t)bundle->file->bytes);
        return LXC_EMEMORY;
    }
    *memory = (lxc_memory){mapped, (size_t)bundle->file->bytes, bytes};
    const void **table = (const void **)((char *)memory + tables);
    lxc_point(table, stored, bundle->file->params, mapped);
    for (int32_t i = stored; i < params; ++i) table[i] = bundle->constants[i - stored];
    lxc_point(table + params, model->state.count, bundle->file->state, mapped);
    values->params = table;
    values->state = table + params;
    values->prepared = (char *)memory + prepared;
    values->memory = memory;
    lxc_prepare_call call = {sizeof call, 0, table, table + params, (char *)memory + prepared,
                             bundle->check->dims, NULL, 0, 0};
    code = bundle->prepare(&call);
    if (code != LXC_OK) lxc_release(values);
    return code;
}

int32_t lxc_init(const lxc_bundle *bundle, lxc_values *values, const char *path) {
    int32_t code = lxc_check_values(values);
    if (code == LXC_OK) code = lxc_check_processor(bundle);
    if (code != LXC_OK) return code;
    if (bundle->file != NULL) return lxc_init_from_file(bundle, values, path);
    if (path != NULL)
        return lxc_fail(LXC_EARGUMENT, "the values are in the library: path must be NULL");
    values->params = bundle->params;
    values->state = bundle->state;
    values->prepared = bundle->prepared;
    values->memory = NULL;
    return LXC_OK;
}

void lxc_release(lxc_values *values) {
    if (values == NULL) return;
    lxc_memory *memory = values->memory;
    *values = (lxc_values){sizeof *values, 0, NULL, NULL, NULL, NULL};
    if (memory == NULL) return;
    munmap(memory->file, memory->file_bytes);
    munmap(memory, memory->bytes);
}
