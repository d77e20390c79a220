// A worker with the engine, whose page can take its device away.
import '../../src/worker/host.ts';

let last: GPUDevice | undefined;
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...args: Parameters<typeof requestDevice>) {
  last = await requestDevice.apply(this, args);
  return last;
};
addEventListener('message', ({ data }) => {
  if (data === 'lose') last!.destroy();
});
