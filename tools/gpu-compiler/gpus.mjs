// The GPUs whose compilers are asked, with figures that their makers publish.

/**
 * @typedef {object} Gpu
 * @property {string} title
 * @property {'amd' | 'intel'} vendor whose driver compiles
 * @property {string} id AMD: the family's name in RADV_FORCE_FAMILY; Intel: the PCI id
 * @property {number} units compute units (AMD), subslices or Xe cores (Intel)
 * @property {number} lanes invocations of a unit that a vector instruction serves in a clock
 * @property {number} ghz the boost clock
 * @property {number} workgroupBytes that a unit reads of workgroup memory in a clock
 * @property {number} gbps bandwidth of memory, GB/s
 * @property {import('../../src/gpu/gpu.ts').SubgroupMatrix[]} [matrices] what Dawn says of its subgroup matrices; none where absent
 * @property {string} source
 */

/** @type {Readonly<Record<string, Gpu>>} */
export const GPUS = {
  tgl: {
    title: 'Intel Iris Xe, 96 EU (Xe-LP)',
    vendor: 'intel',
    id: '9a49',
    units: 6,
    lanes: 128, // 16 EU of 8 lanes
    ghz: 1.35,
    workgroupBytes: 128,
    gbps: 68,
    source: "Core i7-1185G7's page; Intel's Xe-LP architecture guide; LPDDR4x-4266, 128 bits",
  },
  mtl: {
    title: 'Intel Arc, 8 Xe cores (Xe-LPG)',
    vendor: 'intel',
    id: '7d55',
    units: 8,
    lanes: 128, // 16 vector engines of 8 lanes
    ghz: 2.25,
    workgroupBytes: 128,
    gbps: 120,
    source: "Core Ultra 7 155H's page; Intel's Xe-LPG architecture guide; LPDDR5x-7467, 128 bits",
  },
  navi21: {
    title: 'AMD Radeon RX 6900 XT (RDNA 2)',
    vendor: 'amd',
    id: 'navi21',
    units: 80,
    lanes: 64,
    ghz: 2.25,
    workgroupBytes: 128,
    gbps: 512,
    source: "the card's page; AMD's RDNA 2 instruction set guide",
  },
  navi31: {
    title: 'AMD Radeon RX 7900 XTX (RDNA 3)',
    vendor: 'amd',
    id: 'navi31',
    units: 96,
    lanes: 64, // dual issue would double it, and the compiler seldom finds pairs
    ghz: 2.5,
    workgroupBytes: 128,
    gbps: 960,
    matrices: [
      { component: 'f16', m: 16, n: 16, k: 16, lanes: 64 },
      { component: 'i8', m: 16, n: 16, k: 16, lanes: 64 },
    ],
    source: "the card's page; AMD's RDNA 3 instruction set guide",
  },
};

/**
 * @typedef {object} Bound a lower bound of a dispatch's time by what a unit can do in a clock, in microseconds
 * @property {number} issue vector instructions
 * @property {number} workgroup reads of workgroup memory
 * @property {number} storage each byte of the operands once
 * @property {number} us the largest of these
 * @property {'issue' | 'workgroup' | 'storage'} by
 */

/**
 * A lower bound of the time by a model: the hot loop runs at its peak on all units, and nothing else takes time.
 * @param {Gpu} gpu
 * @param {import('./dump.mjs').Row} row
 * @param {{ macs: number, bytes: number }} work of the dispatch
 * @returns {Bound}
 */
export function boundOf({ units, lanes, ghz, workgroupBytes, gbps }, { hot }, { macs, bytes }) {
  const clocks = (/** @type {number} */ amount, /** @type {number} */ inClock) =>
    amount / (units * inClock * ghz * 1e3);
  const turns = hot.macs ? macs / hot.macs : 0;
  const bounds = {
    issue: clocks(turns * hot.vector, lanes),
    workgroup: clocks(turns * hot.workgroupBytes, workgroupBytes),
    storage: bytes / (gbps * 1e3),
  };
  const [by, us] = /** @type {[Bound['by'], number]} */ (Object.entries(bounds).sort((a, b) => b[1] - a[1])[0]);
  return { ...bounds, us, by };
}
