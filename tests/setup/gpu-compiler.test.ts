import { describe, expect, it } from 'vitest';
import { type Row, readAmd, readIntel } from '../../tools/gpu-compiler/dump.mjs';
import { boundOf, GPUS } from '../../tools/gpu-compiler/gpus.mjs';
import { besideLines, boundBeside, boundOfOurs, boundOfRun, bytesOf } from '../../tools/gpu-compiler/peers.mjs';
import { table } from '../../tools/gpu-compiler/table.mjs';

/** In the form that ANV prints with INTEL_DEBUG=cs: a loop of a load from each memory, two multiply-adds and an addition. */
const INTEL = `
@@ loop[f32]
SIMD16 shader: 9 instructions. 1 loops. 100 cycles. 3:5 spills:fills, 4 sends, scheduled with mode none.
mov(16)         g2<1>UD         0x00000000UD                    { align1 1H };
LABEL1:
send(16)        g9UD            g1UD            nullUD          0x04805afe
                            dp data 1 MsgDesc: (untyped surface read, Surface = 254, SIMD16, Mask = 0x0)  mlen 2 ex_mlen 0 rlen 8
send(16)        g17UD           g3UD            nullUD          0x04805a02
                            dp data 1 MsgDesc: (untyped surface read, Surface = 2, SIMD16, Mask = 0x0)  mlen 2 ex_mlen 0 rlen 2
mad(16)         g10<1>F         g8<8,8,1>F      g80<8,8,1>F     g16<1,1,1>F { align1 1H };
mul(16)         g14<1>F         g8<8,8,1>F      g80<8,8,1>F     { align1 1H };
mul(16)         g15<1>D         g8<8,8,1>D      g80<8,8,1>D     { align1 1H };
(+f0.0) mad(16) g12<1>F         g8<8,8,1>F      g82<8,8,1>F     g18<1,1,1>F { align1 1H };
add(16)         g2<1>D          g2<8,8,1>D      1D              { align1 1H };
(-f0.0) while(16) JIP:  LABEL1                                  { align1 1H };
send(16)        nullUD          g126UD          nullUD          0x02000000
@@ flat[f32]
SIMD32 shader: 2 instructions. 0 loops. 10 cycles. 0:0 spills:fills, 1 sends, scheduled with mode top-down.
add(16)         g2<1>F          g2<8,8,1>F      g4<8,8,1>F      { align1 1H };
`;

/** In the form that RADV prints with RADV_DEBUG=shaders,shaderstats: a loop within a loop, the inner one multiplies. */
const AMD = `
@@ nested[f32]
disasm:
BB0:
    s_mov_b32 s0, 0                                             ; be800080
BB1:
    global_load_b128 v[4:7], v0, s[2:3]                         ; dc5e0000
    v_add_nc_u32_e32 v0, 16, v0                                 ; 4a000090
BB2:
    ds_load_b128 v[8:11], v1                                    ; dbfc0000
    v_fmac_f32_e32 v12, v8, v9                                  ; 56181308
    v_dot4_i32_iu8 v13, v8, v9, v13                             ; cc160000
    v_mul_f32_e32 v14, v8, v9                                   ; 100a0000
    v_lshl_add_u32 v1, v2, 4, v1                                ; d6460001
    s_cbranch_scc1 BB2                                          ; bfa20000
BB3:
    s_cbranch_scc1 BB1                                          ; bfa20000
    s_endpgm                                                    ; bfb00000

*** SHADER STATS ***
VGPRs: 24
Spilled SGPRs: 0
Spilled VGPRs: 2
LDS size: 4096
Subgroups per SIMD: 16
Instructions: 10
********************
`;

