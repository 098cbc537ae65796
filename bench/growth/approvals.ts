import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openApprovals } from "#allowlist/approvals";
import { readAllowlist } from "#allowlist/store";
import type { Topic } from "./topic.ts";

function fill(home: string, size: number): string {
  const file = join(home, "shell-hooks-allowlist.json");
  const approvals = Array.from({ length: size }, (_, index) => ({
    event: "pre_tool_call",
    command: `/opt/hooks/guard-${index}.sh`,
    approved_at: "2026-01-01T00:00:00.000Z",
    approved_by: "command",
    script_sha256: "0".repeat(64),
  }));
  writeFileSync(file, JSON.stringify({ approvals }, null, 2), { mode: 0o600 });
  return file;
}

/** Approvals of shell hooks: the decision before each run, and reading the file at a start or after a change. */
export const approvals: Topic = {
  title: "Approvals",
  input: "approvals",
  sizes: [10, 100, 1000, 3000, 10_000],
  lines: [
    {
      name: "a decision",
      prepare: (size, home) => {
        const open = openApprovals(fill(home, size));
        const command = `/opt/hooks/guard-${size - 1}.sh`;
        return {
          once: () => {
            const { granted } = open.decide({ event: "pre_tool_call", command, shell: false, env: [] });
            if (!granted) throw new Error("the command should be approved");
          },
        };
      },
    },
    {
      name: "reading the file",
      prepare: (size, home) => {
        const file = fill(home, size);
        return {
          once: () => {
            if (readAllowlist(file).approvals.length !== size) throw new Error("approvals are missing");
          },
        };
      },
    },
  ],
};
