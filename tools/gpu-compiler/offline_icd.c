// A Vulkan driver that forwards to a real one of Mesa, the file OFFLINE_DRIVER, which thinks it has a GPU: RADV without
// a window system (RADV_FORCE_FAMILY), or ANV under intel_shim.c. The compiler is real, its queue is not: commands and
// submits do nothing, fences are always signalled, memory is the process's own.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

static PFN_vkGetInstanceProcAddr real_instance;
static PFN_vkGetDeviceProcAddr real_device;
typedef VkResult (*Negotiate)(uint32_t *);
typedef PFN_vkVoidFunction (*GetPhys)(VkInstance, const char *);
static Negotiate real_negotiate;
static GetPhys real_phys;

static void load(void) {
  if (real_instance) return;
  const char *path = getenv("OFFLINE_DRIVER");
  void *lib = dlopen(path ? path : "libvulkan_radeon.so", RTLD_NOW | RTLD_LOCAL);
  if (!lib) {
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
  real_instance = (PFN_vkGetInstanceProcAddr)dlsym(lib, "vk_icdGetInstanceProcAddr");
  real_negotiate = (Negotiate)dlsym(lib, "vk_icdNegotiateLoaderICDInterfaceVersion");
  real_phys = (GetPhys)dlsym(lib, "vk_icdGetPhysicalDeviceProcAddr");
}
static VkResult ok(void) {
  return VK_SUCCESS;
}
static int quiet(const char *name) {
  if (!strncmp(name, "vkCmd", 5)) return 1;
  static const char *names[] = {"vkBeginCommandBuffer",
                                "vkEndCommandBuffer",
                                "vkResetCommandBuffer",
                                "vkFreeCommandBuffers",
                                "vkDestroyCommandPool",
                                "vkQueueSubmit",
                                "vkQueueSubmit2",
                                "vkQueueSubmit2KHR",
                                "vkQueueWaitIdle",
                                "vkDeviceWaitIdle",
                                "vkGetFenceStatus",
                                "vkWaitForFences",
                                "vkWaitSemaphores",
                                "vkWaitSemaphoresKHR",
                                "vkResetFences",
                                "vkBindBufferMemory",
                                "vkBindBufferMemory2",
                                "vkBindBufferMemory2KHR",
                                "vkUpdateDescriptorSets",
                                "vkUnmapMemory",
                                "vkFlushMappedMemoryRanges",
                                "vkInvalidateMappedMemoryRanges",
                                0};
  for (int i = 0; names[i]; i++)
    if (!strcmp(name, names[i])) return 1;
  return 0;
}
static PFN_vkVoidFunction other(const char *, PFN_vkVoidFunction);
static PFN_vkVoidFunction device_proc(VkDevice d, const char *name) {
  if (!real_device) real_device = (PFN_vkGetDeviceProcAddr)real_instance(NULL, "vkGetDeviceProcAddr");
  PFN_vkVoidFunction f = real_device(d, name);
  return !f ? f : quiet(name) ? (PFN_vkVoidFunction)ok : other(name, f);
}

// Memory is the process's own: what a buffer holds is never read by a GPU.
static void memory_properties(VkPhysicalDevice p, VkPhysicalDeviceMemoryProperties *m) {
  memset(m, 0, sizeof *m);
  m->memoryHeapCount = 1;
  m->memoryHeaps[0].size = 16ull << 30;
  m->memoryHeaps[0].flags = VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
  m->memoryTypeCount = 2;
  m->memoryTypes[0].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  m->memoryTypes[1].propertyFlags =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
}
static void memory_properties2(VkPhysicalDevice p, VkPhysicalDeviceMemoryProperties2 *m) {
  memory_properties(p, &m->memoryProperties);
}
typedef struct {
  size_t size;
  void *data;
} Memory;
static VkResult allocate(VkDevice d, const VkMemoryAllocateInfo *i, const VkAllocationCallbacks *a,
                         VkDeviceMemory *out) {
  Memory *m = malloc(sizeof *m);
  m->size = i->allocationSize;
  m->data = NULL;
  *out = (VkDeviceMemory)(uintptr_t)m;
  return VK_SUCCESS;
}
static void release(VkDevice d, VkDeviceMemory h, const VkAllocationCallbacks *a) {
  Memory *m = (Memory *)(uintptr_t)h;
  if (m) {
    free(m->data);
    free(m);
  }
}
static VkResult map(VkDevice d, VkDeviceMemory h, VkDeviceSize off, VkDeviceSize n, VkMemoryMapFlags f, void **out) {
  Memory *m = (Memory *)(uintptr_t)h;
  if (!m->data) m->data = calloc(1, m->size);
  *out = (char *)m->data + off;
  return VK_SUCCESS;
}
static void (*real_requirements2)(VkDevice, const VkBufferMemoryRequirementsInfo2 *, VkMemoryRequirements2 *);
static void (*real_requirements)(VkDevice, VkBuffer, VkMemoryRequirements *);
static void requirements2(VkDevice d, const VkBufferMemoryRequirementsInfo2 *i, VkMemoryRequirements2 *r) {
  real_requirements2(d, i, r);
  r->memoryRequirements.memoryTypeBits = 3;
}
static void requirements(VkDevice d, VkBuffer b, VkMemoryRequirements *r) {
  real_requirements(d, b, r);
  r->memoryTypeBits = 3;
}
// Fences are signalled from the start; a sync file of -1 says the same.
static VkResult create_fence(VkDevice d, const VkFenceCreateInfo *i, const VkAllocationCallbacks *a, VkFence *f) {
  static uint64_t next = 1;
  *f = (VkFence)(uintptr_t)next++;
  return VK_SUCCESS;
}
static VkResult fence_fd(VkDevice d, const void *i, int *fd) {
  *fd = -1;
  return VK_SUCCESS;
}
static PFN_vkVoidFunction other(const char *name, PFN_vkVoidFunction f) {
#define IS(n) (!strcmp(name, #n))
  if (IS(vkCreateFence)) return (PFN_vkVoidFunction)create_fence;
  if (IS(vkDestroyFence)) return (PFN_vkVoidFunction)ok;
  if (IS(vkGetFenceFdKHR)) return (PFN_vkVoidFunction)fence_fd;
  if (IS(vkAllocateMemory)) return (PFN_vkVoidFunction)allocate;
  if (IS(vkFreeMemory)) return (PFN_vkVoidFunction)release;
  if (IS(vkMapMemory)) return (PFN_vkVoidFunction)map;
  if (IS(vkGetBufferMemoryRequirements)) {
    real_requirements = (void *)f;
    return (PFN_vkVoidFunction)requirements;
  }
  if (IS(vkGetBufferMemoryRequirements2) || IS(vkGetBufferMemoryRequirements2KHR)) {
    real_requirements2 = (void *)f;
    return (PFN_vkVoidFunction)requirements2;
  }
  if (IS(vkGetPhysicalDeviceMemoryProperties)) return (PFN_vkVoidFunction)memory_properties;
  if (IS(vkGetPhysicalDeviceMemoryProperties2) || IS(vkGetPhysicalDeviceMemoryProperties2KHR))
    return (PFN_vkVoidFunction)memory_properties2;
  return f;
}
PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance i, const char *name) {
  load();
  PFN_vkVoidFunction f = real_instance(i, name);
  if (!strcmp(name, "vkGetDeviceProcAddr") && f) {
    real_device = (PFN_vkGetDeviceProcAddr)f;
    return (PFN_vkVoidFunction)device_proc;
  }
  return !f ? f : quiet(name) ? (PFN_vkVoidFunction)ok : other(name, f);
}
VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *v) {
  load();
  return real_negotiate(v);
}
PFN_vkVoidFunction vk_icdGetPhysicalDeviceProcAddr(VkInstance i, const char *name) {
  load();
  PFN_vkVoidFunction f = real_phys(i, name);
  return f ? other(name, f) : f;
}
