/** Commands that the guard cannot tell are refused; everyday commands are not. Both are judged, none is run. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { homePaths } from "#core/home/paths";
import { createGuardedFiles } from "#agent/guard/files";
import { ORDINARY_COMMANDS } from "./ordinary-commands.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "hermes-guard-")));
const user = join(root, "user");
const home = join(user, ".hermes");
const project = join(root, "project");
for (const folder of [home, project]) mkdirSync(folder, { recursive: true });
const env = { HOME: user, HERMES_HOME: home, PATH: "/usr/bin:/bin" };
const guard = createGuardedFiles([homePaths(home, env)], { home: user, env });

/** A project of its own, without links into the home. */
const repository = join(user, "code", "app");
for (const folder of ["src", "packages", "build", "docs", ".git"])
  mkdirSync(join(repository, folder), { recursive: true });
for (const file of ["package.json", "Makefile", "a.txt", "b.txt", "src/index.ts"])
  writeFileSync(join(repository, file), "");

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
  // In a pipe, `$_` is what it was before the pipe.
  "eval ': ~/.hermes; echo new | xargs -I{} touch $_/{}'",
  "bash -c ': ~/.hermes; echo x | tee $_/new >/dev/null'",
  "env -C $(<where) touch new",
  "cd ~/.hermes; cd ../../project; dd if=payload of=~-/new",
  "for d in .. user .hermes; do cd $d; done\ncat <(perl -i -pe s/model/x/ ./config.yaml\n)",
  "cd $(<where); ruby -pi -e 's/a/b/' config.yaml",
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
  "touch $(<where)/new",
  // Paths that are another's for each process.
  "touch /proc/self/cwd/../user/.hermes/new",
  "cd /proc/self/cwd/.. && touch user/.hermes/new",
  "python3 -c 'import subprocess; subprocess.run(input())'",
  // Folders.
  "for d in .. user .hermes; do cd $d; done; touch new",
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
  // What programs and bash run or use by way of variables, options and their input.
  "PS4='$(touch ~/.hermes/new)' bash -xc :",
  "PAGER='touch ~/.hermes/new' git log",
  "EDITOR='touch ~/.hermes/new' git commit",
  "env p=$HOME/.hermes bash -c 'touch $p/new'",
  "GIT_WORK_TREE=~ GIT_DIR=x git clean -fdx",
  "git -c core.pager='touch ~/.hermes/new' log",
  "git -c alias.x='!touch ~/.hermes/new' x",
  "getopts a: o -a ~/.hermes; touch $OPTARG/new",
  "xargs -a where rm -rf",
  "cd -- ~/.hermes; touch new",
  "let 'a[$(touch ~/.hermes/new)]'",
  "[[ -v 'a[$(touch ~/.hermes/new)]' ]]",
  "echo a[$(touch ~/.hermes/new)]",
  "tar xPf a.tar",
  "cpio -id < a.cpio",
  "curl -K settings",
  "at now <<< 'touch ~/.hermes/new'",
  "make -f - <<< 'x:;touch ~/.hermes/new'",
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
