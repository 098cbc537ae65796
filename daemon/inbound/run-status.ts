/** `GET /runs/ID`: what became of a request that was answered before its script ran. */
import { digestOf, isSame } from "#core/bearer";
import type { InboundRunStore } from "#core/ports/inbound";
import { ANSWERS, jsonAnswer, type Answer } from "./answers.ts";
import type { InboundHook } from "./hooks.ts";
import { soleHeader, type InboundRequest } from "./request.ts";

const RUN_PATH = /^\/runs\/([a-z0-9]{16})$/;

/**
 * The answer to a request for a run; undefined for any other request. A hook that verifies its requests shows its runs
 * to who has its secret, as a bearer token: a request without a body has nothing to sign.
 */
export async function findRun(
  request: InboundRequest,
  hooks: readonly InboundHook[],
  runs: InboundRunStore,
): Promise<Answer | undefined> {
  const [, id] = RUN_PATH.exec(request.path) ?? [];
  const owners = hooks.filter(({ answersFirst }) => answersFirst);
  if (id === undefined || request.method !== "GET" || owners.length === 0) return undefined;
  const found = await runs.get(id);
  const owner = owners.find(({ name }) => name === found?.hook);
  // Whoever may see no run at all is not told which ones exist.
  if (!(owner === undefined ? owners : [owner]).some((hook) => maySee(request, hook))) {
    return { ...ANSWERS.unverified, headers: { ...ANSWERS.unverified.headers, "www-authenticate": "Bearer" } };
  }
  if (found === undefined || owner === undefined) return ANSWERS.notFound;
  const { hook: _hook, session: _session, ...run } = found;
  return jsonAnswer(200, run);
}

function maySee(request: InboundRequest, { verify, secret }: InboundHook): boolean {
  if (verify === "none") return true;
  const [, token] = /^Bearer +(\S.*?) *$/i.exec(soleHeader(request, "authorization") ?? "") ?? [];
  return token !== undefined && isSame(digestOf(token), digestOf(secret));
}
