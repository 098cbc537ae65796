import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { homePaths } from "#core/home/paths";
import { createGuardedFiles } from "#agent/guard/files";
import { ORDINARY_COMMANDS } from "./ordinary-commands.ts";

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
/** A project of its own, without links into the home. */
const repository = join(user, "code", "app");
for (const folder of ["src", "packages", "build", "docs", ".git"])
  mkdirSync(join(repository, folder), { recursive: true });
for (const file of ["package.json", "Makefile", "a.txt", "b.txt", "src/index.ts"])
  writeFileSync(join(repository, file), "");

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

/** What cannot be told, and programs that write below a folder: each could reach the home. */
const FAILS_CLOSED = [
  // Here-documents are no shell: an apostrophe in one hides nothing after it.
  "cat > notes.txt <<'END'\nit's\nEND\nrm -rf ~/.hermes",
  "cat <<END > notes.txt\ndon't\nEND\ncd ~/.hermes && touch x",
  "cat <<-X\n\t'\n\tX\ntouch ~/.hermes/new",
  "sh <<END\ntouch ~/.hermes/new\nEND",
  "bash <<'END'\ncd ~ && touch .hermes/x\nEND",
  "cat <<END | sh\necho x > ~/.hermes/new\nEND",
  // What a variable or an expansion may hold.
  'touch "$(cat where)/new"',
  "touch $(cat where)/new",
  "rm -rf $UNSET_FOR_SURE/$(printenv HOME)/.hermes",
  "set -- ~/.hermes; echo x > $1/new",
  "set -- ~ .hermes; echo x > $1/$2/new",
  "f() { touch $1/new; }; f ~/.hermes",
  'f() { rm -rf "$@"; }; f ~/.hermes',
  "bash -c 'touch $0/new' ~/.hermes",
  "a=(~/.hermes new); touch ${a[0]}/${a[1]}",
  'a=(~ .hermes); touch "${a[@]:0:1}/${a[1]}/new"',
  "n=HERMES_HOME; touch ${!n}/new",
  "declare -n r=HERMES_HOME; touch $r/new",
  "printf -v p %s ~/.hermes; touch $p/new",
  "read -r p <<< ~/.hermes; touch $p/new",
  "read -r p < <(echo ~/.hermes); touch $p/new",
  "echo ~/.hermes | while read -r p; do touch $p/new; done",
  "mapfile -t p < where; touch ${p[0]}/new",
  "x=~/.hermesX; touch ${x%X}/new",
  "x=~/.xhermes; touch ${x/.xh/.h}/new",
  "x=~/.HERMES; touch ${x,,}/new",
  "x=/a~/.hermes; touch ${x:2}/new",
  "for d in ~/.h*; do touch $d/new; done",
  "p=~/.her; p+=mes; touch $p/new",
  "p=$(echo ~/.her)mes; touch $p/new",
  "IFS=:; p=x:$HOME/.hermes; touch $p",
  "x='-rf /tmp/a '$HOME/.hermes; rm $x",
  "g='.h*'; cd ~ && touch $g/new",
  "mkdir ~/.hermes/new && touch $_/x",
  "HOME=/elsewhere; touch ~/.hermes/new",
  // Folders.
  "cd ~/.hermes && touch $PWD/new",
  "cd ~/.hermes; cd /; touch ~-/new",
  "cd ~/.hermes && cd - && cd - && touch new",
  "pushd ~/.hermes; pushd /; touch ~1/new",
  "CDPATH=~; cd .hermes && touch new",
  "cd $(cat where) && touch new",
  "cd ~ && cd .her* && touch new",
  "cd ../user; cd .hermes; touch new",
  "if true; then cd ~; fi; touch .hermes/new",
  "for i in 1 2; do touch .hermes/new; cd ~; done",
  "go() { cd ~; }; go; touch .hermes/new",
  `${Array.from({ length: 20 }, (_, index) => `cd d${index};`).join(" ")} cd ~/.hermes; touch new`,
  // Settings of the shell.
  "shopt -s dotglob; cd ~ && rm -rf *",
  "shopt -s expand_aliases; alias t='touch ~/.hermes/new'\nt",
  "GLOBIGNORE=x; cd ~; rm -rf *",
  "bash -O dotglob -c 'cd ~; rm -rf *'",
  // Programs that write below a folder, the home's own and those above it.
  "tar -C ~ -xf a.tar",
  "cd ~ && tar xf a.tar",
  "tar xf a.tar --directory=..; cd ../user && tar xf a.tar",
  "unzip -o a.zip -d ~",
  "cd ~ && unzip a.zip",
  "git -C ~ clean -fdx",
  "git -C ~ stash -u",
  "cd ~ && git checkout .",
  "cd ~ && git reset --hard",
  "cd / && git apply x.patch",
  "git --work-tree=$HOME checkout -f",
  "patch -d ~ -p1 < x.patch",
  "cd ~ && patch -p0 < x.patch",
  "cp -r payload/. ~",
  "cp -rT payload ~",
  "rsync -a payload/ ~/",
  "rsync -a payload/.hermes ~",
  "make -C ~",
  "cd ~ && make",
  "split -b 2 x ~/.hermes/part",
  "curl --output-dir ~/.hermes -O http://localhost/x",
  "curl -o ~/.hermes/new http://localhost/x",
  "wget -P ~/.hermes http://localhost/x",
  "find ~ -name x -delete",
  "cd ~ && find -name x -delete",
  "find . -name x -exec cp {} ~/.hermes/ ;",
  "install -m 600 x ~/.hermes/new",
  "mv x ~/.hermes/new",
  "ln -s x ~/.hermes/new",
  "ln -s ~/.hermes here && touch here/new",
  "dd if=x of=$HERMES_HOME/new",
  "tee -a ~/.hermes/new < x",
  "sed -i s/a/b/ ~/.hermes/new",
  "sed -n 'w '$HOME/.hermes/new x",
  "perl -i -pe s/a/b/ ~/.hermes/new",
  "sqlite3 ~/.hermes/state.db 'delete from sessions'",
  "docker run -v ~:/x alpine touch /x/.hermes/new",
  "ls | xargs -I{} cp {} ~/.hermes/",
  "cat names | xargs rm",
  "find ~ -name .hermes | xargs rm -rf",
  "truncate -s 0 ~/.hermes/state.db",
  // Code of other languages, and code that is made.
  'python3 -c \'import os; open(os.path.expanduser("~/.her" + "mes/new"), "w")\'',
  "python3 - <<'END'\nimport os\nopen(os.environ['HOME'] + '/.her' + 'mes/new', 'w')\nEND",
  'node -e \'require("fs").writeFileSync(process.env.HOME + "/.her" + "mes/new", "")\'',
  'perl -e \'open F, ">", $ENV{HOME}."/.hermes/new"\'',
  'ruby -e \'File.write(Dir.home + "/.her" + "mes/new", 1)\'',
  'awk \'BEGIN { print > (ENVIRON["HOME"] "/.her" "mes/new") }\'',
  "echo dG91Y2ggfi8uaGVybWVzL25ldw== | base64 -d | sh",
  "sh <(echo dG91Y2ggfi8uaGVybWVzL25ldw== | base64 -d)",
  'eval "$(echo dG91Y2ggfi8uaGVybWVzL25ldw== | base64 -d)"',
  "bash <<< $(echo dG91Y2g= | base64 -d)",
  "echo 'touch ~/.hermes/new' | tr a-z a-z | sh",
  "source <(echo 'touch ~/.hermes/new')",
  "eval touch ~/.her''mes/new",
  "trap 'touch ~/.hermes/new' EXIT",
  "$(echo touch) ~/.hermes/new",
  "c=touch; $c ~/.hermes/new",
  "env -C ~ touch .hermes/new",
  "env -S 'touch ~/.hermes/new'",
  "xargs touch <<< ~/.hermes/new",
  "coproc touch ~/.hermes/new",
  "(((x = 1))) ; echo $((1 + $(touch ~/.hermes/new)))",
  "[[ -n $(touch ~/.hermes/new) ]]",
  "case x in x) touch ~/.hermes/new;; esac",
  "{ touch ~/.hermes/new; } 2>/dev/null &",
];

test("what cannot be told, and what writes below a folder, is refused", async (t) => {
  for (const command of FAILS_CLOSED) {
    await t.test(JSON.stringify(command), async () => {
      assert.match(String(await guard.refuseCommand(command, project)), /off limits/);
    });
  }
});

test("ordinary commands of development are not refused", async (t) => {
  assert.ok(ORDINARY_COMMANDS.length >= 150);
  for (const command of ORDINARY_COMMANDS) {
    await t.test(JSON.stringify(command), async () => {
      assert.equal(await guard.refuseCommand(command, repository), null);
    });
  }
});

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
    { numRuns: 300 },
  );
  for (const unit of ["/a/b ", "$(", "{a,b}", "'", "a=", "x:", "*a", "`", "bash -c '", "/a/b=/c:"]) {
    await guard.refuseCommand(unit.repeat(20_000), project);
  }
});
