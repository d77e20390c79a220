import { appendFileSync } from 'node:fs';
import { it } from 'vitest';
import { variantKey } from '../../src/gpu/wgsl.ts';
import { Session } from '../../src/runtime/session.ts';
import { testEngine } from '../support/engine.ts';
import { CASES } from './cases.ts';
import { floatsOf, graphOf, needsF16, runsOf } from './run.ts';

const { gpu } = await testEngine();
const out = process.env.TIMES!;
const seen = new Set<string>();
const cpu = () => {
  const u = process.cpuUsage();
  return (u.user + u.system) / 1000;
};
it('times', async () => {
  for (const test of CASES.filter((t) => t.title.startsWith(process.env.ONLY ?? ''))) {
    if (needsF16(test) && !gpu.caps.f16) continue;
    for (const float of floatsOf(test, gpu.caps.f16)) {
      const t0 = cpu();
      const p = { graph: graphOf(test, float), data: runsOf(test, float).map((r) => r.data) };
      appendFileSync(out, `${(cpu() - t0).toFixed(0)} prep ${float} ${test.title}\n`);
      for (let c = 0, n = 1; c < n; c++) {
        let label = '';
        let key = '';
        const t1 = cpu();
        const s = await Session.build(gpu, p.graph, {
          choose: (cs, node) => {
            if (node.op !== test.op) return cs[0]!;
            n = Math.max(n, cs.length);
            const x = cs[Math.min(c, cs.length - 1)]!;
            label = x.label;
            key = variantKey(x.variant);
            return x;
          },
        });
        const t2 = cpu();
        await s.run(Object.fromEntries(Object.entries(p.data[0]!).filter(([k]) => s.plan.inputs.has(k))));
        const t3 = cpu();
        appendFileSync(
          out,
          `${(t2 - t1).toFixed(0)} ${(t3 - t2).toFixed(0)} ${seen.has(key) ? 'old' : 'new'} ${label} ${float} ${test.title}\n`,
        );
        seen.add(key);
        s.dispose();
      }
    }
  }
}, 3600000);
