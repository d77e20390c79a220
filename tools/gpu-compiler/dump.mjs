// What a driver prints of the kernels that it compiles, as rows. A line `@@ NAME` in a dump names the kernel that follows.

/**
 * @typedef {object} Hot an invocation's share of one turn of the hot loop: the one with the most multiply-adds of its own. The whole
 *   kernel where there is no loop
 * @property {number} macs multiply-accumulates; a packed or dot instruction does several
 * @property {number} multiplications of floats, apart from these: a sum that begins anew begins with one
 * @property {number} vector clocks of vector instructions: one each, but as many for a product of matrices as its multiply-adds take
 * @property {number} share those of multiply-adds over all
 * @property {number} matrices instructions that multiply matrices
 * @property {number} workgroupBytes read from workgroup memory
 * @property {number} storageBytes read from storage
 * @property {string} mix the other vector instructions, the most frequent first
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {number} registers AMD: of a wave. Intel: 128 for every thread
 * @property {number} spills registers that are kept in memory
 * @property {number} waves AMD: that share a SIMD. Intel: invocations of a thread
 * @property {number} workgroupMemory bytes
 * @property {number} instructions
 * @property {Hot} hot
 *
 * @typedef {{ label: string } | { op: string, target?: string | undefined, bytes?: number, memory?: 'workgroup' | 'storage',
 *   multiplies?: boolean }} Line
 *
 * @typedef {object} Instructions how an architecture's instructions are read
 * @property {(op: string) => number} macs multiply-accumulates of an invocation, 0 for other instructions
 * @property {(op: string) => number} clocks of a vector instruction, 0 for others
 */

/** An instruction that multiplies matrices. */
const MATRIX = /^v_wmma_\w+_16x16x16_/;

/** @param {readonly Line[]} code @param {Instructions} how @returns {Hot} */
function hotLoop(code, { macs, clocks }) {
  const at = new Map(code.flatMap((line, i) => ('label' in line ? [[line.label, i]] : [])));
  const loops = code.flatMap((line, to) => {
    const from = 'op' in line && line.target !== undefined ? at.get(line.target) : undefined;
    return from !== undefined && from < to ? [{ from, to }] : [];
  });
  /** @param {{ from: number, to: number }} loop @returns its instructions that are in no loop within it */
  const own = (loop) => {
    const inner = loops.filter((l) => l.from >= loop.from && l.to <= loop.to && (l.from > loop.from || l.to < loop.to));
    return code.flatMap((line, i) =>
      'op' in line && i >= loop.from && i <= loop.to && !inner.some(({ from, to }) => i >= from && i <= to)
        ? [line]
        : [],
    );
  };
  const total = (/** @type {ReturnType<typeof own>} */ lines) => lines.reduce((sum, { op }) => sum + macs(op), 0);
  const bodies = loops
    .map((loop) => own(loop))
    .map((lines) => ({ lines, macs: total(lines) }))
    .sort((a, b) => b.macs - a.macs || b.lines.length - a.lines.length);
  const whole = code.flatMap((line) => ('op' in line ? [line] : []));
  const { lines } = bodies[0] ?? { lines: whole };
  const vectors = lines.filter(({ op }) => clocks(op));
  const took = (/** @type {typeof lines} */ some) => some.reduce((sum, { op }) => sum + clocks(op), 0);
  const read = (/** @type {'workgroup' | 'storage'} */ memory) =>
    lines.reduce((sum, line) => sum + (line.memory === memory ? (line.bytes ?? 0) : 0), 0);
  /** @type {Map<string, number>} */
  const others = new Map();
  for (const { op } of vectors) if (!macs(op)) others.set(op, (others.get(op) ?? 0) + 1);
  return {
    macs: total(lines),
    multiplications: lines.filter(({ multiplies }) => multiplies).length,
    vector: took(vectors),
    share: vectors.length ? took(vectors.filter(({ op }) => macs(op))) / took(vectors) : 0,
    matrices: lines.filter(({ op }) => MATRIX.test(op)).length,
    workgroupBytes: read('workgroup'),
    storageBytes: read('storage'),
    mix: [...others]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 8)
      .map(([op, count]) => `${count} ${op}`)
      .join(', '),
  };
}

const INTEL_CONTROL = /^(sends?|sendc|sync|nop|while|break|cont|if|else|endif|jmpi|brc|brd|halt|wait)$/;

/** @type {Instructions} */
const INTEL = {
  macs: (op) => (op === 'dp4a' ? 4 : /^(mad|mac)$/.test(op) ? 1 : 0),
  clocks: (op) => (INTEL_CONTROL.test(op) ? 0 : 1),
};

/** Bytes of a register, and the number of the surface that workgroup memory is on Xe-LP. */
const REGISTER = 32;
const WORKGROUP_SURFACE = 254;

/**
 * Reads what Intel's ANV prints with INTEL_DEBUG=cs.
 * @param {string} text
 * @returns {Row[]}
 */
