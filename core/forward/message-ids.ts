/**
 * The IDs of messages in a stream of events: what identifies the sending process, and the event's number there. A
 * dashboard that gets an event from its sender and from the stream recognises it by them.
 */

/** Tells a dashboard the IDs of the frames of a request: `SENDER 17-40,42`. Only sent beside a stream. */
export const MESSAGE_IDS_HEADER = "x-hermes-message-ids";
/** Frames of a request. */
const MOST_IDS = 256;

/** The ID of a message. */
export function messageId(sender: string, number: number): string {
  return `${sender}-${number}`;
}

/** The value of the header. Consecutive numbers are joined. */
export function formatMessageIds(sender: string, numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] + 1 === number) run[1] = number;
    else runs.push([number, number]);
  }
  const texts = runs.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
  return `${sender} ${texts.join(",")}`;
}

/** The IDs that the header names; none when there is no header, or one of another form. */
export function parseMessageIds(header: string | readonly string[] | undefined): readonly string[] {
  const found = typeof header === "string" ? /^([\w-]{1,64}) ([\d,-]+)$/.exec(header) : null;
  if (found === null) return [];
  const [, sender = "", list = ""] = found;
  const ids: string[] = [];
  for (const run of list.split(",")) {
    const [, first = "", last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(run) ?? [];
    const count = first === "" ? 0 : Number(last) - Number(first) + 1;
    if (count < 1 || ids.length + count > MOST_IDS) return [];
    for (let index = 0; index < count; index++) ids.push(messageId(sender, Number(first) + index));
  }
  return ids;
}
