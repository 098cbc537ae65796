import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { homePaths } from "#core/home/paths";
import { createGuardedFiles } from "#agent/guard/files";

const root = realpathSync(mkdtempSync(join(tmpdir(), "hermes-guard-")));
const user = join(root, "user");
const home = join(user, ".hermes");
const project = join(root, "project");
for (const folder of [join(home, "agent-hooks"), join(home, "logs"), join(project, "src")]) {
  mkdirSync(folder, { recursive: true });
}
writeFileSync(join(home, "config.yaml"), "hooks: {}\n");
writeFileSync(join(home, "agent-hooks", "guard.sh"), "#!/bin/sh\n");
writeFileSync(join(project, "config.yaml"), "mine: true\n");
writeFileSync(join(project, "guard-of-project.sh"), "#!/bin/sh\n");
symlinkSync(join(home, "config.yaml"), join(project, "settings"));
symlinkSync(home, join(project, "hermes-home"));
symlinkSync(join(home, "agent-hooks"), join(project, "src", "linked-hooks"));

const env = { HOME: user, HERMES_HOME: home, PATH: "/usr/bin:/bin" };
const scripts = [join(project, "guard-of-project.sh")];
const guard = createGuardedFiles([homePaths(home, env)], {
  home: user,
  env,
  scripts: () => ({ all: scripts, gates: scripts }),
});

const REFUSED = [
  "cat ~/.hermes/config.yaml",
  "cat $HOME/.hermes/config.yaml",
  'cat "${HOME}/.hermes/config.yaml"',
  'cat "$HERMES_HOME"/config.yaml',
  "cat ${HERMES_HOME:-/x}/config.yaml",
  "cat ${HERMES_HOME%/}/config.yaml",
  `cat ${home}/config.yaml`,
  `cat ${home}//./logs/../config.yaml`,
  "echo 'hooks: {}' >~/.hermes/config.yaml",
  "echo x >>~/.hermes/shell-hooks-allowlist.json",
  "cat<~/.hermes/config.yaml",
  "dd if=/dev/null of=~/.hermes/config.yaml",
  `tool --config=${home}/config.yaml`,
  `tool -c${home}/config.yaml`,
  `curl -d @${home}/config.yaml http://localhost/`,
  `curl file://${home}/config.yaml`,
  "cat ~/.hermes/con*",
  "cat ~/.herm*/config.yaml",
  "cat ~/.hermes/c?nfig.yaml",
  "cat ~/.hermes/[c]onfig.yaml",
  "cat ~/.hermes/{config,other}.yaml",
  "cat ~/.hermes/con\\fig.yaml",
  "cat ~/.hermes/'con'\"fig\".yaml",
  "cat ~/.hermes/$'\\x63onfig.yaml'",
  "cat ~/.hermes/$(echo config.yaml)",
  "cat $(echo ~/.hermes/config.yaml)",
  "cat `echo ~/.hermes/config.yaml`",
  "cd ~/.hermes && cat config.yaml",
  "cd ~/.hermes; rm -f ./shell-hooks-allowlist.json",
  "(cd ~ && cd .hermes && sed -i s/a/b/ config.yaml)",
  "cd; cat .hermes/config.yaml",
  "cat $(cd ~/.hermes && pwd)/config.yaml",
  "pushd $HERMES_HOME\nrm config.yaml",
  "git -C ~/.hermes checkout -- config.yaml",
  "tar -C ~/.hermes -xf /tmp/x.tar",
  "D=~/.hermes; cat $D/config.yaml",
  "export D=$HOME; rm $D/.hermes/config.yaml",
  "for f in config.yaml x; do cat ~/.hermes/$f; done",
  "for f in ~/.hermes/*; do cat $f; done",
  "rm -rf ~/.hermes",
  "rm -rf ~/.hermes/",
  "rm -r ~",
  "rm -rf /",
  "rm -rf ~/.[a-z]*",
  "sudo rm -rf ~/.hermes/hooks",
  "timeout 5 rm -fr ~",
  "mv ~/.hermes /tmp/x",
  "mv ~ /tmp/x",
  "cp -r ~/.hermes /tmp/x",
  "cp -a ~ /tmp/x",
  "cp config.yaml ~/.hermes/",
  "cp -r dotfiles/.hermes ~",
  "tar czf /tmp/x.tgz ~/.hermes",
  "tar czf /tmp/x.tgz -C ~ .hermes",
  "chmod 000 ~/.hermes",
  "chmod -R a+w ~",
  "find ~/.hermes -name '*.yaml' -delete",
  "find ~ -name config.yaml -exec cat {} +",
  "find ~/.hermes -name config.yaml | xargs cat",
  "grep -r token ~/.hermes",
  "ln -s ~/.hermes alias",
  "ln ~/.hermes/config.yaml copy",
  "cat settings",
  "cat ./settings",
  "cat sett*",
  "cat hermes-home/config.yaml",
  "cat src/linked-hooks/guard.sh",
  "cat src/linked-hooks/../config.yaml",
  "touch ~/.hermes/hooks/new/HOOK.yaml",
  "mkdir -p ~/.hermes/plugins/evil",
  "bash -c 'cat ~/.hermes/config.yaml'",
  "bash -c 'cd ~/.hermes && cat config.yaml'",
  "eval 'cd ~/.hermes; rm config.yaml'",
  "echo 'rm -rf ~/.hermes' | sh",
  `python3 -c "print(open('${home}/config.yaml').read())"`,
  "cat <<EOF > ~/.hermes/config.yaml\nhooks: {}\nEOF",
  "cat <<'EOF' > notes.txt\ndon't\nEOF\ncat ~/.hermes/config.yaml",
  "echo a;cat ~/.hermes/config.yaml",
  "true&&cat ~/.hermes/config.yaml||false",
  "cat ~/.hermes/\\\nconfig.yaml",
  "diff <(cat ~/.hermes/config.yaml) /dev/null",
  "docker run -v ~/.hermes:/x alpine cat /x/config.yaml",
  "rsync -a ~/.hermes/ /tmp/x/",
  "hermes hooks allow pre_tool_call ./x.sh",
  "npx hermes --accept-hooks plugins disable guard",
  "rm guard-of-project.sh",
  "rm -rf .",
  'cat "$(printenv HERMES_HOME)/config.yaml"',
  "timeout -s KILL 5 rm -rf ~",
  "echo config.yaml | (cd ~/.hermes && xargs rm)",
  "cat /proc/$$/root$HOME/.hermes/config.yaml",
  "cat /proc/self/root$HOME/.hermes/config.yaml",
];

