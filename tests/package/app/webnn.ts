// An app in strict TypeScript that is written for navigator.ml.
import { install, type MLContext, MLGraphBuilder, type MLTensor } from 'tilewright/webnn';

export async function relu(values: Float32Array): Promise<Float32Array> {
  const context: MLContext = await install().createContext({ powerPreference: 'low-power' });
  const descriptor = { dataType: 'float32' as const, shape: [values.length] };
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', descriptor);
  const sums = builder.reduceSum(builder.relu(x), { axes: [0], keepDimensions: true });
  const [first] = builder.split(builder.sub(x, sums), 1, { axis: 0 });
  // @ts-expect-error: what is wrong is still told
  builder.conv2d(x);
  const graph = await builder.build({ y: first! });
  const input: MLTensor = await context.createTensor({ ...descriptor, writable: true });
  const output = await context.createTensor({ ...descriptor, readable: true });
  context.writeTensor(input, values);
  context.dispatch(graph, { x: input }, { y: output });
  const result = new Float32Array(await context.readTensor(output));
  const types: readonly string[] | undefined = context.opSupportLimits()['conv2d']?.['filter']?.dataTypes;
  context.destroy();
  return types ? result : values;
}
