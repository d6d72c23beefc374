#!/bin/bash -eu
# Builds every fuzz target into $OUT; called by ClusterFuzzLite's image.
cd "$SRC/sigurg"
cargo fuzz build -O
for target in fuzz/fuzz_targets/*.rs; do
    name="$(basename "$target" .rs)"
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$name" "$OUT/"
    (cd "fuzz/corpus/$name" && zip -q "$OUT/${name}_seed_corpus.zip" -- *)
done
