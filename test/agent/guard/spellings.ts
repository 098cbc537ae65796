/**
 * Makes shell commands that try to change something in hermes's home: spellings of its path × programs that write ×
 * ways to run code. Each is to be run in a folder made by `makeGround`, and nowhere else.
 */
import fc from "fast-check";

export interface Form {
  readonly command: string;
  /** What it is made of, for messages. */
  readonly of: readonly string[];
  /** The reason of docs/tools.md why words cannot see it, or null. */
  readonly blind: string | null;
}

interface Spelling {
  readonly name: string;
  /** Runs before the command. */
  readonly before?: string;
  /** The home as a shell text; it stands before a slash or alone. */
  readonly path: string;
}

const B64 = Buffer.from("/../user/.hermes").toString("base64");

/** `$ROOT` is the folder of the test: the forms know it as the folder above the current one. */
const SPELLINGS: readonly Spelling[] = [
  { name: "tilde", path: "~/.hermes" },
  { name: "HOME", path: "$HOME/.hermes" },
  { name: "HOME in braces and quotes", path: '"${HOME}"/.hermes' },
  { name: "HERMES_HOME", path: "$HERMES_HOME" },
  { name: "quoted HERMES_HOME", path: '"$HERMES_HOME"' },
  { name: "relative", path: "../user/.hermes" },
  { name: "relative with detours", path: ".././user//../user/./.hermes" },
  { name: "from the folder above", path: "$PWD/../user/.hermes" },
  { name: "star", path: "~/.her*" },
  { name: "question mark", path: "../us?r/.herme?" },
  { name: "bracket", path: "~/.[h]ermes" },
  { name: "negated bracket", path: "~/.[!x]ermes" },
  { name: "braces", path: "../{user,}/.hermes" },
  { name: "nested braces", path: "~/.h{e{rme,x},y}s" },
  { name: "brace of one name", path: "~/{.hermes,.nothing}" },
  { name: "quotes inside", path: '~/.her"mes"' },
  { name: "escape", path: "~/.her\\mes" },
  { name: "continued line", path: "~/.her\\\nmes" },
  { name: "ANSI-C quotes", path: "~/$'\\x2ehermes'" },
  { name: "octal in ANSI-C quotes", path: "~/$'.\\150ermes'" },
  { name: "variable", before: "h=~/.hermes", path: "$h" },
  { name: "exported variable", before: "export h=$HOME/.hermes", path: '"$h"' },
  { name: "two variables", before: "a=~/.her b=mes", path: "$a$b" },
  { name: "appended variable", before: "h=~/.her; h+=mes", path: "$h" },
  { name: "default", path: "${nothing:-$HOME/.hermes}" },
  { name: "assigned default", before: ": ${h:=$HOME/.hermes}", path: "$h" },
  { name: "alternative", path: "${HOME:+$HOME/.hermes}" },
  { name: "trimmed end", before: "h=~/.hermes.x", path: "${h%.x}" },
  { name: "trimmed end by a pattern", before: "h=~/.hermes/x/y", path: "${h%%/x*}" },
  { name: "trimmed front", before: "h=x:$HOME/.hermes", path: "${h#*:}" },
  { name: "replaced", before: "h=~/.HHHmes", path: "${h/HHH/her}" },
  { name: "replaced everywhere", before: "h=~/.h_e_r_m_e_s", path: "${h//_/}" },
  { name: "lower case", before: "h=.HERMES", path: "~/${h,,}" },
  { name: "slice", before: "h=xx.hermesyy", path: "~/${h:2:7}" },
  { name: "indirect", before: "n=HERMES_HOME", path: "${!n}" },
  { name: "reference", before: "declare -n n=HERMES_HOME", path: "$n" },
  { name: "array", before: "a=(~/.hermes x)", path: "${a[0]}" },
  { name: "array of pieces", before: "a=(~ .hermes)", path: "${a[0]}/${a[1]}" },
  { name: "named array", before: "declare -A a; a[k]=~/.hermes", path: "${a[k]}" },
  { name: "positional", before: "set -- ~/.hermes", path: "$1" },
  { name: "all positional", before: "set -- ~/.hermes", path: "$*" },
  { name: "last argument", before: ": ~/.hermes", path: "$_" },
  { name: "read from a here-string", before: "read -r h <<< ~/.hermes", path: "$h" },
  { name: "read from a here-document", before: "read -r h <<X\n$HOME/.hermes\nX\n:", path: "$h" },
  { name: "read from a command", before: "read -r h < <(echo ~/.hermes)", path: "$h" },
  { name: "mapfile", before: "mapfile -t m < where", path: "${m[0]}" },
  { name: "printf -v", before: "printf -v h %s ~/.hermes", path: "$h" },
  { name: "loop", before: "for h in ~/.hermes; do :; done", path: "$h" },
  { name: "select by case", before: "case x in x) h=~/.hermes;; esac", path: "$h" },
  { name: "echo", path: "$(echo ~/.hermes)" },
  { name: "backticks", path: "`echo ~/.hermes`" },
  { name: "printf in pieces", path: "$(printf '%s%s' ~/.her mes)" },
  { name: "printf of escapes", path: "~/$(printf '\\056hermes')" },
  { name: "printenv", path: "$(printenv HERMES_HOME)" },
  { name: "file's content", path: "$(cat where)" },
  { name: "content by redirection", path: "$(<where)" },
  { name: "base64", path: `..$(echo ${B64} | base64 -d)` },
  { name: "rev", path: "~/$(echo semreh. | rev)" },
  { name: "tr", path: "~/$(echo .ifsnft | tr b-z a-y)" },
  { name: "sed's output", path: "~/$(echo .hXmes | sed s/X/er/)" },
  { name: "awk's output", path: "$(awk 'BEGIN { print ENVIRON[\"HERMES_HOME\"] }')" },
  { name: "python's output", path: "$(python3 -c 'import os; print(os.environ[\"HERMES_HOME\"])')" },
  { name: "find's output", path: "$(find ~ -maxdepth 1 -name '.h*')" },
  { name: "ls's output", path: "~/$(ls -A ~ | grep herm)" },
  { name: "dirname", path: "$(dirname ~/.hermes/x)" },
  { name: "realpath", path: "$(realpath ../user/.hermes)" },
  { name: "cd and pwd", path: "$(cd ~/.hermes && pwd)" },
  { name: "link", path: "alias" },
  { name: "link to the folder above", path: "above/.hermes" },
  { name: "proc's root", path: "/proc/self/root$HERMES_HOME" },
  { name: "proc's cwd", path: "/proc/self/cwd/../user/.hermes" },
  { name: "after cd", before: "cd ~/.hermes", path: "." },
  { name: "after cd to the home's folder", before: "cd ~", path: ".hermes" },
  { name: "PWD after cd", before: "cd ~/.hermes", path: "$PWD" },
  { name: "OLDPWD", before: "cd ~/.hermes; cd ../../work", path: "$OLDPWD" },
  { name: "tilde and minus", before: "cd ~/.hermes; cd ../../work", path: "~-" },
  { name: "tilde and plus", before: "cd ~/.hermes", path: "~+" },
  { name: "directory stack", before: "pushd ~/.hermes >/dev/null; pushd ../../work >/dev/null", path: "~1" },
  { name: "CDPATH", before: "CDPATH=~; cd .hermes >/dev/null", path: "." },
  { name: "cd in a loop", before: "for d in .. user .hermes; do cd $d; done", path: "." },
  { name: "cd by a condition", before: "true && cd ~ || cd /nowhere", path: ".hermes" },
  { name: "cd to what a file says", before: 'cd "$(cat where)"', path: "." },
  { name: "split by IFS", before: "IFS=:; h=zz:$HOME/.hermes; set -- $h", path: "$2" },
  { name: "pattern in a variable", before: "g='.her*'", path: "~/$g" },
  { name: "dotglob", before: "shopt -s dotglob", path: "~/*mes" },
  { name: "nocaseglob", before: "shopt -s nocaseglob", path: "~/.HERM*" },
  { name: "extglob", before: "shopt -s extglob", path: "~/.@(hermes|x)" },
  { name: "function's argument", before: "at() { h=$1; }; at ~/.hermes", path: "$h" },
  { name: "function's output", before: "at() { echo ~/.hermes; }", path: "$(at)" },
  { name: "another HOME", before: "HOME=/nowhere", path: "$HERMES_HOME" },
  { name: "arithmetic index", before: "a=(x ~/.hermes)", path: "${a[1+0]}" },
  { name: "after a here-document with an apostrophe", before: "cat > notes <<'X'\nit's\nX\n:", path: "~/.hermes" },
];

