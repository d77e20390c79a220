import { type ImageClassifier, type Operand, topological } from '../../../src/index.ts';

/** What each layer of a ResNet gives for a picture: its normalised and activated maps, by the layer's name. */
export async function openLayers(model: ImageClassifier) {
  const graph = model.graph();
  const layers: Record<string, Operand> = {};
  // A layer's normalisation and activation have one name; the last node of a name is what the layer gives.
  for (const node of topological(graph)) if (/(^|\.)bn\d$/.test(node.label ?? '')) layers[node.label!] = node;

  const session = await model.build({ outputs: { ...layers, ...graph.outputs } });

  return {
    /** Channels, height and width by the name of the layer, in the order of the network. */
    shapes: Object.fromEntries(Object.entries(layers).map(([name, { shape }]) => [name, shape.slice(1)])),
    run: async (image: Float32Array) => (await session.run({ image })) as Record<string, Float32Array>,
  };
}
