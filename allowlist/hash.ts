import { closeSync, openSync, readSync } from "node:fs";

/** SHA-256 in lower-case hexadecimal. */
export function sha256Of(content: Buffer): string {
  // Loaded where a script is hashed: a listing without approvals starts faster without it.
  return process.getBuiltinModule("node:crypto").hash("sha256", content);
}

/** SHA-256 of a file of any size; null when it cannot be read. */
export function hashFile(path: string): string | null {
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const buffer = Buffer.alloc(64 * 1024);
  try {
    const file = openSync(path, "r");
    try {
      for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
        hash.update(buffer.subarray(0, read));
    } finally {
      closeSync(file);
    }
  } catch {
    // It is executable but not readable, or it was deleted: without a hash it is treated as changed.
    return null;
  }
  return hash.digest("hex");
}