export function readIntel(text) {
  /** @type {Row[]} */
  const rows = [];
  let name = '';
  /** @type {{ simd: number, instructions: number, spills: number, code: Line[] } | undefined} */
  let shader;
  const finish = () => {
    if (!shader) return;
    const { simd, code, ...counts } = shader;
    rows.push({ name, registers: 128, waves: simd, workgroupMemory: 0, ...counts, hot: hotLoop(code, INTEL) });
    shader = undefined;
  };
  for (const line of text.split('\n')) {
    if (line.startsWith('@@ ')) {
      finish();
      name = line.slice(3);
      continue;
    }
    const head = line.match(/^SIMD(\d+) shader: (\d+) instructions\. .* (\d+):\d+ spills:fills/);
    if (head) {
      finish();
      const [simd, instructions, spills] = head.slice(1).map(Number);
      shader = { simd: simd ?? 0, instructions: instructions ?? 0, spills: spills ?? 0, code: [] };
      continue;
    }
    if (!shader) continue;
    const label = line.match(/^(LABEL\d+):/)?.[1];
    if (label) shader.code.push({ label });
    const op = line.match(/^(?:\([^)]*\)\s*)?([a-z]\w*?)(?:\.\w+)*\(\d+\)/)?.[1];
    if (op) {
      const target = op === 'while' ? line.match(/JIP:\s+(LABEL\d+)/)?.[1] : undefined;
      shader.code.push({ op, target, multiplies: op === 'mul' && /<\d+>:?(F|HF)\s/.test(line) });
    }
    // A message's second line says what it reads, and how many registers of a thread come back.
    const read = line.match(/untyped surface read, Surface = (\d+)|\b(slm|ugm) MsgDesc: \( ?load/);
    const last = shader.code.at(-1);
    if (read && last && 'op' in last) {
      const workgroup = Number(read[1]) === WORKGROUP_SURFACE || read[2] === 'slm';
      last.memory = workgroup ? 'workgroup' : 'storage';
      last.bytes = (Number(line.match(/rlen (\d+)/)?.[1] ?? 0) * REGISTER) / shader.simd;
    }
  }
  finish();
  return rows;
}

/** A float16 times one and minus zero: it becomes float32, and nothing is multiplied. */
const CONVERSION = /\bv_fma_mix_f32 .* 1\.0, neg\(0\)/;

/** Multiply-adds of float16 or int8 matrices, of a lane in a clock: AMD publishes 512 operations of 64 lanes. */
const MATRIX_RATE = 4;

/** @param {number} lanes of a wave, which multiplies 16 × 16 by 16 × 16 together @returns {Instructions} */
function amd(lanes) {
  const macs = (/** @type {string} */ op) => {
    if (MATRIX.test(op)) return 16 ** 3 / lanes;
    if (!/^v_(pk_|dual_)?(fma|fmac|mac|mad|fmaak|fmamk|dot)/.test(op)) return 0;
    if (/mad_(u32|i32|u64|i64|mix)|(u32_u24|i32_i24)/.test(op)) return 0;
    return /dot4/.test(op) ? 4 : /pk_|dot2/.test(op) ? 2 : 1;
  };
  const clocks = (/** @type {string} */ op) =>
    MATRIX.test(op) ? macs(op) / MATRIX_RATE : /^v_/.test(op) && op !== 'v_nop' ? 1 : 0;
  return { macs, clocks };
}

/**
 * Reads what AMD's RADV prints with RADV_DEBUG=shaders,shaderstats.
 * @param {string} text
 * @returns {Row[]}
 */
export function readAmd(text) {
  /** @type {Row[]} */
  const rows = [];
  let name = '';
  /** @type {Line[] | undefined} */
  let code;
  /** @type {Map<string, number> | undefined} what the driver says of the kernel, by its words */
  let said;
  const finish = () => {
    if (code && said) {
      const of = (/** @type {string} */ key) => said?.get(key) ?? 0;
      rows.push({
        name,
        registers: of('VGPRs'),
        spills: of('Spilled VGPRs') + of('Spilled SGPRs'),
        waves: of('Subgroups per SIMD'),
        workgroupMemory: of('LDS size'),
        instructions: of('Instructions'),
        // Where a lane asks for its number, a wave of 64 counts in two halves.
        hot: hotLoop(code, amd(code.some((one) => 'op' in one && one.op.startsWith('v_mbcnt_hi')) ? 64 : 32)),
      });
    }
    code = said = undefined;
  };
  for (const line of text.split('\n')) {
    if (line.startsWith('@@ ')) {
      finish();
      name = line.slice(3);
      continue;
    }
    const label = line.match(/^(BB\d+):/)?.[1];
    if (label === 'BB0') {
      finish();
      code = [];
    }
    if (!code) continue;
    if (/\*\*\* SHADER STATS/.test(line)) said = new Map();
    const stat = said && line.match(/^([A-Za-z -]+): (\d+)/);
    if (stat) said?.set(stat[1] ?? '', Number(stat[2]));
    if (said) continue;
    if (label) code.push({ label });
    const mnemonic = line.match(/^\s+([a-z]\w+)(?:\s|$)/)?.[1];
    if (!mnemonic) continue;
    const op = CONVERSION.test(line) ? 'v_cvt by v_fma_mix' : mnemonic;
    const width = Number(op.match(/_b(\d+)$/)?.[1] ?? 32) / 8;
    /** @type {'workgroup' | 'storage' | undefined} */
    const memory = /^ds_(load|read)/.test(op) ? 'workgroup' : /^(buffer|global)_load/.test(op) ? 'storage' : undefined;
    code.push({
      op,
      target: line.match(/\bs_c?branch\S*\s+(BB\d+)/)?.[1],
      multiplies: /^v_(pk_|dual_)?mul_f\d/.test(op),
      ...(memory && { memory, bytes: width }),
    });
  }
  finish();
  return rows;
}