it('reads what the compiler of Intel prints, kernel by kernel', () => {
  const [loop, flat] = readIntel(INTEL);
  expect(loop).toEqual({
    name: 'loop[f32]',
    registers: 128,
    waves: 16,
    workgroupMemory: 0,
    instructions: 9,
    spills: 3,
    hot: {
      macs: 2,
      multiplications: 1,
      vector: 5,
      share: 2 / 5,
      matrices: 0,
      workgroupBytes: 16,
      storageBytes: 4,
      mix: '2 mul, 1 add',
    },
  });
  expect(flat).toMatchObject({ name: 'flat[f32]', waves: 32, spills: 0, hot: { macs: 0, vector: 1, share: 0 } });
});

it('reads what the compiler of AMD prints: the hot loop is the inner one', () => {
  expect(readAmd(AMD)).toEqual([
    {
      name: 'nested[f32]',
      registers: 24,
      waves: 16,
      workgroupMemory: 4096,
      instructions: 10,
      spills: 2,
      hot: {
        macs: 5,
        multiplications: 1,
        vector: 4,
        share: 1 / 2,
        matrices: 0,
        workgroupBytes: 16,
        storageBytes: 0,
        mix: '1 v_mul_f32_e32, 1 v_lshl_add_u32',
      },
    },
  ]);
});

it('counts a product of matrices by AMD as what a lane has of its multiply-adds, four a clock', () => {
  const wave = (count: string): string => `
@@ matrices[f16]
BB0:
    ${count} v1, -1, v1                                         ; d7200001
BB1:
    v_wmma_f32_16x16x16_f16 v[8:15], v[12:19], v[24:31], v[8:15] ; cc404008
    v_wmma_i32_16x16x16_iu8 v[8:15], v[12:15], v[16:19], v[8:15] neg_lo:[1,1,0] ; cc444008
    v_lshl_add_u32 v1, v2, 4, v1                                ; d6460001
    s_cbranch_scc1 BB1                                          ; bfa20000
    ds_load_b32 v13, v0                                         ; d8d80800

*** SHADER STATS ***
VGPRs: 24
`;
  // A wave of 64 counts its lanes in two halves, the high one second.
  expect(readAmd(wave('v_mbcnt_hi_u32_b32'))[0]!.hot).toMatchObject({
    macs: 128,
    matrices: 2,
    vector: 33,
    share: 32 / 33,
  });
  expect(readAmd(wave('v_mbcnt_lo_u32_b32'))[0]!.hot).toMatchObject({
    macs: 256,
    matrices: 2,
    vector: 65,
    share: 64 / 65,
  });
});

describe('lower bounds of the time', () => {
  const gpu = { ...GPUS['tgl']!, units: 2, lanes: 50, ghz: 1, workgroupBytes: 100, gbps: 10 };
  const [row] = readIntel(INTEL); // 2 multiply-adds take 5 vector instructions and 16 bytes of workgroup memory

  it.each([
    // 1e6 MACs: 2.5e6 instructions by 100 lanes, 8e6 bytes by 200 a nanosecond
    ['workgroup', { macs: 1e6, bytes: 0 }, 40],
    ['storage', { macs: 1e3, bytes: 1e6 }, 100],
  ] as const)('by %s', (by, work, us) => {
    const bound = boundOf(gpu, row!, work);
    expect(bound.by).toBe(by);
    expect(bound.us).toBeCloseTo(us, 9);
  });

  it('by instructions, where workgroup memory is fast', () => {
    const bound = boundOf({ ...gpu, workgroupBytes: 1000 }, row!, { macs: 1e6, bytes: 0 });
    expect([bound.by, bound.us]).toEqual(['issue', 25]);
  });
});

it('says a row a line, the name last', () => {
  expect(table('amd', readAmd(AMD), { mix: true })).toEqual([
    'VGPRs  waves  workgroup B  spills  instructions  MACs  share  workgroup B/MAC  storage B/MAC  kernel',
    '   24     16         4096       2            10     5   50 %             3.20           0.00  nested[f32]',
    '    1 v_mul_f32_e32, 1 v_lshl_add_u32',
  ]);
});

