// Preloaded into a process, it shows Mesa's Intel driver (ANV) a GPU that is not there: the device named by
// INTEL_SHIM_ID (hexadecimal PCI id). Memory is anonymous, queries say "not known", nothing is executed
// (INTEL_NO_HW=1). Pipelines compile as for that GPU.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <i915_drm.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>

static int fds[64], count;
static int ours(int fd) {
  for (int i = 0; i < count; i++)
    if (fds[i] == fd) return 1;
  return 0;
}
static int id(void) {
  const char *s = getenv("INTEL_SHIM_ID");
  return s ? (int)strtol(s, 0, 16) : 0x9a49;
}
static const char *render = "/dev/dri/renderD128", *card = "/dev/dri/card0";

static drmDevice device;
static char *nodes[DRM_NODE_MAX];
static drmPciBusInfo bus = {0, 0, 2, 0};
static drmPciDeviceInfo info;
static drmDevicePtr fake(void) {
  info.vendor_id = 0x8086;
  info.device_id = id();
  info.subvendor_id = 0x8086;
  info.subdevice_id = id();
  nodes[DRM_NODE_PRIMARY] = (char *)card;
  nodes[DRM_NODE_RENDER] = (char *)render;
  device.nodes = nodes;
  device.available_nodes = 1 << DRM_NODE_PRIMARY | 1 << DRM_NODE_RENDER;
  device.bustype = DRM_BUS_PCI;
  device.businfo.pci = &bus;
  device.deviceinfo.pci = &info;
  return &device;
}
int drmGetDevices2(uint32_t flags, drmDevicePtr devices[], int max) {
  if (devices && max > 0) devices[0] = fake();
  return 1;
}
int drmGetDevices(drmDevicePtr devices[], int max) {
  return drmGetDevices2(0, devices, max);
}
int drmGetDevice2(int fd, uint32_t flags, drmDevicePtr *d) {
  *d = fake();
  return 0;
}
void drmFreeDevice(drmDevicePtr *d) {
  if (d) *d = NULL;
}
void drmFreeDevices(drmDevicePtr d[], int n) {}
drmVersionPtr drmGetVersion(int fd) {
  drmVersionPtr v = calloc(1, sizeof *v);
  v->version_major = 1;
  v->version_minor = 6;
  v->name = strdup("i915");
  v->name_len = 4;
  v->date = strdup("20250101");
  v->desc = strdup("");
  return v;
}
void drmFreeVersion(drmVersionPtr v) {
  if (v) {
    free(v->name);
    free(v->date);
    free(v->desc);
    free(v);
  }
}

