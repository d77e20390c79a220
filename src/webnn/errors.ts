import { TilewrightError } from '../errors.ts';

/** What the standard throws where an object was built, lost or destroyed before the call. */
export const invalidState = (message: string): DOMException => new DOMException(message, 'InvalidStateError');

/** What the standard rejects with where the device, not the caller, is at fault. */
type DeviceFault = 'OperationError' | 'UnknownError';

/** Codes of errors that no change of the arguments would prevent. */
const OF_THE_DEVICE: ReadonlySet<string> = new Set([
  'no-webgpu',
  'no-adapter',
  'out-of-memory',
  'shader-compile',
  'gpu-validation',
]);
const OF_ITS_END: ReadonlySet<string> = new Set(['device-lost', 'disposed', 'aborted']);

/** An error of the engine as the standard has it: a TypeError where it is the caller's. `cause` is the engine's own. */
export function standard(error: unknown, fault: DeviceFault): unknown {
  if (error instanceof DOMException) return error;
  const { message } = error as Error;
  const code = error instanceof TilewrightError ? error.code : '';
  const end = OF_ITS_END.has(code);
  if (!end && !OF_THE_DEVICE.has(code)) return new TypeError(message, { cause: error });
  const made = end ? invalidState(message) : new DOMException(message, fault);
  return Object.defineProperty(made, 'cause', { value: error, configurable: true });
}

/** Does work of the engine; its errors are the standard's. */
export function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw standard(error, 'OperationError');
  }
}

/** As `checked`, of work that takes time. */
export async function settled<T>(fault: DeviceFault, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw standard(error, fault);
  }
}