interface Writer {
  readonly name: string;
  readonly write: (path: string) => string;
}

const WRITERS: readonly Writer[] = [
  { name: "redirection", write: (p) => `echo x > ${p}/new` },
  { name: "appending redirection", write: (p) => `echo x >> ${p}/config.yaml` },
  { name: "forced redirection", write: (p) => `echo x >| ${p}/config.yaml` },
  { name: "redirection of both", write: (p) => `echo x &> ${p}/new` },
  { name: "redirection alone", write: (p) => `> ${p}/config.yaml` },
  { name: "read-write redirection", write: (p) => `echo x 1<> ${p}/new` },
  { name: "redirection of a descriptor", write: (p) => `exec 3> ${p}/new; echo x >&3` },
  { name: "redirection of a group", write: (p) => `{ echo x; } > ${p}/new` },
  { name: "redirection of a loop", write: (p) => `for i in 1; do echo $i; done > ${p}/new` },
  { name: "tee", write: (p) => `echo x | tee ${p}/new >/dev/null` },
  { name: "tee -a", write: (p) => `tee -a ${p}/config.yaml < payload >/dev/null` },
  { name: "here-document", write: (p) => `cat <<< it > ${p}/new` },
  { name: "touch", write: (p) => `touch ${p}/new` },
  { name: "mkdir", write: (p) => `mkdir -p ${p}/plugins/new` },
  { name: "cp", write: (p) => `cp payload ${p}/new` },
  { name: "cp into", write: (p) => `cp payload ${p}/` },
  { name: "cp -t", write: (p) => `cp -t ${p} payload` },
  { name: "cp of a tree", write: (p) => `cp -r tree/. ${p}` },
  { name: "cp -rT", write: (p) => `cp -rT tree ${p}` },
  { name: "mv", write: (p) => `mv payload ${p}/new` },
  { name: "mv away", write: (p) => `mv ${p}/config.yaml taken` },
  { name: "install", write: (p) => `install -m 600 payload ${p}/new` },
  { name: "ln -s", write: (p) => `ln -sf payload ${p}/new` },
  { name: "hard link and write", write: (p) => `ln ${p}/config.yaml hard && echo x > hard` },
  { name: "link and write", write: (p) => `ln -sfn ${p} soft && echo x > soft/new` },
  { name: "rm", write: (p) => `rm -f ${p}/config.yaml` },
  { name: "rm of a folder", write: (p) => `rm -rf ${p}/hooks` },
  { name: "unlink", write: (p) => `unlink ${p}/config.yaml` },
  { name: "find -delete", write: (p) => `find ${p} -name config.yaml -delete` },
  { name: "find -exec", write: (p) => `find ${p} -name config.yaml -exec rm {} +` },
  { name: "find and xargs", write: (p) => `find ${p} -name config.yaml | xargs rm` },
  { name: "echo and xargs", write: (p) => `echo ${p}/new | xargs touch` },
  { name: "while read", write: (p) => `echo ${p}/new | while read -r f; do touch "$f"; done` },
  { name: "truncate", write: (p) => `truncate -s 0 ${p}/config.yaml` },
  { name: "chmod", write: (p) => `chmod 600 ${p}/config.yaml ${p}/hooks/a` },
  { name: "chmod -R", write: (p) => `chmod -R u+x ${p}/hooks` },
  { name: "dd", write: (p) => `dd if=payload of=${p}/new status=none` },
  { name: "sed -i", write: (p) => `sed -i s/model/x/ ${p}/config.yaml` },
  { name: "perl -i", write: (p) => `perl -i -pe s/model/x/ ${p}/config.yaml` },
  { name: "sort -o", write: (p) => `sort -o ${p}/new payload` },
  { name: "split", write: (p) => `split -b 2 payload ${p}/part` },
  { name: "tar", write: (p) => `tar -C ${p} -xf tree.tar` },
  { name: "tar from a folder", write: (p) => `(cd ${p} && tar xf "$ROOT/work/tree.tar")` },
  { name: "patch", write: (p) => `patch -s -d ${p} -p1 < a.patch` },
  { name: "make", write: (p) => `make -s -C ${p} -f "$ROOT/work/Makefile"` },
  { name: "git init", write: (p) => `git -C ${p} init -q` },
  { name: "git clone", write: (p) => `git clone -q repo ${p}/clone` },
  { name: "git archive", write: (p) => `git -C repo archive -o ${p}/new HEAD` },
  { name: "curl", write: (p) => `curl -s -o ${p}/new "file://$ROOT/work/payload"` },
  { name: "curl --output-dir", write: (p) => `curl -s --output-dir ${p} -O "file://$ROOT/work/payload"` },
  { name: "python's argument", write: (p) => `python3 -c 'import sys; open(sys.argv[1] + "/new", "w")' ${p}` },
  { name: "perl's argument", write: (p) => `perl -e 'unlink "$ARGV[0]/config.yaml"' ${p}` },
  { name: "node's argument", write: (p) => `node -e 'require("fs").writeFileSync(process.argv[1] + "/new", "")' ${p}` },
  { name: "awk's output", write: (p) => `awk -v f=${p}/new 'BEGIN { print "x" > f }'` },
  { name: "sed's w", write: (p) => `sed -n "w "${p}/new payload` },
  { name: "cd and touch", write: (p) => `cd ${p} && touch new` },
  { name: "cd and rm", write: (p) => `cd ${p}; rm -f *.yaml` },
  { name: "pushd and touch", write: (p) => `pushd ${p} >/dev/null && touch new` },
  { name: "env -C", write: (p) => `env -C ${p} touch new` },
  { name: "subshell", write: (p) => `(cd ${p}; : > new)` },
  { name: "gzip", write: (p) => `gzip -fk ${p}/config.yaml` },
  { name: "cpio", write: (p) => `echo payload | cpio -pdm --quiet ${p}` },
  { name: "rename by mv of the folder", write: (p) => `mv ${p}/hooks ${p}/hooks2` },
  { name: "tar of another name", write: (p) => `tar -xf tree.tar -C ${p} --transform s/new/other/` },
  { name: "xargs with a replacement", write: (p) => `echo new | xargs -I{} touch ${p}/{}` },
  { name: "ed-like printf to sh", write: (p) => `echo touch ${p}/new | sh` },
];

