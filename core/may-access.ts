import { accessSync } from "node:fs";

/** True when this user may access the path in a mode of `constants` (`R_OK`, `W_OK`, `X_OK`). Never throws. */
export function mayAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
