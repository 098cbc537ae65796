/** Starts a handler's process and sends it what to run. */
import type { ChildProcess } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import type { HookVersion } from "#core/ports/tier";
import { outerMarker, startCompanion, workingFolder } from "#sandbox/process/companion";
import type { Socket } from "node:net";
import { CONTROL_DESCRIPTOR, type ProcessStart } from "./wire.ts";

const ENTRY = fileURLToPath(new URL(`./process-entry${extname(import.meta.filename)}`, import.meta.url));

/** Starts it with the environment and the working folder of this process. Throws when the system cannot. */
export function startHandlerProcess({ folder, handler, sources = new Map(), memoryMb }: HookVersion): ChildProcess {
  // The environment may name a cache of the user's own.
  const cache = process.env["NODE_COMPILE_CACHE"] === undefined ? getCompileCacheDir() : undefined;
  const child = startCompanion({
    args: [ENTRY],
    env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache },
    cwd: workingFolder(),
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  const start: ProcessStart = {
    folder,
    handler,
    sources,
    memoryMb,
    ownCache: cache !== undefined,
    marker: outerMarker(),
  };
  const bytes = serialize(start);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  const control = (child.stdio as readonly unknown[] | undefined)?.[CONTROL_DESCRIPTOR] as Socket | null | undefined;
  control?.write(Buffer.concat([length, bytes]));
  return child;
}
