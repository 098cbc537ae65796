/** Runs the script of an inbound webhook for one request. The {@link Grant} says what it may run. */
import { assertGrant, type Grant, type HookRequest } from "#allowlist/grant";
import type { Wall } from "#core/ports/wall";
import { filterEnvironment } from "#sandbox/process/environment";
import { existingFolder, notStarted } from "#sandbox/process/prepared";
import { runProcess, type ProcessResult } from "#sandbox/process/run";

export interface InboundScript {
  readonly grant: Grant;
  /** What the grant must be for. */
  readonly request: HookRequest;
  /** The script's absolute path. */
  readonly file: string;
  /** The script's `HOOK_` variables. */
  readonly variables: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly wall: Wall;
  readonly place: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly home: string };
}

/** For each of the two output streams. */
const MOST_OUTPUT_BYTES = 1024 * 1024;

/** Never rejects, but throws a TypeError without a grant for exactly this script. `output` are the bytes of standard output. */
export async function runInboundScript(
  script: InboundScript,
): Promise<{ readonly result: ProcessResult; readonly output: Buffer }> {
  const { grant, request, file, variables, body, timeoutMs, signal, wall, place } = script;
  assertGrant(grant, request);
  const prepared = grant.pin === null ? { argv: [file] as const, argv0: null, script: null } : grant.pin([file]);
  if ("problem" in prepared) return { result: notStarted(prepared.problem), output: Buffer.alloc(0) };
  const chunks: Buffer[] = [];
  const result = await runProcess({
    argv: prepared.argv,
    ...(prepared.argv0 === null ? {} : { argv0: prepared.argv0 }),
    cwd: existingFolder(place.cwd, place.env),
    env: {
      ...withoutHookVariables(filterEnvironment(place.env, request.env)),
      ...variables,
      HERMES_HOME: place.home,
      ...(prepared.script === null ? {} : { HERMES_HOOK_SCRIPT: prepared.script }),
    },
    stdin: body,
    timeoutMs,
    maxOutputBytes: MOST_OUTPUT_BYTES,
    overflow: "kill",
    onStdout: (chunk) => void chunks.push(chunk),
    wall,
    signal,
  });
  return { result, output: Buffer.concat(chunks) };
}

/** What hermes itself was given must not look like a header of the request. */
function withoutHookVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith("HOOK_") && name !== "HERMES_HOOK_SCRIPT"),
  );
}
