/** Links to what is open, in the fragment of the address: they work after a reload, and in another tab. No DOM. */

/** @typedef {{ kind: "session", id: string } | { kind: "event", seq: number } | { kind: "hook", key: string }} Link */

/**
 * The fragment for what is open; "" when there is no link to it.
 *
 * @param {import("./inspector.js").Choice} choice
 */
export function fragmentOf(choice) {
  if (choice.kind === "session") return `#${new URLSearchParams({ session: choice.id })}`;
  if (choice.kind === "event") return `#${new URLSearchParams({ event: String(choice.row.seq) })}`;
  return choice.kind === "hook" ? `#${new URLSearchParams({ hook: choice.key })}` : "";
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
  if (session) return { kind: "session", id: session };
  if (event !== null && /^\d{1,15}$/.test(event)) return { kind: "event", seq: Number(event) };
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
