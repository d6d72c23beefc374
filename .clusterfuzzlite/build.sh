#!/bin/bash -eu
# Builds every fuzz target into $OUT; called by ClusterFuzzLite's image.
cd "$SRC/sigurg"
cargo fuzz build -O
for target in fuzz/fuzz_targets/*.rs; do
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$(basename "$target" .rs)" "$OUT/"
done
