/** Loads files that come with messages. */
import { CallFailure } from "./call-failure.ts";

/** Reads the body of a response. Rejects with a CallFailure when it is larger than `most` bytes. */
export async function readBody(body: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > most) throw new CallFailure(`the file is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
