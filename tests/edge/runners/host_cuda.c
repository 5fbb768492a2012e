/* A CUDA driver on host memory, under which the real PyCUDA runs where there is no GPU.
 *
 * It has what PyCUDA calls for the runner: one device, contexts that belong to threads, memory, pinned memory,
 * copies, streams, events. It is strict where a driver is: no call without a current context, no copy that
 * leaves its allocation, no handle that has been destroyed. Work given to a stream is done at once. What is
 * held is counted in host_cuda_held(). All other functions are made by the test and refuse.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, INVALID_HANDLE = 400 };
enum { DEVICE_MEMORY = 1, HOST_MEMORY = 2, STREAM = 3, EVENT = 4, KINDS = 5 };
enum { COMPUTE_MAJOR = 75, COMPUTE_MINOR = 76, MAX_DEPTH = 16 };

typedef unsigned long long address;
typedef struct block { char *start; size_t size; int kind; struct block *next; } block;

static const size_t TOTAL = 1 << 26; /* 64 MiB */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block *blocks;
static long held[KINDS];
static size_t used;
static int retained;
static char primary;
static __thread void *stack[MAX_DEPTH];
static __thread int depth;

long host_cuda_held(int kind) { return kind ? held[kind] : retained; }

#define WITH_CONTEXT do { if (!depth) return INVALID_CONTEXT; } while (0)

static int make(size_t size, int kind, void **result) {
    WITH_CONTEXT;
    if (!size) return INVALID_VALUE;
    block *made = malloc(sizeof *made);
    pthread_mutex_lock(&lock);
    int full = kind == DEVICE_MEMORY && used + size > TOTAL;
    if (!full) {
        *made = (block){malloc(size), size, kind, blocks};
        memset(made->start, 0xA5, size); /* nobody may count on zeros */
        blocks = made;
        held[kind]++;
        used += kind == DEVICE_MEMORY ? size : 0;
        *result = made->start;
    }
    pthread_mutex_unlock(&lock);
    if (full) free(made);
    return full ? OUT_OF_MEMORY : SUCCESS;
}

static int drop(void *start, int kind, int otherwise) {
    WITH_CONTEXT;
    pthread_mutex_lock(&lock);
    block **place = &blocks;
    while (*place && ((*place)->start != start || (*place)->kind != kind)) place = &(*place)->next;
    block *found = *place;
    if (found) {
        *place = found->next;
        held[kind]--;
        used -= kind == DEVICE_MEMORY ? found->size : 0;
        memset(found->start, 0x5A, found->size);
        free(found->start);
        free(found);
    }
    pthread_mutex_unlock(&lock);
    return found ? SUCCESS : otherwise;
}

static int holds(const void *start, size_t size, int kind) {
    int found = 0;
    pthread_mutex_lock(&lock);
    for (block *one = blocks; one; one = one->next)
        found |= one->kind == kind && (char *)start >= one->start && (char *)start + size <= one->start + one->size;
    pthread_mutex_unlock(&lock);
    return found;
}

