import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openApprovals, type OpenApprovals } from "#allowlist/approvals";
import { settleConsent, type ConsentOptions, type ConsentSubject } from "#allowlist/consent";
import type { Prompter } from "#allowlist/prompt";
import type { Question } from "#allowlist/question";
import { addApprovals, type Approval } from "#allowlist/store";

interface Setting {
  readonly folder: string;
  readonly file: string;
  readonly approvals: OpenApprovals;
  settle(subjects: readonly ConsentSubject[], options?: Partial<ConsentOptions>): Promise<readonly string[]>;
}

function setUp(context: TestContext): Setting {
  const folder = mkdtempSync(join(tmpdir(), "hermes-consent-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "shell-hooks-allowlist.json");
  const approvals = openApprovals(file);
  const place = { cwd: folder, env: process.env };
  return {
    folder,
    file,
    approvals,
    settle: async (subjects, options = {}) =>
      (await settleConsent(subjects, { file, approvals, optIn: null, prompter: null, place, ...options })).warnings,
  };
}

const subject = (command: string, options: Partial<ConsentSubject> = {}): ConsentSubject => ({
  event: "pre_tool_call",
  command,
  argv: [command],
  matcher: null,
  timeoutSeconds: 60,
  failClosed: false,
  enabled: true,
  throughShell: false,
  env: [],
  ...options,
});

/** Answers questions by command and keeps them. */
function scripted(answers: Readonly<Record<string, boolean>>): { asked: Question[]; prompter: () => Prompter } {
  const asked: Question[] = [];
  const prompter = () => ({
    ask: async (question: Question) => {
      asked.push(question);
      return answers[question.request.command] ?? false;
    },
    close: () => {},
  });
  return { asked, prompter };
}

test("without a terminal or opt-in, one warning per run names the three opt-ins", async (context) => {
  const { settle, approvals } = setUp(context);
  const warnings = await settle([subject("a"), subject("b"), subject("a"), subject("c", { event: "post_tool_call" })]);
  assert.equal(warnings.length, 1);
  for (const part of [
    "3 shell hooks",
    "--accept-hooks",
    "HERMES_ACCEPT_HOOKS",
    "hooks_auto_accept",
    "a (pre_tool_call)",
  ]) {
    assert.ok(warnings[0]!.includes(part), `${part} in ${warnings[0]}`);
  }
  assert.equal(approvals.state().approvals.length, 0);
});

test("the start says which unapproved gates block", async (context) => {
  const { settle } = setUp(context);
  const warnings = await settle([subject("a"), subject("gate", { failClosed: true })]);
  assert.match(warnings.join(), /every matching call is blocked \(fail_closed\) by: gate \(pre_tool_call\)/);
});

for (const optIn of ["flag", "env", "config"] as const) {
  test(`the opt-in by ${optIn} records each pair with its script`, async (context) => {
    const { settle, folder, approvals } = setUp(context);
    const script = join(folder, "guard.sh");
    writeFileSync(script, "#!/bin/sh\n");
    assert.deepEqual(await settle([subject(script), subject(script, { event: "post_tool_call" })], { optIn }), []);
    const [first, second] = approvals.state().approvals;
    assert.deepEqual([first?.event, second?.event], ["pre_tool_call", "post_tool_call"]);
    assert.equal(first?.approved_by, optIn);
    assert.equal(first?.script_path, script);
    assert.match(String(first?.script_sha256), /^[0-9a-f]{64}$/);
    assert.equal(first?.script_mtime_at_approval, statSync(script).mtime.toISOString());
    assert.match(String(first?.approved_at), /^\d{4}-\d\d-\d\dT.*Z$/);
  });
}

test("the user is asked once per pair, and a yes is recorded", async (context) => {
  const { folder, settle, approvals } = setUp(context);
  for (const name of ["yes", "no"]) writeFileSync(join(folder, name), "#!/bin/sh\n");
  const { asked, prompter } = scripted({ "./yes": true });
  const warnings = await settle([subject("./yes"), subject("./no"), subject("./yes", { matcher: "patch" })], {
    prompter,
  });
  assert.deepEqual(
    asked.map(({ request, uses }) => [request.command, uses.map(({ matcher }) => matcher)]),
    [
      ["./yes", [null, "patch"]],
      ["./no", [null]],
    ],
  );
  assert.deepEqual(
    approvals.state().approvals.map(({ command, approved_by }) => [command, approved_by]),
    [["./yes", "prompt"]],
  );
  assert.match(warnings.join(), /^1 shell hook is not approved and will not run: \.\/no \(pre_tool_call\)\.$/);
});

test("nothing is asked for approved, broken and switched off entries", async (context) => {
  const { settle, file } = setUp(context);
  await addApprovals(file, [{ event: "pre_tool_call", command: "known" }]);
  const { asked, prompter } = scripted({});
  const subjects = [subject("known"), subject("broken 'x", { argv: null }), subject("off", { enabled: false })];
  assert.deepEqual(await settle([...subjects, subject("", { command: null })], { prompter }), []);
  assert.deepEqual(asked, []);
});

test("a file that must not be overwritten stays, and an opt-in does not get around it", async (context) => {
  const { settle, file, approvals } = setUp(context);
  writeFileSync(file, "not json");
  const warnings = await settle([subject("a")], { optIn: "flag" });
  assert.match(warnings.join("\n"), /not valid JSON.*\n.*1 shell hook is not approved/);
  assert.equal(readFileSync(file, "utf8"), "not json");
  assert.equal(approvals.termsOf(subject("a") as { event: string; command: string }) !== undefined, false);
});

test("where nothing can be recorded an opt-in holds for this run, with one warning", async (context) => {
  const { folder, settle } = setUp(context);
  const file = join(folder, "home", "list.json");
  mkdirSync(join(folder, "real"));
  symlinkSync("/proc/self/no-such", join(folder, "home"));
  const approvals = openApprovals(file);
  const warnings = await settle([subject("a"), subject("b")], { optIn: "flag", file, approvals });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /cannot be written.*applies to this run only/);
  assert.equal(approvals.termsOf({ event: "pre_tool_call", command: "a" }) !== undefined, true);
});

test("a file that others may write causes a warning, and its pairs must be approved again", async (context) => {
  const { settle, file, approvals } = setUp(context);
  const approval: Approval = { event: "pre_tool_call", command: "a" };
  writeFileSync(file, JSON.stringify({ approvals: [approval] }));
  chmodSync(file, 0o666);
  const warnings = await settle([subject("a")], { optIn: "env" });
  assert.match(warnings.join(), /is writable by other users/);
  assert.equal(approvals.state().approvals[0]?.approved_by, "env");
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("a script that does not exist is not offered, and that is said; nobody is asked when nothing is left", async (context) => {
  const { settle, folder } = setUp(context);
  const refuse = () => assert.fail("there is nothing to ask about");
  const warnings = await settle(
    [
      subject("./missing.sh", { failClosed: true }),
      subject("no-such-program"),
      subject("bash gone.sh", { argv: ["bash", "gone.sh"] }),
    ],
    { prompter: refuse },
  );
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^3 shell hooks were not offered for approval/);
  assert.ok(warnings[0]!.includes(`./missing.sh (pre_tool_call): ${folder}/missing.sh does not exist`));
  assert.ok(warnings[0]!.includes("no-such-program (pre_tool_call): its program was not found in PATH"));
  assert.ok(warnings[0]!.includes(`${folder}/gone.sh does not exist`));
  assert.match(warnings[0]!, /every matching call is blocked \(fail_closed\) by: \.\/missing\.sh/);
});