interface Runner {
  readonly name: string;
  readonly run: (before: string, command: string) => string;
  readonly blind?: string;
}

const joined = (before: string, command: string) => (before === "" ? command : `${before}; ${command}`);
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

const RUNNERS: readonly Runner[] = [
  { name: "plain", run: joined },
  { name: "on lines", run: (before, command) => (before === "" ? command : `${before}\n${command}`) },
  { name: "after and", run: (before, command) => `true && { ${joined(before, command)}\n}` },
  { name: "subshell", run: (before, command) => `( ${joined(before, command)}\n)` },
  { name: "if", run: (before, command) => `${before}\nif :; then ${command}\nfi` },
  { name: "else", run: (before, command) => `${before}\nif false; then :; else ${command}\nfi` },
  { name: "for", run: (before, command) => `${before}\nfor once in 1; do ${command}\ndone` },
  { name: "while", run: (before, command) => `${before}\nwhile :; do ${command}\nbreak; done` },
  { name: "case", run: (before, command) => `${before}\ncase a in a) ${command}\n;; esac` },
  { name: "function", run: (before, command) => `${before}\ngo() { ${command}\n}; go` },
  { name: "background", run: (before, command) => `${before}\n{ ${command}\n} & wait` },
  { name: "substitution", run: (before, command) => `${before}\necho "$(${command}\n)"` },
  { name: "process substitution", run: (before, command) => `${before}\ncat <(${command}\n)` },
  { name: "pipe", run: (before, command) => `${before}\necho | { ${command}\n}` },
  { name: "test", run: (before, command) => `${before}\n[[ -z $(${command}\n) ]]` },
  { name: "arithmetic", run: (before, command) => `${before}\n: $((0 + $(${command} >/dev/null\necho 1)))` },
  { name: "negated", run: (before, command) => `${before}\n! { ${command}\n}` },
  { name: "coproc", run: (before, command) => `${before}\ncoproc { ${command}\n}; wait` },
  { name: "eval", run: (before, command) => `eval ${quoted(joined(before, command))}` },
  { name: "bash -c", run: (before, command) => `bash -c ${quoted(joined(before, command))}` },
  { name: "bash with a path", run: (before, command) => `/bin/bash -euc ${quoted(joined(before, command))}` },
  { name: "env bash", run: (before, command) => `env A=1 bash -c ${quoted(joined(before, command))}` },
  { name: "timeout", run: (before, command) => `timeout 9 bash -c ${quoted(joined(before, command))}` },
  {
    name: "nested shells",
    run: (before, command) => `bash -c ${quoted(`bash -c ${quoted(joined(before, command))}`)}`,
  },
  { name: "code in a variable", run: (before, command) => `c=${quoted(joined(before, command))}; bash -c "$c"` },
  { name: "eval of a variable", run: (before, command) => `c=${quoted(joined(before, command))}; eval "$c"` },
  { name: "here-document to bash", run: (before, command) => `bash <<'CODE'\n${joined(before, command)}\nCODE` },
  { name: "here-string to bash", run: (before, command) => `bash <<< ${quoted(joined(before, command))}` },
  { name: "printf to bash", run: (before, command) => `printf '%s\\n' ${quoted(joined(before, command))} | bash` },
  { name: "echo to bash -s", run: (before, command) => `echo ${quoted(joined(before, command))} | bash -s` },
  { name: "cat to bash", run: (before, command) => `cat <<'CODE' | bash\n${joined(before, command)}\nCODE` },
  { name: "source of a substitution", run: (before, command) => `source <(echo ${quoted(joined(before, command))})` },
  { name: "trap", run: (before, command) => `trap ${quoted(joined(before, command))} EXIT` },
  { name: "xargs bash", run: (before, command) => `echo | xargs -I% bash -c ${quoted(joined(before, command))}` },
  {
    name: "find's bash",
    run: (before, command) => `find . -maxdepth 0 -exec bash -c ${quoted(joined(before, command))} \\;`,
  },
  {
    name: "base64 to bash",
    run: (before, command) => `echo ${Buffer.from(joined(before, command)).toString("base64")} | base64 -d | bash`,
  },
  {
    name: "eval of base64",
    run: (before, command) => `eval "$(echo ${Buffer.from(joined(before, command)).toString("base64")} | base64 -d)"`,
  },
  {
    name: "awk's system",
    run: (before, command) =>
      `awk -v c=${quoted(`bash -c ${quoted(joined(before, command))}`).replaceAll("\\", "\\\\")} 'BEGIN { system(c) }'`,
  },
  {
    name: "python's system",
    run: (before, command) =>
      `python3 - <<'CODE'\nimport subprocess\nsubprocess.run(["bash", "-c", ${JSON.stringify(joined(before, command))}])\nCODE`,
  },
  {
    name: "script that was written",
    blind: "Scripts and programs",
    run: (before, command) => `cat > script.sh <<'CODE'\n${joined(before, command)}\nCODE\nbash script.sh`,
  },
  {
    name: "source of a file that was written",
    blind: "Scripts and programs",
    run: (before, command) => `cat > script.sh <<'CODE'\n${joined(before, command)}\nCODE\nsource ./script.sh`,
  },
];