/* device and contexts */
int cuInit(unsigned flags) { return SUCCESS; }
int cuDriverGetVersion(int *version) { *version = 12060; return SUCCESS; }
int cuDeviceGetCount(int *count) { *count = 1; return SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { *device = 0; return ordinal ? INVALID_DEVICE : SUCCESS; }
int cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "Orin"); return SUCCESS; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = TOTAL; return SUCCESS; }
int cuDeviceComputeCapability(int *major, int *minor, int device) { *major = 8; *minor = 7; return SUCCESS; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == COMPUTE_MAJOR ? 8 : attribute == COMPUTE_MINOR ? 7 : 1;
    return SUCCESS;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { retained++; *context = &primary; return SUCCESS; }
int cuDevicePrimaryCtxRelease_v2(int device) { return retained ? (retained--, SUCCESS) : INVALID_CONTEXT; }
int cuCtxPushCurrent_v2(void *context) {
    if (context != &primary || !retained || depth == MAX_DEPTH) return INVALID_CONTEXT;
    stack[depth++] = context;
    return SUCCESS;
}
int cuCtxPopCurrent_v2(void **context) {
    WITH_CONTEXT;
    depth--;
    if (context) *context = stack[depth];
    return SUCCESS;
}
int cuCtxGetCurrent(void **context) { *context = depth ? stack[depth - 1] : NULL; return SUCCESS; }
int cuCtxGetDevice(int *device) { WITH_CONTEXT; *device = 0; return SUCCESS; }
int cuCtxSynchronize(void) { WITH_CONTEXT; return SUCCESS; }
int cuCtxGetApiVersion(void *context, unsigned *version) { *version = 12060; return SUCCESS; }

/* memory */
int cuMemAlloc_v2(address *start, size_t size) { return make(size, DEVICE_MEMORY, (void **)start); }
int cuMemFree_v2(address start) { return drop((void *)start, DEVICE_MEMORY, INVALID_VALUE); }
int cuMemHostAlloc(void **start, size_t size, unsigned flags) { return make(size, HOST_MEMORY, start); }
int cuMemAllocHost_v2(void **start, size_t size) { return make(size, HOST_MEMORY, start); }
int cuMemFreeHost(void *start) { return drop(start, HOST_MEMORY, INVALID_VALUE); }
int cuMemGetInfo_v2(size_t *left, size_t *total) { WITH_CONTEXT; *total = TOTAL; *left = TOTAL - used; return SUCCESS; }

static int up(address to, const void *from, size_t size) {
    WITH_CONTEXT;
    if (!holds((void *)to, size, DEVICE_MEMORY)) return INVALID_VALUE;
    memcpy((void *)to, from, size);
    return SUCCESS;
}
static int down(void *to, address from, size_t size) {
    WITH_CONTEXT;
    if (!holds((void *)from, size, DEVICE_MEMORY)) return INVALID_VALUE;
    memcpy(to, (void *)from, size);
    return SUCCESS;
}
int cuMemcpyHtoD_v2(address to, const void *from, size_t size) { return up(to, from, size); }
int cuMemcpyDtoH_v2(void *to, address from, size_t size) { return down(to, from, size); }

/* streams and events */
#define LIVE(handle, kind) do { if ((handle) && !holds(handle, 1, kind)) return INVALID_HANDLE; } while (0)
int cuStreamCreate(void **stream, unsigned flags) { return make(8, STREAM, stream); }
int cuStreamDestroy_v2(void *stream) { return drop(stream, STREAM, INVALID_HANDLE); }
int cuStreamSynchronize(void *stream) { WITH_CONTEXT; LIVE(stream, STREAM); return SUCCESS; }
int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t size, void *stream) {
    LIVE(stream, STREAM);
    return holds(from, size, HOST_MEMORY) ? up(to, from, size) : INVALID_VALUE; /* pinned, or it would wait */
}
int cuMemcpyDtoHAsync_v2(void *to, address from, size_t size, void *stream) {
    LIVE(stream, STREAM);
    return holds(to, size, HOST_MEMORY) ? down(to, from, size) : INVALID_VALUE;
}
int cuEventCreate(void **event, unsigned flags) { return make(8, EVENT, event); }
int cuEventDestroy_v2(void *event) { return drop(event, EVENT, INVALID_HANDLE); }

static const char *describe(int status) {
    switch (status) {
    case SUCCESS: return "success";
    case INVALID_VALUE: return "invalid value";
    case OUT_OF_MEMORY: return "out of memory";
    case INVALID_CONTEXT: return "invalid device context";
    case INVALID_HANDLE: return "invalid resource handle";
    default: return "not supported";
    }
}
int cuGetErrorName(int status, const char **text) { *text = describe(status); return SUCCESS; }
int cuGetErrorString(int status, const char **text) { *text = describe(status); return SUCCESS; }
