/** Whether a standard stream is a terminal. */
import { fstatSync } from "node:fs";

/** Like `isatty` of `node:tty`, which is loaded only for devices: it brings networking and streams with it. */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  return isDevice(descriptor) && process.getBuiltinModule("node:tty").isatty(descriptor);
}

function isDevice(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice();
  } catch {
    // A closed descriptor.
    return false;
  }
}
