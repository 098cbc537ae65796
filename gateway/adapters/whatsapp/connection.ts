/** Finds the Graph API, and proves the token with one call. */
import { HermesError } from "#core/errors";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import { createClient, type PhoneNumber } from "./client.ts";
import { GraphFailure, isPermissionFailure, isTokenFailure } from "./failure.ts";
import { createGraph, type Graph } from "./graph.ts";

/** The version of the Graph API that we call; Meta keeps each for two years. */
const VERSION = "/v25.0";
/** How long a start waits for the server's answer. */
const START_MS = 15_000;

export interface Connection {
  readonly graph: Graph;
  readonly number: PhoneNumber;
}

/** Rejects with HERMES_ADAPTER_CONFIG (the token, its permissions, the id) or HERMES_ADAPTER_START. */
export async function connect(options: {
  readonly token: string;
  readonly phoneNumberId: string;
  /** The address of the server. Without a path, the version is added, unless the server does not know it. */
  readonly root: string;
}): Promise<Connection> {
  const { token, phoneNumberId } = options;
  const root = options.root.replace(/\/+$/, "");
  const candidates = new URL(root).pathname === "/" ? [root + VERSION, root] : [root];
  for (const [index, candidate] of candidates.entries()) {
    const graph = createGraph({ token, root: candidate });
    const client = createClient({ graph, phoneNumberId, newestFrom: () => undefined, onSent: () => undefined });
    try {
      return { graph, number: await client.describeNumber(AbortSignal.timeout(START_MS)) };
    } catch (thrown) {
      await graph.close();
      const isElsewhere = callFailureOf(thrown).status === 404 && index + 1 < candidates.length;
      if (!isElsewhere) throw startError(thrown, options.root);
    }
  }
  throw new TypeError("there is at least one candidate");
}

function startError(thrown: unknown, root: string): HermesError {
  const failure = callFailureOf(thrown);
  const at = "gateway.platforms.whatsapp";
  const { message } = failure;
  if (isTokenFailure(failure)) return unusable(`${message}. Check ${at}.token.`);
  if (isPermissionFailure(failure)) {
    return unusable(`${message}. Create ${at}.token again with this permission and whatsapp_business_management.`);
  }
  if (failure instanceof GraphFailure && failure.code !== null && failure.kind !== "temporary") {
    return unusable(`${root} does not accept the phone number ID: ${message}. Check ${at}.phone_number_id.`);
  }
  const problem = `${root} cannot be reached: ${message}`;
  return new HermesError("HERMES_ADAPTER_START", { platform: "whatsapp", problem });
}

function unusable(problem: string): HermesError {
  return new HermesError("HERMES_ADAPTER_CONFIG", { platform: "whatsapp", problem });
}
