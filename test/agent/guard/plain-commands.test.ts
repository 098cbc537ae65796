import assert from "node:assert/strict";
import test from "node:test";
import { plainCommands } from "#agent/guard/shell/plain-commands";

const PLAIN: readonly (readonly [line: string, commands: readonly (readonly string[])[]])[] = [
  ["git status", [["git", "status"]]],
  ["git  \\\n status # why", [["git", "status"]]],
  [`g'i't "st"atus 'a b' $'x\\n' c\\ d`, [["git", "status", "a b", "x\n", "c d"]]],
  [`echo \\$HOME "\\$HOME" '$(x)'`, [["echo", "$HOME", "$HOME", "$(x)"]]],
  ["git status && git log; ls & pwd", [["git", "status"], ["git", "log"], ["ls"], ["pwd"]]],
  ["git log\nls", [["git", "log"], ["ls"]]],
  ["cat a | head -3 || true", [["cat", "a"], ["head", "-3"], ["true"]]],
  ["(cd a; ls) && { pwd; }", [["cd", "a"], ["ls"], ["pwd"]]],
  ["! time git status", [["git", "status"]]],
  [
    "npm test 2>&1 | tail -3",
    [
      ["npm", "test"],
      ["tail", "-3"],
    ],
  ],
  ["ls >/dev/null 2>&1; ls &>/dev/null; ls 2>>/dev/null", [["ls"], ["ls"], ["ls"]]],
  ["make A=b", [["make", "A=b"]]],
];

const REFUSED: readonly string[] = [
  "",
  "  # nothing",
  "git status $(rm -rf /)",
  "git status `rm -rf /`",
  'git status "$(rm x)"',
  "git status <(rm x)",
  "<(ls) x",
  "git $SUB",
  'git "${SUB}"',
  "$PROGRAM status",
  "git status *",
  "ls file?",
  "ls [ab]",
  "ls ?(a)",
  "git {status,push}",
  "seq 1{1..3}",
  "GIT_PAGER=evil git log",
  "A=1",
  "export PATH=/evil",
  "git status > file",
  "git status >> .bashrc",
  "git status 2> file",
  "git status >&file",
  "git apply < patch",
  "cat <<EOF\nx\nEOF",
  "cat <<< text",
  "git() { rm -rf /; }; git status",
  "for x in a b; do ls; done",
  "while true; do ls; done",
  "if true; then ls; fi",
  "case a in a) ls;; esac",
  "[[ -f x ]]",
  "(( 1 + 1 ))",
  "coproc ls",
  "(ls) > file",
  "echo $((1+1))",
  'echo $"text"',
  "git status 'unclosed",
  "git status &&",
  "git status )",
  "#!/bin/sh\nls",
  `git status >"/dev/$X"`,
];

test("lines whose programs and words are plain to see", () => {
  for (const [line, commands] of PLAIN) assert.deepEqual(plainCommands(line), commands, line);
});

test("lines that do anything else, or whose words are known only when they run", () => {
  for (const line of REFUSED) assert.equal(plainCommands(line), null, line);
});
