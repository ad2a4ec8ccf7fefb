/* Executable graphs, a few for each arena. A call whose kernels are those of an earlier call with
   the same arena changes only the nodes whose arguments differ. */

#define LXC_MOST_GRAPHS 64
#define LXC_MOST_OF_ARENA 4 /* so that a few kinds of calls may alternate */
#define LXC_COOPERATIVE 2 /* an attribute of a node */

typedef struct lxc_graph {
    int64_t arena;
    void *graph;
    void *executable;
    void **nodes;
    uint64_t used; /* when, by number of calls; 0 for never */
    lxc_launches launches;
} lxc_graph;

static lxc_graph lxc_graphs[LXC_MOST_GRAPHS];
static uint64_t lxc_graph_calls;
static pthread_mutex_t lxc_graphs_lock = PTHREAD_MUTEX_INITIALIZER;

/* A graph that still runs is not to be destroyed. */
static void lxc_drop_graph(lxc_graph *old) {
    if (old->executable != NULL) {
        lxc_cu.cuCtxSynchronize();
        lxc_cu.cuGraphExecDestroy(old->executable);
    }
    if (old->graph != NULL) lxc_cu.cuGraphDestroy(old->graph);
    free(old->nodes);
    lxc_forget_launches(&old->launches);
    memset(old, 0, sizeof *old);
}

static void lxc_drop_graphs(void) {
    pthread_mutex_lock(&lxc_graphs_lock);
    for (int32_t i = 0; i < LXC_MOST_GRAPHS; ++i) lxc_drop_graph(&lxc_graphs[i]);
    pthread_mutex_unlock(&lxc_graphs_lock);
}

/* Return the graph of an arena that launches the same kernels. If there is none, make room for
   it: in place of the graph that was used the longest ago, of this arena if it has enough. */
static lxc_graph *lxc_graph_for(int64_t arena, const lxc_launches *now) {
    lxc_graph *oldest = &lxc_graphs[0], *own = NULL;
    int32_t count = 0;
    for (int32_t i = 0; i < LXC_MOST_GRAPHS; ++i) {
        lxc_graph *one = &lxc_graphs[i];
        if (one->used < oldest->used) oldest = one;
        if (one->used == 0 || one->arena != arena) continue;
        if (lxc_is_same_order(&one->launches, now)) return one;
        if (own == NULL || one->used < own->used) own = one;
        ++count;
    }
    if (count == LXC_MOST_OF_ARENA) oldest = own;
    lxc_drop_graph(oldest);
    oldest->arena = arena;
    return oldest;
}

static lxc_launch_params lxc_params_of(const lxc_code *code, const lxc_function *functions,
                                       const lxc_launches *all, size_t number,
                                       void **table) {
    const lxc_launch_record *record = &all->records[number];
    const lxc_kernel *kernel = &code->kernels[record->kernel];
    lxc_launch_params params = {0};
    params.function = functions[record->kernel].handle;
    params.grid[0] = (unsigned)record->blocks;
    params.grid[1] = params.grid[2] = params.block[1] = params.block[2] = 1;
    params.block[0] = (unsigned)kernel->threads;
    params.shared_bytes = (unsigned)kernel->shared_bytes;
    lxc_arguments_of(all, number, table);
    params.arguments = table;
    return params;
}

/* Let all blocks of a node begin at once. */
static int32_t lxc_let_meet(void *node) {
    lxc_attribute value = {.cooperative = 1};
    LXC_TRY(cuGraphKernelNodeSetAttribute, node, LXC_COOPERATIVE, &value);
    return LXC_OK;
}

static int32_t lxc_build_graph(const lxc_code *code, const lxc_function *functions, lxc_graph *one) {
    void *table[LXC_MOST_ARGUMENTS];
    LXC_TRY(cuGraphCreate, &one->graph, 0);
    one->nodes = calloc(one->launches.count + 1, sizeof *one->nodes);
    if (one->nodes == NULL) return lxc_fail(LXC_EMEMORY, "no memory for a graph");
    for (size_t i = 0; i < one->launches.count; ++i) {
        lxc_launch_params params = lxc_params_of(code, functions, &one->launches, i, table);
        void *const *before = i > 0 ? &one->nodes[i - 1] : NULL;
        LXC_TRY(cuGraphAddKernelNode_v2, &one->nodes[i], one->graph, before, i > 0, &params);
        int meets = code->kernels[one->launches.records[i].kernel].meets;
        int32_t status = meets ? lxc_let_meet(one->nodes[i]) : LXC_OK;
        if (status != LXC_OK) return status;
    }
    LXC_TRY(cuGraphInstantiateWithFlags, &one->executable, one->graph, 0);
    return LXC_OK;
}

static int32_t lxc_update_graph(const lxc_code *code, const lxc_function *functions, lxc_graph *one,
                                const lxc_launches *now) {
    void *table[LXC_MOST_ARGUMENTS];
    for (size_t i = 0; i < now->count; ++i) {
        if (lxc_is_same_launch(&one->launches, now, i)) continue;
        lxc_launch_params params = lxc_params_of(code, functions, now, i, table);
        LXC_TRY(cuGraphExecKernelNodeSetParams_v2, one->executable, one->nodes[i], &params);
    }
    return LXC_OK;
}

/* Let the graph launch what a call wrote down. */
static int32_t lxc_turn_graph(const lxc_code *code, const lxc_function *functions, lxc_graph *one,
                              const lxc_launches *now) {
    if (one->executable != NULL) {
        int32_t status = lxc_update_graph(code, functions, one, now);
        lxc_forget_launches(&one->launches);
        one->launches = *now;
        return status;
    }
    one->launches = *now;
    return lxc_build_graph(code, functions, one);
}

/* Launch what a call wrote down, which is empty afterwards. */
static int32_t lxc_launch_graph(const lxc_code *code, const lxc_function *functions, int64_t arena,
                                lxc_launches *now, void *stream) {
    pthread_mutex_lock(&lxc_graphs_lock);
    lxc_graph *one = lxc_graph_for(arena, now);
    int32_t status = lxc_turn_graph(code, functions, one, now);
    memset(now, 0, sizeof *now);
    one->used = ++lxc_graph_calls;
    if (status == LXC_OK && one->launches.count > 0)
        status = lxc_refused(lxc_cu.cuGraphLaunch(one->executable, stream), "cuGraphLaunch");
    if (status != LXC_OK) lxc_drop_graph(one);
    pthread_mutex_unlock(&lxc_graphs_lock);
    return status;
}