const ALLOWED = [
  "ls",
  "ls -la ~",
  "ls ~/.hermes",
  "cat config.yaml",
  "echo hello > out.txt",
  "echo 'the hooks are in config.yaml'",
  "git commit -m 'Describe config.yaml and hooks/'",
  "git status && git add . && git commit -m wip",
  "npm test 2>&1 | tail -n 20",
  "rm -rf src/build",
  "rm -rf ./node_modules /tmp/some-scratch",
  "rm -rf ~/other/*",
  "grep -rn hooks .",
  "grep -r 'config.yaml' src",
  "find . -name '*.ts' -print",
  "find . -name '*.tmp' -exec echo {} +",
  "cat ~/.hermes/BOOT.md",
  "cd ~/.hermes/skills && ls",
  "mkdir -p hooks plugins && touch hooks/x.yaml",
  "cp config.yaml backup.yaml",
  "cp -r src /tmp/copy",
  "cp notes.txt ~/",
  "mv a.txt ~/",
  "tar czf /tmp/p.tgz src",
  "chmod +x src/run.sh",
  "for f in *.txt; do echo $f; done",
  "echo $(date) $((1 + 2)) `pwd`",
  "if [ -f x ]; then cat x; fi",
  "python3 -c 'print(1)'",
  "curl -s http://localhost:8080/config.yaml",
  "awk '{print $1}' data.txt",
  "sed -n '1,5p' config.yaml",
  "HERMES_HOME=~/.hermes npm test",
  "hermes --home ~/.hermes hooks list",
  "hermes plugins list --json",
  "cat <<EOF\nit's fine\nEOF",
  'echo "unbalanced',
  "",
];

test("commands that name guarded files are refused", async (t) => {
  for (const command of REFUSED) {
    await t.test(JSON.stringify(command), async () => {
      assert.match(String(await guard.refuseCommand(command, project)), /off limits/);
    });
  }
});

test("other commands are not", async (t) => {
  for (const command of ALLOWED) {
    await t.test(JSON.stringify(command), async () => {
      assert.equal(await guard.refuseCommand(command, project), null);
    });
  }
});

test("no text stops the judgement or makes it throw", async () => {
  const piece = fc.constantFrom(
    "'",
    '"',
    "`",
    "$(",
    ")",
    "{",
    ",",
    "}",
    "${",
    "$",
    "\\",
    "~/",
    "*",
    "[",
    "]",
    "<",
    ">",
    ";",
    "\n",
    " ",
    "=",
    "cd ",
    "a",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      const reason = await guard.refuseCommand(pieces.join(""), project);
      assert.ok(reason === null || reason.includes("off limits"));
    }),
    { numRuns: 100 },
  );
  for (const unit of ["/a/b ", "$(", "{a,b}", "'", "a=", "x:", "*a", "`", "bash -c '", "/a/b=/c:"]) {
    await guard.refuseCommand(unit.repeat(20_000), project);
  }
});