// One slice of `subslices` with 16 execution units each: 6 (an integrated Xe) or as INTEL_SHIM_SUBSLICES says.
static int topology(struct drm_i915_query_item *item) {
  if (item->query_id != DRM_I915_QUERY_TOPOLOGY_INFO && item->query_id != DRM_I915_QUERY_GEOMETRY_SUBSLICES)
    return -ENODEV;
  const char *said = getenv("INTEL_SHIM_SUBSLICES");
  int subslices = said ? atoi(said) : 6, stride = (subslices + 7) / 8;
  int length = sizeof(struct drm_i915_query_topology_info) + 1 + stride + 2 * subslices;
  if (!item->length) return length;
  struct drm_i915_query_topology_info *t = (void *)(uintptr_t)item->data_ptr;
  memset(t, 0, length);
  t->max_slices = 1;
  t->max_subslices = subslices;
  t->max_eus_per_subslice = 16;
  t->subslice_offset = 1;
  t->subslice_stride = stride;
  t->eu_offset = 1 + stride;
  t->eu_stride = 2;
  t->data[0] = 1;
  for (int i = 0; i < subslices; i++) t->data[1 + i / 8] |= 1 << i % 8;
  memset(t->data + 1 + stride, 0xff, 2 * subslices);
  return length;
}
static int handle(unsigned long request, void *arg) {
  static uint32_t next = 1;
  switch (_IOC_NR(request)) {
  case _IOC_NR(DRM_IOCTL_GET_CAP): {
    struct drm_get_cap *c = arg;
    c->value = 1;
    return 0;
  }
  case _IOC_NR(DRM_IOCTL_SYNCOBJ_CREATE): ((struct drm_syncobj_create *)arg)->handle = next++; return 0;
  case _IOC_NR(DRM_IOCTL_I915_GETPARAM): {
    drm_i915_getparam_t *p = arg;
    switch (p->param) {
    case I915_PARAM_CHIPSET_ID: *p->value = id(); return 0;
    case I915_PARAM_REVISION: *p->value = 8; return 0;
    case I915_PARAM_CS_TIMESTAMP_FREQUENCY: *p->value = 19200000; return 0;
    case I915_PARAM_MMAP_GTT_VERSION: *p->value = 4; return 0;
    default: *p->value = 1; return 0;
    }
  }
  case _IOC_NR(DRM_IOCTL_I915_QUERY): {
    struct drm_i915_query *q = arg;
    struct drm_i915_query_item *items = (void *)(uintptr_t)q->items_ptr;
    for (unsigned i = 0; i < q->num_items; i++) items[i].length = topology(&items[i]);
    return 0;
  }
  case _IOC_NR(DRM_IOCTL_I915_GEM_CREATE): ((struct drm_i915_gem_create *)arg)->handle = next++; return 0;
  case _IOC_NR(DRM_IOCTL_I915_GEM_USERPTR): ((struct drm_i915_gem_userptr *)arg)->handle = next++; return 0;
  case _IOC_NR(DRM_IOCTL_I915_GEM_CONTEXT_CREATE):
    ((struct drm_i915_gem_context_create *)arg)->ctx_id = next++;
    return 0;
  case _IOC_NR(DRM_IOCTL_I915_GEM_CONTEXT_GETPARAM): {
    struct drm_i915_gem_context_param *p = arg;
    p->value = p->param == I915_CONTEXT_PARAM_GTT_SIZE ? 1ull << 48 : 0;
    return 0;
  }
  case _IOC_NR(DRM_IOCTL_I915_GEM_VM_CREATE): ((struct drm_i915_gem_vm_control *)arg)->vm_id = next++; return 0;
  case _IOC_NR(DRM_IOCTL_I915_GEM_MMAP_GTT):
    ((struct drm_i915_gem_mmap_gtt *)arg)->offset = 0;
    return 0; // MMAP_OFFSET has the same number
  case _IOC_NR(DRM_IOCTL_I915_GEM_GET_APERTURE): {
    struct drm_i915_gem_get_aperture *a = arg;
    a->aper_size = a->aper_available_size = 4ull << 30;
    return 0;
  }
  default: return 0;
  }
}
int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void *arg = va_arg(list, void *);
  va_end(list);
  if (ours(fd)) return handle(request, arg);
  static int (*real)(int, unsigned long, ...);
  if (!real) real = dlsym(RTLD_NEXT, "ioctl");
  return real(fd, request, arg);
}
int drmIoctl(int fd, unsigned long request, void *arg) {
  return ioctl(fd, request, arg);
}
static int opened(const char *path) {
  if (strcmp(path, render) && strcmp(path, card)) return -1;
  static int (*real)(const char *, int, ...);
  if (!real) real = dlsym(RTLD_NEXT, "open");
  int fd = real("/dev/null", O_RDWR | O_CLOEXEC);
  if (count < 64) fds[count++] = fd;
  return fd;
}
#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    int fd = opened(path);                                                                                             \
    if (fd >= 0) return fd;                                                                                            \
    va_list l;                                                                                                         \
    va_start(l, flags);                                                                                                \
    int mode = va_arg(l, int);                                                                                         \
    va_end(l);                                                                                                         \
    static int (*real)(const char *, int, ...);                                                                        \
    if (!real) real = dlsym(RTLD_NEXT, #name);                                                                         \
    return real(path, flags, mode);                                                                                    \
  }
OPEN(open) OPEN(open64) int stat(const char *path, struct stat *s) {
  if (!strcmp(path, render) || !strcmp(path, card)) {
    memset(s, 0, sizeof *s);
    s->st_mode = S_IFCHR | 0666;
    s->st_rdev = makedev(226, strcmp(path, card) ? 128 : 0);
    return 0;
  }
  static int (*real)(const char *, struct stat *);
  if (!real) real = dlsym(RTLD_NEXT, "stat");
  return real(path, s);
}
#define MMAP(name, off)                                                                                                \
  void *name(void *addr, size_t n, int prot, int flags, int fd, off o) {                                               \
    static void *(*real)(void *, size_t, int, int, int, off);                                                          \
    if (!real) real = dlsym(RTLD_NEXT, #name);                                                                         \
    return fd >= 0 && ours(fd)                                                                                         \
               ? real(addr, n, prot, (flags & ~MAP_SHARED) | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)       \
               : real(addr, n, prot, flags, fd, o);                                                                    \
  }
MMAP(mmap, off_t) MMAP(mmap64, off64_t)
