/** The stream of events: created when it is absent, never changed when it is present. */
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { isNamed } from "./connect.ts";
import { covers } from "./subjects.ts";

const DAY_NS = 24 * 60 * 60 * 1e9;
/** Within this time, a message that is sent again is stored once. */
const DUPLICATE_WINDOW_NS = 2 * 60 * 1e9;
/** What a new stream keeps: the newest events of a week, up to this size. */
const MAX_AGE_NS = 7 * DAY_NS;
const MAX_BYTES = 256 * 1024 * 1024;

export interface EventStream {
  readonly stream: string;
  /** The prefix of its subjects. */
  readonly prefix: string;
}

/** A stream that cannot take our events; its message is a full phrase. */
export class StreamProblem extends Error {
  override readonly name = "StreamProblem";
}

/**
 * Makes sure that there is a stream that takes all events. Without the right to look at it, it is assumed to exist.
 * Throws a StreamProblem, or what the client throws.
 */
export async function ensureStream(manager: JetStreamManager, { stream, prefix }: EventStream): Promise<void> {
  const info = await findStream(manager, stream).catch((error: unknown) => {
    if (isNamed(error, "PermissionViolationError")) return null;
    throw error;
  });
  if (info === null) return;
  if (info === undefined) await createStream(manager, { stream, prefix });
  else demandSubjects(info, { stream, prefix });
}

/** The stream; undefined when there is none. */
export async function findStream(manager: JetStreamManager, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(stream);
  } catch (error) {
    if (isNamed(error, "StreamNotFoundError")) return undefined;
    throw error;
  }
}

/** Throws a StreamProblem unless the stream takes everything below the prefix. */
export function demandSubjects({ config }: StreamInfo, { stream, prefix }: EventStream): void {
  const subjects = config.subjects ?? [];
  if (subjects.some((subject) => covers(subject, prefix))) return;
  throw new StreamProblem(
    `the stream ${stream} takes ${subjects.join(", ") || "no subjects"}, not ${prefix}.>; add it there, or set forward.nats.stream or forward.nats.subject`,
  );
}

async function createStream(manager: JetStreamManager, { stream, prefix }: EventStream): Promise<void> {
  const { DiscardPolicy, StorageType } = await import("@nats-io/jetstream");
  try {
    await manager.streams.add({
      name: stream,
      description: "Events of hermes",
      subjects: [`${prefix}.>`],
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_age: MAX_AGE_NS,
      max_bytes: MAX_BYTES,
      duplicate_window: DUPLICATE_WINDOW_NS,
    });
  } catch (error) {
    // Another process has created it a moment before, perhaps with other settings.
    const info = await findStream(manager, stream).catch(() => undefined);
    if (info !== undefined) return demandSubjects(info, { stream, prefix });
    if (!isNamed(error, "PermissionViolationError")) throw error;
    throw new StreamProblem(`there is no stream ${stream}, and it does not let this user create one`);
  }
}