describe('beside a peer', () => {
  const gpu = { ...GPUS['tgl']!, units: 2, lanes: 50, ghz: 1, workgroupBytes: 1000, gbps: 10 };
  const [loop, flat] = readIntel(INTEL) as [Row, Row];
  const rows = new Map([loop, flat].map((row) => [row.name, row]));
  const dispatch = (name: string, ...bindings: number[]) => ({ name, code: '', workgroups: [4, 1, 1], bindings });
  const work = { products: 1, macs: 3e6, tensors: [40_000, 1_000_000] };

  it('a multiplication apart is a multiply-accumulate: 3 take 5 vector instructions', () => {
    expect(boundOf(gpu, loop, { macs: 3e6, bytes: 0 }).us).toBeCloseTo(75, 9);
    expect(boundBeside(gpu, loop, { macs: 3e6, bytes: 0 }).us).toBeCloseTo(50, 9);
  });

  it('a buffer counts as the largest tensor that fits into it, as what it is where none does', () => {
    expect(bytesOf([40_000, 65_536, 1_048_576, 16], work.tensors)).toBe(40_000 + 40_000 + 1_000_000 + 16);
  });

  it('what multiplies does the work, what is around it reads and writes its operands', () => {
    const { us, products, issue, dispatches } = boundOfRun(
      gpu,
      work,
      [dispatch('flat[f32]', 1_048_576, 1_048_576), dispatch('loop[f32]', 40_000, 1_000_000)],
      rows,
    );
    expect(products).toBeCloseTo(104, 9); // 1 040 000 bytes by 10 a nanosecond: more than the 50 of its instructions
    expect(us).toBeCloseTo(304, 9);
    expect(issue).toBeCloseTo(50, 9);
    expect(dispatches.map(({ name, bound }) => `${name} ${bound.by}`)).toEqual([
      'flat[f32] storage',
      'loop[f32] storage',
    ]);
  });

  it('two products share the work', () => {
    const two = [dispatch('loop[f32]', 16), dispatch('flat[f32]', 16), dispatch('loop[f32]', 16)];
    expect(boundOfRun(gpu, { ...work, products: 2 }, two, rows).products).toBeCloseTo(50, 9);
  });

  it.each([
    ['that multiplies nowhere', [dispatch('flat[f32]', 16)], /hot loop of flat\[f32\]/],
    ['that the compiler left out', [dispatch('loop[f32]', 16), dispatch('lost', 16)], /said nothing of lost/],
    ['less', [], /hot loop of any kernel/],
  ])('a kernel %s is named', (_, dispatches, message) => {
    expect(() => boundOfRun(gpu, work, dispatches, rows)).toThrow(message);
  });

  it('a line says three bounds, each with its ratio to ours', () => {
    const use = { workload: 'case', choice: 0, dispatches: 1, macs: 3e6, bytes: 0 };
    const others = [
      { ...use, workload: 'another' },
      { ...use, choice: 1 },
    ];
    const ours = boundOfOurs(gpu, 'case', [{ name: 'loop[f32]', code: '', uses: [use, ...others] }], [loop]);
    const sum = boundOfRun(gpu, work, [dispatch('flat[f32]', 1_000_000), dispatch('loop[f32]', 16)], rows);
    const engines = [
      { name: 'tilewright', sum: ours },
      { name: 'peer 1.0', sum },
      { name: 'other 2.0', error: 'why' },
    ];
    expect(besideLines(engines)).toEqual([
      '          all        ratio     products        ratio instructions        ratio',
      '         50.0         1.00         50.0         1.00         50.0         1.00  tilewright: loop[f32] (issue)',
      '        150.0         3.00         50.0         1.00         50.0         1.00  peer 1.0: flat[f32] 4x1x1 (storage), loop[f32] 4x1x1 (issue)',
      '                                                                                other 2.0 has no bound: why',
    ]);
  });
});
