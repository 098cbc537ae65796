/** How `hermes gateway setup api_server` asks. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { isMapping } from "#core/mapping";
import type { PlatformSetup, SetupCheck } from "#gateway/adapters/setup";
import { notListening } from "#gateway/adapters/shared/not-listening";
import { WRONG_KEY } from "./access.ts";
import { DEFAULT_HOST, DEFAULT_PORT, listenTarget } from "./settings.ts";

const KEY_BYTES = 24;
/** How long a server that has the port may take to say what it is. */
const ANSWER_MS = 2000;

export function apiServerSetup(): PlatformSetup {
  return {
    steps: ["Hermes listens on this machine for programs that use OpenAI's API. You need no account for it."],
    fields: [
      {
        key: "host",
        label: "Address",
        hint: "With 127.0.0.1, only this machine can reach it; with 0.0.0.0, others can, too: use a key and a server with TLS then.",
        fallback: DEFAULT_HOST,
      },
      {
        key: "port",
        label: "Port",
        hint: "Any free port above 1023.",
        fallback: String(DEFAULT_PORT),
        problem: (value) =>
          /^\d{1,5}$/.test(value) && Number(value) <= 65_535
            ? undefined
            : `"${value}" is not a port: those are numbers up to 65535.`,
      },
      {
        key: "key",
        label: "Key",
        hint: "Programs send it as Authorization: Bearer KEY. Without a key, every program on this machine can use the agent.",
        secret: true,
        optional: true,
        fallback: randomBytes(KEY_BYTES).toString("base64url"),
      },
    ],
    check,
  };
}

/** Listens for a moment. A port that a running gateway has is fine. */
async function check(given: Readonly<Record<string, string>>): Promise<SetupCheck> {
  const { host = DEFAULT_HOST, port = String(DEFAULT_PORT), key = "" } = given;
  try {
    const server = createServer().listen({ host, port: Number(port) });
    await once(server, "listening");
    server.close();
  } catch (thrown) {
    const error = notListening(thrown, listenTarget(host, Number(port)));
    if ((thrown as NodeJS.ErrnoException).code !== "EADDRINUSE" || !(await isHermes(host, port, key))) throw error;
  }
  if (port === "0") return { account: `${host}, any free port`, notes: ["The gateway prints its address."] };
  const account = `${rootOf(host, port)}/v1`;
  return { account, notes: [`In your programs, set the base URL ${account}${key === "" ? "" : " and the key"}.`] };
}

async function isHermes(host: string, port: string, key: string): Promise<boolean> {
  try {
    const response = await fetch(`${rootOf(host, port)}/health`, {
      headers: { authorization: `Bearer ${key}` },
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const body: unknown = await response.json();
    if (response.headers.has("x-hermes-version")) return true;
    // One with another key.
    return isMapping(body) && isMapping(body["error"]) && body["error"]["message"] === WRONG_KEY;
  } catch {
    // Whatever has the port does not speak HTTP as hermes does.
    return false;
  }
}

/** An address of all interfaces is reached through this machine's own. */
function rootOf(host: string, port: string): string {
  const own = ["0.0.0.0", "::"].includes(host) ? DEFAULT_HOST : host;
  return `http://${own.includes(":") ? `[${own}]` : own}:${port}`;
}
