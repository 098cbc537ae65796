/** A folder of scripts and an approvals file in pinned mode. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { openApprovals, type OpenApprovals } from "#allowlist/approvals";
import { takeScriptFingerprint } from "#allowlist/fingerprint";
import type { HookRequest, ResolvedCommand } from "#allowlist/grant";
import { recordApprovals } from "#allowlist/record";
import { parseCommand } from "#sandbox/shell/command";
import { plain } from "./requests.ts";

/** The request of an ordinary `pre_tool_call` entry. */
export function requestFor(command: string, pinIgnore: readonly string[] = []): HookRequest {
  return { ...plain({ event: "pre_tool_call", command }), pinIgnore };
}

interface ApproveOptions {
  readonly mode?: "pinned" | "command";
  readonly renew?: boolean;
  readonly ignored?: readonly string[];
}

export class PinBench {
  readonly folder: string;
  readonly file: string;
  readonly bin: string;
  readonly place: { readonly cwd: string; readonly env: { PATH: string } };

  constructor(context: TestContext) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), "hermes-pinned-")));
    context.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.file = join(this.folder, "home", "shell-hooks-allowlist.json");
    this.bin = join(this.folder, "bin");
    mkdirSync(this.bin);
    this.place = { cwd: this.folder, env: { PATH: `${this.bin}:/usr/bin:/bin` } };
  }

  write(name: string, text: string, mode = 0o755): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  words(command: string): readonly [string, ...string[]] {
    const { argv } = parseCommand(command, this.folder);
    assert.ok(argv);
    return argv;
  }

  async approve(
    command: string,
    { mode = "pinned", renew = false, ignored = [] }: ApproveOptions = {},
  ): Promise<readonly string[]> {
    const argv = this.words(command);
    const script = takeScriptFingerprint(argv, { ...this.place, ignored });
    const approved = { request: requestFor(command, ignored), argv, script, by: "command" as const, renew };
    return recordApprovals(this.file, [approved], { mode, place: this.place });
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** Changes every entry of the approvals file. */
  rewriteApprovals(change: (approval: Record<string, unknown>) => object): void {
    const { approvals } = JSON.parse(readFileSync(this.file, "utf8")) as { approvals: Record<string, unknown>[] };
    writeFileSync(this.file, JSON.stringify({ approvals: approvals.map(change) }));
  }

  open(): OpenApprovals {
    return openApprovals(this.file, "pinned", this.place);
  }

  prepare(
    command: string,
    approvals = this.open(),
    ignored: readonly string[] = [],
  ): ResolvedCommand | { readonly problem: string } {
    const consent = approvals.decide(requestFor(command, ignored));
    assert.ok(consent.granted && consent.grant.pin !== null);
    return consent.grant.pin(this.words(command));
  }

  /** What would run, and the bytes of the script in it. */
  ready(command: string, approvals?: OpenApprovals): ResolvedCommand & { readonly bytes: string } {
    const prepared = this.prepare(command, approvals);
    assert.ok("argv" in prepared, JSON.stringify(prepared));
    const copy = prepared.argv.find((word) => word.startsWith(join(this.folder, "home/approved-hooks")));
    return { ...prepared, bytes: copy === undefined ? "" : readFileSync(copy, "utf8") };
  }

  refused(command: string, approvals?: OpenApprovals): string {
    const prepared = this.prepare(command, approvals);
    assert.ok("problem" in prepared, JSON.stringify(prepared));
    return prepared.problem;
  }
}
