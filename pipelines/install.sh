#!/usr/bin/env bash
# Installs a finished build under PREFIX: programs, man pages, pipelines, and completions for bash, zsh and fish.
# Bash loads a completion by the name of its command, so every tool gets a link to the one file for all.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
prefix=${PREFIX:-/usr/local}
share=$prefix/share

programs=()
for file in tools/*.cpp; do programs+=("$build/bin/$(basename "$file" .cpp)"); done

install -d "$prefix/bin" "$share/nightdesk/pipelines" "$share/bash-completion/completions" \
  "$share/zsh/site-functions" "$share/fish/vendor_completions.d"
install -m 755 "${programs[@]}" "$prefix/bin"
for page in man/*.[0-9]; do install -D -m 644 -t "$share/man/man${page##*.}" "$page"; done
install -m 644 pipelines/*.mk "$share/nightdesk/pipelines"
install -m 755 pipelines/run.sh pipelines/*.awk "$share/nightdesk/pipelines"
pipelines/completions.sh bash "${programs[@]}" > "$share/bash-completion/completions/nightdesk"
for program in "${programs[@]}"; do
  ln -sf nightdesk "$share/bash-completion/completions/$(basename "$program")"
done
pipelines/completions.sh zsh "${programs[@]}" > "$share/zsh/site-functions/_nightdesk"
pipelines/completions.sh fish "${programs[@]}" > "$share/fish/vendor_completions.d/nightdesk.fish"
echo "installed ${#programs[@]} programs under $prefix"
