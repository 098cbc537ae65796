import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { residentMegabytes } from "./measure.ts";

/**
 * Resident megabytes of a program, `idleMs` after a piece of its output made it `isReady`. Then ends the program with
 * SIGTERM, because only one that ends by itself leaves its compile cache to the next.
 */
export async function measureIdle(
  child: ChildProcess & { readonly stdout: Readable },
  isReady: (text: string) => boolean,
  idleMs: number,
): Promise<number> {
  const ended = once(child, "close");
  let isUp = false;
  try {
    child.stdout.setEncoding("utf8");
    for await (const text of child.stdout as AsyncIterable<string>) {
      isUp = isReady(text);
      if (isUp) break;
    }
    if (!isUp) throw new Error("the program ended before it was ready");
    await new Promise((wake) => setTimeout(wake, idleMs));
    return residentMegabytes(child.pid!);
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}
