/** What is known of programs. A program that no table names may write to every path that it is given. */

/** Give out names or numbers at most: may be given any path, the home's included. */
const HARMLESS = words(
  "cd pushd popd dirs ls dir stat du df tree test [ echo printf realpath readlink dirname basename pwd export declare",
  "local readonly typeset unset true false : exit return break continue wait sleep kill killall pkill pgrep ps date cal",
  "id whoami groups uname hostname which type hash jobs bg fg disown umask ulimit set shift getopts let expr seq yes",
  "read mapfile readarray shopt alias unalias history help times lsof fuser free uptime nproc arch tty stty tput clear",
  "eval source . trap reset locale getconf printenv env hermes file caller enable bind complete compgen builtin command ping dig host",
  "nslookup ss netstat ip ifconfig lscpu lsblk mount findmnt top htop vmstat iostat",
);

/** Read what they are given, and write nothing but output. */
const READERS = words(
  "cat head tail less more wc grep egrep fgrep zgrep rg ag ack sort cut tr nl od hexdump strings diff colordiff cmp",
  "comm md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum jq column fold fmt paste rev tac base64",
  "base32 zcat bzcat xzcat bat tail locate numfmt join look pr expand unexpand zless pygmentize glow hexyl",
);

/** Options with which a reader writes. */
const WRITING_OPTIONS: Readonly<Record<string, RegExp>> = {
  sort: /^(?:-[a-zA-Z]*o|--o)/,
  tree: /^-o/,
  column: /^-o/,
  jq: /^(?:-i|--in-place)/,
  du: /^--files0-from/,
  diff: /^--output/,
  printf: /^-v/,
  mount: /./,
  date: /^(?:-s|--set)/,
  less: /^-[oO]/,
  file: /^-C/,
  history: /^-[aw]/,
  rg: /^--pre/,
};

/**
 * Tools of development whose arguments are names, addresses and messages, or files that they read. Any text may be
 * among them. The home and folders above it may not.
 */
const TOOLS = words(
  "git gh glab hub npm npx pnpm yarn bun bunx deno node nodejs tsx ts-node tsc eslint oxlint oxfmt biome jest vitest mocha",
  "python python2 python3 pytest pip pip3 pipx uv uvx poetry tox nox ruff black mypy flake8 isort pylint pyright",
  "ruby bundle rake gem rspec rubocop php composer perl lua go gofmt cargo rustc rustup java javac mvn gradle dotnet swift",
  "make ninja cmake meson ctest just task docker-compose kubectl helm terraform ansible aws gcloud az heroku",
  "fly vercel netlify brew apt apt-get apt-cache dpkg yum dnf apk pacman snap systemctl journalctl service crontab at",
  "psql mysql redis-cli mongosh curl wget http ssh-add ssh-agent ssh-keygen gpg openssl cd awk gawk mawk sed find fd",
  "xdg-open open code notify-send pbcopy pbpaste xclip shellcheck shfmt hadolint yamllint prettier stylelint markdownlint",
  "time timeout docker podman sqlite3 gcc g++ cc clang clang++ ld ar nm objdump strace gdb valgrind hyperfine tmux screen",
);

