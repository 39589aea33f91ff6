# make install: what stands under PREFIX works without the source tree.

bats_require_minimum_version 1.5.0
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BIN=$(realpath "${BIN:-$ROOT/build/bin}")
export ND_NO_SYNC=1  # files of a test need not survive a power cut
unset MAKEFLAGS MAKELEVEL  # of the make that runs the tests

setup_file() {
  export PREFIX=$BATS_FILE_TMPDIR/prefix
  BUILD=$(dirname "$BIN") "$ROOT/pipelines/install.sh"
}
setup() { cd "$BATS_TEST_TMPDIR"; }

@test "every tool has its program, page and completions" {
  for file in "$ROOT"/tools/*.cpp; do
    tool=$(basename "$file" .cpp)
    "$PREFIX/bin/$tool" --version
    [ -e "$PREFIX/share/man/man1/$tool.1" ]
    [ -e "$PREFIX/share/bash-completion/completions/$tool" ]
    grep -q "$tool" "$PREFIX/share/zsh/site-functions/_nightdesk"
    grep -q "$tool" "$PREFIX/share/fish/vendor_completions.d/nightdesk.fish"
  done
  [ -e "$PREFIX/share/man/man7/nightdesk.7" ]
}

@test "the pipelines run on the installed programs" {
  make -s -f "$PREFIX/share/nightdesk/pipelines/causes.mk" OUT=out CAUSES=none SEEDS=1 \
    ROOM='--articles 240 --users 60 --impressions 400 --days 4 --entities 128 --others 32 --relations 8 --neighbours 4' \
    newsroom_transe='--dim 8 --epochs 1' newsroom_text='--dim 8 --epochs 1' \
    newsroom_train='--hidden 8 --width 8 --epochs 1' 2> log || { cat log; return 1; }
  grep -q none out/matrix.txt
}
