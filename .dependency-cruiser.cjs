/** The floors of the house from top to bottom, each a list of folders and files. Imports point to a floor below. */
const FLOORS = [
  ['src/cli'], // runs the bench headless
  ['examples/profile'], // measures the roofs as the bench does
  ['bench'], // has the look of the pages
  ['examples/(?!profile/)[^/]+'],
  ['src/worker'], // the same from a page, where the engine is in a worker
  ['src/node.ts', 'src/single.ts', 'src/index.ts', 'src/engine.ts'],
  ['src/disk.ts'], // what Node has and a page has not
  ['src/onnx', 'src/webnn', 'src/openai', 'src/prompt'],
  ['src/models'],
  ['src/vectors'],
  ['src/patterns'],
  ['src/verify'],
  ['src/vision', 'src/audio', 'src/text', 'src/formats'],
  ['src/hub'],
  ['src/build'],
  ['src/tune'],
  ['src/runtime'],
  ['src/profile'],
  ['src/graph'],
  ['src/ops'],
  ['src/gpu', 'src/tensor'],
  ['src/options.ts'],
  ['src/errors.ts', 'src/version.ts', 'src/user-cache.ts'],
];

/** Imports from one entry to another of the same floor that are fine. */
const SIDEWAYS = [
  ['src/node.ts', 'src/index.ts'],
  ['src/single.ts', 'src/index.ts'],
  ['src/index.ts', 'src/engine.ts'],
  ['src/gpu', 'src/tensor'],
];

/** The entries that may import from `shaders`. */
const SHADER_USERS = ['src/ops', 'src/gpu'];

/** Matches what lies in any of the entries. */
const within = (entries) => `^(${entries.map((entry) => entry.replaceAll('.', '\\.')).join('|')})(/|$)`;
const HOUSE = '^(src|examples|bench)/';
const ALL = within(FLOORS.flat());

const floorRules = FLOORS.flatMap((floor, level) =>
  floor.map((entry) => {
    const allowed = SIDEWAYS.filter(([from]) => from === entry).map(([, to]) => to);
    const besides = floor.filter((other) => other !== entry && !allowed.includes(other));
    return {
      name: `floor of ${entry}`,
      comment: 'Imports point down the floors: see FLOORS and SIDEWAYS in .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: within([entry]) },
      to: { path: [...FLOORS.slice(0, level).flat(), ...besides].map((other) => within([other])) },
    };
  }),
).filter(({ to }) => to.path.length > 0);

module.exports = {
  forbidden: [
    ...floorRules,
    {
      name: 'no-circle',
      comment: 'No file imports itself through others, types included.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'shaders-for-ops-and-gpu',
      comment: 'WGSL is reached through the ops, or by the GPU layer.',
      severity: 'error',
      from: { path: HOUSE, pathNot: within(SHADER_USERS) },
      to: { path: '^shaders/' },
    },
    {
      name: 'on-no-floor',
      comment: 'A new folder or file of the house needs its place in FLOORS.',
      severity: 'error',
      from: { path: HOUSE, pathNot: [ALL, '\\.d\\.ts$'] },
      to: {},
    },
    {
      name: 'to-no-floor',
      comment: 'A new folder or file of the house needs its place in FLOORS.',
      severity: 'error',
      from: {},
      to: { path: HOUSE, pathNot: [ALL, '\\.d\\.ts$'] },
    },
    {
      name: 'unresolvable',
      comment: 'What cannot be found cannot be checked either.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Counts `import type` as well: a type that points up is a dependency like any other.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.d.ts', '.json'],
    },
  },
};
