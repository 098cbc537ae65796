import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openApprovals } from "#allowlist/approvals";
import { takeScriptFingerprint } from "#allowlist/fingerprint";
import { recordApprovals } from "#allowlist/record";
import { race, type Case } from "../measure.ts";

/** The cost of `hooks_consent: pinned` before each run: reading and hashing a script of 10 KB and its copy. */
export const pinnedConsentCase: Case = {
  name: "pinned-consent",
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      const script = join(folder, "guard.sh");
      writeFileSync(script, `#!/bin/sh\n${"#".repeat(10 * 1024)}\n`, { mode: 0o755 });
      const file = join(folder, "home", "shell-hooks-allowlist.json");
      const request = { event: "pre_tool_call", command: script, shell: false, env: [] };
      const argv = [script] as const;
      const place = { cwd: folder, env: process.env };
      const scriptNow = takeScriptFingerprint(argv, place);
      const approved = { request, argv, script: scriptNow, by: "command", renew: false } as const;
      await recordApprovals(file, [approved], { mode: "pinned", place });
      const approvals = openApprovals(file, "pinned", place);
      const check = () => {
        const consent = approvals.decide(request);
        const prepared = consent.granted ? consent.grant.pin?.(argv) : undefined;
        if (prepared === undefined || "problem" in prepared) throw new Error("the script should be approved");
      };
      const times = await race(
        {
          ours: (batch) => {
            for (let turn = 0; turn < batch; turn++) check();
          },
        },
        { batch: 20 },
      );
      const ours = times.get("ours") ?? Number.NaN;
      return [{ name: "pinned-consent / script of 10 KB", unit: "ns", ours, peer: null, theirs: null }];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