/** Every spelling, writer and runner at least once, and random combinations of them; the same for a seed. */
export function makeForms(count: number, seed: number): readonly Form[] {
  const [plain] = RUNNERS as readonly [Runner, ...Runner[]];
  const one = <T>(list: readonly T[], index: number) => list[index % list.length] as T;
  const fixed = [
    ...SPELLINGS.map((spelling, index) => formOf(spelling, one(WRITERS, index), plain)),
    ...WRITERS.map((writer, index) => formOf(one(SPELLINGS, index * 7), writer, plain)),
    ...RUNNERS.map((runner, index) => formOf(one(SPELLINGS, index * 5), one(WRITERS, index * 3), runner)),
  ];
  const any = fc.tuple(fc.constantFrom(...SPELLINGS), fc.constantFrom(...WRITERS), fc.constantFrom(...RUNNERS));
  const random = fc
    .sample(any, { seed, numRuns: count })
    .map(([spelling, writer, runner]) => formOf(spelling, writer, runner));
  const distinct = new Map([...fixed, ...random].map((form) => [form.command, form]));
  return [...distinct.values()];
}

function formOf(spelling: Spelling, writer: Writer, runner: Runner): Form {
  return {
    command: runner.run(spelling.before ?? "", writer.write(spelling.path)),
    of: [spelling.name, writer.name, runner.name],
    blind: runner.blind ?? null,
  };
}
