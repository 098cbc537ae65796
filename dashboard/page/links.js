/** Links to what is open, in the fragment of the address: they work after a reload, and in another tab. No DOM. */

/**
 * `session` of an event is "" when it has none.
 *
 * @typedef {{ kind: "session", id: string } | EventLink | { kind: "hook", key: string }} Link
 * @typedef {{ kind: "event", seq: number, session: string }} EventLink
 */

/**
 * The fragment for what is open; "" when there is no link to it.
 *
 * @param {import("./inspector.js").Choice} choice
 */
export function fragmentOf(choice) {
  if (choice.kind === "session") return `#${new URLSearchParams({ session: choice.id })}`;
  if (choice.kind === "event") return eventFragment(choice.row);
  if (choice.kind === "gone") return eventFragment({ ...choice, session: "" });
  return choice.kind === "hook" ? `#${new URLSearchParams({ hook: choice.key })}` : "";
}

/** @param {{ seq: number, session: string }} event */
function eventFragment({ seq, session }) {
  return `#${new URLSearchParams({ event: String(seq), ...(session === "" ? {} : { session }) })}`;
}

/**
 * What a fragment leads to.
 *
 * @param {string} fragment
 * @returns {Link | undefined}
 */
export function linkIn(fragment) {
  const fields = new URLSearchParams(fragment.slice(1));
  const [session, event, hook] = [fields.get("session"), fields.get("event"), fields.get("hook")];
  if (event !== null && /^\d{1,15}$/.test(event)) return { kind: "event", seq: Number(event), session: session ?? "" };
  if (session) return { kind: "session", id: session };
  return hook !== null && isHookKey(hook) ? { kind: "hook", key: hook } : undefined;
}

/** @param {string} text */
function isHookKey(text) {
  try {
    const key = JSON.parse(text);
    return Array.isArray(key) && key.length === 3 && key.every((part) => typeof part === "string");
  } catch {
    // Somebody changed the address: it leads nowhere.
    return false;
  }
}
