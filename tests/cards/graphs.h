/* Graphs that are chains of kernels. */

int cuGraphCreate(void **made, unsigned flags) {
    BEGIN(1);
    ++emulated_graphs;
    return *made = calloc(1, sizeof(graph)), flags ? INVALID : 0;
}
/* An executable graph is the graph itself, which stays until that is destroyed. */
int cuGraphDestroy(void *old) {
    emulated_graphs -= old != NULL;
    return old ? 0 : INVALID;
}
int cuGraphExecDestroy(void *old) {
    --emulated_executables;
    for (node *one = ((graph *)old)->first, *next; one; one = next) {
        next = one->next;
        free(one);
    }
    free(old);
    return 0;
}

static void take(node *one, const params *with) {
    one->with = *with;
    for (int i = 0; i < with->kernel->count; ++i) {
        memcpy(&one->values[i], with->arguments[i], 8);
        one->table[i] = &one->values[i];
    }
    one->with.arguments = one->table;
}

int cuGraphAddKernelNode_v2(void **made, void *into, void *const *after, size_t count,
                            const params *with) {
    BEGIN(1);
    graph *all = into;
    if (count > 1 || (count == 1) != (all->last != NULL) || (count && after[0] != all->last) ||
        !is_legal(with))
        return INVALID;
    node *one = calloc(1, sizeof *one);
    take(one, with);
    if (all->last) all->last->next = one;
    else all->first = one;
    all->last = one;
    return *made = one, 0;
}
int cuGraphKernelNodeSetAttribute(void *which, int attribute, const int *value) {
    BEGIN(1);
    ((node *)which)->is_cooperative = *value;
    return attribute == 2 ? 0 : INVALID;
}
int cuGraphInstantiateWithFlags(void **made, void *from, unsigned long long flags) {
    BEGIN(1);
    for (node *one = ((graph *)from)->first; one && !wrong; one = one->next)
        wrong = is_held(&one->with, one->is_cooperative);
    if (wrong) return wrong;
    ++emulated_instantiations;
    ++emulated_executables;
    return *made = from, flags ? INVALID : 0;
}
int cuGraphExecKernelNodeSetParams_v2(void *executable, void *which, const params *with) {
    BEGIN(1);
    ++emulated_node_updates;
    if (!executable || ((node *)which)->with.kernel != with->kernel || !is_legal(with))
        return INVALID;
    take(which, with);
    return 0;
}
/* What is launched is what the nodes hold now. */
int cuGraphLaunch(void *executable, void *stream) {
    BEGIN(1);
    pthread_mutex_lock(&lock);
    ++emulated_graph_launches;
    for (node *one = ((graph *)executable)->first; one; one = one->next) {
        emulated_meetings += one->is_cooperative;
        queue_launch(stream, one->with.kernel, one->with.grid[0], one->with.block[0],
                     one->with.arguments);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}
