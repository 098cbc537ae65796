/** Looks whether events would get to the stream, for `hermes hooks doctor`. */
import { connectNats, streamOf, type NatsOptions } from "./connect.ts";
import { demandSubjects, findStream } from "./stream.ts";

/** Connects and looks at the stream; says what is there. Rejects with what `natsProblem` describes. */
export async function checkNats(options: Omit<NatsOptions, "name">): Promise<string> {
  const where = streamOf(options.settings);
  const connection = await connectNats({ ...options, name: "hermes hooks doctor" });
  try {
    const { jetstreamManager } = await import("@nats-io/jetstream");
    const info = await findStream(await jetstreamManager(connection, { checkAPI: false }), where.stream);
    if (info === undefined) return `the stream ${where.stream} will be created with the first event`;
    demandSubjects(info, where);
    const { messages } = info.state;
    return `events go to the stream ${where.stream}, which has ${messages === 1 ? "1 event" : `${messages} events`}`;
  } finally {
    await connection.close();
  }
}
