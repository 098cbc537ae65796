/** What the URLs of lists may say, and how much of a text a list shows. */
import type { FastifyRequest } from "fastify";
import { Refused } from "./access.ts";

const MOST_LISTED = 200;
const LISTED = 100;
export const LISTED_TEXT = 300;

/** One of the known words, or undefined when there is none. Throws Refused for another word. */
export function choiceOf<Choice extends string>(
  request: FastifyRequest,
  name: string,
  known: readonly Choice[],
): Choice | undefined {
  const word = wordOf(request, name);
  if (word === undefined) return undefined;
  const found = known.find((one) => one === word);
  if (found === undefined) throw new Refused(400, `'${name}' is one of ${known.join(", ")}`);
  return found;
}

/** A word that may be anything; undefined when there is none, and throws Refused for more than one. */
export function wordOf(request: FastifyRequest, name: string): string | undefined {
  const word = (request.query as Readonly<Record<string, unknown>>)[name];
  if (word === undefined || word === "") return undefined;
  if (typeof word === "string") return word;
  throw new Refused(400, `'${name}' may be given once`);
}

/** How many entries were asked for. Throws Refused. */
export function limitOf(request: FastifyRequest): number {
  const { limit } = request.query as { readonly limit?: unknown };
  if (limit === undefined) return LISTED;
  if (typeof limit === "string" && /^\d{1,15}$/.test(limit)) return Math.min(Number(limit), MOST_LISTED);
  throw new Refused(400, "'limit' must be a whole number");
}