/** Options after which a tool writes to what follows. */
const TOOL_OUTPUTS: Readonly<Record<string, RegExp>> = {
  curl: /^(?:-[a-zA-Z]*[oODcK]|--output|--output-dir|--dump-header|--cookie-jar|--trace|--config|--create-dirs|--stderr|--etag-save|--hsts|--alt-svc|--libcurl)/,
  wget: /^(?:-[a-zA-Z]*[oOPai]|--output|--directory-prefix|--append|--input-file|--save|--hsts-file|--config)/,
  sed: /^(?:-[a-zA-Z]*[ifE]*i|--in-place|-f|--file)/,
  perl: /^-[acflnpstuwSTW0-9]*i/,
  ruby: /^-[aclnpswWST0-9]*i/,
  awk: /^(?:-i|-f|--)/,
  gawk: /^(?:-i|-f|--)/,
  find: /^-(?:delete|exec|execdir|ok|okdir|fprint.*|fls)$/,
  fd: /^(?:-[a-zA-Z]*[xX]|--exec)/,
  git: /^(?:-C|--git-dir|--work-tree|--output|--separate-git-dir|clone|init|worktree|apply|am|mv|rm|clean|restore|reset|stash|bundle|archive|format-patch|config|submodule|-o|-c|--exec-path)/,
  prettier: /^(?:-w|--write)/,
  eslint: /^(?:-o|--fix|--output)/,
  black: /./,
  ruff: /^(?:format|--fix)/,
  gofmt: /^-w/,
  shfmt: /^-w/,
  docker: /^(?:run|create|cp|build|save|export|compose|volume|-v|--volume|--mount)/,
  podman: /^(?:run|create|cp|build|save|export|volume|-v|--volume|--mount)/,
  gcc: /^-o/,
  "g++": /^-o/,
  cc: /^-o/,
  clang: /^-o/,
  "clang++": /^-o/,
  ld: /./,
  ar: /./,
  tsc: /^--(?:outDir|outFile|declarationDir)/,
  go: /^-o/,
  rustc: /^(?:-o|--out)/,
  javac: /^-d/,
  openssl: /^-(?:out|keyout|writerand)/,
  gpg: /^(?:-o|--output|--homedir)/,
  "ssh-keygen": /^-f/,
  sqlite3: /./,
  npm: /^(?:--prefix|-C|--cache|--userconfig|pack|config)/,
  pnpm: /^(?:--dir|-C)/,
  yarn: /^--cwd/,
  pip: /^(?:-t|--target|--prefix|--root|--log|download|wheel)/,
  pip3: /^(?:-t|--target|--prefix|--root|--log|download|wheel)/,
  make: /^(?:-C|--directory|-f|--file|-o|--eval|SHELL=)/,
  cmake: /^(?:-B|-E|--install|--prefix)/,
  strace: /^-o/,
  tmux: /./,
  screen: /./,
  gdb: /./,
  crontab: /./,
  at: /./,
  ansible: /./,
};

export const SHELLS = words("sh bash zsh dash ksh ash mksh fish csh tcsh rbash");

/** Run the words behind them as a command, or as code. */
export const WRAPPERS = words(
  "sudo doas env nohup exec command builtin nice ionice timeout stdbuf setsid xargs time watch parallel flock chroot",
  "unshare nsenter script su ssh strace ltrace busybox toybox npx bunx pnpm yarn npm uv poetry pipx docker podman",
  "find fd chrt taskset faketime eatmydata unbuffer expect bwrap firejail systemd-run at batch runuser setpriv gdb tmux",
  "screen start-stop-daemon daemonize entr make pipenv rye hatch bundle nix nix-shell direnv dotenv op aws-vault xvfb-run",
);

export const INTERPRETERS =
  /^(?:python|pypy|node|nodejs|deno|bun|tsx|ts-node|perl|ruby|php|lua|luajit|[gmn]?awk|sed|ed|ex|vi|vim|nvim|emacs|osascript|sqlite3|tclsh|wish|expect|guile|racket|R|Rscript|julia|scala|groovy|jshell|ghci|elixir|erl|bc|dc|m4|gdb|psql|mysql)[\d.]*$/;

/** Variables whose value names a place that a program writes to. */
export const PLACES_OF_PROGRAMS = /^(?:GIT_\w+|TMPDIR|TAR_OPTIONS|MAKEFLAGS|DESTDIR|PREFIX|XDG_\w+|npm_config_\w+)$/;

export type Kind = "harmless" | "reader" | "tool" | "writer";

/** What a program does with its arguments, as far as they tell. A path to a program is a script, which may do anything. */
export function kindOf(name: string, args: readonly string[]): Kind {
  const writes = (table: Readonly<Record<string, RegExp>>) => args.some((text) => table[name]?.test(text) ?? false);
  if (HARMLESS.has(name)) return writes(WRITING_OPTIONS) ? "writer" : "harmless";
  if (READERS.has(name)) return writes(WRITING_OPTIONS) ? "writer" : "reader";
  // A shell's own arguments are code or a script.
  if (SHELLS.has(name)) return "tool";
  if (TOOLS.has(name)) return writes(TOOL_OUTPUTS) ? "writer" : "tool";
  return "writer";
}

/** Whether the program has rules of its own, so that a wrapper before it can be told from its command. */
export function isKnown(name: string): boolean {
  return (
    HARMLESS.has(name) ||
    READERS.has(name) ||
    TOOLS.has(name) ||
    SHELLS.has(name) ||
    WRAPPERS.has(name) ||
    INTERPRETERS.test(name) ||
    /^(?:rm|mv|cp|ln|tee|dd|install|touch|mkdir|rmdir|tar|zip|unzip|rsync|patch|chmod|chown|truncate|shred|split|eval|source|\.|scp|sponge|unlink|mkfifo|mknod|chgrp|cpio|7z)$/.test(
      name,
    )
  );
}

function words(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}
